"""The table in a depth image: its plane, and a camera pose in a frame whose z axis is the height above it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

_SAMPLES = 1500  # points among which planes are sought
_FIT_POINTS = 20_000  # that the table is fitted to
_MAX_PLANES = 4
_MAX_TRIALS = 100  # of RANSAC, for each plane
_STOP_PROBABILITY = 0.999
_RANSAC_INLIER_M = 0.008  # the noise of depth cameras at some 0.8 m
_MIN_FRACTION = 0.08  # of the points; a smaller plane is no table
_PLANE_ITERATIONS = 3  # refits of the plane, each without the outliers of the last one
_PLANE_INLIER_M = 0.003  # distance from the plane; twice the median distance where that is larger
_NEAR_HEIGHT_M, _NEAR_TILT_DEG = 0.03, 5.0  # farthest from a given pose that a table is


class Table(NamedTuple):
    """A table that a camera sees.

    - `pose`: [4, 4], the camera's, OpenGL convention; z is the height above the table, in meters
    - `residual`: rms distance of the table's points from its plane, of at most 8 mm, in meters
    """

    pose: FloatArray
    residual: float


class _Plane:
    """A plane as RANSAC of scikit-image fits it: a unit normal towards the camera, at the origin, and a center."""

    normal: FloatArray
    center: FloatArray

    def estimate(self, points: FloatArray) -> bool:
        """Fit points [N, 3] by least squares; return whether they are no line."""
        self.center = points.mean(axis=0)
        centered = points - self.center
        if len(points) == 3:
            normal = np.cross(centered[1] - centered[0], centered[2] - centered[0])
            length = float(np.sqrt(normal @ normal))
            if length < 1e-6:
                return False
            self.normal = normal / length
        else:
            self.normal = np.linalg.svd(centered.T @ centered)[0][:, 2]
        self.normal = self.normal * (np.sign(self.normal @ -self.center) or 1.0)
        return True

    def residuals(self, points: FloatArray) -> FloatArray:
        """Return the distances [N] of points."""
        return np.asarray(np.abs((points - self.center) @ self.normal))


def find_table(depth: AnyFloatArray, intrinsic: AnyFloatArray, near: AnyFloatArray | None = None) -> Table:
    """Return the table of a depth image.

    Planes are found by RANSAC (Fischler and Bolles, 1981). The table is the one with most pixels for its distance,
    weighted by how far it faces upwards in the image. A wall that a tilted camera sees faces downwards. The origin on
    the table and the rotation about z are arbitrary.

    :param depth: [H, W], meters along the optical axis, 0 where no depth was measured
    :param intrinsic: [3, 3], axes as OpenCV's, the principal point from the image's corner: OpenCV's plus 0.5
    :param near: [4, 4], a camera pose, OpenGL convention, in a world whose table is near z = 0: within 3 cm and 5
        degrees. Its tilt and height are corrected; what lies at the table's center keeps its x and y
    :raises InvalidArgumentError: for arrays of other shapes, or no table
    """
    points = _some_points(depth, intrinsic)
    world = np.eye(4) if near is None else np.asarray(near, float)
    best = None
    best_score = 0.0
    for plane, count in _planes(points[:: max(len(points) // _SAMPLES, 1)]):
        score = count * (1 + plane.normal[1]) ** 2 / float(plane.center @ plane.center)
        if score > best_score and (near is None or _is_near(world, plane)):
            best, best_score = plane, score
    if best is None:
        hint = "" if near is None else f" within {100 * _NEAR_HEIGHT_M:g} cm and {_NEAR_TILT_DEG:g} degrees of z = 0"
        raise InvalidArgumentError(
            f"expected a table in view{hint}, but got a depth image [{', '.join(map(str, np.shape(depth)))}] without; "
            "let the camera look down on the table, its image upright, with more of the table in view"
        )
    inliers = points[best.residuals(points) <= _RANSAC_INLIER_M]
    plane = _refit(inliers)
    residual = float(np.sqrt(np.mean(plane.residuals(inliers) ** 2)))
    return Table(_pose(plane) if near is None else _corrected(world, plane), residual)


def camera_pose_from_table(
    depth: AnyFloatArray, intrinsic: AnyFloatArray, table: NDArray[np.bool_] | None = None
) -> FloatArray:
    """Return a camera pose [4, 4] (OpenGL convention) in a frame whose z axis is the height above the table.

    A plane is fitted to the table by least squares, with outliers removed. The origin on the table and the rotation
    about z are arbitrary.

    :param depth: [H, W], meters along the optical axis, 0 where no depth was measured
    :param intrinsic: [3, 3], axes as OpenCV's, the principal point from the image's corner: OpenCV's plus 0.5
    :param table: [H, W], pixels of the table, with few others; None: it is found, as `find_table` does
    :raises InvalidArgumentError: for arrays of other shapes, fewer than three points of the table, or no table
    """
    if table is None:
        return find_table(depth, intrinsic).pose
    return _pose(_refit(unproject_depth(np.where(table, depth, 0.0), intrinsic, np.eye(4)).points))


def _some_points(depth: AnyFloatArray, intrinsic: AnyFloatArray) -> FloatArray:
    """Return the points [N, 3] of every n-th row and column, in the camera's frame."""
    step = max(int(np.sqrt(np.size(depth) / _FIT_POINTS)), 1)
    some = np.zeros(np.shape(depth))
    chosen = (slice(None, None, step),) * some.ndim
    some[chosen] = np.asarray(depth)[chosen]
    return unproject_depth(some, intrinsic, np.eye(4)).points


def _planes(points: FloatArray) -> list[tuple[_Plane, int]]:
    """Return planes in points [N, 3], the largest first, and how many points each has."""
    from skimage.measure import ransac  # slow to import

    planes: list[tuple[_Plane, int]] = []
    min_count = max(int(_MIN_FRACTION * len(points)), 3)
    while len(planes) < _MAX_PLANES and len(points) > min_count:
        plane, inliers = ransac(  # type: ignore[no-untyped-call]
            points, _Plane, 3, _RANSAC_INLIER_M, max_trials=_MAX_TRIALS, stop_probability=_STOP_PROBABILITY, rng=0
        )
        if plane is None or inliers.sum() < min_count:
            break
        planes.append((plane, int(inliers.sum())))
        points = points[~inliers]
    return planes


def _refit(points: FloatArray) -> _Plane:
    """Return the plane of points [N, 3], outliers removed."""
    plane = _Plane()
    for _ in range(_PLANE_ITERATIONS):
        if len(points) < 3:
            raise InvalidArgumentError(f"expected at least 3 points of a table, but got {len(points)}")
        plane.estimate(points)
        distance = plane.residuals(points)
        points = points[distance <= max(_PLANE_INLIER_M, 2 * float(np.median(distance)))]
    return plane


def _pose(plane: _Plane) -> FloatArray:
    """Return a camera pose [4, 4] in a frame with the plane's center as the origin and its normal as z."""
    side = np.cross([0.0, 1.0, 0.0], plane.normal)
    side /= np.linalg.norm(side)
    rotation = np.stack([side, np.cross(plane.normal, side), plane.normal])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ plane.center
    return pose


def _is_near(camera: FloatArray, plane: _Plane) -> bool:
    """Whether a plane in the camera's frame is near z = 0 of the camera's world."""
    up = (camera[:3, :3] @ plane.normal)[2]
    height = (camera[:3, :3] @ plane.center + camera[:3, 3])[2]
    return bool(up >= np.cos(np.deg2rad(_NEAR_TILT_DEG)) and abs(height) <= _NEAR_HEIGHT_M)


def _corrected(camera: FloatArray, plane: _Plane) -> FloatArray:
    """Return a pose [4, 4], turned by the least angle about the plane's center so that its normal is z, and lifted."""
    from scipy.spatial.transform import Rotation

    up = camera[:3, :3] @ plane.normal
    center = camera[:3, :3] @ plane.center + camera[:3, 3]
    axis = np.cross(up, [0.0, 0.0, 1.0])
    turn = Rotation.from_rotvec(axis / max(float(np.linalg.norm(axis)), 1e-12) * np.arccos(min(up[2], 1.0))).as_matrix()
    pose = np.eye(4)
    pose[:3, :3] = turn @ camera[:3, :3]
    pose[:3, 3] = turn @ (camera[:3, 3] - center) + [center[0], center[1], 0.0]
    return pose
