"""The teacher's features of the wrist-camera images of scenes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, flip_variants
from pickclutter_lang.teachers import FeatureCache, Teacher

_TEACHER_BATCH_SIZE = 64


def teacher_features(teacher: Teacher, scenes: SceneDataset, cache: FeatureCache) -> Tensor:
    """Return the teacher's features of every flip of the hand camera's image.

    The student's image and the teacher's have the same flip: flips move objects, so features of the image as it
    was would ask the student for a wrong arrangement. Small shifts and changes of light are what the
    student's feature should not depend on, so the teacher sees the image without them.

    :return: float32 [N, V, D], V as in `flip_variants`
    """
    parts = []
    for draw in flip_variants(scenes.config.augmentation.flips):
        view = f"hand_rgb view={scenes.crop_size} horizontal={draw.horizontal} vertical={draw.vertical}"

        def batches(draw: AugmentationParams = draw) -> Iterator[NDArray[np.uint8]]:
            for first in range(0, len(scenes), _TEACHER_BATCH_SIZE):
                yield scenes.hand_images(range(first, min(first + _TEACHER_BATCH_SIZE, len(scenes))), draw)

        parts.append(cache.get_or_compute(teacher, batches, len(scenes), scenes.content_hash, view))
    return torch.stack(parts, dim=1)
