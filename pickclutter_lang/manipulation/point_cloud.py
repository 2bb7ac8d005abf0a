"""Point clouds from depth images, and a camera pose from the plane of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
