"""The finished runs of a benchmark, and whether they may stand in one table."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.images.config import comparable_config
from pickclutter_lang.experiments.images.table_specs import ACCURACY, RUNS
from pickclutter_lang.experiments.scenes.result import RESULT_FILE
from pickclutter_lang.training.checkpoint import describe_differences
from pickclutter_lang.utils.markdown import percent
from pickclutter_lang.utils.statistics import Estimate, estimate

SCHEMA = 1
SPACE_FILE = "space.npz"
"""Of a run: `students` [n, D] of X_ood, `texts` [C, D] of Y_ood, `labels` [n] as rows of the latter."""
MOST_CLASSES, MOST_IMAGES = 10, 100
"""So many classes, and images of each, are in it."""

_KEYS = ("name", "seed", "config", "data", "teacher", "git_revision", "metrics")
_COUNTS = ("name", "content", "split", "train", "id", "ood")
_TEXTS = ("texts", "captions")
_OF_A_RUN = {override.split("=")[0] for overrides in RUNS.values() for override in overrides} | {"student"}

Result = dict[str, Any]


@dataclass(frozen=True)
class ImageSweepResults:
    """Name of a run -> seed -> `result.json`, all of one data set and one teacher.

    :param folder: where they lie
    :param overrides: settings that all of them were asked for, for the command that is shown
    """

    folder: Path
    results: Mapping[str, Mapping[int, Result]]
    overrides: tuple[str, ...] = ()

    @property
    def first(self) -> Result:
        """Any result, for what all of them share."""
        return next(iter(next(iter(self.results.values())).values()))

    @property
    def data(self) -> dict[str, Any]:
        """Name, classes and sizes of the data set."""
        found: dict[str, Any] = self.first["data"]
        return found

    def seeds(self, run: str | None) -> tuple[int, ...]:
        """Return the seeds of a run that are finished; for None those of the run with the most."""
        return tuple(self._results(run))

    def values(self, run: str | None, measure: str) -> list[float | None]:
        """Return a number of each seed, None where it is lacking."""
        return [number_at(result, measure) for result in self._results(run).values()]

    def estimate(self, run: str | None, measure: str) -> Estimate | None:
        """Return mean and 95% interval over seeds of a number; None where one is lacking.

        :param run: None for what every run has, such as the teacher's own figures
        :param measure: dotted path into the metrics
        """
        values = self.values(run, measure)
        known = [value for value in values if value is not None]
        return estimate(known) if known and len(known) == len(values) else None

    def difference(self, left: tuple[str | None, str], right: tuple[str | None, str]) -> Estimate | None:
        """Return the mean of `left - right`, each a run and a measure, over the seeds that both have, and its interval.

        :return: None without any seed in common, or where a number is lacking
        """
        (one, this), (other, that) = ((self._results(run), measure) for run, measure in (left, right))
        pairs = [(number_at(one[n], this), number_at(other[n], that)) for n in sorted(set(one) & set(other))]
        known = [first - second for first, second in pairs if first is not None and second is not None]
        return estimate(known) if known and len(known) == len(pairs) else None

    def command(self, what: str, seeds: tuple[int, ...]) -> str:
        """Return the command that makes a table or a figure from these runs.

        :param what: such as `table=1`
        """
        chosen = ",".join(map(str, seeds))
        shared = [*(self.overrides or (f"dataset={self.data['name']}",))]
        if self.folder != Path(f"runs/benchmarks/{self.data['name']}"):  # the command's default
            shared.append(f"out={self.folder}")
        return f"pickclutter reproduce-tables {what} {' '.join(map(shlex.quote, shared))} seeds=[{chosen}]"

    def _results(self, run: str | None) -> Mapping[int, Result]:
        if run is not None:
            return self.results.get(run, {})
        # What the teacher says depends on the texts: those of names alone are Table 1's.
        plain = [
            seeds
            for seeds in self.results.values()
            if all(result["config"]["text"]["descriptions"] is None for result in seeds.values())
        ]
        return max(plain, key=len, default={})


def number_at(result: Result, measure: str) -> float | None:
    """Return the number at a dotted path into the metrics, None where there is none."""
    value: Any = result["metrics"]
    for key in measure.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return None if value is None else float(value)


def load_runs(out: Path, overrides: Sequence[str] = ()) -> ImageSweepResults:
    """Read every `<run>/seed<S>/result.json` of a folder.

    :param overrides: see `Runs`
    :raises CheckpointError: when there is none, one is damaged, or one is of another run or seed than its folder says
    :raises MismatchError: when two are of other images, classes or teachers, or of the same student but of
        other settings than a run and a seed set
    """
    found: dict[str, dict[int, Result]] = {}
    for path in sorted(out.glob(f"*/seed*/{RESULT_FILE}")):
        result = read_result(path)
        place = f"{result['name']}/seed{result['seed']}"
        if path.parent != out / place:
            raise CheckpointError(f"expected the run {place} in {out / place}, but it is at {path}; move it there")
        found.setdefault(result["name"], {})[result["seed"]] = result
    if not found:
        raise CheckpointError(
            f"expected finished runs under {out}, as RUN/seedS/{RESULT_FILE}, but there are none; "
            f"make them: pickclutter reproduce-tables table=1 out={out}"
        )
    runs = ImageSweepResults(
        out, {name: dict(sorted(seeds.items())) for name, seeds in found.items()}, tuple(overrides)
    )
    _check(runs)
    return runs


def read_result(path: Path) -> Result:
    """Read the `result.json` of a run.

    :raises CheckpointError: when it is damaged or of another schema
    """
    again = "move it away and run the same command again"
    try:
        result: Result = json.loads(path.read_text())
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged ({error}); {again}") from error
    if not isinstance(result, dict) or result.get("schema") != SCHEMA:
        came = result.get("schema") if isinstance(result, dict) else type(result).__name__
        raise CheckpointError(f"expected a result of schema {SCHEMA} in {path}, but got {came}; {again}")
    lacking = [key for key in _KEYS if key not in result]
    if lacking:
        raise CheckpointError(f"expected {', '.join(_KEYS)} in {path}, but {', '.join(lacking)} are not there; {again}")
    return result


def summary(result: Result) -> str:
    """Say the accuracies of a run in a line, for the end of a command."""
    values = " / ".join(percent(number_at(result, measure)) for measure in ACCURACY)
    teacher = " / ".join(percent(number_at(result, f"teacher.{part}.accuracy")) for part in ("id", "ood"))
    return f"X_id / zero-shot X_ood / few-shot X_ood, %: {values}; the teacher on X_id / X_ood: {teacher}"


def student_of(result: Result) -> str:
    """Return the name of the student, and whether it was trained before."""
    return student_name(result["config"])


def student_name(config: Mapping[str, Any]) -> str:
    """Return the name of the student that settings ask for, and whether it was trained before."""
    student = config["student"]
    return f"{student['name']}, pretrained" if student.get("pretrained") else str(student["name"])


def _check(runs: ImageSweepResults) -> None:
    """Compare each run with the first, and its settings with those of the first with the same student."""
    heads: dict[str, tuple[str, Result]] = {}
    first = f"{runs.first['name']}/seed{runs.first['seed']}"
    for name, seeds in runs.results.items():
        for seed, result in seeds.items():
            place = f"{name}/seed{seed}"
            _same(first, place, _provenance_differences(runs.first, result), runs.folder)
            own = f"{name}/seed{next(iter(seeds))}"
            _same(own, place, _text_differences(runs.results[name][next(iter(seeds))], result), runs.folder)
            head, other = heads.setdefault(student_of(result), (place, result))
            _same(
                head,
                place,
                describe_differences(shared_config(other["config"]), shared_config(result["config"])),
                runs.folder,
            )


def _same(one: str, other: str, differences: list[str], folder: Path) -> None:
    if differences:
        raise MismatchError(
            f"expected runs that can stand in one table, but {one} and {other} under {folder} differ: "
            f"{'; '.join(differences)}; train one of them anew, or move it elsewhere"
        )


def _provenance_differences(first: Result, second: Result) -> list[str]:
    """Return what differs in images, classes and teacher."""
    one, other = (
        {"data": {key: result["data"].get(key) for key in _COUNTS}, "teacher": result["teacher"]["fingerprint"]}
        for result in (first, second)
    )
    lines = describe_differences(one, other)
    for part in ("seen", "unseen"):
        names, others = first["data"][part], second["data"][part]
        if names != others:
            same = len(set(names) & set(others))
            lines.append(f"data.{part}: {len(names)} / {len(others)} classes, {same} of them the same")
    return lines


def _text_differences(first: Result, second: Result) -> list[str]:
    """Return what differs in the texts of a run's seeds."""
    one, other = ({key: result["data"].get(key) for key in _TEXTS} for result in (first, second))
    return describe_differences({"data": one}, {"data": other})


def shared_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that all runs of one student share: not what a run or a seed sets, nor where things lie."""
    shared = comparable_config(config)
    for group, _, key in (name.rpartition(".") for name in ("name", *_OF_A_RUN)):
        (shared.get(group, {}) if group else shared).pop(key, None)
    return shared
