"""Paired comparison of two shares on the same piles: McNemar's exact test, and intervals of the difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest, bootstrap

_RESAMPLES, _Z = 5000, 1.959963984540054
_BOOTSTRAP: dict[str, Any] = {"method": "percentile", "random_state": 0}


class PairedDifference(NamedTuple):
    """Share of the first minus share of the second over `piles`, in -1..1.

    - `low`, `high`: 95% percentile interval of a bootstrap over piles. It is too narrow for few piles, and of no width
      where all piles agree
    - `adjusted_low`, `adjusted_high`: 95% interval of Agresti and Min (2005), which is never of no width
    - `first_only`, `second_only`: piles in which only the first, or only the second, holds
    - `p_value`: two-sided, of McNemar's exact test
    """

    difference: float
    low: float
    high: float
    adjusted_low: float
    adjusted_high: float
    first_only: int
    second_only: int
    piles: int
    p_value: float

    def __str__(self) -> str:
        return f"{100 * self.difference:+.0f} ({100 * self.low:+.0f} to {100 * self.high:+.0f}; {self.piles})"


def paired_difference(first: Sequence[bool], second: Sequence[bool]) -> PairedDifference | None:
    """Compare what holds in each pile for one side and for the other; None without piles."""
    values = np.asarray(first, int) - np.asarray(second, int)
    count = len(values)
    if not count:
        return None
    low = high = difference = float(values.mean())
    if len(set(values.tolist())) > 1:
        found = bootstrap((values,), np.mean, n_resamples=_RESAMPLES, batch=500, **_BOOTSTRAP)
        low, high = map(float, found.confidence_interval)
    more, less = int((values > 0).sum()), int((values < 0).sum())
    p_value = float(binomtest(more, more + less, 0.5).pvalue) if more + less else 1.0
    adjusted = (more - less) / (count + 2)
    half = _Z * math.sqrt(more + less + 1 - (more - less) ** 2 / (count + 2)) / (count + 2)
    return PairedDifference(
        difference, low, high, max(-1.0, adjusted - half), min(1.0, adjusted + half), more, less, count, p_value
    )
