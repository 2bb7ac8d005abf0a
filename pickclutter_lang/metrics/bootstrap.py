"""95% intervals by a hierarchical bootstrap over object splits, seeds, few-shot draws, scenes and classes.

Object splits are drawn first; within each, seeds, draws, scenes and classes, which are crossed. Splits with the same
scenes, as the collected piles of `ood` and `fewshot` are, share the resamples of scenes and draws: what one scene does
to every split does not average out. The same holds for scenes and classes that are in some of the splits.

A factor with n units draws n - 1 of them with replacement, so that the variance of a mean is unbiased (Rao and Wu,
1988); one with a single unit keeps it, and the interval does not cover it. Resamples weight scenes and classes instead
of copying rows: a class's scores are sorted once. Drawing on all levels together counts some variance twice and is
conservative (Owen, 2007). With three units per factor, percentiles cover too rarely; the interval is Student's, its
degrees of freedom after Satterthwaite from the variances of the factors alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.metrics.resample_weights import union_weights, unit_weights
from pickclutter_lang.metrics.weighted import (
    Bools,
    Floats,
    weighted_average_precision,
    weighted_class_recall,
    weighted_scene_f1,
)
from pickclutter_lang.utils.statistics import Estimate, t_quantile

Metric = Literal["map", "f1", "recall", "value"]
"""`recall`: of each class, averaged over classes; the mean accuracy of classes where each scene has one label.
`value`: the only score of a run, where scenes and classes are not known."""
_BATCHES, _LEAST_OF_BATCH = 10, 20
"""Parts of the resamples, whose half-widths tell how well all of them know theirs, and how many each has at least."""
FACTORS = ("object splits", "seeds", "draws", "scenes", "classes")


class RunScores(NamedTuple):
    """Scores [N, C] of a run, and its decisions [N, C] at its own threshold."""

    scores: Floats
    predicted: Bools


@dataclass(frozen=True)
class SplitScores:
    """What an object split shares, its targets [N, C], and its runs: method -> (seed, draw) -> scores.

    `scenes` are the ids of the N scenes, `classes` the names of the C classes; without them they are taken for others
    than those of other splits.
    """

    targets: Bools
    runs: Mapping[str, Mapping[tuple[int, int], RunScores]]
    scenes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


class _Units(NamedTuple):
    """Runs of a split that are averaged: pairs of seed and draw."""

    split: int
    runs: tuple[tuple[int, int], ...]


class HierarchicalBootstrap:
    """Means and paired differences of methods with intervals; all methods share the resamples."""

    def __init__(
        self,
        splits: Mapping[int, SplitScores],
        resamples: int = 1000,
        seed: int = 0,
        untrained: Collection[str] = (),
    ) -> None:
        """Take the scores of one stage.

        :param splits: object split -> its scores
        :param untrained: methods with one run of each split, which a difference takes for that of any seed and draw
        :raises InvalidArgumentError: without a split, or for fewer than 2 resamples
        """
        if not splits or resamples < 2:
            raise InvalidArgumentError(f"expected a split and 2 resamples or more, got {len(splits)} and {resamples}")
        self._splits, self._resamples, self._seed = dict(splits), resamples, seed
        self._untrained = frozenset(untrained)
        self._known: dict[tuple[str, Metric, tuple[_Units, ...]], tuple[float, list[Floats]]] = {}

    def estimate(self, method: str, metric: Metric) -> Estimate | None:
        """Return the mean of a method over its runs and half of the interval; None without a run or a positive."""
        return self._interval({method: 1.0}, metric)

    def difference(self, method: str, other: str, metric: Metric) -> Estimate | None:
        """Return the mean of `method - other` over the runs that both have; None without one, or a positive."""
        return self._interval({method: 1.0, other: -1.0}, metric)

    def covers(self, *methods: str) -> dict[str, int]:
        """Return how many units of each factor the interval of these methods resamples; the fewest of the splits."""
        return {factor: min(found, default=0) for factor, found in self._sizes(self._units(methods)).items()}

    def _sizes(self, units: tuple[_Units, ...]) -> dict[str, list[int]]:
        """Return how many units of each factor every split has."""
        shapes = [self._shape(unit.split) for unit in units]
        return {
            "object splits": [len(units)],
            "seeds": [len({seed for seed, _ in unit.runs}) for unit in units],
            "draws": [len({draw for _, draw in unit.runs}) for unit in units],
            "scenes": [n_scenes for n_scenes, _ in shapes],
            "classes": [n_classes for _, n_classes in shapes],
        }

    def _shape(self, split: int) -> tuple[int, int]:
        n_scenes, n_classes = self._splits[split].targets.shape
        return n_scenes, n_classes

    def _units(self, methods: Mapping[str, float] | tuple[str, ...]) -> tuple[_Units, ...]:
        units = []
        for split, content in self._splits.items():
            runs = {method: set(content.runs.get(method, {})) for method in methods}
            shared = set.intersection(*([runs[m] for m in methods if m not in self._untrained] or [*runs.values()]))
            units += [_Units(split, tuple(sorted(shared)))] if shared and all(runs.values()) else []
        return tuple(units)

    def _interval(self, contrast: Mapping[str, float], metric: Metric) -> Estimate | None:
        units = self._units(contrast)
        if not units:
            return None
        found = [(sign, *self._samples(method, metric, units)) for method, sign in contrast.items()]
        mean = math.fsum(sign * value for sign, value, _ in found)
        if math.isnan(mean):
            return None
        counts = [min((n for n in sizes if n > 1), default=1) for sizes in self._sizes(units).values()]
        samples = [np.sum([sign * of[n] for sign, _, of in found], axis=0) for n in range(1 + len(FACTORS))]
        runs = sum(len(unit.runs) for unit in units)
        half_width = _half_width(samples, counts)
        if half_width is None:
            return Estimate(mean, 0.0 if max(counts) > 1 else None, runs)
        error = half_width / math.sqrt(2 * self._resamples)  # of a normal sample; degrees of freedom are drawn too
        if self._resamples >= _BATCHES * _LEAST_OF_BATCH:
            parts = zip(*(np.array_split(sample, _BATCHES) for sample in samples), strict=True)
            of_parts = [_half_width(part, counts) or 0.0 for part in parts]
            error = max(error, float(np.std(of_parts, ddof=1)) / math.sqrt(_BATCHES))
        return Estimate(mean, half_width, runs, error)

    def _samples(self, method: str, metric: Metric, units: tuple[_Units, ...]) -> tuple[float, list[Floats]]:
        """Return the mean, and resamples [B] of all factors together and of each alone."""
        key = method, metric, units
        if key not in self._known:
            chosen = (frozenset(FACTORS), *(frozenset([factor]) for factor in FACTORS))
            samples = [self._resample(method, metric, units, factors) for factors in chosen]
            value = float(self._resample(method, metric, units, frozenset(), 1)[0])
            self._known[key] = value, samples
        return self._known[key]

    def _resample(
        self, method: str, metric: Metric, units: tuple[_Units, ...], factors: frozenset[str], count: int | None = None
    ) -> Floats:
        count = count or self._resamples
        rng = np.random.default_rng([self._seed, *(factor in factors for factor in FACTORS)])
        n_splits = len(units)
        drawn = "object splits" in factors and n_splits > 1
        slots = n_splits - 1 if drawn else n_splits
        picks = rng.integers(n_splits, size=(count, slots)) if drawn else np.tile(np.arange(n_splits), (count, 1))
        shared = self._shared_weights(units, factors, rng, count)
        total = np.zeros(count)
        for slot in range(slots):
            for place, unit in enumerate(units):
                rows = np.flatnonzero(picks[:, slot] == place)
                if len(rows):
                    of_rows = {factor: weights[rows] for factor, weights in shared[unit.split].items()}
                    draw = partial(unit_weights, rng, len(rows))
                    total[rows] += self._of_split(method, metric, unit, factors, draw, of_rows)
        return total / slots

    def _shared_weights(
        self, units: tuple[_Units, ...], factors: frozenset[str], rng: np.random.Generator, count: int
    ) -> dict[int, dict[str, Floats]]:
        """Return resamples, by split and factor, of the scenes, draws and classes that several splits have."""
        found: dict[int, dict[str, Floats]] = {unit.split: {} for unit in units}
        for group in self._sharing_scenes(units):
            scenes = {unit.split: self._splits[unit.split].scenes for unit in group}
            if len(set(scenes.values())) > 1:  # they share some
                if "scenes" in factors and min(map(len, scenes.values())) > 1:
                    for split, weights in union_weights(rng, count, scenes).items():
                        found[split]["scenes"] = weights
                continue
            weights = unit_weights(rng, count, len(scenes[group[0].split]), "scenes" in factors)
            draws = {unit.split: sorted({draw for _, draw in unit.runs}) for unit in group}
            varied = {split: own for split, own in draws.items() if len(own) > 1 and "draws" in factors}
            of_draws = union_weights(rng, count, varied)
            for split, own in draws.items():
                found[split] |= {"scenes": weights, "draws": of_draws.get(split, np.ones((count, len(own))))}
        classes = {unit.split: self._splits[unit.split].classes for unit in units}
        apart = len({name for own in classes.values() for name in own}) == sum(map(len, classes.values()))
        if "classes" in factors and not apart and min(map(len, classes.values())) > 1:
            for split, weights in union_weights(rng, count, classes).items():
                found[split]["classes"] = weights
        return found

    def _sharing_scenes(self, units: tuple[_Units, ...]) -> list[list[_Units]]:
        """Return groups of two splits or more, each of which shares scenes with others of its group."""
        groups: list[tuple[set[str], list[_Units]]] = []
        for unit in units:
            scenes, members = set(self._splits[unit.split].scenes), [unit]
            apart = [group for group in groups if scenes.isdisjoint(group[0])]
            for group in (group for group in groups if group not in apart):
                scenes, members = scenes | group[0], [*group[1], *members]
            groups = [*apart, (scenes, members)]
        return [members for _, members in groups if len(members) > 1]

    def _of_split(
        self,
        method: str,
        metric: Metric,
        unit: _Units,
        factors: frozenset[str],
        weights: Callable[[int, bool], Floats],
        shared: Mapping[str, Floats],
    ) -> Floats:
        """Return resamples of the mean over the runs of one split; the same calls of `weights` for every method.

        :param shared: factor -> weights that it has in common with other splits
        """
        seeds, draws = (sorted({run[n] for run in unit.runs}) for n in (0, 1))
        n_scenes, n_classes = self._shape(unit.split)
        sizes = {"seeds": len(seeds), "draws": len(draws), "scenes": n_scenes, "classes": n_classes}
        of_seeds, of_draws, scenes, classes = (
            shared[factor] if factor in shared else weights(size, factor in factors) for factor, size in sizes.items()
        )
        content = self._splits[unit.split]
        at = [(seeds.index(seed), draws.index(draw)) for seed, draw in unit.runs]
        of_runs = np.stack([of_seeds[:, k] * of_draws[:, d] for k, d in at])
        values = np.zeros(len(scenes))
        found = content.runs[method]
        known: list[tuple[RunScores, Floats]] = []  # runs that share a distillation are alike before few-shot learning
        for run, weight in zip(unit.runs, of_runs, strict=True):
            scores = next(iter(found.values())) if method in self._untrained else found[run]
            same = next((of for other, of in known if all(map(np.array_equal, scores, other))), None)
            if same is None:
                same = _metric(scores, content.targets, scenes, classes, metric)
                known.append((scores, same))
            values += weight * same
        with np.errstate(invalid="ignore"):
            return np.asarray(values / of_runs.sum(axis=0))


def _half_width(samples: Sequence[Floats], counts: Sequence[int]) -> float | None:
    """Return half of the 95% interval; None where no factor alone varies.

    :param samples: resamples [B] of all factors together, then of each factor alone
    :param counts: units of each factor
    """
    joint, *alone = (float(np.nanvar(sample, ddof=1)) for sample in samples)
    freedom = sum(v * v / (n - 1) for v, n in zip(alone, counts, strict=True) if n > 1)
    if not freedom > 0:  # NaN where hardly a resample has a positive
        return None
    return t_quantile(max(1, int(sum(alone) ** 2 / freedom))) * math.sqrt(joint)


def _metric(run: RunScores, targets: Bools, scenes: Floats, classes: Floats, metric: Metric) -> Floats:
    if metric == "value":
        return np.full(len(scenes), run.scores[0, 0])
    if metric == "f1":
        return weighted_scene_f1(run.predicted, targets, scenes, classes)
    if metric == "recall":
        return weighted_class_recall(run.predicted, targets, scenes, classes)
    fixed = bool((scenes == scenes[0]).all())  # scenes are not resampled: one sum for all resamples
    precisions = np.stack(
        [
            weighted_average_precision(run.scores[:, n], targets[:, n], scenes[:1] if fixed else scenes)
            for n in range(targets.shape[1])
        ],
        axis=1,
    )
    counted = classes * ~np.isnan(precisions)
    with np.errstate(invalid="ignore"):
        return np.asarray((counted * np.nan_to_num(precisions)).sum(axis=1) / counted.sum(axis=1))
