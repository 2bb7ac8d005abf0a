"""Estimates how a held object has rotated in the gripper, from the hand camera.

Angles of the object in the TCP frame: pitch is about the closing axis (y), roll about the finger width (x).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from pickclutter_lang.manipulation.gripper import PANDA_GRIPPER, GripperGeometry, rotation_matrix
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray


@dataclass(frozen=True)
class InHandPoseConfig:
    """Configuration of the in-hand pose. The weights were chosen on recorded transports."""

    max_depth_change_m: float = 0.004
    """Pixels with a smaller change of depth, while the hand moved, belong to fingers or object."""
    max_depth_m: float = 0.3
    """Pixels farther from the hand camera are background."""
    min_points: int = 12
    """With fewer points of the object no rotation is estimated."""
    max_points: int = 400
    """Points that a fit uses; bounds the run time."""
    finger_thickness_m: float = 0.026
    """Thickness of a finger along the closing axis, behind its pad."""
    finger_margin_m: float = 0.003
    """Margin around the fingers, for the noise of depth."""
    angle_step_deg: float = 7.5
    """Step of the grid search over pitch and roll."""
    pitch_overshoot_deg: float = 12.0
    """Search range beyond the pitch at which the center hangs straight down."""
    max_roll_deg: float = 60.0
    """Search range of the roll."""
    min_lever_m: float = 0.015
    """With the center nearer to the closing axis no pitch is estimated: it would move by less than 2 cm."""
    min_rim_offset_m: float = 0.03
    """With the center farther along the closing axis the object is held at a rim, and may roll."""
    max_residual_m: float = 0.02
    """Residuals and free-space violations are clipped there, against outliers."""
    gravity_weight: float = 0.02
    """Cost of each radian from hanging straight down, times the lever."""
    max_fit_cost_m: float = 0.014
    """Larger costs count as no fit; most held objects fit at 2 to 11 mm."""
    fallback_pitch_fraction: float = 0.85
    """Share of the way to hanging straight down without a fit; palm and fingers may stop the object."""
    min_camera_distance_m: float = 0.01
    """Points nearer to the camera, or behind it, are not projected."""
    surface_margin_m: float = 0.012
    """Points less far in front of the observed surface belong to it and violate nothing."""


DEFAULT_IN_HAND_POSE_CONFIG = InHandPoseConfig()


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
    rotation, local = rotation_matrix(tcp_pose[3:]), np.array(camera, float)
    local[:3, :3], local[:3, 3] = rotation.T @ local[:3, :3], rotation.T @ (local[:3, 3] - tcp_pose[:3])
    return HandCameraView(depth, intrinsic, local)


def held_object_points(
    earlier_depth: AnyFloatArray,
    view: HandCameraView,
    opening: float,
    config: InHandPoseConfig = DEFAULT_IN_HAND_POSE_CONFIG,
    gripper: GripperGeometry = PANDA_GRIPPER,
) -> FloatArray:
    """Return the visible points [P, 3] of the held object, in the TCP frame, meters.

    Pixels whose depth stays the same while the arm moves belong to the fingers or to the held object.

    :param earlier_depth: [H, W], meters, from a pose of the hand some centimeters away
    :param opening: distance between the finger pads, meters
    """
    fixed = np.abs(earlier_depth - view.depth) < config.max_depth_change_m
    depth = np.where(fixed & (view.depth < config.max_depth_m), view.depth, 0.0)
    points, _ = unproject_depth(depth, view.intrinsic, view.camera)
    x, y = np.abs(points[:, 0]), np.abs(points[:, 1])
    inner = 0.5 * opening - config.finger_margin_m
    outer = inner + config.finger_thickness_m + 2 * config.finger_margin_m
    fingers = (x < gripper.finger_half_x_m + config.finger_margin_m) & (y > inner) & (y < outer)
    return np.asarray(points[~fingers])


def estimate_in_hand_rotation(
    observed_points: FloatArray,
    view: HandCameraView,
    points: FloatArray,
    center: FloatArray,
    down: FloatArray,
    config: InHandPoseConfig = DEFAULT_IN_HAND_POSE_CONFIG,
) -> FloatArray:
    """Return the rotation [3, 3] of the held object since the grasp, in the TCP frame.

    An object grasped off its center of mass pitches about the closing axis. One grasped at its rim also rolls. Both
    let its center sink. The rotation is found by grid search. Its cost is the distance of the observed points to the
    rotated cloud, plus the free-space violation, plus a gravity prior.

    :param observed_points: [P, 3], what `held_object_points` returns for the view
    :param points: [N, 3], the object before the grasp, in the TCP frame of the grasp
    :param center: [3], of the object, in that frame
    :param down: [3], the direction of gravity, in the current TCP frame
    :return: the identity for fewer than `min_points` points, or an object held near its center; a pitch towards
        gravity where no rotation fits
    """
    if len(observed_points) < config.min_points:
        return np.eye(3)
    observed_sample, sample = _subsample(observed_points, config.max_points), _subsample(points, config.max_points)
    hanging = _angle_between(np.arctan2(center[0], center[2]), np.arctan2(down[0], down[2]))
    lever = float(np.hypot(center[0], center[2]))
    rotations = [
        (pitch, roll) for pitch in _pitch_grid(hanging, lever, config) for roll in _roll_grid(center, down, config)
    ]
    tree, limit, costs = cKDTree(points), config.max_residual_m, []
    for pitch, roll in rotations:
        rotation = about_closing_axis(pitch) @ _about_finger_width(roll)
        distance, _ = tree.query(observed_sample @ rotation, distance_upper_bound=limit)
        violation = free_space_violation(sample @ rotation.T, view, config)
        misfit = np.minimum(distance, limit).mean() + np.minimum(violation, limit).mean()
        costs.append(misfit + lever * config.gravity_weight * abs(_angle_between(pitch, hanging)))
    pitch, roll = rotations[int(np.argmin(costs))]
    if lever >= config.min_lever_m and min(costs) > config.max_fit_cost_m:
        pitch, roll = config.fallback_pitch_fraction * hanging, 0.0
    return about_closing_axis(pitch) @ _about_finger_width(roll)


def _pitch_grid(hanging: float, lever: float, config: InHandPoseConfig) -> FloatArray:
    """Return the pitches to try, radians: 0 to that at which the center hangs straight down, and beyond."""
    if lever < config.min_lever_m:
        return np.zeros(1)
    min_pitch, max_pitch = sorted([hanging, 0.0])
    if abs(hanging) > 0.5 * np.pi:  # a center above the pads may fall to either side
        min_pitch, max_pitch = -abs(hanging), abs(hanging)
    step, beyond = np.deg2rad([config.angle_step_deg, config.pitch_overshoot_deg])
    return np.append(np.arange(min_pitch - beyond, max_pitch + beyond, step), 0.0)


def _roll_grid(center: FloatArray, down: FloatArray, config: InHandPoseConfig) -> FloatArray:
    """Return the rolls to try, radians: from 0 to that at which the center hangs straight down."""
    if abs(center[1]) < config.min_rim_offset_m:
        return np.zeros(1)
    hanging = _angle_between(np.arctan2(down[1], down[2]), np.arctan2(center[1], center[2]))
    step, max_roll = np.deg2rad([config.angle_step_deg, config.max_roll_deg])
    return np.asarray(np.sign(hanging) * np.arange(0.0, min(abs(hanging), max_roll) + 1e-9, step))


def free_space_violation(
    points: FloatArray, view: HandCameraView, config: InHandPoseConfig = DEFAULT_IN_HAND_POSE_CONFIG
) -> FloatArray:
    """Return how far [N] points [N, 3] of the TCP frame lie in front of the observed surface, meters.

    Such points lie in observed free space. 0 for points outside the image, behind the surface, or nearer than
    `surface_margin_m` to it.
    """
    x, y, z = ((points - view.camera[:3, 3]) @ view.camera[:3, :3] * [1, -1, -1]).T
    in_front = z > config.min_camera_distance_m
    z = np.where(in_front, z, 1.0)
    u = np.floor(view.intrinsic[0, 0] * x / z + view.intrinsic[0, 2]).astype(int)
    v = np.floor(view.intrinsic[1, 1] * y / z + view.intrinsic[1, 2]).astype(int)
    height, width = view.depth.shape
    inside = in_front & (v >= 0) & (v < height) & (u >= 0) & (u < width)
    free = view.depth[np.where(inside, v, 0), np.where(inside, u, 0)] - z
    return np.where(inside & (free > config.surface_margin_m), free, 0.0)


def _subsample(points: FloatArray, count: int) -> FloatArray:
    return np.asarray(points[np.linspace(0, len(points) - 1, min(len(points), count)).astype(int)])


def _angle_between(one: float, other: float) -> float:
    """Return the signed angle from one direction to another, in -pi..pi."""
    return float((other - one + np.pi) % (2 * np.pi) - np.pi)


def _about_finger_width(angle: float) -> FloatArray:
    """Return the rotation [3, 3] about the finger width (x) by an angle, radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def about_closing_axis(angle: float) -> FloatArray:
    """Return the rotation [3, 3] about the closing axis (y) by an angle, radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
