"""Point clouds from depth images: their camera pose from the table, planar faces, and the center of mass."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray


@dataclass(frozen=True)
class PointCloudConfig:
    """Configuration of point clouds."""

    table_height_m: float = 0.004
    """Points up to that height belong to the table; a margin for the errors of depth."""
    max_depth_m: float = 3.0
    """Points farther from the camera are background."""
    plane_iterations: int = 3
    """Refits of the table's plane, each without the outliers of the last one."""
    plane_inlier_m: float = 0.003
    """Points within that distance of the plane are inliers; twice the median distance where that is larger."""


DEFAULT_POINT_CLOUD_CONFIG = PointCloudConfig()


class Cloud(NamedTuple):
    """Points [P, 3] in the world, meters, and their pixels [P, 2] (row, column)."""

    points: FloatArray
    pixels: NDArray[np.int64]


def object_point_cloud(
    depth: AnyFloatArray,
    intrinsic: AnyFloatArray,
    camera: AnyFloatArray,
    config: PointCloudConfig = DEFAULT_POINT_CLOUD_CONFIG,
) -> Cloud:
    """Return the points of a depth image above the table; arguments and errors are those of `unproject_depth`."""
    points, pixels = unproject_depth(depth, intrinsic, camera, config)
    above = points[:, 2] > config.table_height_m
    return Cloud(points[above], pixels[above])


def unproject_depth(
    depth: AnyFloatArray,
    intrinsic: AnyFloatArray,
    camera: AnyFloatArray,
    config: PointCloudConfig = DEFAULT_POINT_CLOUD_CONFIG,
) -> Cloud:
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
    rows, cols = np.nonzero((depth > 0) & (depth < config.max_depth_m))
    z = np.asarray(depth, float)[rows, cols]
    x = (cols + 0.5 - intrinsic[0, 2]) / intrinsic[0, 0] * z
    y = (rows + 0.5 - intrinsic[1, 2]) / intrinsic[1, 1] * z
    pose = np.asarray(camera, float)
    return Cloud(np.stack([x, -y, -z], axis=1) @ pose[:3, :3].T + pose[:3, 3], np.stack([rows, cols], axis=1))


def camera_pose_from_table(
    depth: AnyFloatArray,
    intrinsic: AnyFloatArray,
    table: NDArray[np.bool_],
    config: PointCloudConfig = DEFAULT_POINT_CLOUD_CONFIG,
) -> FloatArray:
    """Return a camera pose [4, 4] (OpenGL convention) in a frame whose z axis is the height above the table.

    A plane is fitted to the table by least squares, with outliers removed. The origin on the table and the rotation
    about z are arbitrary.

    :param depth: [H, W], meters along the optical axis, 0 where no depth was measured
    :param intrinsic: [3, 3], axes as OpenCV's, the principal point from the image's corner: OpenCV's plus 0.5
    :param table: [H, W], pixels of the table, with few others
    :raises InvalidArgumentError: for arrays of other shapes, or fewer than three points of the table
    """
    points = unproject_depth(np.where(table, depth, 0.0), intrinsic, np.eye(4), config).points
    for _ in range(config.plane_iterations):
        if len(points) < 3:
            raise InvalidArgumentError(f"expected at least 3 points of a table, but got {len(points)}")
        center = points.mean(axis=0)
        up = np.linalg.svd((points - center).T @ (points - center))[0][:, 2]
        up *= np.sign(up @ -center) or 1.0  # the camera is above the table
        distance = np.abs((points - center) @ up)
        points = points[distance <= max(config.plane_inlier_m, 2 * float(np.median(distance)))]
    side = np.cross([0.0, 1.0, 0.0], up)
    side /= np.linalg.norm(side)
    rotation = np.stack([side, np.cross(up, side), up])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ center
    return pose


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


@dataclass(frozen=True)
class PlaneConfig:
    """Configuration of `planar_normals`."""

    patch_size: int = 16
    """Neighboring points of a patch."""
    max_patches: int = 400
    """Patches an object is sampled at; bounds the run time."""
    max_patch_roughness: float = 0.15
    """Deviation from the plane over that along the shorter side; larger patches are curved."""
    same_plane_deg: float = 12.0
    """Normals closer than that belong to one face."""
    distinct_plane_deg: float = 25.0
    """Normals farther than that from a face may belong to another one."""
    min_patch_fraction: float = 0.1
    """Minimum fraction of the patches that make a face."""
    max_planes: int = 3
    """Maximum number of faces: a camera sees at most three of a box."""


DEFAULT_PLANE_CONFIG = PlaneConfig()


def planar_normals(points: FloatArray, config: PlaneConfig = DEFAULT_PLANE_CONFIG) -> FloatArray:
    """Return the outward normals [F, 3] of an object's planar faces, the largest first.

    A face is a set of flat patches with similar normals. Normals point upwards, towards the camera.

    :param points: [N, 3], the visible points of the object, in the world, meters
    """
    if len(points) < 2 * config.patch_size:
        return np.zeros((0, 3))
    seeds = points[np.linspace(0, len(points) - 1, min(len(points), config.max_patches)).astype(int)]
    patches = points[cKDTree(points).query(seeds, config.patch_size)[1]]
    patches = patches - patches.mean(axis=1, keepdims=True)
    variances, axes = np.linalg.eigh(np.einsum("pni,pnj->pij", patches, patches))
    flat = np.sqrt(np.abs(variances[:, 0])) < config.max_patch_roughness * np.sqrt(np.abs(variances[:, 1]))
    normals = axes[:, :, 0][flat]
    normals *= np.where(normals[:, 2:] < 0, -1.0, 1.0)
    same, distinct = np.cos(np.deg2rad([config.same_plane_deg, config.distinct_plane_deg]))
    min_patches = config.min_patch_fraction * len(seeds)
    planes: list[FloatArray] = []
    while len(normals) >= min_patches and len(planes) < config.max_planes:
        similar = normals @ normals.T > same
        largest = int(similar.sum(axis=1).argmax())
        if similar[largest].sum() < min_patches:
            break
        mean = normals[similar[largest]].mean(axis=0)
        planes.append(mean / np.linalg.norm(mean))
        normals = normals[normals @ planes[-1] < distinct]
    return np.array(planes).reshape(-1, 3)


@dataclass(frozen=True)
class CenterOfMassConfig:
    """Configuration of `center_of_mass`. Percentiles instead of extremes, since depth edges are noisy."""

    n_slices: int = 12
    """Slices along the longest horizontal axis."""
    min_width_m: float = 0.003
    """Minimum width of a slice, so that one with a single point has a volume."""
    extent_percentiles: tuple[float, float] = (2, 98)
    """Ends of the object along and across its longest axis."""
    width_percentiles: tuple[float, float] = (5, 95)
    """Sides of a slice."""
    slice_height_percentile: float = 80
    """Top of a slice."""
    object_height_percentile: float = 98
    """Top of the object; its center is taken to lie at half of that height."""


DEFAULT_CENTER_OF_MASS_CONFIG = CenterOfMassConfig()


def center_of_mass(points: FloatArray, config: CenterOfMassConfig = DEFAULT_CENTER_OF_MASS_CONFIG) -> FloatArray:
    """Estimate the center of mass [3] of an object of uniform density that rests on the table.

    The object is cut into slices along its longest horizontal axis. The cross-section of a slice is its width times
    the lesser of width and height. So a hammer is heaviest at its head.

    :param points: [N, 3], the visible points, N > 0, in the world, meters
    """
    horizontal = points[:, :2]
    center = horizontal.mean(0)
    axes = np.linalg.eigh(np.cov((horizontal - center).T))[1].T[::-1] if len(points) > 2 else np.eye(2)
    along, across = (horizontal - center) @ axes.T[:, 0], (horizontal - center) @ axes.T[:, 1]
    extent = np.percentile(along, config.extent_percentiles)
    edges = np.linspace(extent[0], extent[1], config.n_slices + 1)
    positions, volumes = [], []
    for low, high in itertools.pairwise(edges):
        inside = (along >= low) & (along <= high)
        if inside.any():
            sides = np.percentile(across[inside], config.width_percentiles)
            width = max(float(np.ptp(sides)), config.min_width_m)
            height = float(np.percentile(points[inside, 2], config.slice_height_percentile))
            positions.append(0.5 * (low + high))
            volumes.append(width * min(width, height))
    balance = np.average(positions, weights=volumes) if positions else 0.5 * extent.sum()
    lateral = 0.5 * np.percentile(across, config.extent_percentiles).sum()
    top = np.percentile(points[:, 2], config.object_height_percentile)
    return np.array([*(center + axes.T @ np.array([balance, lateral])), 0.5 * top])
