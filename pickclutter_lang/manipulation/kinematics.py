"""Forward and inverse kinematics of the Franka Emika Panda in NumPy, without a simulator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from pickclutter_lang.manipulation.gripper import quaternion, rotation_matrix
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

JOINTS = 7
# Craig's convention, from Franka's data sheet: a and d in meters, alpha in radians, a row for each joint.
_DH = np.array(
    [
        [0, 0.333, 0],
        [0, 0, -np.pi / 2],
        [0, 0.316, np.pi / 2],
        [0.0825, 0, np.pi / 2],
        [-0.0825, 0.384, -np.pi / 2],
        [0, 0, np.pi / 2],
        [0.088, 0, np.pi / 2],
    ]
)
_TOOL_M = 0.107 + 0.1034  # along the last joint's axis: to the flange, and on to the TCP
_TOOL_YAW_RAD = -np.pi / 4
_ELBOW = 3
JOINT_LIMITS = np.array(
    [
        [-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973],
        [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973],
    ]
)
"""Lowest and highest angle of each joint, [2, 7], radians, from Franka's data sheet."""


@dataclass(frozen=True)
class KinematicsConfig:
    """Configuration of the inverse kinematics by damped least squares."""

    max_iterations: int = 60
    """Steps before a pose counts as out of reach."""
    damping: float = 0.02
    """Damping of the pseudo-inverse near singular postures."""
    max_step_rad: float = 0.3
    """Maximum angle that a joint turns in one step; the linearization holds no farther."""
    position_tolerance_m: float = 5e-4
    """Position error of a solution."""
    rotation_tolerance_rad: float = 5e-3
    """Rotation error of a solution."""
    max_elbow_rad: float = -1.0
    """Elbow angle up to which the arm counts as bent; 0 is straight, and `pd_ee_delta_pose` stalls at -0.7."""


DEFAULT_KINEMATICS_CONFIG = KinematicsConfig()


class PandaArm:
    """Forward and inverse kinematics of a Panda with its base at a pose (x y z qw qx qy qz) of the world."""

    def __init__(self, base_pose: AnyFloatArray, config: KinematicsConfig = DEFAULT_KINEMATICS_CONFIG) -> None:
        self.config = config
        self._base = _matrix(np.asarray(base_pose, float))
        self.base = self._base[:3, 3]
        """Position of the base, [3], meters."""

    def forward(self, angles: AnyFloatArray) -> FloatArray:
        """Return the TCP pose [7] in the world for joint angles [7], radians."""
        frame = self.frames(np.asarray(angles, float))[-1]
        return np.concatenate([frame[:3, 3], quaternion(frame[:3, :3])])

    def inverse(self, tcp_pose: FloatArray, start: AnyFloatArray) -> FloatArray | None:
        """Return joint angles [7] that bring the TCP to a pose [7] of the world, or None if it is out of reach.

        Damped least squares from `start` [7]; angles stay within the joint limits.
        """
        angles = np.clip(np.asarray(start, float)[:JOINTS], JOINT_LIMITS[0], JOINT_LIMITS[1])
        rotation, config = rotation_matrix(tcp_pose[3:]), self.config
        for _ in range(config.max_iterations):
            frames = self.frames(angles)
            error = _pose_error(frames[-1], tcp_pose[:3], rotation)
            position_reached = np.linalg.norm(error[:3]) < config.position_tolerance_m
            if position_reached and np.linalg.norm(error[3:]) < config.rotation_tolerance_rad:
                return angles
            jacobian = _jacobian(frames)
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + config.damping**2 * np.eye(6), error)
            step *= min(1.0, config.max_step_rad / max(float(np.abs(step).max()), 1e-9))
            angles = np.clip(angles + step, JOINT_LIMITS[0], JOINT_LIMITS[1])
        return None

    def frames(self, angles: FloatArray) -> FloatArray:
        """Return the frames [8, 4, 4] of the joints and of the TCP in the world."""
        frame, frames = self._base, []
        for (a, d, alpha), angle in zip(_DH, angles, strict=True):
            ca, sa, ct, st = np.cos(alpha), np.sin(alpha), np.cos(angle), np.sin(angle)
            step = [[ct, -st, 0, a], [st * ca, ct * ca, -sa, -d * sa], [st * sa, ct * sa, ca, d * ca], [0, 0, 0, 1]]
            frame = frame @ np.array(step)
            frames.append(frame)
        ct, st = np.cos(_TOOL_YAW_RAD), np.sin(_TOOL_YAW_RAD)
        frames.append(frame @ np.array([[ct, -st, 0, 0], [st, ct, 0, 0], [0, 0, 1, _TOOL_M], [0, 0, 0, 1]]))
        return np.stack(frames)


def is_elbow_bent(angles: FloatArray, config: KinematicsConfig = DEFAULT_KINEMATICS_CONFIG) -> bool:
    """Return whether the elbow of joint angles [7] is bent enough to move in any direction.

    Small motions of an outstretched arm have no solution, so a Cartesian controller stalls.
    """
    return bool(angles[_ELBOW] < config.max_elbow_rad)


def pose_distance(one: FloatArray, other: FloatArray) -> tuple[float, float]:
    """Return the distance between two poses [7]: meters, and radians in 0..pi."""
    cosine = abs(float(np.dot(one[3:], other[3:]))) / float(np.linalg.norm(one[3:]) * np.linalg.norm(other[3:]))
    return float(np.linalg.norm(one[:3] - other[:3])), float(2 * np.arccos(min(1.0, cosine)))


def _pose_error(frame: FloatArray, position: FloatArray, rotation: FloatArray) -> FloatArray:
    """Return the error [6] of a frame [4, 4]: meters, and a rotation vector, both in world axes."""
    rotation_vector = Rotation.from_matrix(rotation @ frame[:3, :3].T).as_rotvec()
    return np.concatenate([position - frame[:3, 3], rotation_vector])


def _jacobian(frames: FloatArray) -> FloatArray:
    """Return the Jacobian [6, 7] of the TCP in world axes."""
    axes, origins = frames[:-1, :3, 2], frames[:-1, :3, 3]
    return np.concatenate([np.cross(axes, frames[-1, :3, 3] - origins).T, axes.T])


def _matrix(pose: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation_matrix(pose[3:]), pose[:3]
    return matrix
