"""Zero-shot predictions of a teacher: image features, prompt templates, and pairs of positive and negative prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.teachers.base import Teacher

if TYPE_CHECKING:  # h5py is not needed to encode images
    from pickclutter_lang.datasets.scenes import SceneStore

# Positive and negative prompt of a label: its name, or its name with a description.
PRESENT_TEMPLATE, ABSENT_TEMPLATE = "a photo of a table with a {label}", "a photo of a table without a {label}"
PHOTO_TEMPLATE = "a photo of a {label}"
_BATCH_SIZE = 64


def encode_images(teacher: Teacher, images: NDArray[np.uint8]) -> Tensor:
    """Return the features [N, D] of uint8 images [N, H, W, 3], encoded in batches."""
    parts = [images[n : n + _BATCH_SIZE] for n in range(0, len(images), _BATCH_SIZE)]
    return torch.cat([teacher.encode_image(teacher.preprocess(part)) for part in parts])


def scene_features(teacher: Teacher, store: SceneStore, crop_fraction: float = 1.0) -> Tensor:
    """Return the features [N, D] of the hand camera's images.

    :param crop_fraction: side of the center crop, in (0, 1] of the image's side
    """
    side = round(crop_fraction * store.image_size)
    start = (store.image_size - side) // 2
    return encode_images(teacher, store.images("hand", "rgb")[:, start : start + side, start : start + side])


def evaluable_labels(store: SceneStore) -> list[int]:
    """Return the label indices to evaluate on a store: those of Y_id for the splits `train` and `id`, else all."""
    if store.manifest.split in ("train", "id"):
        return store.split_label_indices("id")
    return list(range(len(store.model_ids)))


def prompt_pair_probabilities(features: Tensor, present: Tensor, absent: Tensor, logit_scale: float) -> Tensor:
    """Return the probability of the positive prompt: the softmax over the two prompts of each label.

    :param features: [N, D] of images
    :param present: [C, D] of the prompts for presence, `absent` of those for absence
    :return: [N, C] in 0..1
    """
    return torch.sigmoid(logit_scale * (features @ (present - absent).T))
