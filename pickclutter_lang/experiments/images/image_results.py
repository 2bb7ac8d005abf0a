"""The finished runs of Tables 1-11, loaded and checked for comparability."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.experiments.comparison import Result, comparable_settings, provenance
from pickclutter_lang.experiments.images.table_specs import ACCURACY, RUNS, TABLES
from pickclutter_lang.experiments.sweeps.sweep_results import (
    TEACHER,
    Replicate,
    SweepKind,
    SweepResults,
    load_sweep,
    number_at,
)
from pickclutter_lang.utils.markdown import percent

SPACE_FILE = "space.npz"
"""Of a run: `students` [n, D] of X_ood, `texts` [C, D] of Y_ood, `labels` [n] as rows of the latter."""
MOST_CLASSES, MOST_IMAGES = 10, 100
"""So many classes, and images of each, are in it."""

_TEXTS = ("texts", "captions")
_OF_A_RUN = {override.split("=")[0] for overrides in RUNS.values() for override in overrides} | {"student"}


@dataclass(frozen=True)
class ImageSweepResults(SweepResults):
    """Results of one data set and one teacher.

    `overrides` are settings of all runs, for the command that messages show. The run None stands for
    numbers of the teacher, which every run has.
    """

    overrides: tuple[str, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """Name, classes and sizes of the data set."""
        found: dict[str, Any] = self.first["data"]
        return found

    def command(self, what: str, seeds: tuple[int, ...]) -> str:
        """Return the command that makes a table or a figure from these runs.

        :param what: such as `table=1`
        """
        chosen = ",".join(map(str, seeds))
        shared = [*(self.overrides or (f"dataset={self.data['name']}",))]
        if self.folder != Path(f"runs/tables/{self.data['name']}"):  # the command's default
            shared.append(f"out={self.folder}")
        return f"pickclutter reproduce-tables {what} {' '.join(map(shlex.quote, shared))} seeds=[{chosen}]"

    def _results(self, run: str | None) -> Mapping[Replicate, Result]:
        return super()._results(run) if run is not None else self.teacher_runs

    @property
    def teacher_runs(self) -> Mapping[Replicate, Result]:
        """The runs whose numbers of the teacher are shown."""
        # The teacher's accuracies depend on the texts: those of names alone are Table 1's.
        plain = [
            seeds
            for seeds in self.runs.values()
            if all(result["config"]["text"]["descriptions"] is None for result in seeds.values())
        ]
        return max(plain, key=len, default={})


def load_runs(out: Path, overrides: Sequence[str] = ()) -> ImageSweepResults:
    """Read every `result.json` under a folder.

    :param overrides: see `ImageSweepResults`
    :raises PickClutterError: what `load_sweep` raises
    """
    found = load_sweep(out, IMAGE_TABLES)
    return ImageSweepResults(found.folder, found.runs, found.folders, tuple(overrides))


def teacher_rows(runs: ImageSweepResults) -> Iterator[tuple[str, Replicate, Result]]:
    """Yield the teacher's numbers as runs of their own."""
    for replicate in runs.replicates(None):
        yield TEACHER, replicate, {"metrics": {TEACHER: runs.teacher_runs[replicate]["metrics"][TEACHER]}}


def measures_of(result: Result) -> Iterator[str]:
    """Yield the paths of the numbers of a run that some table shows; the teacher's are of `teacher_rows` alone."""
    alone = set(result["metrics"]) == {TEACHER}
    shown = [cell for table in TABLES.values() for row in table.rows for cell in table.cells(row)]
    measures = [*(m for cell in shown for m in cell), *(m for table in TABLES.values() for m in table.also)]
    yield from (m for m in dict.fromkeys(measures) if m.startswith(f"{TEACHER}.") == alone)


def summary(result: Result) -> str:
    """Return the accuracies of a run in a line, for the end of a command."""
    values = " / ".join(percent(number_at(result, measure)) for measure in ACCURACY)
    teacher = " / ".join(percent(number_at(result, f"teacher.{part}.accuracy")) for part in ("id", "ood"))
    return f"X_id / zero-shot X_ood / few-shot X_ood, %: {values}; the teacher on X_id / X_ood: {teacher}"


def student_of(result: Result) -> str:
    """Return the name of the student, and whether it was trained before."""
    return student_name(result["config"])


def student_name(config: Mapping[str, Any]) -> str:
    """Return the name of the configured student, and whether it was trained before."""
    student = config["student"]
    return f"{student['name']}, pretrained" if student.get("pretrained") else str(student["name"])


def _of_every_run(result: Result) -> dict[str, Any]:
    """Return images, classes and teacher, which all runs share."""
    found = provenance(result)
    return found | {"data": {key: value for key, value in found["data"].items() if key not in _TEXTS}}


def _of_every_seed(result: Result) -> dict[str, Any]:
    """Return the texts of a run."""
    return {"data": {key: result["data"].get(key) for key in _TEXTS}}


def _of_every_student(result: Result) -> dict[str, Any]:
    """Return the settings that all runs of one student share: not what a run or a seed sets."""
    shared = comparable_settings(result)
    for group, _, key in (name.rpartition(".") for name in ("name", "seed", *_OF_A_RUN)):
        (shared.get(group, {}) if group else shared).pop(key, None)
    return shared


IMAGE_TABLES = SweepKind(
    kind="images",
    comparisons=(
        lambda result: {"": _of_every_run(result)},
        lambda result: {str(result["name"]): _of_every_seed(result)},
        lambda result: {student_name(result["config"]): _of_every_student(result)},
    ),
    order=str,
    command="pickclutter reproduce-tables table=1",
)
