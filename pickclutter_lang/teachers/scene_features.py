"""Teacher features of the hand-camera images of scenes, one for each flip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, flip_variants
from pickclutter_lang.teachers import FeatureCache, Teacher

_BATCH_SIZE = 64


def teacher_features(teacher: Teacher, scenes: SceneDataset, cache: FeatureCache) -> Tensor:
    """Return the teacher's features of every flip of the hand camera's image.

    Student and teacher get the same flip, since flips change the arrangement of objects. The teacher gets no small
    shifts and no color jitter, since the student's feature should be invariant to them.

    :return: float32 [N, V, D], V as in `flip_variants`
    """
    parts = []
    for flip in flip_variants(scenes.config.augmentation.flips):
        transform_id = f"hand_rgb crop_size={scenes.crop_size} horizontal={flip.horizontal} vertical={flip.vertical}"

        def batches(flip: AugmentationParams = flip) -> Iterator[NDArray[np.uint8]]:
            for first in range(0, len(scenes), _BATCH_SIZE):
                yield scenes.hand_images(range(first, min(first + _BATCH_SIZE, len(scenes))), flip)

        parts.append(cache.get_or_compute(teacher, batches, len(scenes), scenes.content_hash, transform_id))
    return torch.stack(parts, dim=1)
