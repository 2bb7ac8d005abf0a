"""Tuning of a training-free cache of few-shot features: its weight against zero-shot logits (Tip-Adapter)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

ALPHAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
BETAS = (1.0, 3.0, 5.5, 10.0, 20.0, 50.0, 100.0)


class CacheParameters(NamedTuple):
    """Weight of the cache, sharpness of the affinity, and the score on the examples, each left out of the cache."""

    alpha: float
    beta: float
    score: float


def tune_cache(
    zero_shot: Tensor, leave_one_out: Callable[[float], Tensor], score: Callable[[Tensor], float]
) -> CacheParameters:
    """Return the best weight and sharpness on the examples of a cache; smaller ones of equals.

    :param zero_shot: logits [M, C] of the examples
    :param leave_one_out: from a sharpness to the logits [M, C] that the other examples give each one
    :param score: of logits [M, C], higher is better
    """
    best = CacheParameters(0.0, BETAS[0], score(zero_shot))
    for beta in BETAS:
        others = leave_one_out(beta)
        for alpha in ALPHAS[1:]:
            found = score(zero_shot + alpha * others)
            if found > best.score:
                best = CacheParameters(alpha, beta, found)
    return best
