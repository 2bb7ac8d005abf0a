"""Configuration of the scripted picker and of all its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.controllers import DEFAULT_CONTROLLER_CONFIG, ControllerConfig
from pickclutter_lang.manipulation.grasp_config import (
    DEFAULT_GRASP_CONFIG,
    DEFAULT_LIMITS,
    RELAXED_LIMITS,
    GraspConfig,
    GraspLimits,
)
from pickclutter_lang.manipulation.grasp_proposals import propose_grasps
from pickclutter_lang.manipulation.gripper import GraspCandidates, checked_candidates
from pickclutter_lang.manipulation.in_hand_pose import DEFAULT_IN_HAND_POSE_CONFIG, InHandPoseConfig
from pickclutter_lang.manipulation.kinematics import DEFAULT_KINEMATICS_CONFIG, KinematicsConfig
from pickclutter_lang.manipulation.point_cloud import DEFAULT_POINT_CLOUD_CONFIG, PointCloudConfig
from pickclutter_lang.manipulation.transport import DEFAULT_TRANSPORT_CONFIG, TransportConfig
from pickclutter_lang.utils.typing import FloatArray

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
