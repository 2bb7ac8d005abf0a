"""95% confidence intervals of means over seeds and of fractions of hits, and which aims they meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from pickclutter_lang.errors import InvalidArgumentError

LEVEL = 0.95
NOT_SHOWN = "not shown"


class Estimate(NamedTuple):
    """The mean of the values of some `seeds` and half the width of its 95% interval, None for a single seed.

    `error` is the standard error of `half_width` by a finite number of resamples; 0 without resampling.
    """

    mean: float
    half_width: float | None
    seeds: int
    error: float = 0.0

    def side_of(self, value: float) -> int:
        """Return 1 for an interval wholly above a value, -1 for one below, 0 where it holds it, or may.

        One that leaves the value out by less than twice its own error may hold it, and so may one of a single seed.
        Equal values show nothing of their variance: an interval of no width may hold any value.
        """
        if not self.half_width:
            return 0
        half_width = self.half_width + 2 * self.error
        return int(self.mean - half_width > value) - int(self.mean + half_width < value)


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of values from independent runs, and its 95% interval by Student's t.

    :raises InvalidArgumentError: when there is no value
    """
    if not values:
        raise InvalidArgumentError("expected one value or more to average, got none")
    count = len(values)
    mean = math.fsum(values) / count
    if count == 1:
        return Estimate(mean, None, 1)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    return Estimate(mean, t_quantile(count - 1) * deviation / math.sqrt(count), count)


def verdict(found: Estimate | None, aim: float, words: tuple[str, str] = ("met", "missed")) -> str:
    """Return whether an aim is met: by the 95% interval, not by the mean.

    :param found: None, or one without an interval: nothing is shown
    :param aim: in the units of the estimate; more is better
    :param words: for an interval wholly above the aim, and for one wholly below
    :return: one of `words`, or `not shown`
    """
    side = 0 if found is None else found.side_of(aim)
    return {1: words[0], -1: words[1]}.get(side, NOT_SHOWN)


def reached(low: float, high: float, bound: float, at_most: bool) -> str:
    """Return whether an aim is `met`, `missed` or `not shown` by an interval: one that touches it shows nothing.

    :param low: lower end of the interval, and `high` its upper end
    :param at_most: `bound` is an upper bound, not a lower one
    """
    met, missed = (high < bound, low > bound) if at_most else (low > bound, high < bound)
    return "met" if met else "missed" if missed else NOT_SHOWN


def clustered_interval(clusters: Sequence[Sequence[bool]]) -> tuple[float, float] | None:
    """Return the 95% interval of the fraction of hits, where hits of a cluster, such as an object's views, depend.

    By Student's t over the clusters, of the ratio of sums, linearized, within 0 and 1. None for a single cluster, and
    where all hits agree, since they say nothing of their variance.
    """
    fraction, influences = _clustered(clusters)
    half_width = _half_width(influences)
    return None if half_width is None else (max(0.0, fraction - half_width), min(1.0, fraction + half_width))


def clustered_difference(
    first: Sequence[Sequence[bool]], second: Sequence[Sequence[bool]]
) -> tuple[float, tuple[float, float] | None]:
    """Return the difference of two fractions of hits and its 95% interval; see `clustered_interval`.

    :param first: hits of each cluster, and `second` others of the same clusters; some may be empty
    """
    kept = [n for n, pair in enumerate(zip(first, second, strict=True)) if any(pair)]
    (one, own), (other, others) = (_clustered([side[n] for n in kept]) for side in (first, second))
    half_width = _half_width([a - b for a, b in zip(own, others, strict=True)])
    difference = one - other
    if half_width is None:
        return difference, None
    return difference, (max(-1.0, difference - half_width), min(1.0, difference + half_width))


def _clustered(clusters: Sequence[Sequence[bool]]) -> tuple[float, list[float]]:
    """Return the fraction of hits, and by how much each cluster moves it.

    :raises InvalidArgumentError: when no cluster has a value
    """
    count = sum(map(len, clusters))
    if not count:
        raise InvalidArgumentError("expected a hit or a miss in some cluster, got none")
    fraction = sum(map(sum, clusters)) / count
    return fraction, [(sum(cluster) - fraction * len(cluster)) / count for cluster in clusters]


def _half_width(influences: Sequence[float]) -> float | None:
    clusters = len(influences)
    if clusters < 2 or not any(influences):
        return None
    return t_quantile(clusters - 1) * math.sqrt(clusters / (clusters - 1) * math.fsum(one**2 for one in influences))


def t_quantile(freedom: int, level: float = LEVEL) -> float:
    """Return the t that a Student variable stays within, in absolute value, with probability `level`.

    :param freedom: degrees of freedom, at least 1
    :param level: above 0 and below 1
    """
    from scipy.stats import t  # takes some tenths of a second

    return float(t.ppf((1 + level) / 2, freedom))
