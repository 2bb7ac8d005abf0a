"""Intervals of a sweep's results: what varies between its runs, and the scenes and classes that are scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from pickclutter_lang.experiments.comparison import Result
from pickclutter_lang.experiments.sweeps.sweep_results import TEACHER, Replicate, SweepResults, number_at
from pickclutter_lang.metrics.bootstrap import FACTORS, HierarchicalBootstrap, Metric, RunScores, SplitScores
from pickclutter_lang.utils.statistics import Estimate, estimate
from pickclutter_lang.utils.words import range_text

Scores = Mapping[str, Mapping[int, SplitScores]]
"""Stage and cell, such as `few_shot.ood_on_ood` -> object split -> scores per scene, or per image."""

_ALL_SCENES = ("",)
"""All splits have the same scenes, so that they share the draws of few-shot scenes, as with scores per scene."""
_OF_RUNS = FACTORS[:3]
"""Factors in which the runs of a method differ."""
_Place = tuple[str | None, str]  # a run and a measure
_Values = dict[Replicate, float]
_SCORED: Mapping[str, Metric] = {"model.map": "map", "model.f1": "f1", "accuracy": "recall"}
"""What is computed from the scores of a cell: the end of a measure -> the metric."""


@dataclass(frozen=True)
class IntervalResults(SweepResults):
    """Results whose intervals cover what varies.

    Metrics of cells with scores: object splits, seeds, draws, scenes and classes. Others: object splits, seeds and
    draws; Student's t where the seeds alone vary. A mean is that over the runs of each object split, then over the
    splits. `scored` says in a note which metrics have scores, and `words` what factors are called there; one whose
    word is empty is not named.
    """

    scores: Scores = field(default_factory=dict)
    resamples: int = 1000
    scored: str = "F1 and mAP of Y_ood on X_ood"
    words: Mapping[str, str] = field(default_factory=dict)

    def estimate(self, run: str | None, measure: str) -> Estimate | None:
        """Return mean and 95% interval of a number; None where a run lacks it.

        A number of a class counts the runs in whose object split it is.
        """
        key = (run, measure), None
        if key not in self._found:
            self._found[key] = self._estimate(run, measure)
        return self._found[key]

    def difference(self, left: _Place, right: _Place) -> Estimate | None:
        """Return the mean of `left - right` over the replicates of both, and its 95% interval, paired."""
        key = left, right
        if key not in self._found:
            self._found[key] = self._difference(left, right)
        return self._found[key]

    @cached_property
    def _found(self) -> dict[tuple[_Place, _Place | None], Estimate | None]:
        return {}

    def _estimate(self, run: str | None, measure: str) -> Estimate | None:
        values = self._known(self._results(run), measure)
        scored = self._scored(measure)
        if not values:
            return None
        if scored is None:
            return interval_over(values, self.resamples)
        found = scored[0].estimate(_name(run), scored[1]) if self._has_scores(measure, run, values) else None
        return _about(found, values)

    def _difference(self, left: _Place, right: _Place) -> Estimate | None:
        (one, this), (other, that) = left, right
        values = self._known(self._results(one), this), self._known(self._results(other), that)
        values = self._of_any(one, *values), self._of_any(other, *reversed(values))
        shared = sorted(set(values[0]) & set(values[1]))
        if not shared:
            return None
        scored = self._paired(left, right)
        if scored is None and _seeds_alone(shared):
            return estimate([values[0][key] - values[1][key] for key in shared])
        if scored is None:
            bootstrap = HierarchicalBootstrap(_without_scenes({"one": values[0], "other": values[1]}), self.resamples)
            return bootstrap.difference("one", "other", "value")
        complete = all(self._has_scores(measure, run, shared) for run, measure in (left, right))
        bootstrap, names, metric = scored
        found = bootstrap.difference(*names, metric) if complete else None
        return _about(found, {key: values[0][key] - values[1][key] for key in shared})

    def pairs(self, run: str | None, other: str | None) -> int:
        """Return the number of replicates that a difference is over."""
        ours, theirs = (dict.fromkeys(self.replicates(name), 0.0) for name in (run, other))
        return len(set(self._of_any(run, ours, theirs)) & set(self._of_any(other, theirs, ours)))

    def note(self, runs: Sequence[str]) -> str:
        """Return what the intervals cover; of each row, where rows differ in it.

        :param runs: the rows that have intervals
        """
        groups: dict[tuple[bool, ...], list[dict[str, int]]] = {}
        names: dict[tuple[bool, ...], list[str]] = {}
        for run in runs:
            scored, sizes = self._covers(run)
            key = scored, *(min(of[factor] for of in sizes) > 1 for factor in _OF_RUNS)
            groups.setdefault(key, []).extend(sizes)
            names.setdefault(key, []).append(f"`{run}`")
        texts = {key: self._coverage(key[0], sizes) for key, sizes in groups.items()}
        if len(texts) == 1:
            return next(iter(texts.values()))
        rows = " ".join(f"{', '.join(names[key])}: {text}" for key, text in texts.items())
        return f"Rows cover different factors, and a difference those that both of its rows vary. {rows}"

    def _covers(self, run: str) -> tuple[bool, list[dict[str, int]]]:
        """Return whether a run has scores per scene, and how many units of each factor its intervals cover.

        Of each cell with scores; cells may differ in their scenes and classes.
        """
        found = [bootstrap.covers(run) for bootstrap in self._bootstraps.values()]
        found = [sizes for sizes in found if sizes["object splits"]]
        if found:
            return True, found
        splits = _without_scenes({run: dict.fromkeys(self.replicates(run), 0.0)})
        return False, [HierarchicalBootstrap(splits).covers(run)]

    def _coverage(self, scored: bool, rows: Sequence[Mapping[str, int]]) -> str:
        """Return what the intervals of rows cover, from the number of units of each factor."""
        counts = {factor: sorted({sizes[factor] for sizes in rows}) for factor in FACTORS}
        words = {factor: self.words.get(factor, factor) for factor in FACTORS}
        texts = {factor: f"{range_text(found)} {words[factor]}" for factor, found in counts.items()}
        varied = [texts[factor] for factor in _OF_RUNS if counts[factor][-1] > 1]
        fixed = [factor for factor in _OF_RUNS if counts[factor][-1] < 2 and words[factor]]
        note = f" One {', one '.join(words[factor][:-1] for factor in fixed)}: not covered." if fixed else ""
        others = f"over {', '.join(varied)} (hierarchical bootstrap)"
        if varied == [texts["seeds"]]:
            others = "over seeds (Student's t)"
        others = others if varied else "none, of one run"
        if not scored:
            return f"95% intervals: {others}; {words['scenes']} and classes are not covered.{note}"
        covered = ", ".join([*varied, texts["scenes"], texts["classes"]])
        return (
            f"95% intervals of {self.scored} cover {covered} (hierarchical bootstrap, {self.resamples} "
            f"resamples, shared by the methods of a difference); those of other numbers: {others}.{note}"
        )

    def _of_any(self, run: str | None, own: _Values, others: _Values) -> _Values:
        """Return the values of a run, those of an untrained one for each replicate of the other run of its split."""
        if run not in self.untrained:
            return own
        of_split = {key.object_split: value for key, value in own.items()}
        return {key: of_split[key.object_split] for key in others if key.object_split in of_split}

    @cached_property
    def _bootstraps(self) -> dict[str, HierarchicalBootstrap]:
        return {
            place: HierarchicalBootstrap(splits, self.resamples, untrained=self.untrained)
            for place, splits in self.scores.items()
        }

    def _scored(self, measure: str) -> tuple[HierarchicalBootstrap, Metric] | None:
        """Return what resamples the scenes of a measure; None where no run has its scores."""
        place, metric = _place_of(measure)
        return (self._bootstraps[place], _SCORED[metric]) if metric in _SCORED and place in self.scores else None

    def _paired(self, left: _Place, right: _Place) -> tuple[HierarchicalBootstrap, tuple[str, str], Metric] | None:
        """Return what resamples two measures of the same scenes, and their names in it; None without scores."""
        (one, this), (other, that) = left, right
        scored = self._scored(this), self._scored(that)
        if scored[0] is None or scored[1] is None or scored[0][1] != scored[1][1]:
            return None
        bootstrap, metric = scored[0]
        places = _place_of(this)[0], _place_of(that)[0]
        if places[0] == places[1]:
            return bootstrap, (_name(one), _name(other)), metric
        joined = {}
        for split in self.scores[places[0]].keys() & self.scores[places[1]].keys():
            content, others = (self.scores[place][split] for place in places)
            if content.scenes != others.scenes or not np.array_equal(content.targets, others.targets):
                return None
            runs = {"one": content.runs.get(_name(one), {}), "other": others.runs.get(_name(other), {})}
            joined[split] = replace(content, runs=runs)
        bootstrap = HierarchicalBootstrap(dict(sorted(joined.items())), self.resamples)
        return bootstrap, ("one", "other"), metric

    def _has_scores(self, measure: str, run: str | None, replicates: Iterable[Replicate]) -> bool:
        """Return whether there are scores of all replicates: an interval of some of them would be too narrow."""
        splits = self.scores[_place_of(measure)[0]]
        counts = Counter(replicate.object_split for replicate in replicates)
        least = {split: 1 if run in self.untrained else n for split, n in counts.items()}
        return all(split in splits and len(splits[split].runs.get(_name(run), {})) >= n for split, n in least.items())

    def _known(self, results: Mapping[Replicate, Result], measure: str) -> dict[Replicate, float]:
        """Return a number of each replicate; none where one lacks it, unless it is of a class."""
        values = {key: number_at(result, measure) for key, result in results.items()}
        known = {key: value for key, value in values.items() if value is not None}
        return known if len(known) == len(values) or ".classes." in measure else {}


def interval_over(values: Mapping[Replicate, float], resamples: int = 1000) -> Estimate | None:
    """Return mean and 95% interval of a number of runs over what varies between them; None without a run.

    Student's t where the seeds alone vary, else the hierarchical bootstrap.
    """
    if not values:
        return None
    if _seeds_alone([*values]):
        return estimate([*values.values()])
    return HierarchicalBootstrap(_without_scenes({"": values}), resamples).estimate("", "value")


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


def _without_scenes(values: Mapping[str, Mapping[Replicate, float]]) -> dict[int, SplitScores]:
    """Return numbers of runs as object split -> the only score of each run."""
    splits = {}
    for split in sorted({key.object_split for numbers in values.values() for key in numbers}):
        runs = {
            name: {
                (key.seed, key.draw): RunScores(np.full((1, 1), value), np.ones((1, 1), dtype=bool))
                for key, value in numbers.items()
                if key.object_split == split
            }
            for name, numbers in values.items()
        }
        splits[split] = SplitScores(np.ones((1, 1), dtype=bool), runs, _ALL_SCENES)
    return splits


def _about(found: Estimate | None, values: Mapping[Replicate, float]) -> Estimate:
    """Return an estimate about the mean of the exact values instead of that of rounded scores.

    As in the bootstrap, it is the mean over object splits of the mean over the runs of each. It has no interval where
    none was found.
    """
    splits = {key.object_split for key in values}
    of_splits = [np.mean([value for key, value in values.items() if key.object_split == split]) for split in splits]
    return (found or Estimate(0.0, None, len(values)))._replace(mean=float(np.mean(of_splits)))
