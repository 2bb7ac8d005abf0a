"""Inverse kinematics of the Panda for poses of its tool center point (TCP), by SAPIEN's pinocchio model."""

from __future__ import annotations

from typing import Any

import numpy as np

from pickclutter_lang.utils.typing import FloatArray

TCP_LINK = "panda_hand_tcp"


class PandaKinematics:
    """Inverse kinematics of a Panda in a scene; the robot itself is not moved."""

    def __init__(self, robot: Any) -> None:
        self._model = robot.create_pinocchio_model()
        self._base = robot.get_root_pose()
        self._tcp = next(n for n, link in enumerate(robot.get_links()) if link.name == TCP_LINK)
        self._limits = np.asarray(robot.get_qlimits(), float)
        self._arm = np.array([1] * 7 + [0] * (len(self._limits) - 7))

    def solve(self, tcp_pose: FloatArray, start: FloatArray) -> FloatArray | None:
        """Return joint angles [9] that bring the TCP to a pose (x y z qw qx qy qz, world), or None if out of reach.

        :param start: joint angles [9] from which the search starts; the solution stays near them where it can
        """
        import sapien.core as sapien

        target = self._base.inv() * sapien.Pose(tcp_pose[:3], tcp_pose[3:])
        qpos, success, _ = self._model.compute_inverse_kinematics(
            self._tcp, target, initial_qpos=start, active_qmask=self._arm, max_iterations=100
        )
        qpos = np.asarray(qpos, float)
        qpos[:7] = (qpos[:7] + np.pi) % (2 * np.pi) - np.pi
        qpos[7:] = start[7:]
        inside = (qpos >= self._limits[:, 0]) & (qpos <= self._limits[:, 1])
        return qpos if success and bool(inside[:7].all()) else None
