"""Geometry of class text features before and after language enrichment (section 5.2 of the paper)."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError

EIGENVALUES = 10
"""So many are in Figure 4."""


class TextSpace(TypedDict):
    """Mean cosine of all pairs of texts (Table 6), and the largest eigenvalues in descending order (Figure 4)."""

    cosine: float
    eigenvalues: list[float]


def text_statistics(features: NDArray[np.floating[Any]]) -> TextSpace:
    """Return how near texts are to each other and in how many directions they differ.

    What the paper calls eigenvalues are singular values: of the features after their mean is taken away.

    :param features: [C, D], C at least 2: L2-normalized features of a text for each class, or for captions the mean of
        a class's, which is not normalized again
    :return: `eigenvalues` has 10 or min(C, D) values
    :raises InvalidArgumentError: on other shapes, and for a feature that is zero or not finite
    """
    if features.ndim != 2 or len(features) < 2:
        raise InvalidArgumentError(f"expected features [C, D] of at least two classes, but got {list(features.shape)}")
    rows = features.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(rows).all() or not lengths.all():
        raise InvalidArgumentError("expected finite features of a length above 0, but some are not")
    total = (rows / lengths).sum(axis=0)
    count = len(rows)
    cosine = (total @ total - count) / (count * (count - 1))  # all ordered pairs but those of a text with itself
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    return {"cosine": float(cosine), "eigenvalues": [float(value) for value in values[:EIGENVALUES]]}
