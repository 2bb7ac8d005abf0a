"""The finished runs of a sweep, read back: means, 95% intervals, and differences over what varies between them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.results.comparability import Comparison, check_comparable
from pickclutter_lang.results.intervals import (
    FACTORS,
    RESAMPLES,
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
_MOST_WEIGHTS = 2_000_000
"""About so many weights of items are drawn at once: fewer resamples of larger data sets, but not below 100."""
_Place = tuple[str | None, str]  # a run and a measure
_Values = dict[Replicate, float]


class SweepKind(NamedTuple):
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
Places = Mapping[str, Mapping[int, SplitScores]]
"""Stage and cell, such as `few_shot.ood_on_ood` -> object split -> scores per item."""


@dataclass(frozen=True)
class Runs:
    """Name of a run -> replicate -> its record; both are sorted. `folders` of the runs lie below `folder`.

    The interval of a metric of a cell with `scores` covers object splits, seeds, draws, items and labels; that of
    another number object splits, seeds and draws, by Student's t where the seeds alone vary. A mean is that over the
    runs of each object split, then over the splits. `untrained` are rows with one run of each object split, which a
    difference takes for that of any seed and draw. `words` are what a note calls the factors.
    """

    folder: Path
    records: Mapping[str, Mapping[Replicate, Record]]
    folders: Mapping[tuple[str, Replicate], Path]
    scores: Places = field(default_factory=dict)
    untrained: Collection[str] = ()
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def first(self) -> Record:
        """Any record, for what all of them share."""
        return next(iter(next(iter(self.records.values())).values()))

    def seeds(self, run: str | None) -> tuple[int, ...]:
        """Return the seeds of the finished runs of a name."""
        return tuple(sorted({replicate.seed for replicate in self.of(run)}))

    def replicates(self, run: str | None) -> tuple[Replicate, ...]:
        """Return the finished replicates of a run."""
        return tuple(self.of(run))

    def values(self, run: str | None, measure: str) -> list[float | None]:
        """Return a number of each replicate, None where it is missing; see `number_at`."""
        return [number_at(record, measure) for record in self.of(run).values()]

    def of(self, run: str | None) -> Mapping[Replicate, Record]:
        """Return the records of a run; None stands for the teacher's."""
        return self.records.get(_name(run), {})

    def estimate(self, run: str | None, measure: str) -> Estimate | None:
        """Return mean and 95% interval of a number; None where a run lacks it.

        A number of a class counts the runs in whose object split it is.
        """
        key = (run, measure), None
        if key not in self._found:
            values = self._known(run, measure)
            scored = self._scored(measure)
            if not values or scored is None:
                self._found[key] = interval_over(values)
            else:
                self._found[key] = _about(scored[0].estimate(_name(run), scored[1]), values)
        return self._found[key]

    def difference(self, left: _Place, right: _Place) -> Estimate | None:
        """Return the mean of `left - right`, each a run and a measure, over the replicates of both, and its interval.

        :return: None without a replicate in common, or where a number is missing
        """
        key = left, right
        if key not in self._found:
            self._found[key] = self._difference(left, right)
        return self._found[key]

    def _difference(self, left: _Place, right: _Place) -> Estimate | None:
        (one, this), (other, that) = left, right
        values = self._known(one, this), self._known(other, that)
        values = self._of_any(one, *values), self._of_any(other, *reversed(values))
        shared = {key: values[0][key] - values[1][key] for key in sorted(set(values[0]) & set(values[1]))}
        if not shared:
            return None
        scored = self._paired(left, right)
        if scored is not None:
            bootstrap, names, metric = scored
            return _about(bootstrap.difference(*names, metric), shared)
        if _seeds_alone([*shared]):
            return mean_interval([*shared.values()])
        return Bootstrap(_without_items({"one": values[0], "other": values[1]})).difference("one", "other", "value")

    def pairs(self, run: str | None, other: str | None) -> int:
        """Return the number of replicates that a difference is over."""
        ours, theirs = (dict.fromkeys(self.replicates(name), 0.0) for name in (run, other))
        return len(set(self._of_any(run, ours, theirs)) & set(self._of_any(other, theirs, ours)))

    def note(self, runs: Sequence[str]) -> str:
        """Return what the intervals of some rows cover; where rows differ in it, the fewest and the most units."""
        rows = [bootstrap.covers(run) for bootstrap in self._bootstraps.values() for run in runs]
        rows = [sizes for sizes in rows if sizes["object splits"]]
        scored = bool(rows)
        if not scored:
            values = ({run: dict.fromkeys(self.replicates(run), 0.0)} for run in runs if self.of(run))
            rows = [Bootstrap(_without_items(of)).covers(*of) for of in values]
        counts = {factor: sorted({sizes[factor] for sizes in rows}) for factor in FACTORS}
        words = {factor: self.words.get(factor, factor) for factor in FACTORS}
        texts = {factor: f"{range_text(found)} {words[factor]}" for factor, found in counts.items() if found}
        varied = [texts[factor] for factor in _OF_RUNS if counts[factor] and counts[factor][-1] > 1]
        fixed = [words[factor][:-1] for factor in _OF_RUNS if words[factor] and (counts[factor] or [1])[-1] < 2]
        others = f"over {', '.join(varied)} (hierarchical bootstrap)" if varied else "none, of one run"
        if varied == [texts.get("seeds")]:
            others = "over seeds (Student's t)"
        note = f" One {', one '.join(fixed)}: not covered." if fixed else ""
        if not scored:
            return f"95% intervals: {others}; {words['scenes']} and classes are not covered.{note}"
        covered = ", ".join([*varied, texts["scenes"], texts["classes"]])
        return (
            f"95% intervals of metrics with scores per item cover {covered} (hierarchical bootstrap, shared by the "
            f"methods of a difference); those of other numbers: {others}.{note}"
        )

    @cached_property
    def _found(self) -> dict[tuple[_Place, _Place | None], Estimate | None]:
        return {}

    @cached_property
    def _bootstraps(self) -> dict[str, Bootstrap]:
        return {
            place: Bootstrap(splits, resamples_for(splits), untrained=self.untrained)
            for place, splits in self.scores.items()
        }

    def _of_any(self, run: str | None, own: _Values, others: _Values) -> _Values:
        """Return the values of a run, those of an untrained one for each replicate of the other run of its split."""
        if run not in self.untrained:
            return own
        of_split = {key.object_split: value for key, value in own.items()}
        return {key: of_split[key.object_split] for key in others if key.object_split in of_split}

    def _scored(self, measure: str) -> tuple[Bootstrap, Metric] | None:
        """Return what resamples the items of a measure; None where no run has its scores."""
        place, metric = _place_of(measure)
        return (self._bootstraps[place], _SCORED[metric]) if metric in _SCORED and place in self.scores else None

    def _paired(self, left: _Place, right: _Place) -> tuple[Bootstrap, tuple[str, str], Metric] | None:
        """Return what resamples two measures of the same items, and their names in it; None without scores."""
        (one, this), (other, that) = left, right
        scored = self._scored(this), self._scored(that)
        if scored[0] is None or scored[1] is None or scored[0][1] != scored[1][1]:
            return None
        bootstrap, metric = scored[0]
        places = _place_of(this)[0], _place_of(that)[0]
        if places[0] == places[1]:
            return bootstrap, (_name(one), _name(other)), metric
        joined = {}
        for split in sorted(self.scores[places[0]].keys() & self.scores[places[1]].keys()):
            content, others = (self.scores[place][split] for place in places)
            if content.items != others.items or not np.array_equal(content.targets, others.targets):
                return None
            runs = {"one": content.runs.get(_name(one), {}), "other": others.runs.get(_name(other), {})}
            joined[split] = replace(content, runs=runs)
        return Bootstrap(joined, resamples_for(joined)), ("one", "other"), metric

    def _known(self, run: str | None, measure: str) -> _Values:
        """Return a number of each replicate; none where one lacks it, unless it is of a class."""
        values = {key: number_at(record, measure) for key, record in self.of(run).items()}
        known = {key: value for key, value in values.items() if value is not None}
        return known if len(known) == len(values) or ".classes." in measure else {}


def load_runs(folder: str | Path, kind: SweepKind, chosen: Selection = EVERY_RUN) -> Runs:
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
        record = read_record(path.parent, kind.kind)
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
            f"expected finished runs under {folder}, but there are none; make them: {kind.command} out={folder}"
        )
    records = {name: dict(sorted(found[name].items())) for name in sorted(found, key=kind.order)}
    runs = Runs(folder, records, folders)
    check_comparable(by_place(runs), kind.comparisons, folder)
    return replace(runs, scores=_joined_scores(runs, kind))


def load_run(folder: Path, kind: SweepKind) -> Runs:
    """Read one run, with its scores of all cells.

    :raises CheckpointError: when its record is missing or damaged, or of another kind
    """
    record = read_record(folder, kind.kind)
    replicate = Replicate.of_record(record)
    runs = Runs(folder, {record["name"]: {replicate: record}}, {(record["name"], replicate): folder})
    return replace(runs, scores=_joined_scores(runs, kind._replace(scored=())))


def by_place(runs: Runs) -> dict[str, Record]:
    """Return records by their folder, relative to that of the sweep."""
    return {
        str(runs.folders[name, replicate].relative_to(runs.folder)): record
        for name, replicates in runs.records.items()
        for replicate, record in replicates.items()
    }


def _joined_scores(runs: Runs, kind: SweepKind) -> Places:
    """Return the scores of all runs by stage and cell, where all runs have some; the teacher's are those of a run too.

    :raises MismatchError: when runs of one split were evaluated on other items or labels
    """
    if not all((folder / SCORES_FILE).is_file() for folder in runs.folders.values()):
        return {}
    joined: dict[str, dict[int, SplitScores]] = {}
    for (name, replicate), folder in runs.folders.items():
        scores, of_teacher = Scores.load(folder), kind.of_teacher(runs.records[name][replicate])
        for stage, cell in scores.places:
            if (kind.scored and cell not in kind.scored) or (stage == TEACHER and not of_teacher):
                continue
            one, splits = scores.cell(stage, cell).with_positives(), joined.setdefault(f"{stage}.{cell}", {})
            shared = splits.setdefault(replicate.object_split, SplitScores(one.targets, {}, one.items, one.labels))
            same = (shared.items, shared.labels) == (one.items, one.labels)
            if not same or not np.array_equal(shared.targets, one.targets):
                raise MismatchError(
                    f"expected runs of split {replicate.object_split} on the same items and labels, but {folder} has "
                    "others; delete its result.json, and run the command again: it is only evaluated"
                )
            run, key = TEACHER if stage == TEACHER else name, (replicate.seed, replicate.draw)
            own = {**shared.runs.get(run, {}), key: one.run_scores}
            splits[replicate.object_split] = replace(shared, runs={**shared.runs, run: own})
    return {place: dict(sorted(splits.items())) for place, splits in joined.items()}


def with_constants(scores: Places, names: Mapping[str, bool]) -> Places:
    """Return scores with predictors that see no image, which give every label one answer, as runs of their own."""
    return {
        place: {
            split: replace(
                one,
                runs={
                    **one.runs,
                    **{n: {(0, 0): RunScores(np.full(one.targets.shape, float(yes)), np.full(one.targets.shape, yes))}
                       for n, yes in names.items()},
                },
            )
            for split, one in splits.items()
        }
        for place, splits in scores.items()
    }  # fmt: skip


def resamples_for(splits: Mapping[int, SplitScores]) -> int:
    """Return how many resamples the items of some splits get."""
    most = max((len(split.targets) for split in splits.values()), default=1)
    return min(RESAMPLES, max(100, _MOST_WEIGHTS // most))


def interval_over(values: Mapping[Replicate, float]) -> Estimate | None:
    """Return mean and 95% interval of a number of runs over what varies between them; None without a run.

    Student's t where the seeds alone vary, else the hierarchical bootstrap.
    """
    if not values:
        return None
    if _seeds_alone([*values]):
        return mean_interval([*values.values()])
    return Bootstrap(_without_items({"": values})).estimate("", "value")


def _seeds_alone(replicates: Sequence[Replicate]) -> bool:
    return len({replicate._replace(seed=0) for replicate in replicates}) == 1


def _name(run: str | None) -> str:
    """Return the name of a run in scores; None stands for the teacher."""
    return TEACHER if run is None else run


def _place_of(measure: str) -> tuple[str, str]:
    """Return stage and cell of a measure, and the rest of its path."""
    stage, _, rest = measure.partition(".")
    cell, _, metric = rest.partition(".")
    return f"{stage}.{cell}", metric


def _without_items(values: Mapping[str, Mapping[Replicate, float]]) -> dict[int, SplitScores]:
    """Return numbers of runs as object split -> the only score of each run; splits share their draws."""
    splits = {}
    one = np.ones((1, 1), dtype=bool)
    for split in sorted({key.object_split for numbers in values.values() for key in numbers}):
        runs = {
            name: {
                (key.seed, key.draw): RunScores(np.full((1, 1), value), one)
                for key, value in numbers.items()
                if key.object_split == split
            }
            for name, numbers in values.items()
        }
        splits[split] = SplitScores(one, runs, ("",))
    return splits


def _about(found: Estimate | None, values: Mapping[Replicate, float]) -> Estimate:
    """Return an estimate about the mean of the recorded values, over splits and the runs of each, as the bootstrap's.

    It has no interval where none was found.
    """
    splits = {key.object_split for key in values}
    of_splits = [np.mean([value for key, value in values.items() if key.object_split == split]) for split in splits]
    return (found or Estimate(0.0, None, len(values)))._replace(mean=float(np.mean(of_splits)))
