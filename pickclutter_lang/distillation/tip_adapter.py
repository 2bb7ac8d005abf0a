"""Training-free few-shot classification with a cache of examples, after Tip-Adapter (Table 10)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError


def cache_logits(
    queries: Tensor, keys: Tensor, values: Tensor, *, beta: float, excluded: Tensor | None = None
) -> Tensor:
    """Return the cache's logits: exp(-beta (1 - cos(query, key))) summed over keys, weighted by their values.

    After Tip-Adapter (arXiv 2207.09519, Eq. 5), whose zero-shot logits are added to alpha times this. For one label an
    image, `values` are one-hot [M, C]; for several, see `balanced_values`.

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


def balanced_values(targets: Tensor) -> Tensor:
    """Return values for `cache_logits` that balance the positive and negative examples of each label.

    Most examples are negative for most labels. So a label's positives share a total value of 1, its negatives one of
    -1: the logit is the mean affinity to the former minus that to the latter, within [-1, 1], and 0 for a
    label without positives or without negatives.

    :param targets: bool [M, C]
    :return: float32 [M, C]
    :raises InvalidArgumentError: on other shapes or types
    """
    if targets.ndim != 2 or targets.dtype != torch.bool or 0 in targets.shape:
        raise InvalidArgumentError(f"expected targets as bool [M, C], got {targets.dtype} {list(targets.shape)}")
    positives, negatives = targets.sum(dim=0), (~targets).sum(dim=0)
    values = torch.where(targets, 1 / positives.clamp(min=1), -1 / negatives.clamp(min=1))
    return values * ((positives > 0) & (negatives > 0))
