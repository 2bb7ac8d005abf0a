"""Point clouds from depth images: planar faces, and the center of mass."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

TABLE_HEIGHT_M = 0.004
"""Points up to that height belong to the table; a margin for the errors of depth."""
MAX_DEPTH_M = 3.0  # points farther from the camera are background
_PITCH_M = 0.003  # between the points of an object; limits of grasps are counts of points that lie as far apart
# Planar faces: points of a patch, patches (bounds the run time), deviation from the plane over that along the shorter
# side above which a patch is curved, angle within a face, angle to another face, fraction of the patches that make one.
_PATCH_SIZE = 16
_MAX_PATCHES = 400
_MAX_PATCH_ROUGHNESS = 0.15
_SAME_PLANE_DEG, _DISTINCT_PLANE_DEG, _MIN_PATCH_FRACTION = 12.0, 25.0, 0.1
_MAX_PLANES = 3  # a camera sees at most three of a box
# Center of mass: slices along the longest horizontal axis. Percentiles, not extremes, since depth edges are noisy.
_SLICES = 12  # a slice with a single point has a volume
_MIN_SLICE_WIDTH_M = 0.003
_EXTENT_PERCENTILES, _WIDTH_PERCENTILES = (2, 98), (5, 95)
_SLICE_HEIGHT_PERCENTILE, _OBJECT_HEIGHT_PERCENTILE = 80, 98  # the center is taken to lie at half the object's height


class Cloud(NamedTuple):
    """Points [P, 3] in the world, meters, and their pixels [P, 2] (row, column)."""

    points: FloatArray
    pixels: NDArray[np.int64]


def points_of_object(
    depth: AnyFloatArray, intrinsic: AnyFloatArray, camera: AnyFloatArray, mask: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Return the points [N, 3] of an object, and those [M, 3] of everything else above the table; world, meters.

    Of a fine image each second pixel is taken, or each third, and so on, as long as they lie within 3 mm at the object.

    :param mask: [H, W], pixels of the object; the other arguments are those of `unproject_depth`
    :raises InvalidArgumentError: for arrays of other shapes
    """
    if mask.shape != np.shape(depth):
        raise InvalidArgumentError(f"expected a mask of {list(np.shape(depth))} pixels, but got {list(mask.shape)}")
    cloud = unproject_depth(depth, intrinsic, camera)
    above = cloud.points[:, 2] > TABLE_HEIGHT_M
    points, (rows, columns) = cloud.points[above], cloud.pixels[above].T
    inside = mask[rows, columns]
    seen = np.asarray(depth)[rows[inside], columns[inside]]
    step = int(_PITCH_M * intrinsic[0, 0] / np.median(seen)) if len(seen) else 1
    if step > 1:
        kept = (rows % step == 0) & (columns % step == 0)
        points, inside = points[kept], inside[kept]
    return points[inside], points[~inside]


def unproject_depth(depth: AnyFloatArray, intrinsic: AnyFloatArray, camera: AnyFloatArray) -> Cloud:
    """Return all points of a depth image.

    :param depth: [H, W], meters along the optical axis, 0 where no depth was measured
    :param intrinsic: [3, 3], axes as OpenCV's, the principal point from the image's corner: OpenCV's plus 0.5
    :param camera: [4, 4], camera pose in the world, OpenGL convention (x right, y up, view along -z)
    :raises InvalidArgumentError: for arrays of other shapes
    """
    if np.ndim(depth) != 2 or np.shape(intrinsic) != (3, 3) or np.shape(camera) != (4, 4):
        raise InvalidArgumentError(
            f"expected a depth image [H, W], an intrinsic matrix [3, 3] and a pose [4, 4], but got "
            f"{list(np.shape(depth))}, {list(np.shape(intrinsic))} and {list(np.shape(camera))}"
        )
    rows, cols = np.nonzero((depth > 0) & (depth < MAX_DEPTH_M))
    z = np.asarray(depth, float)[rows, cols]
    x = (cols + 0.5 - intrinsic[0, 2]) / intrinsic[0, 0] * z
    y = (rows + 0.5 - intrinsic[1, 2]) / intrinsic[1, 1] * z
    pose = np.asarray(camera, float)
    return Cloud(np.stack([x, -y, -z], axis=1) @ pose[:3, :3].T + pose[:3, 3], np.stack([rows, cols], axis=1))


def project_points(points: FloatArray, intrinsic: AnyFloatArray, camera: AnyFloatArray) -> FloatArray:
    """Return the pixels [P, 2] (column, row) of points [P, 3]; whole numbers are corners, NaN is behind the camera.

    The other arguments are those of `unproject_depth`.
    """
    local = (np.asarray(points, float) - camera[:3, 3]) @ camera[:3, :3] * [1, -1, -1]
    depth = np.where(local[:, 2:] > 0, local[:, 2:], np.nan)
    return np.asarray((local / depth @ np.asarray(intrinsic, float).T)[:, :2])


def farthest_points(points: FloatArray, center: FloatArray, count: int) -> NDArray[np.int64]:
    """Return rows of points far from each other (greedy farthest-point sampling), from that nearest the center on.

    :param points: [N, 3], at least one
    :param center: [3]
    :param count: rows that are returned, or N where that is less
    """
    distance = np.linalg.norm(points - center, axis=1)
    chosen = [int(distance.argmin())]
    distance = np.full(len(points), np.inf)
    while len(chosen) < min(count, len(points)):
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(distance.argmax()))
    return np.array(chosen)


def planar_normals(points: FloatArray) -> FloatArray:
    """Return the outward normals [F, 3] of an object's planar faces, the largest first.

    A face is a set of flat patches with similar normals. Normals point upwards, towards the camera.

    :param points: [N, 3], the visible points of the object, in the world, meters
    """
    if len(points) < 2 * _PATCH_SIZE:
        return np.zeros((0, 3))
    seeds = points[np.linspace(0, len(points) - 1, min(len(points), _MAX_PATCHES)).astype(int)]
    patches = points[cKDTree(points).query(seeds, _PATCH_SIZE)[1]]
    patches = patches - patches.mean(axis=1, keepdims=True)
    variances, axes = np.linalg.eigh(np.einsum("pni,pnj->pij", patches, patches))
    flat = np.sqrt(np.abs(variances[:, 0])) < _MAX_PATCH_ROUGHNESS * np.sqrt(np.abs(variances[:, 1]))
    normals = axes[:, :, 0][flat]
    normals *= np.where(normals[:, 2:] < 0, -1.0, 1.0)
    same, distinct = np.cos(np.deg2rad([_SAME_PLANE_DEG, _DISTINCT_PLANE_DEG]))
    min_patches = _MIN_PATCH_FRACTION * len(seeds)
    planes: list[FloatArray] = []
    while len(normals) >= min_patches and len(planes) < _MAX_PLANES:
        similar = normals @ normals.T > same
        largest = int(similar.sum(axis=1).argmax())
        if similar[largest].sum() < min_patches:
            break
        mean = normals[similar[largest]].mean(axis=0)
        planes.append(mean / np.linalg.norm(mean))
        normals = normals[normals @ planes[-1] < distinct]
    return np.array(planes).reshape(-1, 3)


def center_of_mass(points: FloatArray) -> FloatArray:
    """Estimate the center of mass [3] of an object of uniform density that rests on the table.

    The object is cut into slices along its longest horizontal axis. The cross-section of a slice is its width times
    the lesser of width and height. So a hammer is heaviest at its head.

    :param points: [N, 3], the visible points, N > 0, in the world, meters
    """
    horizontal = points[:, :2]
    center = horizontal.mean(0)
    axes = np.linalg.eigh(np.cov((horizontal - center).T))[1].T[::-1] if len(points) > 2 else np.eye(2)
    along, across = (horizontal - center) @ axes.T[:, 0], (horizontal - center) @ axes.T[:, 1]
    extent = np.percentile(along, _EXTENT_PERCENTILES)
    edges = np.linspace(extent[0], extent[1], _SLICES + 1)
    positions, volumes = [], []
    for low, high in itertools.pairwise(edges):
        inside = (along >= low) & (along <= high)
        if inside.any():
            sides = np.percentile(across[inside], _WIDTH_PERCENTILES)
            width = max(float(np.ptp(sides)), _MIN_SLICE_WIDTH_M)
            height = float(np.percentile(points[inside, 2], _SLICE_HEIGHT_PERCENTILE))
            positions.append(0.5 * (low + high))
            volumes.append(width * min(width, height))
    balance = np.average(positions, weights=volumes) if positions else 0.5 * extent.sum()
    lateral = 0.5 * np.percentile(across, _EXTENT_PERCENTILES).sum()
    top = np.percentile(points[:, 2], _OBJECT_HEIGHT_PERCENTILE)
    return np.array([*(center + axes.T @ np.array([balance, lateral])), 0.5 * top])
