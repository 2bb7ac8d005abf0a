"""Kinematics of the Franka Emika Panda in NumPy, and actions for ManiSkill2's delta controllers that move its TCP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Real

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pickclutter_lang.errors import InvalidArgumentError
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
# Inverse kinematics by damped least squares; the linearization holds no farther than `_MAX_STEP_RAD`.
_MAX_ITERATIONS = 60
_DAMPING = 0.02
_MAX_STEP_RAD = 0.3
_POSITION_TOLERANCE_M, _ROTATION_TOLERANCE_RAD = 5e-4, 5e-3
_MAX_ELBOW_RAD = -1.0  # up to which the arm counts as bent; 0 is straight, and `pd_ee_delta_pose` stalls at -0.7
OPEN = 1.0
CLOSED = -1.0
"""The action of the gripper."""
# Motion for an action of 1.0 by ManiSkill2's controllers: of the TCP in `pd_ee_delta_pose`, of a joint in
# `pd_joint_delta_pos`.
_POSITION_SCALE_M, _ROTATION_SCALE_RAD, _JOINT_SCALE_RAD = 0.1, 0.1, 0.1
_MIN_ROTATION_SPEED = 0.5  # of `pd_ee_delta_pose`; at transport speed rotations would dominate the duration


class PandaArm:
    """Forward and inverse kinematics of a Panda with its base at a pose (x y z qw qx qy qz) of the world."""

    def __init__(self, base_pose: AnyFloatArray) -> None:
        pose = np.asarray(base_pose, float)
        self._base = np.block([[rotation_matrix(pose[3:]), pose[:3, None]], [np.eye(4)[3:]]])
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
        rotation = rotation_matrix(tcp_pose[3:])
        for _ in range(_MAX_ITERATIONS):
            frames = self.frames(angles)
            turn = Rotation.from_matrix(rotation @ frames[-1, :3, :3].T).as_rotvec()
            error = np.concatenate([tcp_pose[:3] - frames[-1, :3, 3], turn])  # in world axes
            position_reached = np.linalg.norm(error[:3]) < _POSITION_TOLERANCE_M
            if position_reached and np.linalg.norm(error[3:]) < _ROTATION_TOLERANCE_RAD:
                return angles
            jacobian = _jacobian(frames)
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + _DAMPING**2 * np.eye(6), error)
            step *= min(1.0, _MAX_STEP_RAD / max(float(np.abs(step).max()), 1e-9))
            angles = np.clip(angles + step, JOINT_LIMITS[0], JOINT_LIMITS[1])
        return None

    def frames(self, angles: FloatArray) -> FloatArray:
        """Return the frames [8, 4, 4] of the joints and of the TCP in the world."""
        frame = self._base
        frames = []
        for (a, d, alpha), angle in zip(_DH, angles, strict=True):
            ca, sa, ct, st = np.cos(alpha), np.sin(alpha), np.cos(angle), np.sin(angle)
            step = [[ct, -st, 0, a], [st * ca, ct * ca, -sa, -d * sa], [st * sa, ct * sa, ca, d * ca], [0, 0, 0, 1]]
            frame = frame @ np.array(step)
            frames.append(frame)
        ct, st = np.cos(_TOOL_YAW_RAD), np.sin(_TOOL_YAW_RAD)
        frames.append(frame @ np.array([[ct, -st, 0, 0], [st, ct, 0, 0], [0, 0, 1, _TOOL_M], [0, 0, 0, 1]]))
        return np.stack(frames)


def is_elbow_bent(angles: FloatArray) -> bool:
    """Return whether the elbow of joint angles [7] is bent enough to move in any direction.

    Small motions of an outstretched arm have no solution, so a Cartesian controller stalls.
    """
    return bool(angles[_ELBOW] < _MAX_ELBOW_RAD)


def pose_distance(one: FloatArray, other: FloatArray) -> tuple[float, float]:
    """Return the distance between two poses [7]: meters, and radians in 0..pi."""
    cosine = abs(float(np.dot(one[3:], other[3:]))) / float(np.linalg.norm(one[3:]) * np.linalg.norm(other[3:]))
    return float(np.linalg.norm(one[:3] - other[:3])), float(2 * np.arccos(min(1.0, cosine)))


def _jacobian(frames: FloatArray) -> FloatArray:
    """Return the Jacobian [6, 7] of the TCP in world axes."""
    axes, origins = frames[:-1, :3, 2], frames[:-1, :3, 3]
    return np.concatenate([np.cross(axes, frames[-1, :3, 3] - origins).T, axes.T])


Controller = Callable[[PandaArm, AnyFloatArray, FloatArray, float, float], NDArray[np.float32]]
"""(arm, joint angles [9], TCP pose [7] to reach, gripper, speed as a fraction of the fastest) -> action."""


def ee_delta_pose_action(
    scale: float, arm: PandaArm, qpos: AnyFloatArray, tcp_pose: FloatArray, gripper: float, speed: float
) -> NDArray[np.float32]:
    """Return an action [7] of `pd_ee_delta_pose`: the pose error in TCP axes, limited to `scale` times the speed."""
    current = arm.forward(qpos[:JOINTS])
    rotation = rotation_matrix(current[3:])
    translation = rotation.T @ (tcp_pose[:3] - current[:3]) / _POSITION_SCALE_M
    relative = Rotation.from_matrix(rotation.T @ rotation_matrix(tcp_pose[3:]))
    turn = _limited(relative.as_rotvec() / _ROTATION_SCALE_RAD, scale * max(speed, _MIN_ROTATION_SPEED))
    return np.concatenate([_limited(translation, scale * speed), turn, [gripper]]).astype(np.float32)


def joint_delta_action(
    scale: float, arm: PandaArm, qpos: AnyFloatArray, tcp_pose: FloatArray, gripper: float, speed: float
) -> NDArray[np.float32]:
    """Return an action [8] of `pd_joint_delta_pos`; the arm holds still when the pose is out of reach."""
    solution = arm.inverse(tcp_pose, qpos[:JOINTS])
    step = np.zeros(JOINTS) if solution is None else (solution - qpos[:JOINTS]) / _JOINT_SCALE_RAD
    step = step * min(1.0, scale * speed / max(float(np.abs(step).max()), 1e-9))
    return np.append(step, gripper).astype(np.float32)


def _limited(vector: FloatArray, max_norm: float) -> FloatArray:
    return vector * min(1.0, max_norm / max(float(np.linalg.norm(vector)), 1e-9))


CONTROLLERS = {
    "pd_ee_delta_pose": ee_delta_pose_action,
    "pd_joint_delta_pos": joint_delta_action,
}
"""The controller of each supported control mode."""
_ARM_ACTION_SIZES = {"pd_ee_delta_pose": 6, "pd_joint_delta_pos": JOINTS}


def make_controller(control_mode: str, scale: float = 1.0) -> Controller:
    """Return the controller for a control mode.

    :param scale: in (0, 1], of the largest motion of each action
    :raises InvalidArgumentError: for an unsupported control mode, or another scale
    """
    if control_mode not in CONTROLLERS:
        raise InvalidArgumentError(f"expected a control_mode out of {', '.join(CONTROLLERS)}, but got {control_mode!r}")
    if not isinstance(scale, Real) or not 0 < scale <= 1:
        raise InvalidArgumentError(f"expected speed to be above 0 and at most 1, but got {scale!r}")
    return partial(CONTROLLERS[control_mode], float(scale))


def hold_action(control_mode: str) -> NDArray[np.float32]:
    """Return an action of a control mode that moves nothing and keeps the gripper open."""
    return np.append(np.zeros(_ARM_ACTION_SIZES[control_mode]), OPEN).astype(np.float32)
