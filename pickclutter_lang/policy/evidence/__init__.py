"""Evidence: what one source of knowledge says of names that are asked for, in log odds.

To add one, write a class with one method in a file of its own, and name it in `detectors.StudentDetector`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from pickclutter_lang.policy.queries import Query
from pickclutter_lang.policy.views import View
from pickclutter_lang.utils.typing import Float32Array, FloatArray


class LogOdds(NamedTuple):
    """Log odds that names are there: sums over all evidence are compared with one threshold, 0.

    - `image` [C]: by the whole image
    - `segments` [C, n]: that each segment is it
    - `maps`: where in an image without segments, [C, S, S] with sum 1 each; None for what has no map
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


def cosines(features: Float32Array, texts: Float32Array) -> FloatArray:
    """Return the cosines [n, C] of features [n, D] and texts [C, D], both of length 1."""
    return np.asarray(features.astype(np.float64) @ texts.T.astype(np.float64))
