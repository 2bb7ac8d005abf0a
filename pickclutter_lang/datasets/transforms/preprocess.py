"""Preprocessing of camera images, stored or live, for a student: crop, augmentation, units, size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams
from pickclutter_lang.datasets.transforms.camera_channels import stack_channels


def preprocess_images(
    images: Mapping[tuple[str, str], NDArray[np.generic]],
    crop_size: int,
    size: int,
    params: Sequence[AugmentationParams] | None = None,
) -> Tensor:
    """Return images for a student.

    :param images: (camera, kind) -> n of them, in the order of the channels: `rgb` uint8 [n, S, S, 3], `depth` uint16
        [n, S, S] in millimeters (0 = nothing)
    :param crop_size: side in pixels of the center crop, at most S
    :param size: side to which it is resized
    :param params: how each of the n is augmented; None: not at all
    :return: float32 [n, K, size, size], channels last in memory: RGB in 0..1, depth in meters (0 = nothing, at most 2)
    """
    out, depths = stack_channels(images, crop_size, params)
    return _resize(torch.from_numpy(out).permute(0, 3, 1, 2), size, depths)


def _resize(images: Tensor, size: int, depths: Sequence[int]) -> Tensor:
    if size == images.shape[-1]:
        return images
    smooth = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    if depths:  # averaging over an edge gives a depth at which there is no surface
        near = functional.interpolate(images, size=(size, size), mode="nearest-exact")
        smooth[:, depths] = near[:, depths]
    return smooth.contiguous(memory_format=torch.channels_last)
