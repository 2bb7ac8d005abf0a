"""Camera images, stored or live, as the channels of a student's input: crop, augmentation, units; needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, color_jitter, crop_and_flip

_FAR = 2.0  # meters; nothing of interest is further from either camera


def stack_channels(
    images: Mapping[tuple[str, str], NDArray[np.generic]],
    crop_size: int,
    params: Sequence[AugmentationParams] | None = None,
) -> tuple[NDArray[np.float32], list[int]]:
    """Return the center crops of n images, float32 [n, crop_size, crop_size, K], and which channels are depth.

    Arguments and units are those of `preprocess_images`.
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
    return out, [sum(widths[:n]) for n, (_, kind) in enumerate(images) if kind == "depth"]


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
