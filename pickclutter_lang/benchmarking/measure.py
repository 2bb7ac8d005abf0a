"""Two things measured alternately: their times, and the ratio of each pair of turns."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pickclutter_lang.benchmarking.rows import Ratio
from pickclutter_lang.utils.statistics import median_interval

TURN_S, _MAX_CALLS = 0.1, 200
"""Both sides of a turn take so many calls that they last equally long, at least this; and at most these calls."""


def _nothing() -> None:
    """Close nothing."""


class Pair(NamedTuple):
    """What is measured, and what it is compared with.

    - `per`: parts of one call of both, such as scenes, of which the time is given
    - `close`: called at the end
    """

    ours: Callable[[], object]
    reference: Callable[[], object]
    per: int = 1
    close: Callable[[], object] = _nothing


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of some numbers, and the 95% interval of their median; None of fewer than 6 numbers."""

    median: float
    quartiles: tuple[float, float]
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of one number or more."""
        low, median, high = (float(q) for q in np.percentile(values, (25, 50, 75)))
        return cls(median, (low, high), median_interval(values))


@dataclass(frozen=True)
class Measured:
    """Times of a pair in milliseconds.

    - `turns_ms`: of each turn, of what is measured and of the reference
    - `calls`: of both, in one turn; a turn's time is their mean
    - `ratio`: of the two times of a turn, as the row says; its median is that of the turns' ratios
    - `load`: the machine's load average over the last minute, at the end
    """

    ours_ms: Spread
    reference_ms: Spread
    ratio: Spread
    calls: tuple[int, int]
    load: float
    turns_ms: list[tuple[float, float]]


def measure(pair: Pair, ratio: Ratio, repeats: int, step: Callable[[], object]) -> Measured:
    """Measure a pair in turns, every second with the reference first, after three calls of each that do not count.

    :param repeats: number of turns
    :param step: called after each turn
    """
    sides = pair.ours, pair.reference
    calls = balanced_calls(*(_warm_up(side) for side in sides))
    turns = []
    for turn in range(repeats):
        times = [0.0, 0.0]
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            times[side] = 1000 * _seconds(sides[side], calls[side]) / pair.per
        turns.append((times[0], times[1]))
        step()
    return summarize(turns, ratio, calls, os.getloadavg()[0])


def summarize(turns: list[tuple[float, float]], ratio: Ratio, calls: tuple[int, int], load: float) -> Measured:
    """Return the spread of the times of turns, and of their ratios; arguments as in `Measured`."""
    ours, reference = (list(times) for times in zip(*turns, strict=True))
    pairs = zip(reference, ours, strict=True) if ratio == "times as fast" else zip(ours, reference, strict=True)
    ratios = [above / below for above, below in pairs]
    return Measured(Spread.of(ours), Spread.of(reference), Spread.of(ratios), calls, load, turns)


def balanced_calls(ours: float, reference: float) -> tuple[int, int]:
    """Return the calls of both sides in a turn, of which one call takes so many seconds: equally long where it can be.

    A short turn beside a long one would sample other moments of a busy machine.
    """
    turn = max(TURN_S, ours, reference)
    first, second = (min(max(round(turn / seconds), 1), _MAX_CALLS) for seconds in (ours, reference))
    return first, second


def _warm_up(call: Callable[[], object]) -> float:
    """Call three times, and return the seconds of the shorter of the last two: the first may build what these use."""
    call()
    return max(min(_seconds(call, 1), _seconds(call, 1)), 1e-9)


def _seconds(call: Callable[[], object], count: int) -> float:
    """Return the mean time of some calls."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count
