"""Training-free few-shot classification with a cache of examples, after Tip-Adapter (arXiv 2207.09519), and its tuning.

The paper's protocol uses it (Table 10), and so does a policy that is shown objects. It needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.typing import Float32Array

ALPHAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
BETAS = (1.0, 3.0, 5.5, 10.0, 20.0, 50.0, 100.0)


def cache_logits(
    queries: NDArray[Any],
    keys: NDArray[Any],
    values: NDArray[Any],
    *,
    beta: float,
    excluded: NDArray[np.bool_] | None = None,
) -> Float32Array:
    """Return the cache's logits: exp(-beta (1 - cos(query, key))) summed over keys, weighted by their values.

    After Tip-Adapter (Eq. 5), whose zero-shot logits are added to alpha times this. For one label an image, `values`
    are one-hot.

    :param queries: [N, D] features, L2-normalized
    :param keys: [M, D] features of the examples, L2-normalized
    :param values: [M, C], value of each example for each class
    :param beta: sharpness of the affinity, at least 0; with 0 every example has the same weight
    :param excluded: [N, M], pairs whose affinity counts as 0, such as an example and itself
    :return: [N, C]; with one-hot values within 0..(examples of the class)
    :raises InvalidArgumentError: on other shapes or values
    """
    if not 0 <= beta < float("inf") or queries.shape[1:] != keys.shape[1:] or len(keys) != len(values):
        raise InvalidArgumentError(
            f"expected queries [N, D], keys [M, D], values [M, C] and a finite beta of at least 0, but got "
            f"{list(queries.shape)}, {list(keys.shape)}, {list(values.shape)} and {beta}"
        )
    affinities = np.exp(-beta * (1 - queries @ keys.T))
    out: Float32Array = (affinities if excluded is None else np.where(excluded, 0, affinities)) @ values
    return out


class CacheParameters(NamedTuple):
    """Weight of the cache, sharpness of the affinity, and the score on the examples, each left out of the cache."""

    alpha: float
    beta: float
    score: float


def tune_cache(
    alpha: float | None,
    beta: float | None,
    zero_shot: Float32Array,
    leave_one_out: Callable[[float], Float32Array],
    score: Callable[[Float32Array], float],
) -> CacheParameters:
    """Return weight and sharpness: the given ones, else the best on the examples; smaller ones of equals.

    :param zero_shot: logits [M, C] of the examples
    :param leave_one_out: from a sharpness to the logits [M, C] that the other examples give each one
    :param score: of logits [M, C], higher is better
    """
    found = []
    for sharpness in BETAS if beta is None else (beta,):
        others = leave_one_out(sharpness)
        for weight in ALPHAS if alpha is None else (alpha,):
            found.append(CacheParameters(weight, sharpness, score(zero_shot + weight * others)))
    return max(found, key=lambda choice: choice.score)
