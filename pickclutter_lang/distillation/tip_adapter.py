"""Training-free few-shot classification with a cache of examples, after Tip-Adapter (Table 10), and its tuning."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError

ALPHAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
BETAS = (1.0, 3.0, 5.5, 10.0, 20.0, 50.0, 100.0)


def cache_logits(
    queries: Tensor, keys: Tensor, values: Tensor, *, beta: float, excluded: Tensor | None = None
) -> Tensor:
    """Return the cache's logits: exp(-beta (1 - cos(query, key))) summed over keys, weighted by their values.

    After Tip-Adapter (arXiv 2207.09519, Eq. 5), whose zero-shot logits are added to alpha times this. For one label an
    image, `values` are one-hot [M, C].

    :param queries: [N, D] features, normalized here
    :param keys: [M, D] features of the examples, normalized here
    :param values: [M, C] floating-point, value of each example for each class
    :param beta: sharpness of the affinity, at least 0; with 0 every example has the same weight
    :param excluded: bool [N, M], pairs whose affinity counts as 0, such as an example and itself
    :return: [N, C]; with one-hot values within 0..(examples of the class)
    :raises InvalidArgumentError: on other shapes, types or values
    """
    tensors = {"queries": queries, "keys": keys, "values": values}
    shapes = ", ".join(f"{name} {tensor.dtype} {list(tensor.shape)}" for name, tensor in tensors.items())
    if any(t.ndim != 2 or not t.is_floating_point() or 0 in t.shape for t in tensors.values()):
        raise InvalidArgumentError(f"expected floating-point queries [N, D], keys [M, D], values [M, C], got {shapes}")
    if queries.shape[1] != keys.shape[1] or len(keys) != len(values) or len({t.dtype for t in tensors.values()}) > 1:
        raise InvalidArgumentError(f"expected keys of the queries' width and a row of values for each, got {shapes}")
    if not 0 <= beta < float("inf"):
        raise InvalidArgumentError(f"expected beta to be at least 0 and finite, got {beta}")
    cosines = functional.normalize(queries, dim=1) @ functional.normalize(keys, dim=1).T
    affinities = torch.exp(-beta * (1 - cosines))
    return (affinities if excluded is None else affinities.masked_fill(excluded, 0.0)) @ values


class CacheParameters(NamedTuple):
    """Weight of the cache, sharpness of the affinity, and the score on the examples, each left out of the cache."""

    alpha: float
    beta: float
    score: float


def tune_cache(
    alpha: float | None,
    beta: float | None,
    zero_shot: Tensor,
    leave_one_out: Callable[[float], Tensor],
    score: Callable[[Tensor], float],
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
