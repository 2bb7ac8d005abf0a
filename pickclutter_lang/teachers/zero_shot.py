"""What a teacher says of whole scenes and of single things without any training: features, pairs of prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.teachers.base import Teacher

if TYPE_CHECKING:  # h5py is not needed to encode images
    from pickclutter_lang.datasets.scenes import SceneStore

# A name's two prompts; what is put in is its name, or its name and what is said of it.
PRESENT_TEMPLATE, ABSENT_TEMPLATE = "a photo of a table with a {label}", "a photo of a table without a {label}"
PHOTO_TEMPLATE = "a photo of a {label}"
_AT_ONCE = 64


def encode_images(teacher: Teacher, images: NDArray[np.uint8]) -> Tensor:
    """Return the features [N, D] of images [N, H, W, 3], some at a time."""
    parts = [images[n : n + _AT_ONCE] for n in range(0, len(images), _AT_ONCE)]
    return torch.cat([teacher.encode_image(teacher.preprocess(part)) for part in parts])


def scene_features(teacher: Teacher, store: SceneStore, share: float = 1.0) -> Tensor:
    """Return the features [N, D] of the hand camera's images.

    :param share: side of the square in the middle of the image that is looked at, in (0, 1] of its side
    """
    side = round(share * store.image_size)
    start = (store.image_size - side) // 2
    return encode_images(teacher, store.images("hand", "rgb")[:, start : start + side, start : start + side])


def evaluable_labels(store: SceneStore) -> list[int]:
    """Return the label columns that a store may be asked for: of a split with Y_id objects alone, these only."""
    if store.manifest.split in ("train", "id"):
        return store.split_label_indices("id")
    return list(range(len(store.model_ids)))


def prompt_pair_probabilities(features: Tensor, present: Tensor, absent: Tensor, logit_scale: float) -> Tensor:
    """Return the softmax over the two prompts of each label, its first value.

    :param features: [N, D] of images
    :param present: [C, D] of the prompts that say that something is there, `absent` of those that say it is not
    :return: [N, C] in 0..1
    """
    return torch.sigmoid(logit_scale * (features @ (present - absent).T))
