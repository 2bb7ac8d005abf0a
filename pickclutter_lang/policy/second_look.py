"""A second look at each segment: its crop, of the object alone, beside the texts of names.

A student sees the whole image at once, and small. The crop encoder of the embedded teacher sees one object at a time,
in the space of the very texts that a student of this teacher has. So a second look needs no further network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, logsumexp, softmax

from pickclutter_lang.language.instructions import COLORS, color_alone, color_phrase, known_phrase
from pickclutter_lang.utils.typing import Float32Array, FloatArray

_SCALE, _WEIGHT = 20.0, 0.3
"""Sharpness of cosines, and the share of a crop's log odds in a score; chosen on piles of kinds."""
MAX_LOGIT = 12.0
"""The most that a crop may say for or against a name."""
_EDGE = 1e-6


class Rivals(NamedTuple):
    """`own`: the name as a network is asked for it, then the names that it means. `others`: those against it.

    `color`: whether it is only a color, "the red one", which has the other colors against it.
    """

    own: list[str]
    others: list[str]
    color: bool


def rivals_of(name: str, names: Sequence[str]) -> Rivals:
    """Return the rivals of a name among those of a detector.

    "Fruit", a new name, means the lemon, which then counts for it. "Yellow fruit" may mean the lemon or the apple:
    neither counts. One of `names` has all others against it, even where it reads as only a color.
    """
    if name in names:
        return Rivals([name], [other for other in names if other != name], False)
    color = color_alone(name)
    if color is not None:
        return Rivals([color_phrase(color)], [color_phrase(other) for other in COLORS if other != color], True)
    phrase = known_phrase(name, tuple(names))
    own = () if phrase.modifiers else phrase.labels
    return Rivals([name, *own], [other for other in names if other not in phrase.labels], False)


def crop_log_odds(crops: NDArray[Any], texts: Float32Array, own: Sequence[int], others: Sequence[int]) -> FloatArray:
    """Return the log odds [n] that n crops show what a name says, and not what its rivals say.

    :param crops: features [n, D] of the crop encoder, L2-normalized
    :param texts: features [C, D] of texts, L2-normalized
    :param own: rows of `texts`: the name, and names that it means
    :param others: rows of its rivals; without one a crop says nothing
    """
    if not others:
        return np.zeros(len(crops))
    cosines = _SCALE * (crops.astype(np.float64) @ texts.T)
    return np.asarray(cosines[:, own].max(axis=1) - logsumexp(cosines[:, others], axis=1))


def mutual_log_odds(crops: NDArray[Any], texts: Float32Array) -> FloatArray:
    """Return the log odds [n, C] of each text against all others; see `crop_log_odds`."""
    cosines = _SCALE * (crops.astype(np.float64) @ texts.T)
    share = np.clip(softmax(cosines, axis=1), _EDGE, 1 - _EDGE)
    return np.asarray(logit(share))


def add_crops(scores: NDArray[Any], of_crops: FloatArray) -> FloatArray:
    """Return scores in 0..1 to whose log odds those of the crop that fits a name best are added with a weight."""
    odds = logit(np.clip(np.asarray(scores, np.float64), _EDGE, 1 - _EDGE))
    return np.asarray(expit(odds + _WEIGHT * np.clip(of_crops, -MAX_LOGIT, MAX_LOGIT)))
