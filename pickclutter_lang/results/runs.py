"""The finished runs of a sweep, read back: means, 95% intervals, and differences over what varies between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.results.comparability import Comparison, check_comparable
from pickclutter_lang.results.intervals import (
    FACTORS,
    Bootstrap,
    Estimate,
    Metric,
    RunScores,
    SplitScores,
    mean_interval,
)
from pickclutter_lang.results.record import RESULT_FILE, Record, Replicate, number_at, read_record
from pickclutter_lang.results.scores import SCORES_FILE, Scores
from pickclutter_lang.utils.words import range_text

TEACHER = "teacher"
"""Name of the row of a teacher's numbers."""
_SCORED: Mapping[str, Metric] = {"model.map": "map", "model.f1": "f1", "accuracy": "recall"}
"""What is computed from the scores of a cell: the end of a measure -> the metric."""
_OF_RUNS = FACTORS[:3]
"""Factors in which the runs of a method differ."""
_Place = tuple[str | None, str]  # a run and a measure


class SweepRules(NamedTuple):
    """How sweeps over scenes and over single images differ.

    `kind` is that of the records, `comparisons` check what runs must share, `order` sorts the runs by name, and
    `command` trains them. `scored` are the cells whose intervals cover items and labels; none: all cells. `of_teacher`
    says whose scores of the stage `teacher` are those of the teacher's row.
    """

    kind: str
    comparisons: Sequence[Comparison]
    order: Callable[[str], Any]
    command: str
    scored: Collection[str] = ()
    of_teacher: Callable[[Record], bool] = lambda record: True


class Selection(NamedTuple):
    """Runs of a sweep: those of some methods, object splits, seeds and draws. None: of all."""

    methods: Sequence[str] | None = None
    object_splits: Sequence[int] | None = None
    seeds: Sequence[int] | None = None
    draws: Sequence[int] | None = None

    def has(self, method: str, replicate: Replicate) -> bool:
        """Return whether a run is among them."""
        values = zip(self, (method, *replicate), strict=True)
        return all(chosen is None or value in chosen for chosen, value in values)


EVERY_RUN = Selection()
CellScores = Mapping[str, Mapping[int, SplitScores]]
"""Cell, such as `ood_on_ood` -> object split -> scores per item; a method is `stage.run`."""


@dataclass(frozen=True)
class Runs:
    """Name of a run -> replicate -> its record; both are sorted. `folders` of the runs lie below `folder`.

    The interval of a metric of a cell with `scores` covers object splits, seeds, draws, items and labels; that of
    another number object splits, or seeds and draws, by Student's t. A mean is that over the
    runs of each object split, then over the splits. `words` are what a note calls the factors.
    """

    folder: Path
    records: Mapping[str, Mapping[Replicate, Record]]
    folders: Mapping[tuple[str, Replicate], Path]
    scores: CellScores = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def first(self) -> Record:
        """Any record, for what all of them share."""
        return next(iter(next(iter(self.records.values())).values()))

    def of(self, run: str | None) -> Mapping[Replicate, Record]:
        """Return the records of a run by its finished replicates; None stands for the teacher's."""
        return self.records.get(run or TEACHER, {})

    def values(self, run: str | None, measure: str) -> list[float | None]:
        """Return a number of each replicate, None where it is missing; see `number_at`."""
        return [number_at(record, measure) for record in self.of(run).values()]

    def estimate(self, run: str | None, measure: str) -> Estimate | None:
        """Return mean and 95% interval of a number; None where a run lacks it.

        A number of a class counts the runs in whose object split it is.
        """
        return self._estimate((run, measure))

    def difference(self, left: _Place, right: _Place) -> Estimate | None:
        """Return the mean of `left - right`, each a run and a measure, over the replicates of both, and its interval.

        :return: None without a replicate in common, or where a number is missing
        """
        return self._estimate(left, right)

    def shared(self, *runs: str | None) -> list[Replicate]:
        """Return the replicates that all of some runs have."""
        return sorted(set.intersection(*(set(self.of(run)) for run in runs)))

    def note(self, runs: Sequence[str]) -> str:
        """Return what the intervals of some rows cover; where rows differ in it, the fewest and the most units."""
        sizes: dict[str, set[int]] = {factor: set() for factor in FACTORS}
        for run in runs:
            splits: dict[int, list[Replicate]] = {}
            for replicate in self.of(run):
                splits.setdefault(replicate.object_split, []).append(replicate)
            if splits:
                sizes["object splits"].add(len(splits))
                sizes["seeds"].add(min(len({one.seed for one in of}) for of in splits.values()))
                sizes["draws"].add(min(len({one.draw for one in of}) for of in splits.values()))
        for cell in self.scores.values():
            sizes["scenes"].add(min(one.targets.shape[0] for one in cell.values()))
            sizes["classes"].add(min(one.targets.shape[1] for one in cell.values()))
        words = {factor: self.words.get(factor, factor) for factor in FACTORS}
        texts = {factor: f"{range_text(sorted(found))} {words[factor]}" for factor, found in sizes.items() if found}
        varied = [texts[factor] for factor in _OF_RUNS if max(sizes[factor], default=1) > 1]
        fixed = [words[factor][:-1] for factor in _OF_RUNS if words[factor] and max(sizes[factor], default=1) < 2]
        over = varied[:1] if max(sizes["object splits"], default=1) > 1 else varied
        others = f"over {' and '.join(over)} (Student's t)" if over else "none, of one run"
        note = f" One {', one '.join(fixed)}: not covered." if fixed else ""
        if not self.scores:
            return f"95% intervals: {others}; {words['scenes']} and classes are not covered.{note}"
        covered = ", ".join([*varied, texts["scenes"], texts["classes"]])
        return (
            f"95% intervals of metrics with scores per item cover {covered} (hierarchical bootstrap, shared by the "
            f"methods of a difference); those of other numbers: {others}.{note}"
        )

    def _estimate(self, *places: _Place) -> Estimate | None:
        if places not in self._known:
            self._known[places] = self._compute(places)
        return self._known[places]

    @cached_property
    def _known(self) -> dict[tuple[_Place, ...], Estimate | None]:
        return {}

    @cached_property
    def _bootstraps(self) -> dict[str, Bootstrap]:
        return {cell: Bootstrap(splits) for cell, splits in self.scores.items()}

    def _compute(self, places: Sequence[_Place]) -> Estimate | None:
        """Return a number, or the first minus the second, about the mean of the recorded values."""
        signs = (1.0, -1.0)[: len(places)]
        values: dict[Replicate, float] = {}
        for key in self.shared(*(run for run, _ in places)):
            numbers = [number_at(self.of(run)[key], measure) for run, measure in places]
            known = [number for number in numbers if number is not None]
            if len(known) == len(places):
                values[key] = sum(sign * number for sign, number in zip(signs, known, strict=True))
            elif ".classes." not in places[0][1]:
                return None
        scored = [self._scored(run, measure) for run, measure in places]
        cell, metric, _ = scored[0]
        if not values or metric is None or len({one[:2] for one in scored}) > 1:
            return interval_over(values)
        methods = {method: sign for (*_, method), sign in zip(scored, signs, strict=True)}
        found = self._bootstraps[cell].contrast(methods, metric)
        splits = {key.object_split for key in values}
        means = [np.mean([value for key, value in values.items() if key.object_split == split]) for split in splits]
        return (found or Estimate(0.0, None, len(values)))._replace(mean=float(np.mean(means)))

    def _scored(self, run: str | None, measure: str) -> tuple[str, Metric | None, str]:
        """Return the cell of a measure, what is computed from its scores (None: nothing), and whose these are."""
        stage, cell, rest = (*measure.split(".", 2), "", "")[:3]
        known = (name for split in self.scores.get(cell, {}).values() for name in split.runs)
        metric = _SCORED.get(rest) if any(name.startswith(f"{stage}.") for name in known) else None
        return cell, metric, f"{stage}.{run or TEACHER}"


def load_runs(folder: str | Path, rules: SweepRules, chosen: Selection = EVERY_RUN) -> Runs:
    """Read every record under a folder, and the scores of the runs where all of them have some.

    :param chosen: the runs that are wanted; others are left out
    :raises CheckpointError: when there is none, one is damaged, or two are of the same run and replicate
    :raises InvalidArgumentError: when none is of those that are wanted
    :raises MismatchError: when runs differ in what they must share
    """
    folder = Path(folder)
    found: dict[str, dict[Replicate, Record]] = {}
    folders: dict[tuple[str, Replicate], Path] = {}
    left_out = []
    for path in sorted(folder.rglob(RESULT_FILE)):
        record = read_record(path.parent, rules.kind)
        key = record["name"], Replicate.of_record(record)
        if not chosen.has(*key):
            left_out.append(f"{key[0]}/{key[1].folder_name}")
            continue
        if key in folders:
            raise CheckpointError(
                f"expected one run {key[0]}/{key[1].folder_name} under {folder}, but {folders[key]} and {path.parent} "
                "both are; move one of them elsewhere"
            )
        folders[key] = path.parent
        found.setdefault(key[0], {})[key[1]] = record
    if left_out and not found:
        raise InvalidArgumentError(f"expected finished runs of the chosen ones, but got {', '.join(left_out)}")
    if not found:
        raise CheckpointError(
            f"expected finished runs under {folder}, but there are none; make them: {rules.command} out={folder}"
        )
    records = {name: dict(sorted(found[name].items())) for name in sorted(found, key=rules.order)}
    runs = Runs(folder, records, folders)
    check_comparable(by_place(runs), rules.comparisons, folder)
    return replace(runs, scores=_joined_scores(runs, rules))


def load_run(folder: Path, rules: SweepRules) -> Runs:
    """Read one run, with its scores of all cells.

    :raises CheckpointError: when its record is missing or damaged, or of another kind
    """
    record = read_record(folder, rules.kind)
    replicate = Replicate.of_record(record)
    runs = Runs(folder, {record["name"]: {replicate: record}}, {(record["name"], replicate): folder})
    return replace(runs, scores=_joined_scores(runs, rules._replace(scored=())))


def by_place(runs: Runs) -> dict[str, Record]:
    """Return records by their folder, relative to that of the sweep."""
    return {
        str(runs.folders[name, replicate].relative_to(runs.folder)): record
        for name, replicates in runs.records.items()
        for replicate, record in replicates.items()
    }


def _joined_scores(runs: Runs, rules: SweepRules) -> CellScores:
    """Return the scores of all runs by cell, where all runs have some; the teacher's are those of a run too.

    :raises MismatchError: when runs of one split were evaluated on other items or labels
    """
    if not all((folder / SCORES_FILE).is_file() for folder in runs.folders.values()):
        return {}
    joined: dict[str, dict[int, SplitScores]] = {}
    for (name, replicate), folder in runs.folders.items():
        scores = Scores.load(folder)
        of_teacher = rules.of_teacher(runs.records[name][replicate])
        for stage, cell in scores.places:
            if (rules.scored and cell not in rules.scored) or (stage == TEACHER and not of_teacher):
                continue
            one = scores.cell(stage, cell).with_positives()
            splits = joined.setdefault(cell, {})
            split = splits.setdefault(replicate.object_split, SplitScores(one.targets, {}, one.items, one.labels))
            same = (split.items, split.labels) == (one.items, one.labels)
            if not same or not np.array_equal(split.targets, one.targets):
                raise MismatchError(
                    f"expected runs of split {replicate.object_split} on the same items and labels, but {folder} has "
                    "others; delete its result.json, and run the command again: it is only evaluated"
                )
            own = split.runs.setdefault(f"{stage}.{TEACHER if stage == TEACHER else name}", {})
            own[replicate.seed, replicate.draw] = one.run_scores
    return {cell: dict(sorted(splits.items())) for cell, splits in joined.items()}


def with_constants(scores: CellScores, stages: Sequence[str], names: Mapping[str, bool]) -> CellScores:
    """Return scores with predictors that see no image, which give every label one answer, beside all runs."""

    def beside(split: SplitScores) -> SplitScores:
        keys = {key for own in split.runs.values() for key in own}
        shape = split.targets.shape
        runs = dict(split.runs)
        for stage, (name, yes) in product(stages, names.items()):
            answers = RunScores(np.full(shape, float(yes)), np.full(shape, yes))
            runs[f"{stage}.{name}"] = dict.fromkeys(keys, answers)
        return replace(split, runs=runs)

    return {cell: {number: beside(split) for number, split in splits.items()} for cell, splits in scores.items()}


def interval_over(values: Mapping[Replicate, float]) -> Estimate | None:
    """Return mean and 95% interval of a number of runs over what varies between them; None without a run.

    Student's t over the object splits' means; of one split over its seeds' and over its draws' means, whose half-widths
    add up as squares.
    """
    if not values:
        return None

    def over(factor: int) -> Estimate:
        names = {replicate[factor] for replicate in values}
        means = [np.mean([one for key, one in values.items() if key[factor] == name]) for name in names]
        return mean_interval([float(mean) for mean in means])

    splits, *others = (over(factor) for factor in range(len(Replicate._fields)))
    widths = [one.half_width for one in ([splits] if splits.runs > 1 else others) if one.half_width is not None]
    return Estimate(splits.mean, math.hypot(*widths) if widths else None, len(values))
