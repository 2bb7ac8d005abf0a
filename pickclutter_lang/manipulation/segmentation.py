"""What lies apart in a picture with depth, whatever it is called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit
from skimage.color import rgb2lab
from skimage.segmentation import felzenszwalb

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.gripper import AnyFloatArray, FloatArray
from pickclutter_lang.manipulation.point_cloud import TABLE_HEIGHT_M, unproject_depth

# A step of 1 mm in height weighs as much as 15 units of lightness (0 to 100): labels and stripes part nothing.
_HEIGHT_WEIGHT, _LIGHT_WEIGHT = 3000.0, 0.2
_SCALE, _BLUR, _FEWEST_PIXELS = 1e5, 0.3, 20
_FINGERS_M = 0.1  # from the camera; the fingers are 0.05 to 0.07 m away, objects on the table over 0.16 m
_LEAST_HEAT, _STEP_M = 0.3, 0.015  # chosen on 150 scenes of X_id: 0.25 to 0.3 and 12 to 20 mm are about as good
_LEAST_NAMED_HEAT, _CLEARLY = 0.1, 1.0  # chosen on 150 scenes of X_ood
_UNKNOWN = -20.0  # log odds of what is out of sight


def segment_rgbd(
    rgb: NDArray[np.uint8], depth: AnyFloatArray, intrinsic: AnyFloatArray, camera: AnyFloatArray
) -> NDArray[np.int64]:
    """Return segments [H, W] of one object each, as far as brightness and height tell: 1, 2, ..., and 0 elsewhere.

    Graph-based segmentation (Felzenszwalb and Huttenlocher, 2004) of lightness and height above the table. The table
    is no object, nor is what is as near to the camera as the fingers beside it are.

    :param rgb: [H, W, 3]; the other arguments are those of `unproject_depth`
    :raises InvalidArgumentError: for arrays of other shapes
    """
    cloud = unproject_depth(depth, intrinsic, camera)
    height = np.zeros(np.shape(depth))
    height[cloud.pixels[:, 0], cloud.pixels[:, 1]] = cloud.points[:, 2]
    layers = np.dstack([_LIGHT_WEIGHT * rgb2lab(rgb)[..., 0], _HEIGHT_WEIGHT * height])
    found: NDArray[np.int64] = felzenszwalb(layers, _SCALE, _BLUR, _FEWEST_PIXELS, channel_axis=-1) + 1
    nothing = (height <= TABLE_HEIGHT_M) | (np.asarray(depth) < _FINGERS_M)
    left_out = np.bincount(found.ravel(), weights=nothing.ravel()) > 0.5 * np.bincount(found.ravel())
    found[left_out[found]] = 0
    return np.unique(found, return_inverse=True)[1].reshape(found.shape) + int(found.min() > 0)


def select_target_segments(
    segments: NDArray[np.int64],
    heatmap: FloatArray,
    depth: AnyFloatArray,
    odds: FloatArray | None = None,
    count: int = 1,
) -> list[NDArray[np.bool_]]:
    """Return the pixels [H, W] of up to `count` objects that heatmap [H, W] points to, the likeliest first.

    An object is the segment with the highest mean heat, with those of some heat that are joined to it, directly or
    through others of them, by borders without a step in depth [H, W], metres: it may be in several pieces. Without
    `odds` they are at least 0.3 times as hot. With them heatmap counts by the probability that the segment is rather
    called so than by the likeliest of the other names, a tenth is enough, and what is clearly called so belongs to the
    object wherever it is: something may lie across it. Each further object is the hottest of what is
    left, where anything is hot.

    :param odds: [C, H, W] log odds of C names, the first of which is that of the object; all are infinite or NaN where
        nothing is known
    :return: none where there are no segments
    :raises InvalidArgumentError: for odds of fewer than two names
    """
    means = _means(segments, heatmap[None])[0]
    least, called = _LEAST_HEAT, np.zeros(len(means), bool)
    if odds is not None:
        if len(odds) < 2:
            raise InvalidArgumentError(f"expected log odds of at least 2 names, [C, H, W], but got {list(odds.shape)}")
        called_so, *called_else = _means(segments, odds)
        margin = called_so - np.max(called_else, axis=0)
        means, least, called = means * expit(margin), _LEAST_NAMED_HEAT, margin >= _CLEARLY
    left = np.bincount(segments.ravel()) > 0
    left[0] = False
    pairs, steps = _borders(segments, np.asarray(depth))
    found: list[NDArray[np.bool_]] = []
    while left.any() and len(found) < count:
        best = int(np.where(left, means, -np.inf).argmax())
        if found and means[best] <= 0:
            break  # nothing points there
        inside = (steps < _STEP_M) & (left[pairs] & (means[pairs] >= least * means[best])).all(axis=0)
        joined = coo_array((np.ones(inside.sum()), pairs[:, inside]), (len(means), len(means)))
        objects = connected_components(joined, directed=False)[1]
        chosen = left & ((objects == objects[best]) | called)
        found.append(np.asarray(chosen[segments]))
        left &= ~chosen
    return found


def _means(segments: NDArray[np.int64], layers: FloatArray) -> FloatArray:
    """Return the means of layers [C, H, W] in each segment, [C, segments]; _UNKNOWN for one without finite values."""
    known = np.isfinite(layers[0]).ravel()
    labels = segments.ravel()[known]
    pixels = coo_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), (int(segments.max()) + 1, len(labels)))
    counts = np.bincount(labels, minlength=pixels.shape[0])
    sums = pixels.tocsr() @ layers.reshape(len(layers), -1)[:, known].T
    return np.where(counts > 0, sums.T / np.maximum(counts, 1), _UNKNOWN)


def _borders(segments: NDArray[np.int64], depth: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Return which segments touch, [2, B], and the median step of depth along each border, [B]."""
    count = int(segments.max()) + 1
    keys, steps = [], []
    for here, there in (np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:]):
        one, other = segments[here], segments[there]
        border = one != other
        keys.append((np.minimum(one, other) * count + np.maximum(one, other))[border])
        steps.append(np.abs(depth[here] - depth[there])[border])
    key = np.concatenate(keys)
    found = np.unique(key)
    medians = median(np.concatenate(steps), key, found) if len(found) else []
    return np.stack(np.divmod(found, count)), np.asarray(medians, float)
