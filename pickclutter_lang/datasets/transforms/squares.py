"""Square crops around the objects of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pickclutter_lang.datasets.transforms.affine_crops import AffineCrops, crop_images

MIN_AREA_FRACTION = 0.001
"""Smallest area of an object that is cropped, as a fraction of the image: 16 pixels of 128 x 128."""
MARGIN = 1.3
"""Side of the crop over the side of the smallest square around the object."""
_MIN_CROP_SIDE = 24.0
"""Smallest side of an object crop, pixels of the image."""


def bounding_square(mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return center x and y and side of the smallest upright square around a mask [S, S] that is not empty."""
    y, x = np.nonzero(mask)
    side = float(max(np.ptp(x), np.ptp(y)) + 1)
    return float(x.min() + x.max()) / 2, float(y.min() + y.max()) / 2, side


def crop_squares(
    images: NDArray[np.uint8], squares: Sequence[Sequence[float]], size: int | None = None
) -> NDArray[np.uint8]:
    """Return a crop of each of N images [N, H, W, 3] around a square (see `bounding_square`), for a teacher.

    :param size: side S of the crops; None: H, so that no crop has fewer pixels than its part of the image
    :return: uint8 [N, S, S, 3]
    """
    x, y, side = np.array(squares).T
    crops = crop_images(images, AffineCrops.upright(np.stack([x, y], axis=1), MARGIN * side), size or images.shape[1])
    return (crops * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def crops_around(squares: NDArray[np.float64]) -> AffineCrops:
    """Return upright crops, with a margin, around the squares [N, 3] (x, y, side) of objects."""
    return AffineCrops.upright(squares[:, :2], np.maximum(MARGIN * squares[:, 2], _MIN_CROP_SIDE))
