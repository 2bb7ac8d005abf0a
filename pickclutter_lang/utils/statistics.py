"""95% confidence intervals of fractions of hits in clusters, by Student's t."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pickclutter_lang.errors import InvalidArgumentError


def clustered_interval(clusters: Sequence[Sequence[bool]]) -> tuple[float, float] | None:
    """Return the 95% interval of the fraction of hits, where hits of a cluster, such as an object's views, depend.

    By Student's t over the clusters, of the ratio of sums, linearized, within 0 and 1. None for a single cluster, and
    where all hits agree, since they say nothing of their variance.

    :raises InvalidArgumentError: when no cluster has a value
    """
    count = sum(map(len, clusters))
    if not count:
        raise InvalidArgumentError("expected a hit or a miss in some cluster, got none")
    fraction = sum(map(sum, clusters)) / count
    influences = [(sum(cluster) - fraction * len(cluster)) / count for cluster in clusters]
    units = len(clusters)
    if units < 2 or not any(influences):
        return None
    from scipy.stats import t  # takes some tenths of a second

    variance = units / (units - 1) * math.fsum(one**2 for one in influences)
    half_width = float(t.ppf(0.975, units - 1)) * math.sqrt(variance)
    return max(0.0, fraction - half_width), min(1.0, fraction + half_width)
