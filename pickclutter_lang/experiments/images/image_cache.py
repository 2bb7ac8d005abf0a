"""Few-shot learning without training: the few-shot images as a cache (Table 10, after Tip-Adapter)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation.tip_adapter import cache_logits
from pickclutter_lang.experiments.cache_tuning import CacheParameters, tune_cache
from pickclutter_lang.metrics import mean_class_accuracy


def retrieve(
    queries: Tensor, keys: Tensor, labels: Tensor, text: Tensor, scale: float
) -> tuple[Tensor, CacheParameters]:
    """Return the class [N] of images by text and cache together, and the tuned weight of the cache.

    Weight and sharpness are those with the best accuracy on the few-shot images, each left out of the cache.

    :param queries: [N, D] student features
    :param keys: [M, D] those of the few-shot images, of the classes `labels` [M], rows of `text`
    :param text: [C, D] unit features of the classes
    :param scale: 1 / temperature of the zero-shot logits
    """
    values = functional.one_hot(labels, len(text)).to(keys.dtype)

    def leave_one_out(beta: float) -> Tensor:
        others = cache_logits(keys, keys, values, beta=beta) - values  # each without itself: exp(0) = 1
        return others * (1 + values / (values.sum(dim=0) - 1).clamp(min=1))  # its class has one fewer to vote

    choice = tune_cache(
        scale * functional.normalize(keys, dim=1) @ text.T,
        leave_one_out,
        lambda logits: mean_class_accuracy(logits.argmax(dim=1), labels),
    )
    logits = scale * functional.normalize(queries, dim=1) @ text.T
    logits = logits + choice.alpha * cache_logits(queries, keys, values, beta=choice.beta)
    return logits.argmax(dim=1), choice


def cache_rows(labels: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the index of each label [M] in `classes`."""
    index_of = {number: n for n, number in enumerate(classes)}
    return torch.tensor([index_of[int(label)] for label in labels])
