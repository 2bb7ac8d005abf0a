"""Intervals of fractions of hits in clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import sem, t

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.statistics import clustered_interval


def drawn_clusters(rng: np.random.Generator, sizes: list[int]) -> list[list[bool]]:
    """Draw clusters whose accuracies differ, of mean 0.75."""
    return [(rng.random(size) < rng.beta(3, 1)).tolist() for size in sizes]


def test_of_equal_clusters_it_is_that_of_their_means() -> None:
    clusters = drawn_clusters(np.random.default_rng(1), [12] * 26)
    means = [float(np.mean(cluster)) for cluster in clusters]
    assert clustered_interval(clusters) == pytest.approx(t.interval(0.95, 25, np.mean(means), sem(means)))


def test_of_unequal_clusters_it_covers_the_fraction_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    intervals = [clustered_interval(drawn_clusters(rng, rng.integers(1, 40, 24).tolist())) for _ in range(600)]
    covered = [interval is not None and interval[0] <= 0.75 <= interval[1] for interval in intervals]
    assert 0.92 <= np.mean(covered) <= 0.98


def test_without_variance_there_is_none() -> None:
    assert clustered_interval([[True, False]]) is None  # a single cluster
    assert clustered_interval([[True], [True]]) is None
    with pytest.raises(InvalidArgumentError, match="a hit or a miss"):
        clustered_interval([[], []])
