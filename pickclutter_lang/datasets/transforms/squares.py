"""Square crops around the objects of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pickclutter_lang.datasets.transforms.affine_crops import AffineCrops, crop_images
from pickclutter_lang.datasets.transforms.object_squares import MARGIN, MIN_CROP_SIDE


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
    return AffineCrops.upright(squares[:, :2], np.maximum(MARGIN * squares[:, 2], MIN_CROP_SIDE))
