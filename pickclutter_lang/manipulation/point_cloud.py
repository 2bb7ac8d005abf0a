"""From a depth picture to points of the world."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.gripper import AnyFloatArray, FloatArray

TABLE_HEIGHT_M = 0.004
"""Points below that height are the table's."""
_FARTHEST_M = 3.0
_PLANE_ROUNDS, _PLANE_M = 3, 0.003


class Cloud(NamedTuple):
    """Points [P, 3] that a camera sees, in the world, metres, and their pixels [P, 2] (row, column)."""

    points: FloatArray
    pixels: NDArray[np.int64]


def object_point_cloud(depth: AnyFloatArray, intrinsic: AnyFloatArray, camera: AnyFloatArray) -> Cloud:
    """Return the points of a depth picture that are above the table; arguments are those of `unproject_depth`."""
    points, pixels = unproject_depth(depth, intrinsic, camera)
    above = points[:, 2] > TABLE_HEIGHT_M
    return Cloud(points[above], pixels[above])


def unproject_depth(depth: AnyFloatArray, intrinsic: AnyFloatArray, camera: AnyFloatArray) -> Cloud:
    """Return all points of a depth picture.

    :param depth: [H, W], metres along the optical axis, 0 where nothing is seen
    :param intrinsic: [3, 3], OpenCV's
    :param camera: [4, 4], the camera's pose in the world, OpenGL's axes (x right, y up, looking along -z)
    :raises InvalidArgumentError: for arrays of other shapes
    """
    if np.ndim(depth) != 2 or np.shape(intrinsic) != (3, 3) or np.shape(camera) != (4, 4):
        raise InvalidArgumentError(
            f"expected a depth picture [H, W], an intrinsic matrix [3, 3] and a pose [4, 4], but got "
            f"{list(np.shape(depth))}, {list(np.shape(intrinsic))} and {list(np.shape(camera))}"
        )
    rows, columns = np.nonzero((depth > 0) & (depth < _FARTHEST_M))
    z = np.asarray(depth, float)[rows, columns]
    x = (columns + 0.5 - intrinsic[0, 2]) / intrinsic[0, 0] * z
    y = (rows + 0.5 - intrinsic[1, 2]) / intrinsic[1, 1] * z
    pose = np.asarray(camera, float)
    return Cloud(np.stack([x, -y, -z], axis=1) @ pose[:3, :3].T + pose[:3, 3], np.stack([rows, columns], axis=1))


def camera_pose_from_table(depth: AnyFloatArray, intrinsic: AnyFloatArray, table: NDArray[np.bool_]) -> FloatArray:
    """Return a pose [4, 4] of the camera (OpenGL's axes) in a frame whose z is the height above the table.

    The table is the plane through what is seen of it (by least squares, without what lies far off it). Where the frame
    lies on the table, and how it is turned, means nothing.

    :param depth: [H, W], metres along the optical axis, 0 where nothing is seen
    :param intrinsic: [3, 3], OpenCV's
    :param table: [H, W], where the table is seen, and little else
    :raises InvalidArgumentError: for arrays of other shapes, or when less than three points of a table are seen
    """
    points = unproject_depth(np.where(table, depth, 0.0), intrinsic, np.eye(4)).points
    for _ in range(_PLANE_ROUNDS):
        if len(points) < 3:
            raise InvalidArgumentError(f"expected at least 3 points of a table, but got {len(points)}")
        middle = points.mean(axis=0)
        up = np.linalg.svd((points - middle).T @ (points - middle))[0][:, 2]
        up *= np.sign(up @ -middle) or 1.0  # the camera is above the table
        off = np.abs((points - middle) @ up)
        points = points[off <= max(_PLANE_M, 2 * float(np.median(off)))]
    side = np.cross([0.0, 1.0, 0.0], up)
    side /= np.linalg.norm(side)
    rotation = np.stack([side, np.cross(up, side), up])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ middle
    return pose
