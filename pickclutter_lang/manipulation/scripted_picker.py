"""The script of a pick: look, reach, close, lift, bring to the goal; again if the fingers held nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.center_of_mass import center_of_mass
from pickclutter_lang.manipulation.controllers import CLOSED, OPEN, make_controller
from pickclutter_lang.manipulation.grasp_proposals import DEFAULT_LIMITS, RELAXED_LIMITS, propose_grasps
from pickclutter_lang.manipulation.gripper import (
    AnyFloatArray,
    FloatArray,
    GraspCandidates,
    pregrasp_pose,
    quaternion,
    rotation_matrix,
)
from pickclutter_lang.manipulation.in_hand_pose import (
    center_hypotheses,
    estimate_in_hand_rotation,
    held_object_points,
    transport_pose,
    wrist_camera_view,
)
from pickclutter_lang.manipulation.kinematics import JOINTS, PandaArm, pose_distance
from pickclutter_lang.manipulation.point_cloud import object_point_cloud

MAX_ATTEMPTS = 3
LIFT_M = 0.12
_HIGH_M = 0.22  # the TCP comes down from at least here
_NEAR_M, _NEAR_RAD = 0.004, 0.04
_PASSING_M, _PASSING_RAD = 0.03, 0.15
_MOST_STEPS, _STALLED_STEPS = 45, 6
_CLOSE_STEPS, _STILL_M = 7, 0.0005  # at least, and then until less than that is closed in a step
_LIFTING_SPEED, _CARRYING_SPEED = 0.15, 0.3  # faster, more slips out of the fingers; slower, fewer places are tried
_OTHER_M = 0.02  # a grasp that near to one that failed is not tried again
_EMPTY_M = 0.002  # both fingers together; less is nothing
_SLIPPED_SHARE = 0.5  # of the opening at which the fingers closed; below it, what they held is gone
_FEWEST_STEPS, _AT_REST_RAD = 3, 0.006  # radians in a step; mani_skill2 takes 0.2 rad/s, 0.01 a step, for rest
_APART_M = 0.05  # between two views that tell what moves with the hand

Observation = Mapping[str, Any]
TargetMaskFn = Callable[[Observation], NDArray[np.bool_]]
"""From an observation of mode `rgbd` to the pixels [H, W] of the object in the hand camera's picture."""


class PickPhase(Enum):
    """What the picker is at."""

    OBSERVE = "observe"
    """Choose a grasp, or go back to where the camera sees the whole table."""
    REACH = "reach"
    """Go to the grasp with open fingers."""
    CLOSE = "close"
    """Close the fingers."""
    LIFT = "lift"
    """Lift the object."""
    TRANSPORT = "transport"
    """Bring the object to the goal."""
    DONE = "done"
    """Nothing is left to do: no grasp was found, or all attempts failed."""


class GraspTarget(NamedTuple):
    """A grasp: the TCP pose [7], what is seen of the object, [N, 3], and where its middle is thought to be, [3]."""

    grasp: FloatArray
    points: FloatArray
    center: FloatArray


class ScriptedPicker:
    """Picks the object that a finder shows it and brings it to the goal, one action for each observation.

    Observations are those of mani_skill2's mode `rgbd` with the hand camera's depth. No more of them is used than the
    depth, the camera's and the arm's pose, the joint angles and the goal.
    """

    def __init__(
        self, find_target: TargetMaskFn, control_mode: str = "pd_ee_delta_pose", max_attempts: int = MAX_ATTEMPTS
    ) -> None:
        """Choose what to pick and how to drive.

        :param find_target: asked when a grasp is to be chosen, before the arm moves and again after a try that failed
        :param control_mode: `pd_ee_delta_pose` or `pd_joint_delta_pos`
        :param max_attempts: how often it picks when the fingers come back empty
        :raises InvalidArgumentError: for another control mode, or less than one try
        """
        if max_attempts < 1:
            raise InvalidArgumentError(f"expected at least one attempt, but got {max_attempts}")
        self._find_target, self._drive = find_target, make_controller(control_mode)
        self._max_attempts = max_attempts
        self.reset()

    def reset(self) -> None:
        """Forget the last episode."""
        self._script: Generator[NDArray[np.float32], None, None] | None = None
        self._failed: list[FloatArray] = []
        self.target: GraspTarget | None = None
        """The grasp that it goes for; None before, and where there is none."""
        self.phase = PickPhase.OBSERVE
        """What it is at."""

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Return the next action.

        :param observation: of mode `rgbd`
        :raises InvalidArgumentError: for an observation without what it needs, or a finder's mask of another size
        """
        self._observe(observation)
        if self._script is None:
            self._arm = PandaArm(self._base)
            self._rest = self._arm.forward(self._qpos[:JOINTS])
            self._script = self._pick()
        return next(self._script)

    # The script ---------------------------------------------------------------------------------------------------

    def _pick(self) -> Generator[NDArray[np.float32], None, None]:
        for _ in range(self._max_attempts):
            self.target = self._look()
            if self.target is None:
                break
            grasp = self.target.grasp
            ready, self.phase = pregrasp_pose(grasp), PickPhase.REACH
            yield from self._go(_raised(ready, _HIGH_M), OPEN, passing=True)
            yield from self._go(ready, OPEN, passing=True)
            yield from self._go(grasp, OPEN)
            self.phase = PickPhase.CLOSE
            yield from self._close(grasp)
            self._gripped = self._opening
            lifted = grasp + np.array([0, 0, LIFT_M, 0, 0, 0, 0])
            if self._holding:
                self.phase = PickPhase.LIFT
                yield from self._go(lifted, CLOSED, passing=True)
            if self._holding:
                yield from self._carry(self.target)
            self._failed.append(grasp)
            self.phase = PickPhase.OBSERVE
            yield from self._go(_raised(lifted, _HIGH_M), OPEN, passing=True)
            yield from self._go(self._rest, OPEN, passing=True)
        self.phase = PickPhase.DONE
        while True:
            yield self._towards(self._rest, OPEN)

    def _close(self, grasp: FloatArray) -> Generator[NDArray[np.float32], None, None]:
        """Close the fingers, until they move no more."""
        steps, wider = 0, np.inf
        while steps < _CLOSE_STEPS or wider - self._opening > _STILL_M:
            steps, wider = steps + 1, self._opening
            yield self._towards(grasp, CLOSED)

    def _carry(self, aim: GraspTarget) -> Generator[NDArray[np.float32], None, None]:
        """Bring the object's middle to the goal, and try around it while the fingers hold something."""
        self.phase, rotation = PickPhase.TRANSPORT, rotation_matrix(aim.grasp[3:])
        wanted = self._with_middle_at(self._goal, (aim.center - aim.grasp[:3]) @ rotation, rotation)
        views = []
        for action in self._go(wanted, CLOSED):
            views.append((self._arm.forward(self._qpos[:JOINTS]), self._depth))
            yield action
        here = self._arm.forward(self._qpos[:JOINTS])
        away = [depth for tcp, depth in views if np.linalg.norm(tcp[:3] - here[:3]) > _APART_M]
        middles = self._middles_of_held(away[-1] if away else None, aim)
        del views, away
        rotation = rotation_matrix(wanted[3:])
        while self._holding:
            for middle in middles:
                yield from self._try_at(self._with_middle_at(self._goal, middle, rotation))
                if not self._holding:
                    return

    def _with_middle_at(self, place: FloatArray, held: FloatArray, rotation: FloatArray) -> FloatArray:
        return transport_pose(self._arm, self._qpos[:JOINTS], place, held, rotation)

    @property
    def _opening(self) -> float:
        """Metres between the finger pads."""
        return float(self._qpos[JOINTS:].sum())

    @property
    def _holding(self) -> bool:
        return self._opening > max(_EMPTY_M, _SLIPPED_SHARE * self._gripped)

    def _middles_of_held(self, seen: AnyFloatArray | None, aim: GraspTarget) -> FloatArray:
        """Return where [G, 3] the object's middle may be in the frame of the TCP, after looking at how it hangs there.

        :param seen: depth [H, W], from where the hand was some centimetres before; without it nothing is known of that
        """
        turned = rotation_matrix(aim.grasp[3:])
        shape, middle = (aim.points - aim.grasp[:3]) @ turned, (aim.center - aim.grasp[:3]) @ turned
        tcp = self._arm.forward(self._qpos[:JOINTS])
        down, swing = -rotation_matrix(tcp[3:])[2], np.eye(3)
        if seen is not None:
            view = wrist_camera_view(self._depth, self._intrinsic, self._camera, tcp)
            swing = estimate_in_hand_rotation(held_object_points(seen, view, self._opening), view, shape, middle, down)
        return center_hypotheses(swing @ middle, shape @ swing.T, down)

    def _go(
        self, tcp_pose: FloatArray, gripper: float, passing: bool = False
    ) -> Generator[NDArray[np.float32], None, None]:
        """Go to a pose, until it is reached, nothing moves any more, or closed fingers have lost what they held."""
        metres, radians = (_PASSING_M, _PASSING_RAD) if passing else (_NEAR_M, _NEAR_RAD)
        nearest, stalled = np.inf, 0
        for _ in range(_MOST_STEPS):
            far, turned = pose_distance(self._arm.forward(self._qpos[:JOINTS]), tcp_pose)
            if (far < metres and turned < radians) or (gripper == CLOSED and not self._holding):
                return
            left = far + 0.1 * turned
            stalled = 0 if left < nearest - 1e-4 else stalled + 1
            nearest = min(nearest, left)
            if stalled == _STALLED_STEPS:
                return
            yield self._towards(tcp_pose, gripper)

    def _try_at(self, tcp_pose: FloatArray) -> Generator[NDArray[np.float32], None, None]:
        """Go to a pose with what is held, until the arm is at rest: then the object is at the goal or is not."""
        for step in range(_MOST_STEPS):
            before = self._qpos[:JOINTS].copy()
            yield self._towards(tcp_pose, CLOSED)
            if step + 1 >= _FEWEST_STEPS and np.abs(self._qpos[:JOINTS] - before).max() < _AT_REST_RAD:
                return

    def _towards(self, tcp_pose: FloatArray, gripper: float) -> NDArray[np.float32]:
        holding = _LIFTING_SPEED if self.phase == PickPhase.LIFT else _CARRYING_SPEED
        speed = holding if gripper == CLOSED else 1.0
        return self._drive(self._arm, self._qpos, tcp_pose, gripper, speed)

    def _look(self) -> GraspTarget | None:
        """Choose a grasp of what the finder shows; where there is none as usual, whatever may do."""
        mask = np.asarray(self._find_target(self._observation), bool)
        if mask.shape != self._depth.shape:
            raise InvalidArgumentError(
                f"expected a mask of the hand camera's {list(self._depth.shape)} pixels, but got {list(mask.shape)}"
            )
        cloud = object_point_cloud(self._depth, self._intrinsic, self._camera)
        own = mask[cloud.pixels[:, 0], cloud.pixels[:, 1]]
        target = cloud.points[own]
        hand = rotation_matrix(self._rest[3:])
        for limits in (DEFAULT_LIMITS, RELAXED_LIMITS):
            grasp = self._choose(propose_grasps(target, cloud.points[~own], limits=limits, hand=hand))
            if grasp is not None:
                return GraspTarget(grasp, target, center_of_mass(target))
        return None

    def _choose(self, found: GraspCandidates) -> FloatArray | None:
        """Return the best grasp in reach, not where one failed; those without a longer turn come first."""
        grasps = [
            _both_turns(tcp, rotation, self._rest)
            for tcp, rotation in zip(found.positions, found.rotations, strict=True)
            if all(np.linalg.norm(tcp - failed[:3]) >= _OTHER_M for failed in self._failed)
        ]
        # The longer turn takes up to 80 steps.
        for grasp in [shorter for shorter, _ in grasps] + [longer for _, longer in grasps]:
            if self._reaches(grasp):
                return grasp
        return None

    def _reaches(self, grasp: FloatArray) -> bool:
        """Tell whether the arm can go to a grasp as `_pick` does it, from where it is."""
        ready, angles = pregrasp_pose(grasp), self._qpos[:JOINTS]
        for pose in (_raised(ready, _HIGH_M), ready, grasp):
            solved = self._arm.inverse(pose, angles)
            if solved is None:
                return False
            angles = solved
        return True

    # What it sees -------------------------------------------------------------------------------------------------

    def _observe(self, observation: Observation) -> None:
        self._observation = observation
        try:
            camera = observation["camera_param"]["hand_camera"]
            self._depth = np.asarray(observation["image"]["hand_camera"]["depth"], float)[..., 0]
            self._intrinsic, self._camera = camera["intrinsic_cv"], camera["cam2world_gl"]
            self._qpos = np.asarray(observation["agent"]["qpos"], float)
            self._base = np.asarray(observation["agent"]["base_pose"], float)
            self._goal = np.asarray(observation["extra"]["goal_pos"], float)
        except (KeyError, TypeError, IndexError) as error:
            raise InvalidArgumentError(
                f"expected an observation of mode 'rgbd' with the hand camera, but it has no {error}; make the "
                "environment with obs_mode='rgbd'"
            ) from error


def _raised(tcp_pose: FloatArray, height: float) -> FloatArray:
    """Return a pose at least `height` metres above the table."""
    return np.concatenate([tcp_pose[:2], [max(float(tcp_pose[2]), height)], tcp_pose[3:]])


def _both_turns(tcp: FloatArray, rotation: FloatArray, rest: FloatArray) -> list[FloatArray]:
    """Return the two poses of a grasp (the fingers may change sides), that which is less of a turn first."""
    two = [rotation, rotation @ np.diag([-1.0, -1.0, 1.0])]
    resting = rotation_matrix(rest[3:])
    two.sort(key=lambda turned: -float(np.trace(turned.T @ resting)))
    return [np.concatenate([tcp, quaternion(turned)]) for turned in two]
