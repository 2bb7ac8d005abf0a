"""Training-free few-shot learning: labels of the nearest examples (Table 10, after Tip-Adapter)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError


def cache_logits(queries: Tensor, keys: Tensor, values: Tensor, *, beta: float) -> Tensor:
    """Return what a cache of examples says of queries: exp(-beta (1 - cos(query, key))) summed over keys with values.

    After Tip-Adapter (arXiv 2207.09519, Eq. 5), whose zero-shot logits are added to alpha times this. For one label an
    image, `values` are one-hot [M, C]; for several, see `balanced_values`.

    :param queries: [N, D] features, normalized here
    :param keys: [M, D] features of the examples, normalized here
    :param values: [M, C] floating-point, what each example says of each class
    :param beta: sharpness of the affinity, at least 0; with 0 every example counts alike
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
    return torch.exp(-beta * (1 - cosines)) @ values


def balanced_values(targets: Tensor) -> Tensor:
    """Return values by which `cache_logits` compares an image with examples that have a label and that lack it.

    Most examples of several labels lack most of them. So those that have a label share a value of 1, those that lack
    it one of -1: the logit is the mean affinity to the former minus that to the latter, within [-1, 1], and 0 for a
    label that all examples have or none has.

    :param targets: bool [M, C]
    :return: float32 [M, C]
    :raises InvalidArgumentError: on other shapes or types
    """
    if targets.ndim != 2 or targets.dtype != torch.bool or 0 in targets.shape:
        raise InvalidArgumentError(f"expected targets as bool [M, C], got {targets.dtype} {list(targets.shape)}")
    having, lacking = targets.sum(dim=0), (~targets).sum(dim=0)
    values = torch.where(targets, 1 / having.clamp(min=1), -1 / lacking.clamp(min=1))
    return values * ((having > 0) & (lacking > 0))
