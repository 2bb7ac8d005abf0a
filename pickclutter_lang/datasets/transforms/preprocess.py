"""How images of cameras, stored or live, become what a student sees."""

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
    view: int,
    size: int,
    draws: Sequence[AugmentationParams] | None = None,
) -> Tensor:
    """Return images for a student.

    :param images: (camera, kind) -> n of them, in the order of the channels: `rgb` uint8 [n, S, S, 3], `depth` uint16
        [n, S, S] in millimeters (0 = nothing)
    :param view: side in pixels of the central window that is cut out, at most S
    :param size: side to which it is resized
    :param draws: what is done to each of the n; nothing where left out
    :return: float32 [n, K, size, size], channels last in memory: RGB in 0..1, depth in meters (0 = nothing, at most 2)
    """
    count = len(next(iter(images.values())))
    chosen = draws if draws is not None else [AugmentationParams()] * count
    widths = [3 if kind == "rgb" else 1 for _, kind in images]
    out = np.empty((count, view, view, sum(widths)), np.float32)
    channel = 0
    for width, ((_, kind), some) in zip(widths, images.items(), strict=True):
        for n, image in enumerate(some):
            out[n, ..., channel : channel + width] = _prepare(crop_and_flip(image, view, chosen[n]), kind, chosen[n])
        channel += width
    depths = [sum(widths[:n]) for n, (_, kind) in enumerate(images) if kind == "depth"]
    return _resize(torch.from_numpy(out).permute(0, 3, 1, 2), size, depths)


def _prepare(image: NDArray[np.generic], kind: str, draw: AugmentationParams) -> NDArray[np.float32]:
    """Turn a cut image into floats [view, view, channels]."""
    if kind == "depth":
        return np.minimum(image[..., None].astype(np.float32) / 1000, _FAR)
    return color_jitter(image.astype(np.float32) / 255, draw)


def _resize(images: Tensor, size: int, depths: Sequence[int]) -> Tensor:
    if size == images.shape[-1]:
        return images
    smooth = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    if depths:  # a mean over an edge is a depth at which nothing is
        near = functional.interpolate(images, size=(size, size), mode="nearest-exact")
        smooth[:, depths] = near[:, depths]
    return smooth.contiguous(memory_format=torch.channels_last)
