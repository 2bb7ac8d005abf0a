"""From a wanted pose of the TCP to an action of one of ManiSkill2's controllers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.gripper import AnyFloatArray, FloatArray, rotation_matrix
from pickclutter_lang.manipulation.kinematics import JOINTS, PandaArm

OPEN, CLOSED = 1.0, -1.0
_STEP_M = _STEP_RAD = 0.1
"""What 1.0 of an action means in `pd_ee_delta_pose` and `pd_joint_delta_pos`, metres or radians."""
_TURNING_SPEED = 0.5
"""By pose the hand is told to turn at least as fast, 1 rad/s: at the speed of carrying a turn takes most of the way."""

Controller = Callable[[PandaArm, AnyFloatArray, FloatArray, float, float], NDArray[np.float32]]
"""(arm, joint angles [9], TCP pose [7] to go to, gripper, speed as a share of the fastest) -> action."""


def ee_delta_pose_action(
    arm: PandaArm, qpos: AnyFloatArray, tcp_pose: FloatArray, gripper: float, speed: float
) -> NDArray[np.float32]:
    """Return an action [7] of `pd_ee_delta_pose`: the way to go in the TCP's own axes."""
    now = arm.forward(qpos[:JOINTS])
    own = rotation_matrix(now[3:])
    move = own.T @ (tcp_pose[:3] - now[:3]) / _STEP_M
    turn = Rotation.from_matrix(own.T @ rotation_matrix(tcp_pose[3:])).as_rotvec() / _STEP_RAD
    moved, turned = _limited(move, speed), _limited(turn, max(speed, _TURNING_SPEED))
    return np.concatenate([moved, turned, [gripper]]).astype(np.float32)


def joint_delta_action(
    arm: PandaArm, qpos: AnyFloatArray, tcp_pose: FloatArray, gripper: float, speed: float
) -> NDArray[np.float32]:
    """Return an action [8] of `pd_joint_delta_pos`; the arm stays where it is when the pose is out of reach."""
    wanted = arm.inverse(tcp_pose, qpos[:JOINTS])
    step = np.zeros(JOINTS) if wanted is None else (wanted - qpos[:JOINTS]) / _STEP_RAD
    return np.concatenate([step * min(1.0, speed / max(float(np.abs(step).max()), 1e-9)), [gripper]]).astype(np.float32)


def _limited(way: FloatArray, most: float) -> FloatArray:
    return way * min(1.0, most / max(float(np.linalg.norm(way)), 1e-9))


_SIZES = {"pd_ee_delta_pose": 6, "pd_joint_delta_pos": JOINTS}
CONTROLLERS: dict[str, Controller] = {
    "pd_ee_delta_pose": ee_delta_pose_action,
    "pd_joint_delta_pos": joint_delta_action,
}


def make_controller(control_mode: str) -> Controller:
    """Return the drive for a control mode.

    :raises InvalidArgumentError: for another control mode
    """
    if control_mode not in CONTROLLERS:
        raise InvalidArgumentError(f"expected a control_mode out of {', '.join(CONTROLLERS)}, but got {control_mode!r}")
    return CONTROLLERS[control_mode]


def hold_action(control_mode: str) -> NDArray[np.float32]:
    """Return an action of a control mode that moves nothing and keeps the gripper open."""
    return np.append(np.zeros(_SIZES[control_mode]), OPEN).astype(np.float32)
