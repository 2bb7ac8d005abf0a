"""Bilinear resampling in NumPy, for use without torch; equal to torch's up to rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def resize_smooth(images: Floats, size: int) -> Floats:
    """Resize images [..., H, W, K] to [..., size, size, K], as torch's `interpolate` does with `antialias=True`."""
    rows, columns = (_smoothing(side, size) for side in images.shape[-3:-1])
    out: Floats = np.einsum("sh,...hwk,tw->...stk", rows, images, columns, optimize=True)
    return out


def resize_nearest(images: Floats, size: int) -> Floats:
    """Resize images [..., H, W, K] to [..., size, size, K], as torch's `interpolate` does in mode `nearest-exact`."""
    rows, columns = (
        np.minimum(((np.arange(size) + 0.5) * side / size).astype(int), side - 1) for side in images.shape[-3:-1]
    )
    return images[..., rows[:, None], columns, :]


def enlarge(maps: Floats, size: int) -> Floats:
    """Resize maps [C, h, w] to [C, size, size], as torch's `interpolate` does in mode `bilinear`."""
    for axis in (1, 2):
        side = maps.shape[axis]
        maps = _between(maps, ((np.arange(size) + 0.5) * side / size - 0.5), axis)
    return maps


def crop_bilinear(image: NDArray[np.uint8], x: float, y: float, side: float, size: int) -> Floats:
    """Cut a square out of an image [H, W, 3] and resize it; padded with border pixels (see `crop_images`).

    :param x: of the center, as `y`, and the side of the square, in pixels
    :return: float32 [size, size, 3] in 0..1
    """
    offsets = _offsets(side, size)
    first = _between(image.astype(np.float32) / 255, y + offsets, 0)
    return _between(first, x + offsets, 1)


def crop_nearest(mask: NDArray[np.bool_], x: float, y: float, side: float, size: int) -> Floats:
    """Cut a square out of a mask [H, W] and resize it; outside of the mask is nothing (see `crop_masks`).

    :return: float32 [size, size], 0 or 1
    """
    axes = [np.rint(center + _offsets(side, size)).astype(int) for center in (y, x)]
    inside = [(axis >= 0) & (axis < length) for axis, length in zip(axes, mask.shape, strict=True)]
    rows, columns = (np.clip(axis, 0, length - 1) for axis, length in zip(axes, mask.shape, strict=True))
    out: Floats = (mask[rows[:, None], columns] & inside[0][:, None] & inside[1]).astype(np.float32)
    return out


def _offsets(side: float, size: int) -> NDArray[np.float64]:
    """Return where the pixels of a crop lie along an axis, from its center, in pixels of the image."""
    return (np.arange(size) + 0.5 - size / 2) * side / size


def _between(values: Floats, positions: NDArray[np.float64], axis: int) -> Floats:
    """Interpolate values along an axis at positions, which are limited to those of the values."""
    last = values.shape[axis] - 1
    places = np.clip(positions, 0, last)
    low = np.minimum(places.astype(int), max(last - 1, 0))
    share = (places - low).astype(np.float32).reshape([-1 if n == axis else 1 for n in range(values.ndim)])
    first, second = values.take(low, axis), values.take(np.minimum(low + 1, last), axis)
    out: Floats = first + share * (second - first)
    return out


def _smoothing(side: int, size: int) -> Floats:
    """Return the weights [size, side] of pixels in each pixel of a resized axis: a triangle as wide as a new pixel."""
    scale = side / size
    centers, width = (np.arange(size) + 0.5) * scale, max(scale, 1.0)
    weights = np.maximum(1 - np.abs(np.arange(side) + 0.5 - centers[:, None]) / width, 0)
    out: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return out
