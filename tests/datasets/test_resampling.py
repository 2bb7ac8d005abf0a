"""Resampling in NumPy against torch's, over many sizes and places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pickclutter_lang.datasets.transforms.crops import AffineCrops, crop_images, crop_masks
from pickclutter_lang.datasets.transforms.resampling import (
    crop_bilinear,
    crop_nearest,
    enlarge,
    object_crop,
    resize_nearest,
    resize_smooth,
    segment_means,
)
from pickclutter_lang.utils.typing import FloatArray


@pytest.mark.parametrize(("side", "size"), [(128, 96), (48, 32), (40, 32), (33, 64), (50, 49), (256, 31)])
def test_images_are_resized_as_by_torch(side: int, size: int) -> None:
    images = np.random.default_rng(side).random((2, side, side, 4)).astype(np.float32)
    x = torch.from_numpy(images).permute(0, 3, 1, 2)
    smooth = functional.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    near = functional.interpolate(x, size=(size, size), mode="nearest-exact")
    np.testing.assert_allclose(resize_smooth(images, size).transpose(0, 3, 1, 2), smooth, atol=2e-5)
    np.testing.assert_array_equal(resize_nearest(images, size).transpose(0, 3, 1, 2), near)


def test_crops_are_those_of_torch() -> None:
    """Inside, over the border and larger than the image; pixels of a mask between two others may go to either."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (60, 60, 3)).astype(np.uint8)
    mask = np.zeros((60, 60), bool)
    mask[10:44, 17:29] = mask[50:, 50:] = True
    differing = 0
    for _ in range(60):
        x, y, side = (*rng.uniform(0, 59, 2), float(rng.uniform(20, 90)))
        crop = AffineCrops.upright(np.array([[x, y]]), np.array([side]))
        expected = crop_images(image[None], crop, 32)[0].permute(1, 2, 0)
        np.testing.assert_allclose(crop_bilinear(image, x, y, side, 32), expected, atol=1e-4)
        cropped = crop_nearest(mask, x, y, side, 32)
        differing += int((cropped != crop_masks(mask[None].astype(np.uint8), crop, 32)[0].numpy()).sum())
        assert set(np.unique(cropped)) <= {0.0, 1.0}
    assert differing < 60  # of 60 x 1024


@pytest.mark.parametrize(("cells", "side"), [(8, 128), (24, 192), (4, 33), (1, 16), (20, 12)])
def test_means_by_segment_are_those_of_enlarged_maps(cells: int, side: int) -> None:
    rng = np.random.default_rng(cells)
    maps = 20 * rng.standard_normal((5, cells, cells)).astype(np.float32)
    segments = np.where(rng.random((side, side)) < 0.3, 0, rng.integers(0, 9, (side, side)))
    segments[segments == 4] = 0
    large = enlarge(maps, side).astype(np.float64)
    plain = [[large[c, segments == k].mean() if k != 4 else np.nan for k in range(9)] for c in range(5)]
    found = segment_means(maps, segments, 10)
    np.testing.assert_allclose(found[:, :9], plain, atol=1e-5)
    assert np.isnan(found[:, [4, 9]]).all()


def plain_object_crop(image: NDArray[np.uint8], mask: NDArray[np.bool_], size: int) -> FloatArray:
    """Paint all but the object gray on a large canvas, shrink it, and interpolate pixel by pixel."""
    y, x = np.nonzero(mask)
    side = max(np.ptp(x), np.ptp(y)) + 1
    shrink = max(int(1.3 * side // size), 1)
    height, width = (shrink * (-(-(np.ptp(axis) + 1) // shrink) + 2) for axis in (y, x))
    canvas = np.full((height, width, 3), 128.0)
    canvas[y - y.min() + shrink, x - x.min() + shrink] = image[y, x]
    small = canvas.reshape(height // shrink, shrink, width // shrink, shrink, 3).mean(axis=(1, 3)) / 255
    center = [((axis.max() - axis.min()) / 2 + shrink + 0.5) / shrink - 0.5 for axis in (y, x)]
    out = np.empty((size, size, 3))
    for row, column in np.ndindex(size, size):
        at = [c + (n + 0.5 - size / 2) * 1.3 * side / shrink / size for c, n in zip(center, (row, column), strict=True)]
        v, u = (min(max(place, 0.0), last - 1.0) for place, last in zip(at, small.shape, strict=False))
        top, left = int(v), int(u)
        below, right = min(top + 1, small.shape[0] - 1), min(left + 1, small.shape[1] - 1)
        upper, lower = (small[n, left] + (u - left) * (small[n, right] - small[n, left]) for n in (top, below))
        out[row, column] = upper + (v - top) * (lower - upper)
    return out


@pytest.mark.parametrize(
    ("shape", "area", "size"),
    [
        ((60, 80), np.s_[10:40, 20:31], 32),
        ((60, 80), np.s_[:20, 70:], 32),  # at the border
        ((60, 80), np.s_[:, :], 24),  # all of the image
        ((60, 80), np.s_[33:34, 44:45], 16),  # a pixel
        ((60, 80), np.s_[59:, :], 16),  # a line
        ((400, 500), np.s_[13:392, 40:467], 24),
        ((3000, 2400), np.s_[5:2990, 10:2390], 24),
    ],
)
def test_the_crop_of_an_object_is_it_alone_on_gray(shape: tuple[int, int], area: Any, size: int) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    mask = np.zeros(shape, bool)
    mask[area] = rng.random(mask[area].shape) < 0.8
    mask[area][0, 0] = mask[area][-1, -1] = True
    found = object_crop(image, mask, size)
    np.testing.assert_allclose(found, plain_object_crop(image, mask, size), atol=1.5 / 255)
    assert found.dtype == np.float32 and found.shape == (size, size, 3)
    image[~mask] = 0
    np.testing.assert_array_equal(object_crop(image, mask, size), found)  # nothing else is seen
    assert object_crop(image, mask).shape == (112, 112, 3)
