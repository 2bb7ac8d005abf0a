"""95% confidence intervals of fractions of hits in clusters, by Student's t."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pickclutter_lang.errors import InvalidArgumentError


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
    from scipy.stats import t  # takes some tenths of a second

    return float(t.ppf(0.975, clusters - 1)) * math.sqrt(
        clusters / (clusters - 1) * math.fsum(one**2 for one in influences)
    )
