"""Zero-shot predictions of a teacher: image features, prompt templates, and pairs of positive and negative prompts."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.transforms.crops import object_crops
from pickclutter_lang.teachers.base import Teacher

# Positive and negative prompt of a label: its name, or its name with a description.
PRESENT_TEMPLATE, ABSENT_TEMPLATE = "a photo of a table with a {label}", "a photo of a table without a {label}"
PHOTO_TEMPLATE = "a photo of a {label}"
_BATCH_SIZE = 64


def encode_images(teacher: Teacher, images: NDArray[np.uint8]) -> Tensor:
    """Return the features [N, D] of uint8 images [N, H, W, 3], encoded in batches."""
    parts = [images[n : n + _BATCH_SIZE] for n in range(0, len(images), _BATCH_SIZE)]
    return torch.cat([teacher.encode_image(teacher.preprocess(part)) for part in parts])


def encode_objects(teacher: Teacher, image: NDArray[np.uint8], masks: NDArray[np.bool_]) -> Tensor:
    """Return the features [N, D] of objects by their masks [N, H, W] in an image [H, W, 3], each as it knows them."""
    alone = teacher.for_objects()
    crops = object_crops(np.repeat(image[None], len(masks), axis=0), masks, alone.image_size if alone else None)
    return encode_images(alone or teacher, crops)


def prompt_pair_probabilities(features: Tensor, present: Tensor, absent: Tensor, logit_scale: float) -> Tensor:
    """Return the probability of the positive prompt: the softmax over the two prompts of each label.

    :param features: [N, D] of images
    :param present: [C, D] of the prompts for presence, `absent` of those for absence
    :return: [N, C] in 0..1
    """
    return torch.sigmoid(logit_scale * (features @ (present - absent).T))
