"""Preprocessing of camera images, stored or live, for a student: crop, augmentation, units, size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, color_jitter, crop_and_flip

_FAR = 2.0  # meters; nothing of interest is further from either camera


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
    count = len(next(iter(images.values())))
    chosen = params if params is not None else [AugmentationParams()] * count
    widths = [3 if kind == "rgb" else 1 for _, kind in images]
    out = np.empty((count, crop_size, crop_size, sum(widths)), np.float32)
    channel = 0
    for width, ((_, kind), stack) in zip(widths, images.items(), strict=True):
        for n, image in enumerate(stack):
            out[n, ..., channel : channel + width] = _prepare(
                crop_and_flip(image, crop_size, chosen[n]), kind, chosen[n]
            )
        channel += width
    depths = [sum(widths[:n]) for n, (_, kind) in enumerate(images) if kind == "depth"]
    return _resize(torch.from_numpy(out).permute(0, 3, 1, 2), size, depths)


def _prepare(image: NDArray[np.generic], kind: str, params: AugmentationParams) -> NDArray[np.float32]:
    """Return a crop as floats [crop_size, crop_size, channels]: RGB in 0..1, depth in meters."""
    if kind == "depth":
        return np.minimum(image[..., None].astype(np.float32) / 1000, _FAR)
    rgb = image.astype(np.float32) / 255
    if params.brightness == 1.0 and params.contrast == 1.0:
        return rgb
    gain, contrast = np.array([params.brightness, params.contrast], np.float32).reshape(2, 1, 1, 1, 1)
    jittered: NDArray[np.float32] = color_jitter(rgb[None], gain, contrast)[0]
    return jittered


def _resize(images: Tensor, size: int, depths: Sequence[int]) -> Tensor:
    if size == images.shape[-1]:
        return images
    smooth = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    if depths:  # averaging over an edge gives a depth at which there is no surface
        near = functional.interpolate(images, size=(size, size), mode="nearest-exact")
        smooth[:, depths] = near[:, depths]
    return smooth.contiguous(memory_format=torch.channels_last)
