"""Evidence: what one source of knowledge says of names that are asked for, in log odds.

To add one, write a class with one method in a file of its own, and name it in `detectors.StudentDetector`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from pickclutter_lang.policy.queries import Query
from pickclutter_lang.policy.views import View
from pickclutter_lang.utils.typing import FloatArray

_CROPS = 0.3
"""Share of what a crop says; chosen on piles of kinds."""
_MOST_OF_CROPS = 12.0
"""The most that a crop may say for or against a name."""


class LogOdds(NamedTuple):
    """Log odds that names are there: sums over all evidence are compared with one threshold, 0.

    - `image` [C]: by the whole image
    - `segments` [C, n]: that each segment is it
    - `maps`: where in an image without segments, [C, S, S], 0 or more; None for what has no map
    """

    image: FloatArray
    segments: FloatArray
    maps: FloatArray | None = None

    @classmethod
    def nothing(cls, view: View, queries: Sequence[Query]) -> LogOdds:
        """Return log odds of 0, to which what is known is added."""
        return cls(np.zeros(len(queries)), np.zeros((len(queries), len(view.numbers))))


class Evidence(Protocol):
    """One source of knowledge."""

    def __call__(self, view: View, queries: Sequence[Query]) -> LogOdds:
        """Return what it says of C names in a view with n segments; 0 for what it knows nothing of."""
        ...


def log_odds_of(score: float) -> float:
    """Return the log odds of a score in 0..1, within those of 1e-6 and of 1 - 1e-6."""
    limited = min(max(score, 1e-6), 1 - 1e-6)
    return float(np.log(limited / (1 - limited)))


def weigh_crops(odds: FloatArray) -> FloatArray:
    """Return the log odds that crops show a name as what they count for: at most 12 either way, of which 0.3."""
    return _CROPS * np.clip(odds, -_MOST_OF_CROPS, _MOST_OF_CROPS)
