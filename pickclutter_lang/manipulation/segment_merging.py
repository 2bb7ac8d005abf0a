"""Joins the fragments of one object: bottom-up merging of neighboring segments by a learned affinity.

The affinity of two neighbors is a logistic regression on what separates objects: the depth step along their border,
their colors, whether they meet convexly (as in LCCP, Stein et al., 2014), and their sizes. `scripts/fit_teaching.py`
fits it to pairs of segments in piles of kinds, by what the simulator says is one object; no scan takes part.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

_WEIGHTS = np.array([-1.66, -0.77, -0.38, 1.25, 0.42, -0.39, -0.39, -0.28])
_BIAS = -9.35
"""Of `affinities`: log odds that two segments are one object."""
_MIN_LOG_ODDS = 0.5
"""Least affinity of a merge. 0 to 1 do as well on the piles of the fit."""
_DEPTH_NOISE_M = 1e-3


class Fragments(NamedTuple):
    """Sums over the pixels of n segments, so that two are merged by adding them.

    - `pixels`: [n]
    - `color`, `points`, `normals`: [n, 3], RGB in 0..1, world points in meters, and unit normals towards the camera
    - `border`: [n, n], pairs of pixels along each border, and `steps`, the logarithms of their depth steps
    """

    pixels: FloatArray
    color: FloatArray
    points: FloatArray
    normals: FloatArray
    border: FloatArray
    steps: FloatArray


def merge_fragments(
    segments: NDArray[np.int64], rgb: NDArray[np.uint8], depth: AnyFloatArray, points: FloatArray, camera: AnyFloatArray
) -> NDArray[np.int64]:
    """Return segments [H, W] in which neighbors that are one object are joined: 1, 2, ..., and 0 for the background.

    :param segments: [H, W], 0 for the background
    :param rgb: [H, W, 3]
    :param depth: [H, W], meters
    :param points: [H, W, 3], of the pixels in the world, meters
    :param camera: [3], where the camera is in the world, meters
    """
    found = measure(segments, rgb, depth, points, camera)
    owner = np.arange(int(segments.max()) + 1)
    around = np.argwhere(segments)  # sizes count beside what all segments take up, not beside the ground
    extent = int(np.prod(np.ptp(around, axis=0) + 1)) if len(around) else 1
    while True:
        first, second = np.nonzero(np.triu(found.border))
        odds = affinities(found, first, second, extent)
        if not len(odds) or odds.max() < _MIN_LOG_ODDS:
            break
        best = int(odds.argmax())
        join(found, first[best], second[best])
        owner[owner == second[best]] = first[best]
    return np.asarray(np.unique(owner, return_inverse=True)[1].reshape(-1)[segments])


def join(found: Fragments, kept: int, joined: int) -> None:
    """Add the sums of a segment to those of another one, in place; it has no pixels from then on."""
    for values in found:
        values[kept] += values[joined]
        values[joined] = 0
    for values in (found.border, found.steps):
        values[:, kept] += values[:, joined]
        values[:, joined] = values[kept, kept] = 0


def measure(
    segments: NDArray[np.int64], rgb: NDArray[np.uint8], depth: AnyFloatArray, points: FloatArray, camera: AnyFloatArray
) -> Fragments:
    """Return what `affinities` compares; arguments are those of `merge_fragments`."""
    count = int(segments.max()) + 1
    flat = segments.ravel()

    def total(values: FloatArray) -> FloatArray:
        return np.stack([np.bincount(flat, channel, count) for channel in values.reshape(-1, 3).T], axis=1)

    border, steps = np.zeros((2, count * count))
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        one, other = segments[here], segments[there]
        meet = (one != other) & (one > 0) & (other > 0)
        pair = one[meet] * count + other[meet]
        border += np.bincount(pair, minlength=count * count)
        step = np.abs(np.asarray(depth)[here][meet] - np.asarray(depth)[there][meet])
        steps += np.bincount(pair, np.log(_DEPTH_NOISE_M + step), count * count)
    square = [(one + one.T).astype(float) for one in (border.reshape(count, count), steps.reshape(count, count))]
    pixels = np.bincount(flat, minlength=count).astype(float)
    return Fragments(pixels, total(rgb / 255), total(points), total(_normals(points, camera)), *square)


def affinities(found: Fragments, first: NDArray[np.int64], second: NDArray[np.int64], extent: int) -> FloatArray:
    """Return the log odds [B] that two segments, `first[b]` and `second[b]`, are of one object.

    :param extent: pixels of the upright rectangle around all segments
    """
    return np.asarray(pair_features(found, first, second, extent) @ _WEIGHTS + _BIAS)


def pair_features(found: Fragments, first: NDArray[np.int64], second: NDArray[np.int64], extent: int) -> FloatArray:
    """Return the features [B, 8] of pairs of neighboring segments, which the affinity weighs."""
    per_pixel = 1 / np.maximum(found.pixels, 1)[:, None]
    red, green, blue = (100 * found.color * per_pixel).T
    opponent = np.stack([(red + green + blue) / 3, red - green, (red + green) / 2 - blue], axis=1)
    normals = found.normals / np.maximum(np.linalg.norm(found.normals, axis=1, keepdims=True), 1e-9)
    between = (found.points * per_pixel)[second] - (found.points * per_pixel)[first]
    distance = np.linalg.norm(between, axis=1)
    convexity = ((normals[second] - normals[first]) * between).sum(axis=1) / np.maximum(distance, 1e-9)
    smaller, larger = np.sort(np.stack([found.pixels[first], found.pixels[second]]), axis=0)
    border = found.border[first, second]
    colors = np.abs(opponent[first] - opponent[second])
    return np.stack(
        [
            found.steps[first, second] / border,
            np.log1p(np.linalg.norm(colors[:, 1:], axis=1)),
            np.log1p(colors[:, 0]),
            convexity,
            np.log(border / np.sqrt(smaller)),
            np.log(smaller / extent),
            np.log(larger / extent),
            np.log(distance + 1e-3),
        ],
        axis=1,
    )


def _normals(points: FloatArray, camera: AnyFloatArray) -> FloatArray:
    """Return unit normals [H, W, 3] of the surface through the points; 0 at the border of the image."""
    across, down = np.zeros((2, *points.shape))
    across[:, 1:-1] = points[:, 2:] - points[:, :-2]
    down[1:-1] = points[2:] - points[:-2]
    normals = np.cross(across, down)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-12)
    return np.asarray(normals * np.sign(((np.asarray(camera) - points) * normals).sum(axis=2, keepdims=True)))
