"""Actions for ManiSkill2's delta controllers that move the TCP towards a pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.gripper import rotation_matrix
from pickclutter_lang.manipulation.kinematics import JOINTS, PandaArm
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

OPEN, CLOSED = 1.0, -1.0


@dataclass(frozen=True)
class ControllerConfig:
    """Scales of ManiSkill2's delta controllers. The first three must be those of the environment's controllers."""

    position_scale_m: float = 0.1
    """Translation of the TCP for an action of 1.0 in `pd_ee_delta_pose`."""
    rotation_scale_rad: float = 0.1
    """Rotation of the TCP for an action of 1.0 in `pd_ee_delta_pose`."""
    joint_scale_rad: float = 0.1
    """Rotation of a joint for an action of 1.0 in `pd_joint_delta_pos`."""
    min_rotation_speed: float = 0.5
    """Minimum speed limit of rotations in `pd_ee_delta_pose`; at transport speed they would dominate the duration."""


DEFAULT_CONTROLLER_CONFIG = ControllerConfig()

Controller = Callable[[PandaArm, AnyFloatArray, FloatArray, float, float], NDArray[np.float32]]
"""(arm, joint angles [9], TCP pose [7] to reach, gripper, speed as a fraction of the fastest) -> action."""


def ee_delta_pose_action(
    arm: PandaArm,
    qpos: AnyFloatArray,
    tcp_pose: FloatArray,
    gripper: float,
    speed: float,
    config: ControllerConfig = DEFAULT_CONTROLLER_CONFIG,
) -> NDArray[np.float32]:
    """Return an action [7] of `pd_ee_delta_pose`: the pose error in TCP axes, limited to the speed."""
    current = arm.forward(qpos[:JOINTS])
    rotation = rotation_matrix(current[3:])
    translation = rotation.T @ (tcp_pose[:3] - current[:3]) / config.position_scale_m
    relative = Rotation.from_matrix(rotation.T @ rotation_matrix(tcp_pose[3:]))
    rotation_action = _limited(relative.as_rotvec() / config.rotation_scale_rad, max(speed, config.min_rotation_speed))
    return np.concatenate([_limited(translation, speed), rotation_action, [gripper]]).astype(np.float32)


def joint_delta_action(
    arm: PandaArm,
    qpos: AnyFloatArray,
    tcp_pose: FloatArray,
    gripper: float,
    speed: float,
    config: ControllerConfig = DEFAULT_CONTROLLER_CONFIG,
) -> NDArray[np.float32]:
    """Return an action [8] of `pd_joint_delta_pos`; the arm holds still when the pose is out of reach."""
    solution = arm.inverse(tcp_pose, qpos[:JOINTS])
    step = np.zeros(JOINTS) if solution is None else (solution - qpos[:JOINTS]) / config.joint_scale_rad
    return np.concatenate([step * min(1.0, speed / max(float(np.abs(step).max()), 1e-9)), [gripper]]).astype(np.float32)


def _limited(vector: FloatArray, max_norm: float) -> FloatArray:
    return vector * min(1.0, max_norm / max(float(np.linalg.norm(vector)), 1e-9))


_ARM_ACTION_SIZES = {"pd_ee_delta_pose": 6, "pd_joint_delta_pos": JOINTS}
CONTROLLERS: dict[str, Callable[..., NDArray[np.float32]]] = {
    "pd_ee_delta_pose": ee_delta_pose_action,
    "pd_joint_delta_pos": joint_delta_action,
}
"""The controller of each supported control mode."""


def make_controller(control_mode: str, config: ControllerConfig = DEFAULT_CONTROLLER_CONFIG) -> Controller:
    """Return the controller for a control mode.

    :raises InvalidArgumentError: for an unsupported control mode
    """
    if control_mode not in CONTROLLERS:
        raise InvalidArgumentError(f"expected a control_mode out of {', '.join(CONTROLLERS)}, but got {control_mode!r}")
    return partial(CONTROLLERS[control_mode], config=config)


def hold_action(control_mode: str) -> NDArray[np.float32]:
    """Return an action of a control mode that moves nothing and keeps the gripper open."""
    return np.append(np.zeros(_ARM_ACTION_SIZES[control_mode]), OPEN).astype(np.float32)
