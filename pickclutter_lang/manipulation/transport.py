"""Poses of the hand that bring the center of the held object to a position."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from pickclutter_lang.manipulation.gripper import quaternion
from pickclutter_lang.manipulation.kinematics import PandaArm, is_elbow_bent
from pickclutter_lang.utils.typing import FloatArray

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
"""Offsets of the true center from the estimated one: along the object (in steps), down, and sideways (metres).

A greedy search plan: each offset adds the most probability per step of the arm. An offset covers errors within 21 mm;
the goal's tolerance is 25 mm. Errors are modeled as an equal mixture of two normals, with standard deviations of (14,
12, 9) mm, those of the good estimates in 36 transports, and of (34, 30, 24) mm.
"""


@dataclass(frozen=True)
class TransportConfig:
    """Settings of the transport."""

    yaws_deg: tuple[float, ...] = tuple(range(-90, 91, 15))
    """Rotations of the hand about the vertical that are tried, the smallest first."""
    leans_deg: tuple[float, ...] = (0, 20, 40)
    """Tilts of the fingers away from the base that are tried; they bring the wrist nearer to it."""
    center_offsets: tuple[tuple[float, float, float], ...] = CENTER_OFFSETS
    """Search plan at the goal."""
    step_share: float = 0.5
    """Step along the object as a share of the standard deviation of its points along that axis."""
    min_step_m: float = 0.018
    """Shortest step along the object."""
    max_step_m: float = 0.048
    """Longest step along the object."""
    min_horizontal_sine: float = 0.2
    """Sine of the angle to the vertical below which the object counts as upright."""


DEFAULT_TRANSPORT_CONFIG = TransportConfig()


def center_hypotheses(
    center: FloatArray, points: FloatArray, down: FloatArray, config: TransportConfig = DEFAULT_TRANSPORT_CONFIG
) -> FloatArray:
    """Return hypotheses [G, 3] of the held object's center, the likeliest first, in the TCP frame.

    Hidden and heavy parts shift the center along the object. Held objects hang lower than estimated.

    :param center: [3], the estimate
    :param points: [N, 3], the object as it is held now
    :param down: [3], the direction of gravity
    """
    variances, axes = np.linalg.eigh(np.cov(points.T))
    along = axes[:, 2] if axes[:, 2] @ center > 0 else -axes[:, 2]
    sideways = np.cross(along, down)
    if np.linalg.norm(sideways) < config.min_horizontal_sine:
        sideways = np.cross(along, [0, 1, 0])
    step = np.clip(config.step_share * np.sqrt(variances[2]), config.min_step_m, config.max_step_m)
    directions = np.stack([step * along, down, sideways / np.linalg.norm(sideways)])
    return np.asarray(center + np.array(config.center_offsets) @ directions)


def transport_pose(
    arm: PandaArm,
    angles: FloatArray,
    position: FloatArray,
    center: FloatArray,
    rotation: FloatArray,
    config: TransportConfig = DEFAULT_TRANSPORT_CONFIG,
) -> FloatArray:
    """Return the TCP pose [7] at which the center of the held object is at a position of the world.

    The hand keeps its rotation if the arm reaches the pose with a bent elbow. Otherwise it yaws and leans, as little
    as possible. Where no rotation helps, the pose has the given one.

    :param angles: current joint angles [7], from which the arm goes to the pose
    :param position: [3], metres
    :param center: [3], of the held object, in the TCP frame
    :param rotation: [3, 3], of the hand at the grasp
    """
    away = position[:2] - arm.base[:2]
    lean_axis = np.array([away[1], -away[0], 0.0]) / max(float(np.linalg.norm(away)), 1e-9)
    poses: list[FloatArray] = []
    for yaw, lean in _turns(config):
        turn = Rotation.from_rotvec(lean * lean_axis) * Rotation.from_rotvec([0, 0, yaw])
        turned = turn.as_matrix() @ rotation
        poses.append(np.concatenate([position - turned @ center, quaternion(turned)]))
        solution = arm.inverse(poses[-1], angles)
        if solution is not None and is_elbow_bent(solution, arm.config):
            return poses[-1]
    return poses[0]


def _turns(config: TransportConfig) -> FloatArray:
    """Return yaws and leans [T, 2], radians, the smallest sum first."""
    pairs = itertools.product(config.yaws_deg, config.leans_deg)
    return np.asarray(np.deg2rad(sorted(pairs, key=lambda pair: abs(pair[0]) + pair[1])))
