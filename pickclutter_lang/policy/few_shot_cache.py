"""A cache of few examples, after Tip-Adapter (arXiv 2207.09519): what it says of queries by their likeness to keys.

The paper's training-free few-shot protocol uses it (Table 10), and so does a policy that is shown objects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.typing import Float32Array


def cache_logits(
    queries: NDArray[Any],
    keys: NDArray[Any],
    values: NDArray[Any],
    *,
    beta: float,
) -> Float32Array:
    """Return the cache's logits: exp(-beta (1 - cos(query, key))) summed over keys, weighted by their values.

    After Tip-Adapter (arXiv 2207.09519, Eq. 5), whose zero-shot logits are added to alpha times this.

    :param queries: [N, D] features, L2-normalized
    :param keys: [M, D] features of the examples, L2-normalized
    :param values: [M, C], value of each example for each class
    :param beta: sharpness of the affinity, at least 0; with 0 every example has the same weight
    :return: [N, C]; with one-hot values within 0..(examples of the class)
    :raises InvalidArgumentError: on other shapes or values
    """
    if not 0 <= beta < float("inf") or queries.shape[1:] != keys.shape[1:] or len(keys) != len(values):
        raise InvalidArgumentError(
            f"expected queries [N, D], keys [M, D], values [M, C] and a finite beta of at least 0, but got "
            f"{list(queries.shape)}, {list(keys.shape)}, {list(values.shape)} and {beta}"
        )
    out: Float32Array = np.exp(-beta * (1 - queries @ keys.T)) @ values
    return out
