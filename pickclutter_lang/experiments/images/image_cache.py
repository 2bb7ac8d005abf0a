"""Few-shot learning without training: the few-shot images as a cache (Table 10, after Tip-Adapter)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation.tip_adapter import cache_logits
from pickclutter_lang.experiments.scenes.scene_cache import ALPHAS, BETAS
from pickclutter_lang.metrics import mean_class_accuracy


def retrieve(
    queries: Tensor, keys: Tensor, labels: Tensor, text: Tensor, scale: float
) -> tuple[Tensor, dict[str, float]]:
    """Return the class [N] of images by text and cache together, and how the cache was weighed.

    Weight and sharpness are those with which the few-shot images, each left out of the cache, are told best.

    :param queries: [N, D] student features
    :param keys: [M, D] those of the few-shot images, of the classes `labels` [M], rows of `text`
    :param text: [C, D] unit features of the classes
    :param scale: 1 / temperature of the zero-shot logits
    """
    values = functional.one_hot(labels, len(text)).to(keys.dtype)
    own = scale * functional.normalize(keys, dim=1) @ text.T
    best = (mean_class_accuracy(own.argmax(dim=1), labels), 0.0, BETAS[0])
    for beta in BETAS:
        others = cache_logits(keys, keys, values, beta=beta) - values  # each without itself: exp(0) = 1
        others = others * (1 + values / (values.sum(dim=0) - 1).clamp(min=1))  # its class has one fewer to vote
        for alpha in ALPHAS[1:]:
            found = mean_class_accuracy((own + alpha * others).argmax(dim=1), labels)
            if found > best[0]:
                best = (found, alpha, beta)
    score, alpha, beta = best
    logits = scale * functional.normalize(queries, dim=1) @ text.T
    logits = logits + alpha * cache_logits(queries, keys, values, beta=beta)
    return logits.argmax(dim=1), {"alpha": alpha, "beta": beta, "leave_one_out_accuracy": score}


def cache_rows(labels: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the place of each label [M] in `classes`."""
    place = {number: n for n, number in enumerate(classes)}
    return torch.tensor([place[int(label)] for label in labels])
