"""Turns of two things: their order, their number, and the arithmetic of their ratios."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pickclutter_lang.benchmarking.measure import TURN_S, Pair, Spread, balanced_calls, measure, summarize
from pickclutter_lang.benchmarking.rows import Ratio


@pytest.mark.parametrize(
    ("ours", "reference", "calls"),
    [(0.05, 5.0, (100, 1)), (5.0, 0.05, (1, 100)), (0.01, 0.02, (10, 5)), (1e-9, 5.0, (200, 1)), (0.35, 0.2, (1, 2))],
)
def test_both_sides_of_a_turn_take_equally_long(ours: float, reference: float, calls: tuple[int, int]) -> None:
    assert balanced_calls(ours, reference) == calls


def test_both_take_turns_after_three_calls_that_do_not_count() -> None:
    called: list[str] = []

    def call(name: str, seconds: float) -> None:
        called.append(name)
        time.sleep(seconds)

    steps: list[int] = []
    pair = Pair(lambda: call("a", TURN_S), lambda: call("b", TURN_S / 3.5), per=4)
    found = measure(pair, "times as fast", 3, lambda: steps.append(1))
    (many, few), turns = found.calls, "".join(called)
    assert (many, len(steps), len(found.turns_ms)) == (1, 3, 3) and 2 <= few <= 4
    a, b = "a" * many, "b" * few
    assert turns == "aaabbb" + a + b + b + a + a + b
    for ours, reference in found.turns_ms:  # of a fourth of a call
        assert ours >= 1000 * TURN_S / 4 and 1000 * TURN_S / 14 <= reference < ours


@pytest.mark.parametrize("ratio", ["times as fast", "times as long"])
def test_a_ratio_is_of_the_two_times_of_a_turn(ratio: Ratio) -> None:
    times = np.random.default_rng(0).lognormal(size=(20, 2))
    found = summarize([(ours, reference) for ours, reference in times.tolist()], ratio, (3, 1), 0.5)
    ours, reference = times.T
    ratios = reference / ours if ratio == "times as fast" else ours / reference
    for spread, values in ((found.ours_ms, ours), (found.reference_ms, reference), (found.ratio, ratios)):
        assert spread.median == np.median(values)
        assert spread.quartiles == tuple(np.quantile(values, (0.25, 0.75)))
        assert spread.interval == (np.sort(values)[5], np.sort(values)[14])
    assert found.ratio.median != pytest.approx(np.median(reference) / np.median(ours))  # that is another number
    assert (found.calls, found.load) == ((3, 1), 0.5)


def test_few_numbers_have_no_interval() -> None:
    assert Spread.of([2.0]) == Spread(2.0, (2.0, 2.0), None)
