"""Intervals of medians, and aims that they meet."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from pickclutter_lang.utils.statistics import median_interval, reached


def slow_interval(values: list[float]) -> tuple[float, float] | None:
    """Try all pairs of values, from the innermost outwards: the first that holds the median often enough."""
    ordered, count = sorted(values), len(values)
    for low in range(count // 2 - 1, -1, -1):
        high = count - 1 - low
        held = sum(binom.pmf(below, count, 0.5) for below in range(low + 1, high + 1))
        if held >= 0.95 - 1e-12:
            return ordered[low], ordered[high]
    return None


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 8, 12, 20, 21, 50, 101])
def test_the_interval_of_a_median_is_that_of_the_binomial(count: int) -> None:
    values = np.random.default_rng(count).lognormal(size=count).tolist()
    assert median_interval(values) == slow_interval(values)
    assert (median_interval(values) is None) == (count < 6)


def test_it_holds_the_median_of_any_distribution_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(0), 0
    for _ in range(2000):
        found = median_interval(rng.exponential(size=20).tolist())
        assert found is not None
        held += found[0] <= np.log(2) <= found[1]
    assert 0.94 < held / 2000 < 0.98  # 0.9586 by the binomial


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
