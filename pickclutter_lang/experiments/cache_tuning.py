"""A training-free cache of few-shot samples (Tip-Adapter): the teacher's keys, and the cache's weight."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.transforms.rand_augment import rand_augment
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.training.config import RetrievalConfig

ALPHAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
BETAS = (1.0, 3.0, 5.5, 10.0, 20.0, 50.0, 100.0)
_AT_ONCE = 64


class CacheParameters(NamedTuple):
    """Weight of the cache, sharpness of the affinity, and the score on the examples, each left out of the cache."""

    alpha: float
    beta: float
    score: float


def tune_cache(
    config: RetrievalConfig,
    zero_shot: Tensor,
    leave_one_out: Callable[[float], Tensor],
    score: Callable[[Tensor], float],
) -> CacheParameters:
    """Return weight and sharpness: the configured ones, else the best on the examples; smaller ones of equals.

    :param zero_shot: logits [M, C] of the examples
    :param leave_one_out: from a sharpness to the logits [M, C] that the other examples give each one
    :param score: of logits [M, C], higher is better
    """
    alphas = ALPHAS if config.alpha is None else (config.alpha,)
    found = []
    for beta in BETAS if config.beta is None else (config.beta,):
        others = leave_one_out(beta)
        found += [CacheParameters(alpha, beta, score(zero_shot + alpha * others)) for alpha in alphas]
    return max(found, key=lambda choice: choice.score)


def teacher_keys(
    teacher: Teacher,
    cache: FeatureCache,
    load: Callable[[Sequence[int]], NDArray[np.uint8]],
    rows: Sequence[int],
    views: int,
    image_ids: tuple[str, str],
) -> Tensor:
    """Return the teacher's features [M, V, D] of examples: of each image, and of V - 1 changes of it by RandAugment.

    :param load: from rows to images, uint8 [n, S, S, 3]
    :param rows: rows of the M examples
    :param image_ids: content hash of all images, and how `load` transforms them
    """

    def batches(view: int) -> Iterator[NDArray[np.uint8]]:
        for first in range(0, len(rows), _AT_ONCE):
            part = rows[first : first + _AT_ONCE]
            pairs = zip(load(part), part, strict=True)
            yield np.stack([_changed(image, row, view) if view else image for image, row in pairs])

    content, transform = image_ids
    chosen = hashlib.sha256(np.asarray(rows, np.int64).tobytes()).hexdigest()[:16]
    features = [
        cache.get_or_compute(
            teacher, partial(batches, view), len(rows), content, f"{transform} rows={chosen} rand_augment={view}"
        )
        for view in range(views)
    ]
    return torch.stack(features, dim=1)


def _changed(image: NDArray[np.uint8], row: int, view: int) -> NDArray[np.uint8]:
    channels_first = torch.from_numpy(image).permute(2, 0, 1)
    return rand_augment(channels_first, np.random.default_rng([row, view])).permute(1, 2, 0).numpy()
