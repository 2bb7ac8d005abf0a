"""Intervals of fractions of hits in clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import sem, t

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.statistics import clustered_difference, clustered_interval


def drawn_clusters(rng: np.random.Generator, sizes: list[int]) -> list[list[bool]]:
    """Draw clusters whose accuracies differ, of mean 0.75."""
    return [(rng.random(size) < rng.beta(3, 1)).tolist() for size in sizes]


def mean_interval(values: list[float]) -> tuple[float, float]:
    """Return the interval of a mean by Student's t."""
    low, high = t.interval(0.95, len(values) - 1, np.mean(values), sem(values))
    return float(low), float(high)


def test_of_equal_clusters_it_is_that_of_their_means() -> None:
    first, second = (drawn_clusters(np.random.default_rng(seed), [12] * 26) for seed in (1, 2))
    means = [[float(np.mean(cluster)) for cluster in clusters] for clusters in (first, second)]
    assert clustered_interval(first) == pytest.approx(mean_interval(means[0]))
    pairs = [a - b for a, b in zip(*means, strict=True)]
    difference, interval = clustered_difference(first, second)
    assert difference == pytest.approx(np.mean(pairs)) and interval == pytest.approx(mean_interval(pairs))


def test_of_unequal_clusters_it_covers_the_fraction_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    intervals = [clustered_interval(drawn_clusters(rng, rng.integers(1, 40, 24).tolist())) for _ in range(600)]
    covered = [interval is not None and interval[0] <= 0.75 <= interval[1] for interval in intervals]
    assert 0.92 <= np.mean(covered) <= 0.98


def test_clusters_without_values_count_for_the_other_side_alone() -> None:
    first, second = [[True, False], [True], []], [[True], [], [False, True]]
    difference, interval = clustered_difference(first, second)
    assert difference == pytest.approx(0.0) and interval is not None and interval[0] < 0 < interval[1]
    assert clustered_difference([*first, []], [*second, []]) == (difference, interval)  # it says nothing
    assert clustered_interval([[True, False]]) is None  # a single cluster
    assert clustered_interval([[True], [True]]) is None and clustered_difference([[True]], [[False]]) == (1.0, None)
    with pytest.raises(InvalidArgumentError, match="a hit or a miss"):
        clustered_interval([[], []])
