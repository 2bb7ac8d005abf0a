"""Class-agnostic segmentation of an RGB-D image."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.manipulation.point_cloud import TABLE_HEIGHT_M, unproject_depth
from pickclutter_lang.manipulation.segment_merging import merge_fragments
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

_SRGB = np.arange(256) * (1 / 255)
_LINEAR = np.where(_SRGB > 0.04045, ((_SRGB + 0.055) / 1.055) ** 2.4, _SRGB / 12.92)  # light of a color's value
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([[0.95047], [1.0], [1.08883]])
_CHANNELS = np.einsum("v,xc->cvx", _LINEAR, _XYZ / _WHITE)  # of a channel and its value: X, Y, Z
_HEIGHT_WEIGHT_PER_M = 3000.0  # 1 mm weighs as much as 15 units of lightness, so printed labels separate no segments
_DEPTH_WEIGHT_PER_M = 1500.0  # tells objects behind each other apart in a tilted view
_COLOR_WEIGHTS = np.array([0.3, 0.2, 0.2])  # of CIELAB's lightness, 0..100, a and b
_SCALE = 6e4  # Felzenszwalb's; smaller segments join a neighbor
_MIN_SEGMENT_PX = 20
_APART = -1e5  # channels of the background, from which no object differs by little
_MARGIN_PX = 4  # around all that is no background; the rest takes no time. 2 to 8 do as well on 200 scenes of X_id
_MIN_DEPTH_M = 0.1  # nearer pixels are fingers (0.05 to 0.07 m); objects on the table are farther than 0.16 m
_NOISE_FACTOR, _MAX_MARGIN_M = 2.5, 0.01  # of the table's noise, up to which points belong to the table, and at most
_MAX_NOISE_M = 0.015  # deeper points are not the table's
_BEYOND_TABLE_M = 0.03  # objects stand on what is seen of the table, or so near to it
_MIN_TABLE_FRACTION = 0.05  # of the image, below which objects may hide where the table ends
_MAX_OBJECT_M = 0.5  # what is higher or longer is no object
_BACKGROUND_FRACTION = 0.5  # of table and fingers, above which a segment is background


def segment_rgbd(
    rgb: NDArray[np.uint8],
    depth: AnyFloatArray,
    intrinsic: AnyFloatArray,
    camera: AnyFloatArray,
) -> NDArray[np.int64]:
    """Return segments [H, W], ideally one for each object: 1, 2, ..., and 0 for the background.

    Graph-based segmentation (Felzenszwalb and Huttenlocher, 2004) of color, height above the table and depth, without
    the background, then `merge_fragments`. Background is the table, up to a margin that depends on the depth's noise;
    fingers; what is not above the part of the table that is seen; and what is larger than objects are.

    :param rgb: [H, W, 3]; the other arguments are those of `unproject_depth`. 256 pixels along the longer side are
        best: constants are in pixels
    """
    from skimage.segmentation import felzenszwalb  # it imports matplotlib, which a policy is loaded without

    cloud = unproject_depth(depth, intrinsic, camera)
    points = np.zeros((*np.shape(depth), 3))
    points[cloud.pixels[:, 0], cloud.pixels[:, 1]] = cloud.points
    height = points[..., 2]
    background = _background(points, np.asarray(depth))
    part = _surroundings(~background)
    geometry = [_HEIGHT_WEIGHT_PER_M * height[part], _DEPTH_WEIGHT_PER_M * np.asarray(depth)[part]]
    channels = np.dstack([_COLOR_WEIGHTS * lab(rgb[part]), *geometry])
    channels[background[part]] = _APART
    segments = np.zeros(height.shape, np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Got image with third dimension")  # of more than three channels
        segments[part] = 1 + felzenszwalb(channels, _SCALE, 0, _MIN_SEGMENT_PX, channel_axis=-1)
    sizes = np.bincount(segments.ravel())
    removed = np.bincount(segments.ravel(), weights=background.ravel()) > _BACKGROUND_FRACTION * sizes
    kept = (sizes > 0) & ~removed
    kept[0] = False  # what was not segmented
    segments = np.where(background, 0, np.where(kept, np.cumsum(kept), 0)[segments])
    segments[part] = merge_fragments(segments[part], rgb[part], np.asarray(depth)[part], points[part], camera[:3, 3])
    return _without_large(segments, points)


def _background(points: FloatArray, depth: AnyFloatArray) -> NDArray[np.bool_]:
    """Return which points [H, W, 3] of a depth image are no objects'."""
    x, y, height = np.ascontiguousarray(np.moveaxis(points, 2, 0))
    measured = depth > 0
    below = height[measured & (height < 0) & (height > -_MAX_NOISE_M)]  # there is nothing but the table
    noise = 1.4826 * float(np.median(-below)) if below.size else 0.0
    margin = float(np.clip(_NOISE_FACTOR * noise, TABLE_HEIGHT_M, _MAX_MARGIN_M))
    background = (height <= margin) | (depth < _MIN_DEPTH_M) | (height > _MAX_OBJECT_M)
    table = measured & (np.abs(height) <= margin)
    if np.count_nonzero(table) >= _MIN_TABLE_FRACTION * depth.size:
        for along in (x, y):
            low, high = np.percentile(along[table], [0.5, 99.5])
            background |= (along < low - _BEYOND_TABLE_M) | (along > high + _BEYOND_TABLE_M)
    return np.asarray(background)


def _without_large(segments: NDArray[np.int64], points: FloatArray) -> NDArray[np.int64]:
    """Return segments [H, W] without those whose points [H, W, 3] spread as a long bar's do: walls, robots."""
    inside = segments > 0
    labels = segments[inside]
    count = int(segments.max()) + 1

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(labels, values, count) / np.maximum(np.bincount(labels, minlength=count), 1))

    variances = sum(mean(along**2) - mean(along) ** 2 for along in points[inside].T)
    kept = np.asarray(variances) <= _MAX_OBJECT_M**2 / 12
    kept[0] = False
    return np.asarray(np.where(kept, np.cumsum(kept), 0)[segments])


def _surroundings(objects: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return rows and columns of all pixels of objects, and some more on each side; all where there are none."""
    sides = []
    for axis in (1, 0):
        found = np.flatnonzero(objects.any(axis=axis)).tolist() or [0, objects.shape[1 - axis]]
        sides.append(slice(max(found[0] - _MARGIN_PX, 0), found[-1] + _MARGIN_PX + 1))
    return sides[0], sides[1]


def lab(rgb: NDArray[np.uint8]) -> FloatArray:
    """Return CIELAB [H, W, 3] of an image [H, W, 3]; that of scikit-image's `rgb2lab` to rounding, but faster."""
    red, green, blue = (table[rgb[..., n]] for n, table in enumerate(_CHANNELS))
    xyz = red + green + blue
    root = np.cbrt(xyz)
    dark = xyz <= 0.008856
    root[dark] = 7.787 * xyz[dark] + 16 / 116
    x, y, z = np.moveaxis(root, 2, 0)
    return np.asarray(np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=2), float)
