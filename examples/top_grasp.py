"""A picker of one's own: one grasp from above at the middle of the target, then straight to the goal.

PYTHONPATH=examples pickclutter evaluate-policy policy=open objects=kinds variants=oracle,zero_shot \
    picker=top_grasp:TopGrasp episodes=20 out=runs/top_grasp
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.manipulation.gripper import GraspCandidates, rotation_matrix
from pickclutter_lang.manipulation.kinematics import CLOSED, OPEN, PandaArm, make_controller, pose_distance
from pickclutter_lang.manipulation.picker import Observation, TargetMaskFn
from pickclutter_lang.manipulation.point_cloud import points_of_object

Array = NDArray[Any]
DEPTH = 0.025  # of the grasp below the top of the object, meters
LOWEST = 0.012  # height of the grasp above the table, meters


class TopGrasp:
    """Closes the fingers across the narrow side of what it sees of the target, and tries it once."""

    def __init__(self, find_target: TargetMaskFn, control_mode: str) -> None:
        self.find_target = find_target
        self.controller = make_controller(control_mode)
        self.target: Array | None = None
        self.candidates: GraspCandidates | None = None
        self.done = False
        self.script = self.pick()

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Return the next action of the script."""
        self.seen = observation
        self.arm = PandaArm(observation["base_pose"])
        return next(self.script)

    def pick(self) -> Iterator[NDArray[np.float32]]:
        """Yield an action for each observation."""
        seen = self.seen
        mask = self.find_target(seen)
        points, _ = points_of_object(seen["hand_depth"], seen["hand_intrinsic"], seen["hand_cam2world"], mask)
        rest = self.hand
        if len(points):
            self.candidates = top_grasp(points, rotation_matrix(rest[3:]))
            self.target = grasp = self.candidates.pose(0)
            middle = np.array([*grasp[:2], points[:, 2].max() / 2])
            above = grasp + np.array([0, 0, 0.15, 0, 0, 0, 0])
            yield from self.go(above, OPEN, 1.0, 60)
            yield from self.go(grasp, OPEN, 0.5, 40)
            for _ in range(10):
                yield self.towards(grasp, CLOSED, 1.0)
            yield from self.go(above, CLOSED, 0.15, 60)
            yield from self.go(np.append(grasp[:3] + seen["goal_pos"] - middle, grasp[3:]), CLOSED, 0.3, 100)
        self.done = True
        while True:
            yield self.towards(rest, OPEN, 1.0)

    def go(self, pose: Array, fingers: float, speed: float, steps: int) -> Iterator[NDArray[np.float32]]:
        """Go to a pose until it is reached, at most some steps."""
        for _ in range(steps):
            if pose_distance(self.hand, pose)[0] < 0.004:
                break
            yield self.towards(pose, fingers, speed)

    def towards(self, pose: Array, fingers: float, speed: float) -> NDArray[np.float32]:
        """Return the action towards a pose, at a share of the largest motion."""
        return self.controller(self.arm, self.seen["qpos"], pose, fingers, speed)

    @property
    def hand(self) -> Array:
        """The TCP pose [7]."""
        return self.arm.forward(np.asarray(self.seen["qpos"][:7], float))


def top_grasp(points: Array, hand: Array) -> GraspCandidates:
    """Return one grasp straight down at the middle of points [N, 3], of the two the nearer one to the hand [3, 3]."""
    narrow = np.linalg.eigh(np.cov(points[:, :2].T, bias=True))[1][:, 0]
    narrow = narrow if narrow @ hand[:2, 1] > 0 else -narrow
    closing = np.array([*narrow, 0.0])
    approach = np.array([0.0, 0.0, -1.0])
    rotation = np.stack([np.cross(closing, approach), closing, approach], axis=1)
    position = np.array([*np.median(points[:, :2], axis=0), max(points[:, 2].max() - DEPTH, LOWEST)])
    return GraspCandidates(position[None], rotation[None])
