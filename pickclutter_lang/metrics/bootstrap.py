"""95% intervals by a hierarchical bootstrap over object splits, seeds, few-shot draws, scenes and classes.

Object splits are drawn first; within each, seeds, draws, scenes and classes, which are crossed. Where all splits have
the same scenes, as the collected piles of `ood` and `fewshot` are, scenes and draws are drawn once for all of them:
what one scene does to every split does not average out. The same holds for classes that are in several splits.

A factor with n units draws n - 1 of them with replacement, so that the variance of a mean is unbiased (Rao and Wu,
1988); one with a single unit keeps it, and the interval does not cover it. Resamples weight scenes and classes instead
of copying rows: a class's scores are sorted once. Drawing on all levels together counts some variance twice and is
conservative (Owen, 2007). With three units per factor, percentiles cover too rarely; the interval is Student's, its
degrees of freedom after Satterthwaite from the variances of the factors alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.statistics import Estimate, t_quantile

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Metric = Literal["map", "f1", "recall", "value"]
"""`recall`: of each class, averaged over classes; the mean accuracy of classes where each scene has one label.
`value`: the only score of a run, where scenes and classes are not known."""
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


def weighted_average_precision(scores: Floats, present: Bools, weights: Floats) -> Floats:
    """Return the average precision of a class where observations count as often as their weights.

    :param scores: [N]; equal scores are one step
    :param present: [N]
    :param weights: [B, N], at least 0
    :return: [B] in [0, 1], NaN where no positive has weight
    """
    order = np.argsort(-scores, kind="stable")
    positives = np.flatnonzero(present[order])
    group_ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    steps = group_ends[np.searchsorted(group_ends, positives)]  # for each positive: the last of those that score alike
    columns = weights.T[order]  # [N, B]: rows are gathered and summed along memory
    total = columns.cumsum(axis=0)[steps]
    gained = columns[positives]
    hits = gained.cumsum(axis=0)[np.searchsorted(positives, steps, side="right") - 1]
    with np.errstate(invalid="ignore"):
        return np.asarray((gained * hits / np.maximum(total, np.finfo(float).tiny)).sum(axis=0) / gained.sum(axis=0))


def weighted_scene_f1(predicted: Bools, present: Bools, scenes: Floats, classes: Floats) -> Floats:
    """Return the F1 per scene, averaged over the scenes with a positive of a class that has weight.

    :param predicted: [N, C]
    :param present: [N, C]
    :param scenes: weights [B, N]
    :param classes: weights [B, C]
    :return: [B] in [0, 1], NaN where no scene counts
    """
    positives = classes @ present.T.astype(float)
    sizes = positives + classes @ predicted.T.astype(float)
    hits = classes @ (predicted & present).T.astype(float)
    counted = scenes * (positives > 1e-12)
    with np.errstate(invalid="ignore"):
        return np.asarray((counted * 2 * hits / np.maximum(sizes, 1e-12)).sum(axis=1) / counted.sum(axis=1))


def weighted_class_recall(predicted: Bools, present: Bools, scenes: Floats, classes: Floats) -> Floats:
    """Return the recall of each class, averaged over the classes with a positive that has weight.

    Arguments as of `weighted_scene_f1`.

    :return: [B] in [0, 1], NaN where no class counts
    """
    positives = scenes @ present.astype(float)
    hits = scenes @ (predicted & present).astype(float)
    counted = classes * (positives > 0)
    with np.errstate(invalid="ignore"):
        return np.asarray((counted * hits / np.maximum(positives, 1e-12)).sum(axis=1) / counted.sum(axis=1))


class HierarchicalBootstrap:
    """Means and paired differences of methods with intervals; all methods share the resamples."""

    def __init__(self, splits: Mapping[int, SplitScores], resamples: int = 1000, seed: int = 0) -> None:
        """Take the scores of one stage.

        :param splits: object split -> its scores
        :raises InvalidArgumentError: without a split, or for fewer than 2 resamples
        """
        if not splits or resamples < 2:
            raise InvalidArgumentError(f"expected a split and 2 resamples or more, got {len(splits)} and {resamples}")
        self._splits, self._resamples, self._seed = dict(splits), resamples, seed
        self._known: dict[tuple[str, Metric, tuple[_Units, ...]], tuple[float, list[Floats]]] = {}

    def estimate(self, method: str, metric: Metric) -> Estimate | None:
        """Return the mean of a method over its runs and half of the interval; None without a run or a positive."""
        return self._interval({method: 1.0}, metric)

    def difference(self, method: str, other: str, metric: Metric) -> Estimate | None:
        """Return the mean of `method - other` over the runs that both have; None without one, or a positive."""
        return self._interval({method: 1.0, other: -1.0}, metric)

    def covers(self, *methods: str) -> dict[str, int]:
        """Return how many units of each factor the interval of these methods resamples; the fewest of the splits."""
        units = self._units(methods)
        sizes = [(len({k for k, _ in runs}), len({d for _, d in runs}), *self._shape(split)) for split, runs in units]
        inner = np.min(sizes, axis=0).tolist() if sizes else [0] * (len(FACTORS) - 1)
        return dict(zip(FACTORS, (len(units), *inner), strict=True))

    def _shape(self, split: int) -> tuple[int, int]:
        n_scenes, n_classes = self._splits[split].targets.shape
        return n_scenes, n_classes

    def _units(self, methods: Mapping[str, float] | tuple[str, ...]) -> tuple[_Units, ...]:
        units = []
        for split, content in self._splits.items():
            shared = set.intersection(*(set(content.runs.get(method, {})) for method in methods))
            units += [_Units(split, tuple(sorted(shared)))] if shared else []
        return tuple(units)

    def _interval(self, contrast: Mapping[str, float], metric: Metric) -> Estimate | None:
        units = self._units(contrast)
        if not units:
            return None
        found = [(sign, *self._samples(method, metric, units)) for method, sign in contrast.items()]
        mean = math.fsum(sign * value for sign, value, _ in found)
        if math.isnan(mean):
            return None
        joint, *alone = (
            float(np.nanvar(np.sum([sign * samples[n] for sign, _, samples in found], axis=0), ddof=1))
            for n in range(1 + len(FACTORS))
        )
        counts = list(self.covers(*contrast).values())
        freedom = sum(v * v / (n - 1) for v, n in zip(alone, counts, strict=True) if n > 1)
        runs = sum(len(unit.runs) for unit in units)
        if not freedom:
            return Estimate(mean, 0.0 if max(counts) > 1 else None, runs)
        quantile = t_quantile(max(1, int(sum(alone) ** 2 / freedom)))
        return Estimate(mean, quantile * math.sqrt(joint), runs)

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
        shared = self._shared_weights(units, factors, partial(_weights, rng, count))
        of_classes = self._class_weights(units, factors, rng, count)
        total = np.zeros(count)
        for slot in range(slots):
            for place, unit in enumerate(units):
                rows = np.flatnonzero(picks[:, slot] == place)
                if len(rows):
                    of_rows = {factor: weights[rows] for factor, weights in shared.items()}
                    if of_classes:
                        of_rows["classes"] = of_classes[unit.split][rows]
                    draw = partial(_weights, rng, len(rows))
                    total[rows] += self._of_split(method, metric, unit, factors, draw, of_rows)
        return total / slots

    def _shared_weights(
        self, units: tuple[_Units, ...], factors: frozenset[str], weights: Callable[[int, bool], Floats]
    ) -> dict[str, Floats]:
        """Return resamples of scenes and draws for all splits, where there are several with the same scenes."""
        scenes = {self._splits[unit.split].scenes for unit in units}
        draws = {frozenset(draw for _, draw in unit.runs) for unit in units}
        if len(units) == 1 or len(scenes) > 1 or len(draws) > 1 or () in scenes:
            return {}
        sizes = {"scenes": len(scenes.pop()), "draws": len(draws.pop())}
        return {factor: weights(size, factor in factors) for factor, size in sizes.items()}

    def _class_weights(
        self, units: tuple[_Units, ...], factors: frozenset[str], rng: np.random.Generator, count: int
    ) -> dict[int, Floats]:
        """Return resamples of the classes of each split, drawn from those of all splits, where some are in several.

        Of U classes U (n - 1) / n are drawn, which leaves the variance of a mean over n of them unbiased.
        """
        of_splits = {unit.split: self._splits[unit.split].classes for unit in units}
        union = sorted({name for names in of_splits.values() for name in names})
        fewest = min(map(len, of_splits.values()))
        if fewest < 2 or "classes" not in factors or len(union) == sum(map(len, of_splits.values())):
            return {}
        drawn = round(len(union) * (fewest - 1) / fewest)
        weights = rng.multinomial(drawn, [1 / len(union)] * len(union), size=count).astype(float)
        return {
            split: np.asfortranarray(weights[:, [union.index(name) for name in names]])
            for split, names in of_splits.items()
        }

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

        :param shared: factor -> weights that all splits have
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
        for run, weight in zip(unit.runs, of_runs, strict=True):
            values += weight * _metric(content.runs[method][run], content.targets, scenes, classes, metric)
        with np.errstate(invalid="ignore"):
            return np.asarray(values / of_runs.sum(axis=0))


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


def _weights(rng: np.random.Generator, count: int, units: int, resampled: bool) -> Floats:
    """Return how often each of some units is drawn, [count, units]; all once where they are not resampled."""
    if not resampled or units == 1:
        return np.ones((count, units))
    return np.asfortranarray(rng.multinomial(units - 1, [1 / units] * units, size=count), dtype=float)
