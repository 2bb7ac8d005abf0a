"""The finished runs of Tables 1-11, loaded and checked for comparability."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pickclutter_lang.experiments.comparison import Result, comparable_settings, provenance
from pickclutter_lang.experiments.images.sweep_answers import (
    SWEEP_ANSWERS_FILE,
    SweepAnswers,
    collect_answers,
    read_answers,
    scores_of,
    write_answers,
)
from pickclutter_lang.experiments.images.table_specs import ACCURACY, RUNS, TABLES
from pickclutter_lang.experiments.sweeps.intervals import IntervalResults, Scores
from pickclutter_lang.experiments.sweeps.sweep_results import (
    TEACHER,
    Replicate,
    SweepKind,
    load_sweep,
    number_at,
)
from pickclutter_lang.experiments.sweeps.sweep_values import VALUES_FILE, read_values, values_of, write_values
from pickclutter_lang.utils.markdown import percent

SPACE_FILE = "space.npz"
"""Of a run: `students` [n, D] of X_ood, `texts` [C, D] of Y_ood, `labels` [n] as rows of the latter."""
MOST_CLASSES, MOST_IMAGES = 10, 100
"""So many classes, and images of each, are in it."""

CLASS_SPLIT = "data.seed"
"""The setting of a run that draws which classes are unseen."""
_TEXTS = ("texts", "captions")
_OF_A_RUN = {override.split("=")[0] for overrides in RUNS.values() for override in overrides} | {"student"}


THREE_SEEDS = tuple(Replicate(seed=seed) for seed in range(3))
"""What a message proposes to run."""
_SCORED = "accuracies of the teacher, zero-shot, few-shot and by retrieval"
"""What the intervals over images and classes are of."""
_MOST_WEIGHTS = 2_000_000
"""About so many weights of images are drawn at once: fewer resamples of larger data sets, but not below 100."""


@dataclass(frozen=True)
class ImageSweepResults(IntervalResults):
    """Results of one data set and one teacher.

    `overrides` are settings of all runs, for the command that messages show. The run None stands for
    numbers of the teacher, which every run has. `answers` are those of all runs, None where one has none: then no
    interval covers images and classes.
    """

    overrides: tuple[str, ...] = ()
    answers: SweepAnswers | None = None

    @property
    def data(self) -> dict[str, Any]:
        """Name, classes and sizes of the data set."""
        found: dict[str, Any] = self.first["data"]
        return found

    def command(self, what: str, replicates: Collection[Replicate]) -> str:
        """Return the command that makes a table or a figure from some runs.

        :param what: such as `table=1`
        """
        seeds, splits = (sorted({key[n] for key in replicates}) for n in (1, 0))
        shared = [*(self.overrides or (f"dataset={self.data['name']}",))]
        if self.folder != Path(f"runs/tables/{self.data['name']}"):  # the command's default
            shared.append(f"out={self.folder}")
        text = f"pickclutter reproduce-tables {what} {' '.join(map(shlex.quote, shared))}"
        text += f" class_splits=[{','.join(map(str, splits))}]" if splits not in ([], [0]) else ""
        return f"{text} seeds=[{','.join(map(str, seeds))}]"

    @property
    def teacher_folders(self) -> list[tuple[str, Replicate]]:
        """Name and replicate of `teacher_runs`."""
        name = next((name for name, runs in self.runs.items() if runs is self.teacher_runs), "")
        return [(name, replicate) for replicate in self.teacher_runs]

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
    runs = (result for of_name in found.runs.values() for result in of_name.values())
    unseen = {_class_split(result): result["data"]["unseen"] for result in runs}
    words, chosen = _words(len(unseen), _are_alike(unseen.values())), tuple(overrides)
    results = ImageSweepResults(found.folder, found.runs, found.folders, scored=_SCORED, words=words, overrides=chosen)
    answers = collect_answers(found.folders, results.teacher_folders)
    if answers is None:
        return results
    scores = scores_of(answers, out)
    return replace(results, scores=scores, resamples=_resamples(scores), answers=answers)


def _words(n_splits: int, alike: bool) -> dict[str, str]:
    """Return what a note calls the factors of intervals.

    :param alike: all splits have the same classes; it is the images that were drawn anew
    """
    splits = "draws of the images" if alike and n_splits > 1 else "class splits"
    return {"object splits": splits, "draws": "few-shot draws" if n_splits == 1 else "", "scenes": "images"}


def _are_alike(unseen: Iterable[Sequence[str]]) -> bool:
    return len({tuple(names) for names in unseen}) == 1


def _resamples(scores: Scores) -> int:
    most = max((len(split.targets) for splits in scores.values() for split in splits.values()), default=1)
    return min(1000, max(100, _MOST_WEIGHTS // most))


def write_numbers(runs: ImageSweepResults, out: Path) -> None:
    """Write what `read_numbers` reads: every number of each run, and the answers where all runs have them."""
    write_values(out / VALUES_FILE, values_of(runs, measures_of, teacher_rows(runs)))
    if runs.answers:
        write_answers(out / SWEEP_ANSWERS_FILE, runs.answers)
    else:
        (out / SWEEP_ANSWERS_FILE).unlink(missing_ok=True)


def read_numbers(folder: Path) -> IntervalResults:
    """Read what `write_numbers` wrote.

    :raises CheckpointError: when a file is missing or damaged
    """
    values, path = read_values(folder / VALUES_FILE), folder / SWEEP_ANSWERS_FILE
    if not path.is_file():
        splits = {key.object_split for runs in values.runs.values() for key in runs}
        return IntervalResults(folder, values.runs, {}, words=_words(len(splits), alike=False))
    answers = read_answers(path)
    scores = scores_of(answers, path)
    unseen = [
        sorted({split["classes"][n] for n in split["parts"]["ood"]["labels"]}) for split in answers["splits"].values()
    ]
    found = IntervalResults(folder, values.runs, {}, scores=scores, resamples=_resamples(scores))
    return replace(found, scored=_SCORED, words=_words(len(unseen), _are_alike(unseen)))


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
    """Return images and teacher, which all runs share; a choice of the images differs between class splits."""
    shared = ("name", "content") if _is_whole(result) else ("name",)
    return provenance(result) | {"data": {key: result["data"].get(key) for key in shared}}


def _of_every_split(result: Result) -> dict[str, Any]:
    """Return classes and images of the parts, which all runs of a split of the classes share."""
    return {"data": {key: value for key, value in result["data"].items() if key not in _TEXTS}}


def _of_every_seed(result: Result) -> dict[str, dict[str, Any]]:
    """Return the texts of a run, which its seeds share, and its captions, which those of a class split share."""
    name, split = result["name"], f"{result['name']}, class split {_class_split(result)}"
    texts, captions = ({"data": {key: result["data"].get(key)}} for key in _TEXTS)
    return {f"{name if _is_whole(result) else split}, texts": texts, f"{split}, captions": captions}


def _class_split(result: Result) -> int:
    return Replicate.of_result(result).object_split


def _is_whole(result: Result) -> bool:
    """Return whether a run has all classes and images of its data set."""
    data = result["config"]["data"]
    return data.get("max_classes") is None and data.get("max_per_class") is None


def _of_every_student(result: Result) -> dict[str, Any]:
    """Return the settings that all runs of one student share: not what a run or a seed sets."""
    shared = comparable_settings(result)
    for group, _, key in (name.rpartition(".") for name in ("name", "seed", CLASS_SPLIT, *_OF_A_RUN)):
        (shared.get(group, {}) if group else shared).pop(key, None)
    return shared


IMAGE_TABLES = SweepKind(
    kind="images",
    comparisons=(
        lambda result: {"": _of_every_run(result)},
        lambda result: {f"class split {_class_split(result)}": _of_every_split(result)},
        _of_every_seed,
        lambda result: {student_name(result["config"]): _of_every_student(result)},
    ),
    order=str,
    command="pickclutter reproduce-tables table=1",
)
