"""The kinematics of the Franka Emika Panda, in NumPy: a policy has joint angles and no simulator to ask."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from pickclutter_lang.manipulation.gripper import AnyFloatArray, FloatArray, quaternion, rotation_matrix

JOINTS = 7
# Franka's data sheet, in Craig's convention: a, d in metres, alpha in radians of each joint; then flange and hand.
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
_TOOL_M = 0.107 + 0.1034  # from the last joint along its axis to the flange, and on to the TCP
_TOOL_TURN = -np.pi / 4
JOINT_LIMITS = np.array(
    [
        [-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973],
        [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973],
    ]
)
"""Lowest and highest angle of each joint, [2, 7], radians, from Franka's data sheet."""

_STEPS, _DAMPING, _LARGEST_STEP = 60, 0.02, 0.3
_CLOSE_M, _CLOSE_RAD = 5e-4, 5e-3
_ELBOW, _STRAIGHT = 3, -1.0  # 0 would be straight; at -0.7 pd_ee_delta_pose was seen to stop short of a pose


class PandaArm:
    """Forward and inverse kinematics of a Panda whose base stands at a pose (x y z qw qx qy qz) of the world."""

    def __init__(self, base_pose: AnyFloatArray) -> None:
        self._base = _matrix(np.asarray(base_pose, float))
        self.base = self._base[:3, 3]
        """Where it stands, [3], metres."""

    def forward(self, angles: AnyFloatArray) -> FloatArray:
        """Return the TCP pose [7] in the world for joint angles [7], radians."""
        frame = self._frames(np.asarray(angles, float))[-1]
        return np.concatenate([frame[:3, 3], quaternion(frame[:3, :3])])

    def inverse(self, tcp_pose: FloatArray, start: AnyFloatArray) -> FloatArray | None:
        """Return joint angles [7] that bring the TCP to a pose of the world, or None if it is out of reach.

        Damped least squares from `start` [7]; angles stay within the joints' limits.
        """
        angles = np.clip(np.asarray(start, float)[:JOINTS], JOINT_LIMITS[0], JOINT_LIMITS[1])
        rotation = rotation_matrix(tcp_pose[3:])
        for _ in range(_STEPS):
            frames = self._frames(angles)
            error = _error(frames[-1], tcp_pose[:3], rotation)
            if np.linalg.norm(error[:3]) < _CLOSE_M and np.linalg.norm(error[3:]) < _CLOSE_RAD:
                return angles
            jacobian = _jacobian(frames)
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + _DAMPING**2 * np.eye(6), error)
            step *= min(1.0, _LARGEST_STEP / max(float(np.abs(step).max()), 1e-9))
            angles = np.clip(angles + step, JOINT_LIMITS[0], JOINT_LIMITS[1])
        return None

    def _frames(self, angles: FloatArray) -> FloatArray:
        """Return the frames [8, 4, 4] of the joints and of the TCP in the world."""
        frame, frames = self._base, []
        for (a, d, alpha), angle in zip(_DH, angles, strict=True):
            ca, sa, ct, st = np.cos(alpha), np.sin(alpha), np.cos(angle), np.sin(angle)
            step = [[ct, -st, 0, a], [st * ca, ct * ca, -sa, -d * sa], [st * sa, ct * sa, ca, d * ca], [0, 0, 0, 1]]
            frame = frame @ np.array(step)
            frames.append(frame)
        ct, st = np.cos(_TOOL_TURN), np.sin(_TOOL_TURN)
        frames.append(frame @ np.array([[ct, -st, 0, 0], [st, ct, 0, 0], [0, 0, 1, _TOOL_M], [0, 0, 0, 1]]))
        return np.stack(frames)


def is_elbow_bent(angles: FloatArray) -> bool:
    """Tell whether the elbow of an arm with these joint angles [7] is bent enough to move on in any direction.

    Outstretched, small steps of the hand have no solution, and a controller that goes by them stops.
    """
    return bool(angles[_ELBOW] < _STRAIGHT)


def pose_distance(one: FloatArray, other: FloatArray) -> tuple[float, float]:
    """Return how far two poses [7] are apart: metres, and radians in 0..pi."""
    turn = abs(float(np.dot(one[3:], other[3:]))) / float(np.linalg.norm(one[3:]) * np.linalg.norm(other[3:]))
    return float(np.linalg.norm(one[:3] - other[:3])), float(2 * np.arccos(min(1.0, turn)))


def _error(frame: FloatArray, position: FloatArray, rotation: FloatArray) -> FloatArray:
    """Return the way [6] from a frame [4, 4] to a pose: metres, and a rotation vector, both in the world's axes."""
    turn = Rotation.from_matrix(rotation @ frame[:3, :3].T).as_rotvec()
    return np.concatenate([position - frame[:3, 3], turn])


def _jacobian(frames: FloatArray) -> FloatArray:
    """Return the Jacobian [6, 7] of the TCP, in the world's axes."""
    axes, origins = frames[:-1, :3, 2], frames[:-1, :3, 3]
    return np.concatenate([np.cross(axes, frames[-1, :3, 3] - origins).T, axes.T])


def _matrix(pose: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation_matrix(pose[3:]), pose[:3]
    return matrix
