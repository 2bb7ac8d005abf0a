"""A held object: how it has rotated in the gripper, and the TCP poses that bring its center to the goal.

Angles of the object in the TCP frame: pitch is about the closing axis (y), roll about the finger width (x).
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from pickclutter_lang.manipulation.gripper import FINGER_HALF_X_M, quaternion, rotation_matrix
from pickclutter_lang.manipulation.kinematics import PandaArm, is_elbow_bent
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

# The in-hand rotation; weights were chosen on recorded transports.
_MAX_DEPTH_CHANGE_M = 0.004  # while the hand moved, below which a pixel belongs to fingers or object
_MAX_DEPTH_M = 0.3  # from the hand camera; farther pixels are background
_MIN_POINTS, _MAX_POINTS = 12, 400  # of the object, below which no rotation is estimated; bounds the run time
_FINGER_THICKNESS_M, _FINGER_MARGIN_M = 0.026, 0.003  # along the closing axis, behind its pad; for the noise of depth
_ANGLE_STEP, _PITCH_OVERSHOOT, _MAX_ROLL = np.deg2rad([7.5, 12.0, 60.0])  # of the grid search
_MIN_LEVER_M = 0.015  # of the center from the closing axis, for a pitch: it would move by less than 2 cm
_MIN_RIM_OFFSET_M = 0.03  # of the center along the closing axis, for a roll: the object is held at a rim
_MAX_RESIDUAL_M = 0.02  # at which residuals and free-space violations are clipped, against outliers
_GRAVITY_WEIGHT = 0.02  # cost of each radian from hanging straight down, times the lever
_MAX_FIT_COST_M = 0.014  # above which nothing fits; most held objects fit at 2 to 11 mm
_FALLBACK_PITCH_FRACTION = 0.85  # of hanging straight down, without a fit; palm and fingers may stop the object
_MIN_CAMERA_DISTANCE_M = 0.01  # points nearer to the camera, or behind it, are not projected
_SURFACE_MARGIN_M = 0.012  # in front of the observed surface, below which a point belongs to it and violates nothing
CENTER_OFFSETS = (
    (0.0, 0.008, 0.0),
    (0.5, 0.004, 0.0),
    (-0.75, 0.0, -0.004),
    (-0.25, 0.028, 0.004),
    (-0.25, -0.016, 0.008),
    (0.25, 0.008, -0.024),
    (1.0, 0.024, -0.004),
    (1.0, -0.008, 0.004),
    (-1.0, 0.016, 0.02),
    (-1.5, 0.02, 0.0),
    (-0.75, 0.024, -0.028),
    (-0.25, 0.044, -0.016),
    (0.5, 0.012, 0.02),
    (0.25, 0.048, 0.024),
    (0.75, 0.056, 0.008),
    (1.75, 0.024, 0.008),
    (1.5, 0.008, -0.028),
    (0.25, -0.02, -0.016),
    (-1.0, -0.004, -0.036),
    (-1.25, -0.016, 0.008),
    (-0.75, -0.008, 0.028),
    (0.75, -0.024, 0.02),
    (1.75, 0.004, 0.032),
    (0.75, 0.04, -0.032),
)
"""Offsets of the true center from the estimated one: along the object (in steps), down, and sideways (meters).

A greedy search plan: each offset adds the most probability per step of the arm. An offset covers errors within 21 mm;
the goal's tolerance is 25 mm. Errors are modeled as an equal mixture of two normals, with standard deviations of (14,
12, 9) mm, those of the good estimates in 36 transports, and of (34, 30, 24) mm.
"""
_STEP_FRACTION, _MIN_STEP_M, _MAX_STEP_M = 0.5, 0.018, 0.048  # of the deviation of the object's points along it
_MIN_HORIZONTAL_SINE = 0.2  # of the angle to the vertical, below which the object counts as upright
_ROTATIONS = np.deg2rad(
    sorted(itertools.product(range(-90, 91, 15), (0, 20, 40)), key=lambda pair: abs(pair[0]) + pair[1])
)
"""Yaws of the hand about the vertical and leans of the fingers away from the base, [T, 2], radians, the smallest sum
first; leans bring the wrist nearer to the base."""


class HandCameraView(NamedTuple):
    """A depth image of the hand camera.

    `depth` [H, W] in meters, its `intrinsic` matrix [3, 3], and the `camera` pose [4, 4] in the TCP frame (x across,
    y closing, z approach), OpenGL convention.
    """

    depth: AnyFloatArray
    intrinsic: AnyFloatArray
    camera: FloatArray


def hand_camera_view(
    depth: AnyFloatArray, intrinsic: AnyFloatArray, camera: AnyFloatArray, tcp_pose: FloatArray
) -> HandCameraView:
    """Return a view from the world poses of camera [4, 4] and TCP [7]; the other arguments are those of the view."""
    rotation = rotation_matrix(tcp_pose[3:])
    local = np.array(camera, float)
    local[:3, :3], local[:3, 3] = rotation.T @ local[:3, :3], rotation.T @ (local[:3, 3] - tcp_pose[:3])
    return HandCameraView(depth, intrinsic, local)


def held_object_points(
    earlier_depth: AnyFloatArray,
    view: HandCameraView,
    opening: float,
) -> FloatArray:
    """Return the visible points [P, 3] of the held object, in the TCP frame, meters.

    Pixels whose depth stays the same while the arm moves belong to the fingers or to the held object.

    :param earlier_depth: [H, W], meters, from a pose of the hand some centimeters away
    :param opening: distance between the finger pads, meters
    """
    fixed = np.abs(earlier_depth - view.depth) < _MAX_DEPTH_CHANGE_M
    depth = np.where(fixed & (view.depth < _MAX_DEPTH_M), view.depth, 0.0)
    points, _ = unproject_depth(depth, view.intrinsic, view.camera)
    x, y = np.abs(points[:, 0]), np.abs(points[:, 1])
    inner = 0.5 * opening - _FINGER_MARGIN_M
    outer = inner + _FINGER_THICKNESS_M + 2 * _FINGER_MARGIN_M
    fingers = (x < FINGER_HALF_X_M + _FINGER_MARGIN_M) & (y > inner) & (y < outer)
    return np.asarray(points[~fingers])


def estimate_in_hand_rotation(
    observed_points: FloatArray,
    view: HandCameraView,
    points: FloatArray,
    center: FloatArray,
    down: FloatArray,
) -> FloatArray:
    """Return the rotation [3, 3] of the held object since the grasp, in the TCP frame.

    An object grasped off its center of mass pitches about the closing axis. One grasped at its rim also rolls. Both
    let its center sink. The rotation is found by grid search. Its cost is the distance of the observed points to the
    rotated cloud, plus the free-space violation, plus a gravity prior.

    :param observed_points: [P, 3], what `held_object_points` returns for the view
    :param points: [N, 3], the object before the grasp, in the TCP frame of the grasp
    :param center: [3], of the object, in that frame
    :param down: [3], the direction of gravity, in the current TCP frame
    :return: the identity for too few points, or an object held near its center; a pitch towards
        gravity where no rotation fits
    """
    if len(observed_points) < _MIN_POINTS:
        return np.eye(3)
    observed_sample, sample = _subsample(observed_points, _MAX_POINTS), _subsample(points, _MAX_POINTS)
    hanging = _angle_between(np.arctan2(center[0], center[2]), np.arctan2(down[0], down[2]))
    lever = float(np.hypot(center[0], center[2]))
    angles = [(pitch, roll) for pitch in _pitch_grid(hanging, lever) for roll in _roll_grid(center, down)]
    rotations = Rotation.from_euler("YX", angles).as_matrix()
    tree = cKDTree(points)
    limit = _MAX_RESIDUAL_M
    costs = []
    for (pitch, _), rotation in zip(angles, rotations, strict=True):
        distance, _ = tree.query(observed_sample @ rotation, distance_upper_bound=limit)
        violation = free_space_violation(sample @ rotation.T, view)
        misfit = np.minimum(distance, limit).mean() + np.minimum(violation, limit).mean()
        costs.append(misfit + lever * _GRAVITY_WEIGHT * abs(_angle_between(pitch, hanging)))
    if lever >= _MIN_LEVER_M and min(costs) > _MAX_FIT_COST_M:
        return np.asarray(Rotation.from_euler("Y", _FALLBACK_PITCH_FRACTION * hanging).as_matrix())
    return np.asarray(rotations[int(np.argmin(costs))])


def _pitch_grid(hanging: float, lever: float) -> FloatArray:
    """Return the pitches to try, radians: 0 to that at which the center hangs straight down, and beyond."""
    if lever < _MIN_LEVER_M:
        return np.zeros(1)
    min_pitch, max_pitch = sorted([hanging, 0.0])
    if abs(hanging) > 0.5 * np.pi:  # a center above the pads may fall to either side
        min_pitch = -abs(hanging)
        max_pitch = abs(hanging)
    return np.append(np.arange(min_pitch - _PITCH_OVERSHOOT, max_pitch + _PITCH_OVERSHOOT, _ANGLE_STEP), 0.0)


def _roll_grid(center: FloatArray, down: FloatArray) -> FloatArray:
    """Return the rolls to try, radians: from 0 to that at which the center hangs straight down."""
    if abs(center[1]) < _MIN_RIM_OFFSET_M:
        return np.zeros(1)
    hanging = _angle_between(np.arctan2(down[1], down[2]), np.arctan2(center[1], center[2]))
    return np.asarray(np.sign(hanging) * np.arange(0.0, min(abs(hanging), _MAX_ROLL) + 1e-9, _ANGLE_STEP))


def free_space_violation(points: FloatArray, view: HandCameraView) -> FloatArray:
    """Return how far [N] points [N, 3] of the TCP frame lie in front of the observed surface, meters.

    Such points lie in observed free space. 0 for points outside the image, behind the surface, or near it.
    """
    x, y, z = ((points - view.camera[:3, 3]) @ view.camera[:3, :3] * [1, -1, -1]).T
    in_front = z > _MIN_CAMERA_DISTANCE_M
    z = np.where(in_front, z, 1.0)
    u = np.floor(view.intrinsic[0, 0] * x / z + view.intrinsic[0, 2]).astype(int)
    v = np.floor(view.intrinsic[1, 1] * y / z + view.intrinsic[1, 2]).astype(int)
    height, width = view.depth.shape
    inside = in_front & (v >= 0) & (v < height) & (u >= 0) & (u < width)
    free = view.depth[np.where(inside, v, 0), np.where(inside, u, 0)] - z
    return np.where(inside & (free > _SURFACE_MARGIN_M), free, 0.0)


def _subsample(points: FloatArray, count: int) -> FloatArray:
    return np.asarray(points[np.linspace(0, len(points) - 1, min(len(points), count)).astype(int)])


def _angle_between(one: float, other: float) -> float:
    """Return the signed angle from one direction to another, in -pi..pi."""
    return float((other - one + np.pi) % (2 * np.pi) - np.pi)


def center_hypotheses(center: FloatArray, points: FloatArray, down: FloatArray) -> FloatArray:
    """Return hypotheses [G, 3] of the held object's center, the likeliest first, in the TCP frame.

    Hidden and heavy parts shift the center along the object. Held objects hang lower than estimated.

    :param center: [3], the estimate
    :param points: [N, 3], the object as it is held now
    :param down: [3], the direction of gravity
    """
    variances, axes = np.linalg.eigh(np.cov(points.T))
    along = axes[:, 2] if axes[:, 2] @ center > 0 else -axes[:, 2]
    sideways = np.cross(along, down)
    if np.linalg.norm(sideways) < _MIN_HORIZONTAL_SINE:
        sideways = np.cross(along, [0, 1, 0])
    step = np.clip(_STEP_FRACTION * np.sqrt(variances[2]), _MIN_STEP_M, _MAX_STEP_M)
    directions = np.stack([step * along, down, sideways / np.linalg.norm(sideways)])
    return np.asarray(center + np.array(CENTER_OFFSETS) @ directions)


def transport_pose(
    arm: PandaArm, angles: FloatArray, position: FloatArray, center: FloatArray, rotation: FloatArray
) -> FloatArray:
    """Return the TCP pose [7] at which the center of the held object is at a position of the world.

    The hand keeps its rotation if the arm reaches the pose with a bent elbow. Otherwise it yaws and leans, as little
    as possible. Where no rotation helps, the pose has the given one.

    :param angles: current joint angles [7], from which the arm goes to the pose
    :param position: [3], meters
    :param center: [3], of the held object, in the TCP frame
    :param rotation: [3, 3], of the hand at the grasp
    """
    away_from_base = position[:2] - arm.base[:2]
    lean_axis = np.array([away_from_base[1], -away_from_base[0], 0.0]) / max(
        float(np.linalg.norm(away_from_base)), 1e-9
    )
    poses: list[FloatArray] = []
    for yaw, lean in _ROTATIONS:
        rotation_change = Rotation.from_rotvec(lean * lean_axis) * Rotation.from_rotvec([0, 0, yaw])
        rotated = rotation_change.as_matrix() @ rotation
        poses.append(np.concatenate([position - rotated @ center, quaternion(rotated)]))
        solution = arm.inverse(poses[-1], angles)
        if solution is not None and is_elbow_bent(solution):
            return poses[-1]
    return poses[0]
