"""What lies apart in a picture with depth, whatever it is called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from skimage.color import rgb2lab
from skimage.segmentation import felzenszwalb

from pickclutter_lang.picking.clouds import TABLE_M, world_points
from pickclutter_lang.picking.gripper import FloatArray, Numbers

# A step of 1 mm in height weighs as much as 15 units of lightness (0 to 100): labels and stripes part nothing.
_HEIGHT_WEIGHT, _LIGHT_WEIGHT = 3000.0, 0.2
_SCALE, _BLUR, _FEWEST_PIXELS = 1e5, 0.3, 20
_FINGERS_M = 0.1  # from the camera; the fingers are 0.05 to 0.07 m away, objects on the table over 0.16 m
_AS_HOT, _LIKE_COLOUR, _TOUCHING_PIXELS = 0.5, 60, 2


def segments_of(rgb: NDArray[np.uint8], depth: Numbers, intrinsic: Numbers, camera: Numbers) -> NDArray[np.int64]:
    """Return segments [H, W] of one object each, as far as brightness and height tell: 1, 2, ..., and 0 elsewhere.

    Graph-based segmentation (Felzenszwalb and Huttenlocher, 2004) of lightness and height above the table. The table
    is no object, nor is what is as near to the camera as the fingers beside it are.

    :param rgb: [H, W, 3]; the other arguments are those of `world_points`
    :raises InvalidArgumentError: for arrays of other shapes
    """
    cloud = world_points(depth, intrinsic, camera)
    height = np.zeros(np.shape(depth))
    height[cloud.pixels[:, 0], cloud.pixels[:, 1]] = cloud.points[:, 2]
    layers = np.dstack([_LIGHT_WEIGHT * rgb2lab(rgb)[..., 0], _HEIGHT_WEIGHT * height])
    found: NDArray[np.int64] = felzenszwalb(layers, _SCALE, _BLUR, _FEWEST_PIXELS, channel_axis=-1) + 1
    nothing = (height <= TABLE_M) | (np.asarray(depth) < _FINGERS_M)
    left_out = np.bincount(found.ravel(), weights=nothing.ravel()) > 0.5 * np.bincount(found.ravel())
    found[left_out[found]] = 0
    return np.unique(found, return_inverse=True)[1].reshape(found.shape) + int(found.min() > 0)


def hottest_object(segments: NDArray[np.int64], heat: FloatArray, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the pixels [H, W] of the object that heat [H, W] points to; none where there are no segments.

    That is the segment with the highest mean heat, with those that touch it, are half as hot at least and of about its
    colour: an object may have fallen into several.
    """
    counts = np.maximum(np.bincount(segments.ravel()), 1)
    means = np.bincount(segments.ravel(), weights=heat.ravel()) / counts
    means[0] = -np.inf
    best = int(means.argmax())
    found = np.asarray((segments == best) & (best > 0))
    colours = np.stack([np.bincount(segments.ravel(), weights=rgb[..., c].ravel()) / counts for c in range(3)], axis=1)
    like = (means >= _AS_HOT * means[best]) & (np.abs(colours - colours[best]).max(axis=1) < _LIKE_COLOUR)
    while found.any():
        beside = np.unique(segments[binary_dilation(found, iterations=_TOUCHING_PIXELS) & ~found])
        parts = [part for part in beside if part > 0 and like[part]]
        if not parts:
            break
        found |= np.isin(segments, parts)
    return found
