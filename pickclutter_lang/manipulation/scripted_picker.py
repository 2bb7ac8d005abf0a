"""`ScriptedPicker`: observe, reach, close, lift and transport an object, with retries after failed grasps."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.controllers import (
    CLOSED,
    DEFAULT_CONTROLLER_CONFIG,
    OPEN,
    ControllerConfig,
    make_controller,
)
from pickclutter_lang.manipulation.grasp_proposals import (
    DEFAULT_GRASP_CONFIG,
    DEFAULT_LIMITS,
    RELAXED_LIMITS,
    GraspConfig,
    GraspLimits,
    propose_grasps,
)
from pickclutter_lang.manipulation.gripper import (
    GraspCandidates,
    checked_candidates,
    pregrasp_pose,
    quaternion,
    rotation_matrix,
)
from pickclutter_lang.manipulation.in_hand_pose import (
    DEFAULT_IN_HAND_POSE_CONFIG,
    InHandPoseConfig,
    estimate_in_hand_rotation,
    hand_camera_view,
    held_object_points,
)
from pickclutter_lang.manipulation.kinematics import (
    DEFAULT_KINEMATICS_CONFIG,
    JOINTS,
    KinematicsConfig,
    PandaArm,
    pose_distance,
)
from pickclutter_lang.manipulation.point_cloud import (
    DEFAULT_POINT_CLOUD_CONFIG,
    PointCloudConfig,
    center_of_mass,
    object_point_cloud,
)
from pickclutter_lang.manipulation.transport import (
    DEFAULT_TRANSPORT_CONFIG,
    TransportConfig,
    center_hypotheses,
    transport_pose,
)
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

GraspProposer = Callable[[FloatArray, FloatArray, GraspLimits, FloatArray, GraspConfig], GraspCandidates]
"""As `propose_grasps`: the target's points [N, 3] and all others [M, 3] in the world, in meters, limits, the rotation
[3, 3] of the hand at rest, and a configuration; to grasps, the best first."""


@dataclass(frozen=True)
class MotionConfig:
    """Thresholds, heights and speeds of the picker's motions. Steps are actions of the environment, 0.05 s each."""

    lift_height_m: float = 0.12
    """Height of the lift above the grasp."""
    travel_height_m: float = 0.22
    """Minimum height of the TCP above the table before it comes down to a grasp, and after a failed one."""
    position_tolerance_m: float = 0.004
    """Position error at which a grasp or the goal is reached."""
    rotation_tolerance_rad: float = 0.04
    """Rotation error at which a grasp or the goal is reached."""
    waypoint_position_tolerance_m: float = 0.03
    """Position error at which a waypoint is passed."""
    waypoint_rotation_tolerance_rad: float = 0.15
    """Rotation error at which a waypoint is passed."""
    max_steps: int = 45
    """Maximum number of steps of one motion."""
    stall_steps: int = 6
    """Steps without progress after which a motion ends."""
    min_progress_m: float = 1e-4
    """Minimum decrease of the pose error in a step that counts as progress."""
    rotation_weight_m: float = 0.1
    """Weight of a radian in the pose error."""
    min_close_steps: int = 7
    """Minimum number of steps of closing the fingers."""
    closed_step_m: float = 0.0005
    """The fingers are closed once they close less than that in a step."""
    lift_speed: float = 0.15
    """Share of the controller's speed while lifting; faster, more objects slip."""
    transport_speed: float = 0.3
    """The same while transporting; slower, fewer center hypotheses fit into an episode."""
    min_settle_steps: int = 3
    """Minimum number of steps at a center hypothesis."""
    settled_step_rad: float = 0.006
    """The arm rests once no joint turns more in a step; ManiSkill2's own threshold is 0.01."""
    min_opening_m: float = 0.002
    """The fingers are empty below that distance between the pads."""
    slip_ratio: float = 0.5
    """The object has slipped once the opening falls below that share of the one at the grasp."""
    view_baseline_m: float = 0.05
    """Distance between the two views that distinguish the grasped object from the background."""


@dataclass(frozen=True)
class PickerConfig:
    """Configuration of `ScriptedPicker`.

    Frozen and nested: `dataclasses.replace` changes one, `dataclasses.asdict` logs all.
    """

    max_attempts: int = 3
    """Picks after which the picker gives up."""
    retry_distance_m: float = 0.02
    """Grasps nearer than that to a failed one are not tried again."""
    grasp_limits: tuple[GraspLimits, ...] = (DEFAULT_LIMITS, RELAXED_LIMITS)
    """Limits of the grasps, tried in that order until one has a reachable grasp."""
    grasp_proposer: GraspProposer | None = None
    """Function that proposes grasps in place of `propose_grasps`; None: that one."""
    grasp: GraspConfig = DEFAULT_GRASP_CONFIG
    """Grasp proposals, and the gripper's volume."""
    motion: MotionConfig = MotionConfig()
    """Motions of the arm."""
    controller: ControllerConfig = DEFAULT_CONTROLLER_CONFIG
    """Scales of the actions."""
    kinematics: KinematicsConfig = DEFAULT_KINEMATICS_CONFIG
    """Inverse kinematics."""
    point_cloud: PointCloudConfig = DEFAULT_POINT_CLOUD_CONFIG
    """Point cloud of the hand camera."""
    in_hand_pose: InHandPoseConfig = DEFAULT_IN_HAND_POSE_CONFIG
    """Estimate of how the grasped object has rotated."""
    transport: TransportConfig = DEFAULT_TRANSPORT_CONFIG
    """Transport to the goal."""

    def __post_init__(self) -> None:
        """Check.

        :raises InvalidArgumentError: for less than one attempt
        """
        if self.max_attempts < 1:
            raise InvalidArgumentError(f"expected at least one attempt, but got max_attempts={self.max_attempts}")

    def propose_grasps(
        self, target: FloatArray, others: FloatArray, limits: GraspLimits, rest_rotation: FloatArray
    ) -> GraspCandidates:
        """Return what the proposer gives, checked; arguments as of `propose_grasps`."""
        return checked_candidates(
            (self.grasp_proposer or propose_grasps)(target, others, limits, rest_rotation, self.grasp)
        )


DEFAULT_PICKER_CONFIG = PickerConfig()


Observation = Mapping[str, Any]
Actions = Generator[NDArray[np.float32], None, None]
TargetMaskFn = Callable[[Observation], NDArray[np.bool_]]
"""From an observation to the pixels [H, W] of the target in the hand camera's image."""


class PickPhase(Enum):
    """Phase of a pick."""

    OBSERVE = "observe"
    """Choose a grasp, or return to the pose from which the camera sees the whole table."""
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
    """A grasp, the TCP pose [7], with the object's visible points [N, 3] and estimated center [3] at that time."""

    grasp: FloatArray
    points: FloatArray
    center: FloatArray


class ScriptedPicker:
    """Picks the target and brings it to the goal, one action for each observation.

    Observations have the keys of `pickclutter_lang.envs.wrappers.FlatObservation`. Only `hand_depth`,
    `hand_intrinsic`, `hand_cam2world`, `qpos`, `base_pose` and `goal_pos` are used.
    """

    def __init__(
        self,
        find_target: TargetMaskFn,
        control_mode: str = "pd_ee_delta_pose",
        config: PickerConfig = DEFAULT_PICKER_CONFIG,
    ) -> None:
        """Choose the target and the controller.

        :param find_target: called when a grasp is chosen: before the arm moves, and after a failed attempt
        :param control_mode: `pd_ee_delta_pose` or `pd_joint_delta_pos`
        :raises InvalidArgumentError: for another control mode
        """
        self.config, self._find_target = config, find_target
        self._controller = make_controller(control_mode, config.controller)
        self.reset()

    def reset(self) -> None:
        """Reset the state of the episode."""
        self._script: Actions | None = None
        self._failed: list[FloatArray] = []
        self.target: GraspTarget | None = None
        """The current grasp; None before the first observation, and where there is none."""
        self.candidates: GraspCandidates | None = None
        """The proposals from which it was chosen, or none of which could be; None before the first observation."""
        self.phase = PickPhase.OBSERVE
        """The current phase."""

    def act(self, observation: Observation) -> NDArray[np.float32]:
        """Return the next action.

        :param observation: see the class
        :raises InvalidArgumentError: for an observation with missing parts, or a mask of another size
        """
        self._observe(observation)
        if self._script is None:
            self._arm = PandaArm(self._base, self.config.kinematics)
            self._rest = self._tcp
            self._script = self._pick()
        return next(self._script)

    def _pick(self) -> Actions:
        motion = self.config.motion
        for _ in range(self.config.max_attempts):
            self.target = self._choose_target()
            if self.target is None:
                break
            grasp = self.target.grasp
            pregrasp = self._pregrasp(grasp)
            self.phase = PickPhase.REACH
            yield from self._go(_raised(pregrasp, motion.travel_height_m), OPEN, waypoint=True)
            yield from self._go(pregrasp, OPEN, waypoint=True)
            yield from self._go(grasp, OPEN)
            self.phase = PickPhase.CLOSE
            yield from self._close(grasp)
            self._grasp_opening = self._opening
            lifted = grasp + np.array([0, 0, motion.lift_height_m, 0, 0, 0, 0])
            if self._holding:
                self.phase = PickPhase.LIFT
                yield from self._go(lifted, CLOSED, waypoint=True)
            if self._holding:
                yield from self._transport(self.target)
            self._failed.append(grasp)
            self.phase = PickPhase.OBSERVE
            yield from self._go(_raised(lifted, motion.travel_height_m), OPEN, waypoint=True)
            yield from self._go(self._rest, OPEN, waypoint=True)
        self.phase = PickPhase.DONE
        while True:
            yield self._towards(self._rest, OPEN)

    def _close(self, grasp: FloatArray) -> Actions:
        """Close the fingers until they stop."""
        motion, steps, last = self.config.motion, 0, np.inf
        while steps < motion.min_close_steps or last - self._opening > motion.closed_step_m:
            steps, last = steps + 1, self._opening
            yield self._towards(grasp, CLOSED)

    def _transport(self, target: GraspTarget) -> Actions:
        """Bring the object's center to the goal, and try center hypotheses while the fingers hold the object."""
        self.phase, rotation = PickPhase.TRANSPORT, rotation_matrix(target.grasp[3:])
        pose = self._pose_with_center((target.center - target.grasp[:3]) @ rotation, rotation)
        views = []
        for action in self._go(pose, CLOSED):
            views.append((self._tcp, self._depth))
            yield action
        final_tcp, baseline = self._tcp, self.config.motion.view_baseline_m
        distant = [depth for tcp, depth in views if np.linalg.norm(tcp[:3] - final_tcp[:3]) > baseline]
        centers = self._held_centers(distant[-1] if distant else None, target)
        del views, distant
        rotation = rotation_matrix(pose[3:])
        while self._holding:
            for center in centers:
                yield from self._settle_at(self._pose_with_center(center, rotation))
                if not self._holding:
                    return

    def _pose_with_center(self, center: FloatArray, rotation: FloatArray) -> FloatArray:
        """Return the TCP pose [7] with a center [3] of the TCP frame at the goal."""
        return transport_pose(self._arm, self._qpos[:JOINTS], self._goal, center, rotation, self.config.transport)

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
        motion = self.config.motion
        return self._opening > max(motion.min_opening_m, motion.slip_ratio * self._grasp_opening)

    def _held_centers(self, earlier_depth: AnyFloatArray | None, target: GraspTarget) -> FloatArray:
        """Return hypotheses [G, 3] of the object's center in the TCP frame, given its estimated in-hand rotation.

        :param earlier_depth: [H, W], from another pose of the hand; None if there was none: no rotation is estimated
        """
        config, grasp_rotation = self.config, rotation_matrix(target.grasp[3:])
        points = (target.points - target.grasp[:3]) @ grasp_rotation
        center = (target.center - target.grasp[:3]) @ grasp_rotation
        tcp, rotation = self._tcp, np.eye(3)
        down = -rotation_matrix(tcp[3:])[2]
        if earlier_depth is not None:
            view = hand_camera_view(self._depth, self._intrinsic, self._camera, tcp)
            held = held_object_points(earlier_depth, view, self._opening, config.in_hand_pose, config.grasp.gripper)
            rotation = estimate_in_hand_rotation(held, view, points, center, down, config.in_hand_pose)
        return center_hypotheses(rotation @ center, points @ rotation.T, down, config.transport)

    def _go(self, tcp_pose: FloatArray, gripper: float, waypoint: bool = False) -> Actions:
        """Go to a pose until it is reached, the arm stalls, or closed fingers have lost the object."""
        motion = self.config.motion
        meters, radians = motion.position_tolerance_m, motion.rotation_tolerance_rad
        if waypoint:
            meters, radians = motion.waypoint_position_tolerance_m, motion.waypoint_rotation_tolerance_rad
        best_error, stalled = np.inf, 0
        for _ in range(motion.max_steps):
            distance, angle = pose_distance(self._tcp, tcp_pose)
            if (distance < meters and angle < radians) or (gripper == CLOSED and not self._holding):
                return
            error = distance + motion.rotation_weight_m * angle
            stalled = 0 if error < best_error - motion.min_progress_m else stalled + 1
            best_error = min(best_error, error)
            if stalled == motion.stall_steps:
                return
            yield self._towards(tcp_pose, gripper)

    def _settle_at(self, tcp_pose: FloatArray) -> Actions:
        """Go to a pose with the held object until the arm rests, which the environment's success requires."""
        motion = self.config.motion
        for step in range(motion.max_steps):
            last = self._qpos[:JOINTS].copy()
            yield self._towards(tcp_pose, CLOSED)
            joint_step = np.abs(self._qpos[:JOINTS] - last).max()
            if step + 1 >= motion.min_settle_steps and joint_step < motion.settled_step_rad:
                return

    def _towards(self, tcp_pose: FloatArray, gripper: float) -> NDArray[np.float32]:
        motion, speed = self.config.motion, 1.0
        if gripper == CLOSED:
            speed = motion.lift_speed if self.phase == PickPhase.LIFT else motion.transport_speed
        return self._controller(self._arm, self._qpos, tcp_pose, gripper, speed)

    def _choose_target(self) -> GraspTarget | None:
        """Choose a grasp of the target, within the first limits that allow a reachable one."""
        mask = np.asarray(self._find_target(self._observation), bool)
        if mask.shape != self._depth.shape:
            raise InvalidArgumentError(
                f"expected a mask of the hand camera's {list(self._depth.shape)} pixels, but got {list(mask.shape)}"
            )
        config = self.config
        cloud = object_point_cloud(self._depth, self._intrinsic, self._camera, config.point_cloud)
        in_mask = mask[cloud.pixels[:, 0], cloud.pixels[:, 1]]
        points, others = cloud.points[in_mask], cloud.points[~in_mask]
        rest_rotation = rotation_matrix(self._rest[3:])
        for limits in config.grasp_limits:
            self.candidates = config.propose_grasps(points, others, limits, rest_rotation)
            grasp = self._reachable(self.candidates)
            if grasp is not None:
                return GraspTarget(grasp, points, center_of_mass(points, config.grasp.center_of_mass))
        return None

    def _reachable(self, candidates: GraspCandidates) -> FloatArray | None:
        """Return the first reachable grasp apart from failed ones; those that need a longer turn come last."""
        pairs = [
            _both_flips(position, rotation, self._rest)
            for position, rotation in zip(candidates.positions, candidates.rotations, strict=True)
            if all(np.linalg.norm(position - failed[:3]) >= self.config.retry_distance_m for failed in self._failed)
        ]
        # The longer turn takes up to 80 steps.
        for grasp in [shorter for shorter, _ in pairs] + [longer for _, longer in pairs]:
            if self._reaches(grasp):
                return grasp
        return None

    def _reaches(self, grasp: FloatArray) -> bool:
        """Return whether the arm can follow the script to a grasp from its current joint angles."""
        pregrasp, angles = self._pregrasp(grasp), self._qpos[:JOINTS]
        for pose in (_raised(pregrasp, self.config.motion.travel_height_m), pregrasp, grasp):
            solution = self._arm.inverse(pose, angles)
            if solution is None:
                return False
            angles = solution
        return True

    def _pregrasp(self, grasp: FloatArray) -> FloatArray:
        return pregrasp_pose(grasp, self.config.grasp.gripper.pregrasp_distance_m)

    def _observe(self, observation: Observation) -> None:
        self._observation = observation
        try:
            self._depth = np.asarray(observation["hand_depth"], float)
            self._intrinsic, self._camera = observation["hand_intrinsic"], observation["hand_cam2world"]
            self._qpos, self._base, self._goal = (
                np.asarray(observation[key], float) for key in ("qpos", "base_pose", "goal_pos")
            )
        except KeyError as error:
            raise InvalidArgumentError(
                f"expected an observation of FlatObservation, but it has no {error}; wrap the environment in "
                "pickclutter_lang.envs.wrappers.FlatObservation"
            ) from error


def _raised(tcp_pose: FloatArray, height: float) -> FloatArray:
    """Return a pose at least `height` meters above the table."""
    return np.concatenate([tcp_pose[:2], [max(float(tcp_pose[2]), height)], tcp_pose[3:]])


def _both_flips(position: FloatArray, rotation: FloatArray, rest: FloatArray) -> list[FloatArray]:
    """Return both poses of a grasp (the fingers may swap sides), the one nearer to the rest pose first."""
    poses = [rotation, rotation @ np.diag([-1.0, -1.0, 1.0])]
    rest_rotation = rotation_matrix(rest[3:])
    poses.sort(key=lambda flipped: -float(np.trace(flipped.T @ rest_rotation)))
    return [np.concatenate([position, quaternion(flipped)]) for flipped in poses]
