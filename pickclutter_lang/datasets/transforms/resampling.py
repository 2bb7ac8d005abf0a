"""Squares around objects, and bilinear resampling in NumPy, equal to torch's up to rounding; needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.utils.typing import Float32Array

MIN_AREA_FRACTION = 0.001
"""Smallest area of an object that is cropped, as a fraction of the image: 16 pixels of 128 x 128."""
MARGIN = 1.3
"""Side of the crop over the side of the smallest square around the object."""
MIN_CROP_SIDE = 24.0
"""Smallest side of an object crop, pixels of the image."""
OBJECT_SIZE = 112
"""Side in pixels of the crop of an object alone."""
_GRAY = np.uint8(128)


def bounding_square(mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return center x and y and side of the smallest upright square around a mask [S, S] that is not empty."""
    return _square(_bounds(mask))


def _bounds(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the first and the last row and column [[top, bottom], [left, right]] of a mask that is not empty."""
    return np.array([np.flatnonzero(mask.any(axis=axis))[[0, -1]] for axis in (1, 0)])


def _square(bounds: NDArray[np.int64]) -> tuple[float, float, float]:
    y, x = bounds.mean(axis=1).tolist()
    return x, y, float(np.ptp(bounds, axis=1).max() + 1)


def resize_smooth(images: Float32Array, size: int) -> Float32Array:
    """Resize images [..., H, W, K] to [..., size, size, K], as torch's `interpolate` does with `antialias=True`."""
    rows, columns = (_smoothing(side, size) for side in images.shape[-3:-1])
    out: Float32Array = np.einsum("sh,...hwk,tw->...stk", rows, images, columns, optimize=True)
    return out


def resize_nearest(images: Float32Array, size: int) -> Float32Array:
    """Resize images [..., H, W, K] to [..., size, size, K], as torch's `interpolate` does in mode `nearest-exact`."""
    rows, columns = (
        np.minimum(((np.arange(size) + 0.5) * side / size).astype(int), side - 1) for side in images.shape[-3:-1]
    )
    return images[..., rows[:, None], columns, :]


def resize_channels(image: Float32Array, size: int, depths: Sequence[int]) -> Float32Array:
    """Resize a student's input [S, S, K] as in its training, where torch does it (see `crops.preprocess_images`).

    :param depths: channels of depth: averaging over an edge gives a depth at which there is no surface
    """
    if size == image.shape[0]:
        return image
    smooth = resize_smooth(image, size)
    if depths:
        smooth[..., depths] = resize_nearest(image[..., depths], size)
    return smooth


def enlarge(maps: Float32Array, size: int) -> Float32Array:
    """Resize maps [C, h, w] to [C, size, size], as torch's `interpolate` does in mode `bilinear`."""
    for axis in (1, 2):
        maps = _between(maps, _enlarged(maps.shape[axis], size), axis)
    return maps


def segment_means(maps: Float32Array, segments: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the means of maps [C, h, w] by segment, [C, count], as if they were enlarged to the segments' image.

    A mean is the same sum over cells as over pixels, since a pixel is a weighted sum of four cells.

    :param segments: [S, S], numbers below `count`
    :return: NaN for a number that no pixel has
    """
    height, width = maps.shape[1:]
    rows, columns = (_neighbors(_enlarged(side, len(segments)), side - 1) for side in (height, width))
    weights = np.zeros(count * height * width)
    first = segments * (height * width)
    for row, of_row in rows:
        for column, of_column in columns:
            cells = first + (row * width)[:, None] + column
            shares = of_row[:, None] * of_column
            weights += np.bincount(cells.ravel(), shares.ravel(), len(weights))
    by_segment = weights.reshape(count, -1)
    pixels = by_segment.sum(axis=1)
    means = maps.reshape(len(maps), -1) @ by_segment.T / np.maximum(pixels, 1e-12)
    return np.where(pixels > 0, means, np.nan)


def crop_bilinear(image: NDArray[np.uint8], x: float, y: float, side: float, size: int) -> Float32Array:
    """Cut a square out of an image [H, W, 3] and resize it; padded with border pixels (see `crops.crop_images`).

    :param x: of the center, as `y`, and the side of the square, in pixels
    :return: float32 [size, size, 3] in 0..1
    """
    offsets = _offsets(side, size)
    first = _between(image.astype(np.float32) / 255, y + offsets, 0)
    return _between(first, x + offsets, 1)


def object_crop(image: NDArray[np.uint8], mask: NDArray[np.bool_], size: int = OBJECT_SIZE) -> Float32Array:
    """Cut an object out of an image [H, W, 3]: it alone on gray, in a square of 1.3 times its side.

    :param mask: [H, W], not empty
    :param size: of the crop; 112 is the side at which most objects lay in the embedded teacher's training
    :return: float32 [size, size, 3] in 0..1
    """
    bounds = _bounds(mask)
    (first_row, last_row), (first_column, last_column) = bounds.tolist()
    box = np.s_[first_row : last_row + 1, first_column : last_column + 1]
    x, y, side = _square(bounds)
    shrink = max(int(MARGIN * side // size), 1)  # bilinear resampling skips pixels of what is much larger
    height, width = mask[box].shape
    ring = np.full((height + 2 * shrink, width + 2 * shrink, 3), _GRAY)
    ring[shrink : shrink + height, shrink : shrink + width][mask[box]] = image[box][mask[box]]
    small = np.asarray(Image.fromarray(ring).reduce(shrink)) if shrink > 1 else ring
    centers = (x, first_column), (y, first_row)
    left, top = ((center - first + shrink + 0.5) / shrink - 0.5 for center, first in centers)
    return crop_bilinear(small, left, top, MARGIN * side / shrink, size)


def crop_nearest(mask: NDArray[np.bool_], x: float, y: float, side: float, size: int) -> Float32Array:
    """Cut a square out of a mask [H, W] and resize it; outside of the mask is nothing (see `crops.crop_masks`).

    :return: float32 [size, size], 0 or 1
    """
    axes = [np.rint(center + _offsets(side, size)).astype(int) for center in (y, x)]
    inside = [(axis >= 0) & (axis < length) for axis, length in zip(axes, mask.shape, strict=True)]
    rows, columns = (np.clip(axis, 0, length - 1) for axis, length in zip(axes, mask.shape, strict=True))
    out: Float32Array = (mask[rows[:, None], columns] & inside[0][:, None] & inside[1]).astype(np.float32)
    return out


def _offsets(side: float, size: int) -> NDArray[np.float64]:
    """Return where the pixels of a crop lie along an axis, from its center, in pixels of the image."""
    return (np.arange(size) + 0.5 - size / 2) * side / size


def _enlarged(side: int, size: int) -> NDArray[np.float64]:
    """Return where `size` new pixels of an axis lie among its `side` pixels."""
    return (np.arange(size) + 0.5) * side / size - 0.5


def _neighbors(positions: NDArray[np.float64], last: int) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return both neighbors of each position, which is limited to 0..last, and the share of each."""
    places = np.clip(positions, 0, last)
    low = np.minimum(places.astype(np.int64), max(last - 1, 0))
    share = places - low
    return [(low, 1 - share), (np.minimum(low + 1, last), share)]


def _between(values: Float32Array, positions: NDArray[np.float64], axis: int) -> Float32Array:
    """Interpolate values along an axis at positions."""
    (low, _), (high, share) = _neighbors(positions, values.shape[axis] - 1)
    first, second = values.take(low, axis), values.take(high, axis)
    shares = share.astype(np.float32).reshape([-1 if n == axis else 1 for n in range(values.ndim)])
    out: Float32Array = first + shares * (second - first)
    return out


def _smoothing(side: int, size: int) -> Float32Array:
    """Return the weights [size, side] of pixels in each pixel of a resized axis: a triangle as wide as a new pixel."""
    scale = side / size
    centers = (np.arange(size) + 0.5) * scale
    width = max(scale, 1.0)
    weights = np.maximum(1 - np.abs(np.arange(side) + 0.5 - centers[:, None]) / width, 0)
    out: Float32Array = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return out
