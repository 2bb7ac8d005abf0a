"""`ScriptedPicker`: observe, reach, close, lift and transport an object, with retries after failed grasps."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.grasp_proposals import GraspProposer, proposals, propose_grasps
from pickclutter_lang.manipulation.gripper import GraspCandidates, pregrasp_pose, quaternion, rotation_matrix
from pickclutter_lang.manipulation.kinematics import (
    CLOSED,
    JOINTS,
    OPEN,
    PandaArm,
    make_controller,
    pose_distance,
)
from pickclutter_lang.manipulation.picker import Observation, TargetMaskFn
from pickclutter_lang.manipulation.point_cloud import center_of_mass, points_of_object
from pickclutter_lang.manipulation.transport import (
    center_hypotheses,
    estimate_in_hand_rotation,
    hand_camera_view,
    held_object_points,
    transport_pose,
)
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

# Lengths in meters, angles in radians. Steps are actions of the environment, 0.05 s each.
_MAX_ATTEMPTS = 3
_RETRY_DISTANCE = 0.02  # grasps nearer than that to a failed one are not tried again
_LIFT_HEIGHT = 0.12  # above the grasp
_TRAVEL_HEIGHT = 0.22  # of the TCP above the table, at least, before it comes down to a grasp, and after a failed one
_REACHED = (0.004, 0.04)  # errors of the pose at a grasp or the goal
_PASSED = (0.03, 0.15)  # errors of the pose at a waypoint
_MAX_STEPS = 45  # of one motion
_STALL_STEPS = 6  # steps without progress after which a motion ends
_MIN_PROGRESS = 1e-4  # of the error in a step
_ROTATION_WEIGHT = 0.1  # of a radian in the error
_MIN_CLOSE_STEPS = 7
_CLOSED_STEP = 0.0005  # the fingers are closed once they close less than that in a step
_LIFT_SPEED = 0.15  # share of the controller's; faster, more objects slip
_TRANSPORT_SPEED = 0.3  # slower, fewer center hypotheses fit into an episode
_MIN_SETTLE_STEPS = 3
_SETTLED_STEP = 0.006  # the arm rests once no joint turns more; ManiSkill2's threshold is 0.01
_MIN_OPENING = 0.002  # below which the fingers are empty
_SLIP_RATIO = 0.5  # of the opening at the grasp, below which the object has slipped
_VIEW_BASELINE = 0.05  # between the two views that distinguish the grasped object from the background

_IMAGE = "hand_depth", "hand_intrinsic", "hand_cam2world"
_ROBOT = "qpos", "base_pose", "goal_pos"
Actions = Generator[NDArray[np.float32], None, None]
Phase = Literal["observe", "reach", "close", "lift", "transport", "done"]
"""Choose a grasp, or return to where the camera sees the whole table; go to the grasp with open fingers; close them;
lift; bring the object to the goal; nothing is left to do."""


class ScriptedPicker:
    """Picks the target and brings it to the goal, one action for each observation.

    Observations have the keys of `pickclutter_lang.envs.wrappers.FlatObservation`. Only `hand_depth`,
    `hand_intrinsic`, `hand_cam2world`, `qpos`, `base_pose` and `goal_pos` are used.
    """

    def __init__(
        self,
        find_target: TargetMaskFn,
        control_mode: str = "pd_ee_delta_pose",
        proposer: GraspProposer = propose_grasps,
        speed: float = 1.0,
    ) -> None:
        """Choose the target and the controller.

        :param find_target: called when a grasp is chosen: before the arm moves, and after a failed attempt
        :param control_mode: `pd_ee_delta_pose` or `pd_joint_delta_pos`
        :param proposer: proposes grasps of the target
        :param speed: in (0, 1], of the largest motion of each action; motions take as many times more steps
        :raises InvalidArgumentError: for another control mode or speed
        """
        self._find_target = find_target
        self._proposer = proposer
        self._speed = speed
        self._controller = make_controller(control_mode, speed)
        self._script: Actions | None = None
        self._failed: list[FloatArray] = []
        self.target: FloatArray | None = None
        """The current grasp, a TCP pose [7]; None before the first observation, and where there is none."""
        self.candidates: GraspCandidates | None = None
        """The proposals from which it was chosen, or none of which could be; None before the first observation."""
        self.phase: Phase = "observe"
        """The current phase."""

    @property
    def done(self) -> bool:
        """Whether nothing is left to do: no grasp was found, or all attempts failed."""
        return self.phase == "done"

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Return the next action.

        :param observation: see the class
        :raises InvalidArgumentError: for an observation with missing parts, or a mask of another size
        """
        self._observe(observation)
        if self._script is None:
            self._arm = PandaArm(self._base)
            self._rest = self._tcp
            self._script = self._pick()
        return next(self._script)

    def _pick(self) -> Actions:
        for _ in range(_MAX_ATTEMPTS):
            self.target = grasp = self._choose_grasp()
            if grasp is None:
                break
            pregrasp = pregrasp_pose(grasp)
            self.phase = "reach"
            yield from self._go(_raised(pregrasp, _TRAVEL_HEIGHT), OPEN, waypoint=True)
            yield from self._go(pregrasp, OPEN, waypoint=True)
            yield from self._go(grasp, OPEN)
            self.phase = "close"
            yield from self._close(grasp)
            self._grasp_opening = self._opening
            lifted = grasp + np.array([0, 0, _LIFT_HEIGHT, 0, 0, 0, 0])
            if self._holding:
                self.phase = "lift"
                yield from self._go(lifted, CLOSED, waypoint=True)
            if self._holding:
                yield from self._transport(grasp)
            self._failed.append(grasp)
            self.phase = "observe"
            yield from self._go(_raised(lifted, _TRAVEL_HEIGHT), OPEN, waypoint=True)
            yield from self._go(self._rest, OPEN, waypoint=True)
        self.phase = "done"
        while True:
            yield self._towards(self._rest, OPEN)

    def _close(self, grasp: FloatArray) -> Actions:
        """Close the fingers until they stop."""
        steps = 0
        last = np.inf
        while steps < _MIN_CLOSE_STEPS or last - self._opening > _CLOSED_STEP:
            steps += 1
            last = self._opening
            yield self._towards(grasp, CLOSED)

    def _transport(self, grasp: FloatArray) -> Actions:
        """Bring the object's center to the goal, and try center hypotheses while the fingers hold the object."""
        self.phase = "transport"
        rotation = rotation_matrix(grasp[3:])
        points = (self._points - grasp[:3]) @ rotation
        center = (center_of_mass(self._points) - grasp[:3]) @ rotation
        pose = self._pose_with_center(center, rotation)
        views = []
        for action in self._go(pose, CLOSED):
            views.append((self._tcp, self._view[0]))
            yield action
        final_tcp = self._tcp
        distant = [depth for tcp, depth in views if np.linalg.norm(tcp[:3] - final_tcp[:3]) > _VIEW_BASELINE]
        centers = self._held_centers(distant[-1] if distant else None, points, center)
        del views, distant
        rotation = rotation_matrix(pose[3:])
        while self._holding:
            for center in centers:
                yield from self._settle_at(self._pose_with_center(center, rotation))
                if not self._holding:
                    return

    def _pose_with_center(self, center: FloatArray, rotation: FloatArray) -> FloatArray:
        """Return the TCP pose [7] with a center [3] of the TCP frame at the goal."""
        return transport_pose(self._arm, self._qpos[:JOINTS], self._goal, center, rotation)

    @property
    def _tcp(self) -> FloatArray:
        """Current TCP pose [7]."""
        return self._arm.forward(self._qpos[:JOINTS])

    @property
    def _opening(self) -> float:
        """Distance between the finger pads, meters."""
        return float(self._qpos[JOINTS:].sum())

    @property
    def _holding(self) -> bool:
        return self._opening > max(_MIN_OPENING, _SLIP_RATIO * self._grasp_opening)

    def _held_centers(self, earlier_depth: AnyFloatArray | None, points: FloatArray, center: FloatArray) -> FloatArray:
        """Return hypotheses [G, 3] of the object's center in the TCP frame, given its estimated in-hand rotation.

        :param earlier_depth: [H, W], from another pose of the hand; None if there was none: no rotation is estimated
        :param points: [N, 3], the object's points in the frame of the grasp; `center` [3] is its estimated center there
        """
        tcp = self._tcp
        rotation = np.eye(3)
        down = -rotation_matrix(tcp[3:])[2]
        if earlier_depth is not None:
            view = hand_camera_view(*self._view, tcp)
            held = held_object_points(earlier_depth, view, self._opening)
            rotation = estimate_in_hand_rotation(held, view, points, center, down)
        return center_hypotheses(rotation @ center, points @ rotation.T, down)

    def _go(self, tcp_pose: FloatArray, gripper: float, waypoint: bool = False) -> Actions:
        """Go to a pose until it is reached, the arm stalls, or closed fingers have lost the object."""
        meters, radians = _PASSED if waypoint else _REACHED
        best_error = np.inf
        stalled = 0
        for _ in range(round(_MAX_STEPS / self._speed)):
            distance, angle = pose_distance(self._tcp, tcp_pose)
            if (distance < meters and angle < radians) or (gripper == CLOSED and not self._holding):
                return
            error = distance + _ROTATION_WEIGHT * angle
            stalled = 0 if error < best_error - self._speed * _MIN_PROGRESS else stalled + 1
            best_error = min(best_error, error)
            if stalled == _STALL_STEPS:
                return
            yield self._towards(tcp_pose, gripper)

    def _settle_at(self, tcp_pose: FloatArray) -> Actions:
        """Go to a pose with the held object until the arm rests, which the environment's success requires."""
        for step in range(round(_MAX_STEPS / self._speed)):
            last = self._qpos[:JOINTS].copy()
            yield self._towards(tcp_pose, CLOSED)
            joint_step = np.abs(self._qpos[:JOINTS] - last).max()
            if step + 1 >= _MIN_SETTLE_STEPS and joint_step < self._speed * _SETTLED_STEP:
                return

    def _towards(self, tcp_pose: FloatArray, gripper: float) -> NDArray[np.float32]:
        holding = _LIFT_SPEED if self.phase == "lift" else _TRANSPORT_SPEED
        return self._controller(self._arm, self._qpos, tcp_pose, gripper, holding if gripper == CLOSED else 1.0)

    def _choose_grasp(self) -> FloatArray | None:
        """Choose a grasp of the target, within the first limits that allow a reachable one."""
        mask = np.asarray(self._find_target(self._observation), bool)
        self._points, others = points_of_object(*self._view, mask)
        for candidates in proposals(self._points, others, rotation_matrix(self._rest[3:]), self._proposer):
            self.candidates = candidates
            grasp = self._reachable(candidates)
            if grasp is not None:
                return grasp
        return None

    def _reachable(self, candidates: GraspCandidates) -> FloatArray | None:
        """Return the first reachable grasp apart from failed ones; those that need a longer turn come last."""
        pairs = [
            _both_flips(position, rotation, self._rest)
            for position, rotation in zip(candidates.positions, candidates.rotations, strict=True)
            if all(np.linalg.norm(position - failed[:3]) >= _RETRY_DISTANCE for failed in self._failed)
        ]
        # The longer turn takes up to 80 steps.
        for grasp in [shorter for shorter, _ in pairs] + [longer for _, longer in pairs]:
            if self._reaches(grasp):
                return grasp
        return None

    def _reaches(self, grasp: FloatArray) -> bool:
        """Return whether the arm can follow the script to a grasp from its current joint angles."""
        pregrasp = pregrasp_pose(grasp)
        angles = self._qpos[:JOINTS]
        for pose in (_raised(pregrasp, _TRAVEL_HEIGHT), pregrasp, grasp):
            solution = self._arm.inverse(pose, angles)
            if solution is None:
                return False
            angles = solution
        return True

    def _observe(self, observation: Observation) -> None:
        self._observation = observation
        missing = [key for key in (*_IMAGE, *_ROBOT) if key not in observation]
        if missing:
            raise InvalidArgumentError(
                f"expected an observation of FlatObservation, but it has no {', '.join(missing)}; wrap the environment "
                "in pickclutter_lang.envs.wrappers.FlatObservation"
            )
        self._qpos, self._base, self._goal = (np.asarray(observation[key], float) for key in _ROBOT)

    @property
    def _view(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Depth, intrinsic and pose of the hand camera; reading them may render them."""
        depth, intrinsic, pose = (self._observation[key] for key in _IMAGE)
        return np.asarray(depth, float), intrinsic, pose


def _raised(tcp_pose: FloatArray, height: float) -> FloatArray:
    """Return a pose at least `height` meters above the table."""
    return np.concatenate([tcp_pose[:2], [max(float(tcp_pose[2]), height)], tcp_pose[3:]])


def _both_flips(position: FloatArray, rotation: FloatArray, rest: FloatArray) -> list[FloatArray]:
    """Return both poses of a grasp (the fingers may swap sides), the one nearer to the rest pose first."""
    poses = [rotation, rotation @ np.diag([-1.0, -1.0, 1.0])]
    rest_rotation = rotation_matrix(rest[3:])
    poses.sort(key=lambda flipped: -float(np.trace(flipped.T @ rest_rotation)))
    return [np.concatenate([position, quaternion(flipped)]) for flipped in poses]
