"""Intervals of fractions of hits in clusters, and aims that they meet."""

from __future__ import annotations

import numpy as np
import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.statistics import (
    clustered_difference,
    clustered_interval,
    estimate,
    reached,
)


@pytest.mark.parametrize(
    ("low", "high", "at_most", "expected"),
    [
        (0.91, 0.98, False, "met"),
        (0.9, 0.98, False, "not shown"),
        (0.8, 0.98, False, "not shown"),
        (0.8, 0.89, False, "missed"),
        (0.5, 0.89, True, "met"),
        (0.5, 0.9, True, "not shown"),
        (0.89, 0.95, True, "not shown"),
        (0.91, 0.95, True, "missed"),
    ],
)
def test_an_aim_is_met_by_its_interval(low: float, high: float, at_most: bool, expected: str) -> None:
    assert reached(low, high, 0.9, at_most) == expected


def drawn_clusters(rng: np.random.Generator, sizes: list[int]) -> list[list[bool]]:
    """Draw clusters whose accuracies differ, of mean 0.75."""
    return [(rng.random(size) < rng.beta(3, 1)).tolist() for size in sizes]


def test_of_equal_clusters_it_is_that_of_their_means() -> None:
    first, second = (drawn_clusters(np.random.default_rng(seed), [12] * 26) for seed in (1, 2))
    means = [[float(np.mean(cluster)) for cluster in clusters] for clusters in (first, second)]
    found = estimate(means[0])
    assert found.half_width is not None
    expected = (found.mean - found.half_width, found.mean + found.half_width)
    assert clustered_interval(first) == pytest.approx(expected)
    of_pairs = estimate([a - b for a, b in zip(*means, strict=True)])
    assert of_pairs.half_width is not None
    ends = (of_pairs.mean - of_pairs.half_width, of_pairs.mean + of_pairs.half_width)
    difference, interval = clustered_difference(first, second)
    assert difference == pytest.approx(of_pairs.mean) and interval == pytest.approx(ends)


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
