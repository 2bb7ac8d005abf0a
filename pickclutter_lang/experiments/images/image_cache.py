"""Few-shot learning without training: the few-shot images as a cache (Table 10, after Tip-Adapter)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation.tip_adapter import CacheParameters, cache_logits, tune_cache
from pickclutter_lang.metrics import mean_class_accuracy
from pickclutter_lang.training.config import RetrievalConfig


def retrieve(
    config: RetrievalConfig,
    queries: Tensor,
    examples: Tensor,
    keys: Tensor,
    labels: Tensor,
    text: Tensor,
    temperature: float,
) -> tuple[Tensor, CacheParameters]:
    """Return the class [N] of images by text and cache together, and the weight of the cache.

    Tuned weight and sharpness are those with the best accuracy on the few-shot images, each left out of the cache.

    :param queries: [N, D] student features
    :param examples: [M, D] those of the few-shot images, of the classes `labels` [M], rows of `text`
    :param keys: [M, V, D] features of the few-shot images in the cache
    :param text: [C, D] unit features of the classes
    :param temperature: of the zero-shot logits, where the configuration has none
    """
    views, cached = keys.shape[1], keys.flatten(0, 1)
    one_hot = functional.one_hot(labels, len(text)).to(keys.dtype)
    values = one_hot.repeat_interleave(views, dim=0)
    owners = torch.arange(len(labels)).repeat_interleave(views)
    scale = 1 / (config.temperature or temperature)

    def leave_one_out(beta: float) -> Tensor:
        own = owners == torch.arange(len(labels))[:, None]
        others = cache_logits(examples, cached, values, beta=beta, excluded=own)
        return others * (1 + one_hot / (one_hot.sum(dim=0) - 1).clamp(min=1))  # its class has one fewer to vote

    choice = tune_cache(
        config.alpha,
        config.beta,
        scale * functional.normalize(examples, dim=1) @ text.T,
        leave_one_out,
        lambda logits: mean_class_accuracy(logits.argmax(dim=1), labels),
    )
    logits = scale * functional.normalize(queries, dim=1) @ text.T
    logits = logits + choice.alpha * cache_logits(queries, cached, values, beta=choice.beta)
    return logits.argmax(dim=1), choice


def cache_rows(labels: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the index of each label [M] in `classes`."""
    index_of = {number: n for n, number in enumerate(classes)}
    return torch.tensor([index_of[int(label)] for label in labels])
