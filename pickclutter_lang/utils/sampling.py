"""Choosing some of many things without chance."""

from __future__ import annotations

import numpy as np


def evenly_spaced(count: int, most: int) -> list[int]:
    """Return the indices of at most so many of `count` things, at equal distances, from the first to the last."""
    return sorted({round(n) for n in np.linspace(0, count - 1, min(most, count)).tolist()})
