"""The teacher's keys of few-shot samples, for retrieval of runs on scenes and on single images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.transforms.crops import rand_augment
from pickclutter_lang.teachers import FeatureCache, Teacher


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

    def images(view: int, part: Sequence[int]) -> NDArray[np.uint8]:
        pairs = zip(load(part), part, strict=True)
        return np.stack([_changed(image, row, view) if view else image for image, row in pairs])

    content, transform = image_ids
    chosen = hashlib.sha256(np.asarray(rows, np.int64).tobytes()).hexdigest()[:16]
    features = [
        cache.get_or_compute(
            teacher, rows, partial(images, view), content, f"{transform} rows={chosen} rand_augment={view}"
        )
        for view in range(views)
    ]
    return torch.stack(features, dim=1)


def _changed(image: NDArray[np.uint8], row: int, view: int) -> NDArray[np.uint8]:
    channels_first = torch.from_numpy(image).permute(2, 0, 1)
    return rand_augment(channels_first, np.random.default_rng([row, view])).permute(1, 2, 0).numpy()
