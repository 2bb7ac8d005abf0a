"""Two things measured alternately: their times, and the ratio of each pair of turns."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pickclutter_lang.benchmarking.rows import Ratio
from pickclutter_lang.utils.statistics import median_interval

TURN_S, _MAX_CALLS = 0.1, 50
"""A turn of something short has so many calls that it takes this long, and at most these."""


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
    - `load`: processes that ran on the machine in the last minute, at the end
    """

    ours_ms: Spread
    reference_ms: Spread
    ratio: Spread
    calls: tuple[int, int]
    load: float
    turns_ms: list[tuple[float, float]]


def measure(pair: Pair, ratio: Ratio, repeats: int, step: Callable[[], object]) -> Measured:
    """Measure a pair in turns, after two calls of each that do not count.

    :param repeats: number of turns
    :param step: called after each turn
    """
    calls = _calls(pair.ours), _calls(pair.reference)
    turns = []
    for _ in range(repeats):
        ours, reference = (
            1000 * _seconds(call, count) / pair.per
            for call, count in zip((pair.ours, pair.reference), calls, strict=True)
        )
        turns.append((ours, reference))
        step()
    return summarize(turns, ratio, calls, os.getloadavg()[0])


def summarize(turns: list[tuple[float, float]], ratio: Ratio, calls: tuple[int, int], load: float) -> Measured:
    """Return the spread of the times of turns, and of their ratios; arguments as in `Measured`."""
    ours, reference = (list(times) for times in zip(*turns, strict=True))
    pairs = zip(reference, ours, strict=True) if ratio == "times as fast" else zip(ours, reference, strict=True)
    ratios = [above / below for above, below in pairs]
    return Measured(Spread.of(ours), Spread.of(reference), Spread.of(ratios), calls, load, turns)


def _calls(call: Callable[[], object]) -> int:
    """Call twice, and return how many calls make a turn: the first call may build what later ones use."""
    call()
    return min(max(math.ceil(TURN_S / max(_seconds(call, 1), 1e-9)), 1), _MAX_CALLS)


def _seconds(call: Callable[[], object], count: int) -> float:
    """Return the mean time of some calls."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count
