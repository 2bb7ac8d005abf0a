"""95% intervals: of metrics by one bootstrap over splits, seeds, draws, items and labels; of shares by object.

Object splits are drawn first; within each, seeds, draws, scenes and classes, which are crossed. Units of one name, such
as scenes or classes that several splits have, are drawn together in all of them.

A factor with n units draws n - 1 of them with replacement, so that the variance of a mean is unbiased (Rao and Wu,
1988). One with a single unit keeps it, and the interval does not cover it. Drawing on all levels together counts some
variance twice and is conservative (Owen, 2007). The interval is Student's, its degrees of freedom after Satterthwaite
from the variances of the single factors.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from pickclutter_lang.metrics.multilabel import weighted_ap, weighted_f1

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Metric = Literal["map", "f1", "recall"]
"""`map`: mean average precision of the labels. `f1`: of each item over its labels, averaged over items with a positive.
`recall`: of each label, averaged over labels; the mean accuracy of classes where each item has one label."""
FACTORS = ("object splits", "seeds", "draws", "scenes", "classes")
RESAMPLES = 1000
_MOST_WEIGHTS = 2_000_000
_TINY = 1e-12
_SHARED = ("scenes", "draws", "classes")
"""Factors whose units several splits may have."""


class Estimate(NamedTuple):
    """The mean over some `runs` and half the width of its 95% interval, None where nothing varies."""

    mean: float
    half_width: float | None
    runs: int

    @property
    def low(self) -> float:
        """Lower end of the interval; the mean itself where nothing varies."""
        return self.mean - (self.half_width or 0.0)

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + (self.half_width or 0.0)

    @property
    def leaves_out_zero(self) -> bool:
        """Whether the interval lies above or below 0; one of no width, of equal values, shows nothing."""
        return bool(self.half_width) and (self.low > 0 or self.high < 0)


def mean_interval(values: Sequence[float]) -> Estimate:
    """Return the mean of values from independent runs, one or more, and its 95% interval by Student's t."""
    count = len(values)
    mean = math.fsum(values) / len(values)
    if count == 1:
        return Estimate(mean, None, 1)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    return Estimate(mean, _t(count - 1) * deviation / math.sqrt(count), count)


def _t(freedom: int) -> float:
    return float(t.ppf(0.975, freedom))


class Share(NamedTuple):
    """A share of episodes, or the difference of two in the same piles, with the ends of its 95% interval.

    `total` are episodes or pairs, `hits` those that hold, None of a difference. The numbers are NaN where `total` is 0.
    """

    mean: float
    low: float
    high: float
    total: int
    hits: int | None = None

    @property
    def leaves_out_zero(self) -> bool:
        """Whether the interval lies above or below 0."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        if not self.total:
            return "-"
        sign, of = ("+", "") if self.hits is None else ("", f"{self.hits}/")
        mean, low, high = (f"{100 * value:{sign}.0f}" for value in self[:3])
        return f"{mean} ({low} to {high}; {of}{self.total})"


def share(hits: Sequence[bool], names: Sequence[str]) -> Share:
    """Return the share of what holds, with the score interval (Wilson, 1927), which is never of no width.

    :param names: the object of each outcome: outcomes of one object are alike, and count as fewer (`_independent`)
    """
    if not len(hits):
        return Share(math.nan, math.nan, math.nan, 0, 0)
    held = np.asarray(hits, float)
    mean, (count, width) = float(held.mean()), _independent(held, names)
    center = mean * count + width**2 / 2
    total = count + width**2
    half = width * math.sqrt(mean * (1 - mean) * count + width**2 / 4)
    return Share(mean, (center - half) / total, (center + half) / total, len(held), int(held.sum()))


def share_difference(first: Sequence[bool], second: Sequence[bool], names: Sequence[str]) -> Share | None:
    """Return the share of the first minus that of the second over pairs, such as piles; None without pairs.

    The interval is that of Agresti and Min (2005), never of no width, its pairs those of objects as in `share`.
    """
    if not len(first):
        return None
    differences = np.asarray(first, float) - np.asarray(second, float)
    mean, (count, width) = float(differences.mean()), _independent(differences, names)
    center = mean * count / (count + 2)
    differ = float(np.square(differences).mean())
    half = width * math.sqrt(differ * count + 1 - (mean * count) ** 2 / (count + 2)) / (count + 2)
    return Share(mean, max(-1.0, center - half), min(1.0, center + half), len(differences))


def _independent(values: Floats, names: Sequence[str]) -> tuple[float, float]:
    """Return how many independent values would have the variance of this mean, and the quantile of its interval.

    The variance is that over names, linearized, but at least that of independent values; the quantile is Student's over
    the names. Values of one name count as independent.
    """
    clusters = np.unique(names, return_inverse=True)[1]
    count = len(values)
    n_clusters = int(clusters.max()) + 1
    rest = values - values.mean()
    if n_clusters < 2:
        return count, float(norm.ppf(0.975))
    independent = np.square(rest).sum() / (count - 1)
    clustered = np.square(np.bincount(clusters, rest)).sum() / count * n_clusters / (n_clusters - 1)
    return count / max(1.0, clustered / independent if independent else 1.0), _t(n_clusters - 1)


class RunScores(NamedTuple):
    """Scores [N, C] of a run, and its decisions [N, C] at its own thresholds."""

    scores: Floats
    predicted: Bools


@dataclass(frozen=True)
class SplitScores:
    """What an object split shares, its targets [N, C], and its runs: method -> (seed, draw) -> scores.

    `items` are the ids of the N scenes or images, `labels` the C names. Without them they are other ones than those of
    other splits.
    """

    targets: Bools
    runs: dict[str, dict[tuple[int, int], RunScores]]
    items: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class _Unit(NamedTuple):
    """Runs of a split that are averaged: pairs of seed and draw."""

    split: int
    runs: tuple[tuple[int, int], ...]

    @property
    def seeds(self) -> list[int]:
        return sorted({seed for seed, _ in self.runs})

    @property
    def draws(self) -> list[int]:
        return sorted({draw for _, draw in self.runs})


class Bootstrap:
    """Means and paired differences of methods with intervals; all methods share the resamples."""

    def __init__(self, splits: Mapping[int, SplitScores], resamples: int | None = None) -> None:
        """Take the scores of one cell.

        :param splits: object split -> its scores
        :param resamples: None: 1000, fewer where a split has more than 2000 items, but not below 100
        """
        most = max(len(split.targets) for split in splits.values())
        self._resamples = resamples or min(RESAMPLES, max(100, _MOST_WEIGHTS // most))
        self._splits = splits
        self._known: dict[tuple[str, Metric, tuple[_Unit, ...]], tuple[float, list[Floats]]] = {}

    def estimate(self, method: str, metric: Metric) -> Estimate | None:
        """Return the mean of a method over its runs and half of the interval; None without a run or a positive."""
        return self.contrast({method: 1.0}, metric)

    def difference(self, method: str, other: str, metric: Metric) -> Estimate | None:
        """Return the mean of `method - other` over the runs that both have; None without one, or a positive."""
        return self.contrast({method: 1.0, other: -1.0}, metric)

    def contrast(self, signs: Mapping[str, float], metric: Metric) -> Estimate | None:
        """Return the sum of the means of methods, each times its sign, over the runs that all of them have."""
        units = self._units(signs)
        found = [(sign, *self._samples(method, metric, units)) for method, sign in signs.items() if units]
        mean = math.fsum(sign * value for sign, value, _ in found)
        if not units or math.isnan(mean):
            return None
        sizes = [
            (len(units), len(unit.seeds), len(unit.draws), *self._splits[unit.split].targets.shape) for unit in units
        ]
        counts = [min((n for n in of_factor if n > 1), default=1) for of_factor in zip(*sizes, strict=True)]
        samples = [np.sum([sign * of[n] for sign, _, of in found], axis=0) for n in range(1 + len(FACTORS))]
        half_width = _half_width(samples, counts)
        if half_width is None and max(counts) > 1:
            half_width = 0.0
        return Estimate(mean, half_width, sum(len(unit.runs) for unit in units))

    def _units(self, methods: Collection[str]) -> tuple[_Unit, ...]:
        units = []
        for split, content in self._splits.items():
            shared = set.intersection(*(set(content.runs.get(method, ())) for method in methods))
            units += [_Unit(split, tuple(sorted(shared)))] if shared else []
        return tuple(units)

    def _samples(self, method: str, metric: Metric, units: tuple[_Unit, ...]) -> tuple[float, list[Floats]]:
        """Return the mean, and resamples [B] of all factors together and of each alone."""
        key = method, metric, units
        if key not in self._known:
            chosen = (frozenset(FACTORS), *(frozenset([factor]) for factor in FACTORS))
            samples = [self._resample(method, metric, units, factors) for factors in chosen]
            self._known[key] = float(self._resample(method, metric, units, frozenset())[0]), samples
        return self._known[key]

    def _resample(self, method: str, metric: Metric, units: tuple[_Unit, ...], factors: frozenset[str]) -> Floats:
        """Return resamples [B] of a method's mean, with the same draws for every method of these units."""
        rng = np.random.default_rng([0, *(factor in factors for factor in FACTORS)])
        count = self._resamples
        n_splits = len(units)
        drawn = "object splits" in factors and n_splits > 1
        slots = n_splits - 1 if drawn else n_splits
        picks = rng.integers(n_splits, size=(count, slots)) if drawn else np.tile(np.arange(n_splits), (count, 1))
        names = self._names(units)
        shared = {factor: _shared_draws(rng, count, names[factor]) for factor in _SHARED if factor in factors}

        def weights(factor: str, split: int, rows: NDArray[np.int64]) -> Floats:
            if factor not in factors:
                return np.ones((1, len(names[factor][split])))
            together = shared.get(factor, {}).get(split)
            return _drawn(rng, len(rows), len(names[factor][split])) if together is None else together[rows]

        total = np.zeros(count)
        for slot in range(slots):
            for place, unit in enumerate(units):
                rows = np.flatnonzero(picks[:, slot] == place)
                if len(rows):
                    drawn_units = {factor: weights(factor, unit.split, rows) for factor in names}
                    total[rows] += self._of_split(method, metric, unit, drawn_units)
        return total / slots

    def _names(self, units: Sequence[_Unit]) -> dict[str, dict[int, list[Hashable]]]:
        """Return factor -> split -> names of its units; units of one name are drawn together in all splits."""
        names: dict[str, dict[int, list[Hashable]]] = {factor: {} for factor in FACTORS[1:]}
        for unit in units:
            content = self._splits[unit.split]
            split = unit.split
            n_items, n_labels = content.targets.shape
            names["seeds"][split] = [(split, seed) for seed in unit.seeds]
            names["draws"][split] = [(content.items or split, draw) for draw in unit.draws]
            names["scenes"][split] = [*content.items] or [(split, n) for n in range(n_items)]
            names["classes"][split] = [*content.labels] or [(split, n) for n in range(n_labels)]
        return names

    def _of_split(self, method: str, metric: Metric, unit: _Unit, weights: Mapping[str, Floats]) -> Floats:
        """Return resamples of the mean over the runs of one split, [B] or [1]."""
        content = self._splits[unit.split]
        values, counted = np.zeros(1), np.zeros(1)
        for seed, draw in unit.runs:
            run = content.runs[method][seed, draw]
            of_run = _metric(run, content.targets, weights["scenes"], weights["classes"], metric)
            often = weights["seeds"][:, unit.seeds.index(seed)] * weights["draws"][:, unit.draws.index(draw)]
            values = values + often * of_run
            counted = counted + often
        with np.errstate(invalid="ignore"):
            return np.asarray(values / counted)


def _drawn(rng: np.random.Generator, count: int, units: int, draws: int | None = None) -> Floats:
    """Return how often each of some units is drawn, [count, units]; a single one always."""
    if units == 1:
        return np.ones((count, 1))
    draws = units - 1 if draws is None else draws
    return np.asfortranarray(rng.multinomial(draws, [1 / units] * units, size=count), dtype=float)


def _shared_draws(rng: np.random.Generator, count: int, names: Mapping[int, Sequence[Hashable]]) -> dict[int, Floats]:
    """Return how often the units of each split are drawn from those of all splits together; {} where none is shared.

    Of U units together, U (n - 1) / n are drawn where the smallest split has n: the variance of a mean over n stays
    unbiased. A split of which none is drawn, as happens to small ones, draws from its own.
    """
    union = list(dict.fromkeys(name for own in names.values() for name in own))
    fewest = min(map(len, names.values()))
    if len(union) == sum(map(len, names.values())) or fewest == 1:
        return {}
    place = {name: n for n, name in enumerate(union)}
    weights = _drawn(rng, count, len(union), round(len(union) * (fewest - 1) / fewest))
    found = {split: np.asfortranarray(weights[:, [place[name] for name in own]]) for split, own in names.items()}
    for of_split in found.values():
        empty = ~of_split.any(axis=1)
        of_split[empty] = _drawn(rng, int(empty.sum()), of_split.shape[1])
    return found


def _half_width(samples: Sequence[Floats], counts: Sequence[int]) -> float | None:
    """Return half of the 95% interval; None where no factor alone varies.

    :param samples: resamples [B] of all factors together, then of each factor alone
    :param counts: units of each factor
    """
    joint, *alone = (float(np.nanvar(sample, ddof=1)) for sample in samples)
    freedom = sum(v * v / (n - 1) for v, n in zip(alone, counts, strict=True) if n > 1)
    if not freedom > 0:  # NaN where hardly a resample has a positive
        return None
    return _t(max(1, int(sum(alone) ** 2 / freedom))) * math.sqrt(joint)


def _metric(run: RunScores, targets: Bools, items: Floats, labels: Floats, metric: Metric) -> Floats:
    """Return a metric of resamples, [B], where items [B or 1, N] and labels [B or 1, C] count as often as drawn."""
    if metric == "f1":
        return weighted_f1(run.predicted, targets, items, labels)
    if metric == "map":
        of_labels = [weighted_ap(run.scores[:, n], targets[:, n], items) for n in range(targets.shape[1])]
        values = np.stack(of_labels, axis=1)
        counted = labels * ~np.isnan(values)
    else:
        positives = items @ targets.astype(float)
        hits = items @ (run.predicted & targets).astype(float)
        values = hits / np.maximum(positives, _TINY)
        counted = labels * (positives > 0)
    with np.errstate(invalid="ignore"):
        return np.asarray((counted * np.nan_to_num(values)).sum(axis=1) / counted.sum(axis=1))
