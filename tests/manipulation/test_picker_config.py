"""The configuration of manipulation: fields change what they name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.grasping import ABOVE, BASE, INTRINSIC, REST, box, chosen_grasp
from pickclutter_lang.manipulation.controllers import ControllerConfig, make_controller
from pickclutter_lang.manipulation.grasp_proposals import (
    DEFAULT_GRASP_CONFIG,
    GraspConfig,
    GraspCosts,
    GraspLimits,
    propose_grasps,
)
from pickclutter_lang.manipulation.gripper import GraspCandidates, GripperGeometry, points_between_fingers
from pickclutter_lang.manipulation.in_hand_pose import (
    HandCameraView,
    InHandPoseConfig,
    about_closing_axis,
    estimate_in_hand_rotation,
)
from pickclutter_lang.manipulation.kinematics import KinematicsConfig, PandaArm
from pickclutter_lang.manipulation.point_cloud import (
    CenterOfMassConfig,
    PlaneConfig,
    PointCloudConfig,
    center_of_mass,
    object_point_cloud,
    planar_normals,
)
from pickclutter_lang.manipulation.scripted_picker import (
    DEFAULT_PICKER_CONFIG,
    MotionConfig,
    PickPhase,
    ScriptedPicker,
)
from pickclutter_lang.manipulation.segmentation import SegmentationConfig, segment_rgbd, select_target_segments
from pickclutter_lang.manipulation.transport import TransportConfig, center_hypotheses
from pickclutter_lang.utils.typing import FloatArray

NO_POINTS = np.zeros((0, 3))
BAR = box((0.12, 0.04, 0.05))


def proposals(points: FloatArray = BAR, **changes: Any) -> GraspCandidates:
    return propose_grasps(points, NO_POINTS, config=replace(DEFAULT_GRASP_CONFIG, **changes))


def same(one: GraspCandidates, other: GraspCandidates) -> bool:
    return np.array_equal(one.positions, other.positions) and np.array_equal(one.rotations, other.rotations)


CHANGES = [
    {"max_candidates": 2},
    {"fingertip_depths_m": (0.02,)},
    {"table_clearance_m": 0.02},
    {"max_surface_gap_m": 0.002},
    {"costs": GraspCosts(lateral_offset=0.0, closing_offset=0.0)},
    {"gripper": GripperGeometry(finger_half_x_m=0.006)},
    {"center_of_mass": CenterOfMassConfig(extent_percentiles=(2, 60))},
]


@pytest.fixture(scope="module")
def default_proposals() -> GraspCandidates:
    return proposals()


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_field_of_the_grasp_configuration_changes_the_proposals(
    change: dict[str, Any], default_proposals: GraspCandidates
) -> None:
    assert len(default_proposals.positions) and not same(default_proposals, proposals(**change))


def test_limits_exclude_grasps() -> None:
    assert not len(propose_grasps(BAR, NO_POINTS, GraspLimits(max_width_m=0.03)).positions)
    straight = propose_grasps(BAR, NO_POINTS, GraspLimits(slants_deg=(0,))).rotations
    slanted = propose_grasps(BAR, NO_POINTS, GraspLimits(slants_deg=(40,))).rotations
    assert straight[0, 2, 2] == pytest.approx(-1) and slanted[0, 2, 2] == pytest.approx(-np.cos(np.deg2rad(40)))
    neighbor = box((0.12, 0.02, 0.05), at=(0, 0.055))
    strict, tolerant = (propose_grasps(BAR, neighbor, GraspLimits(max_collisions=n)) for n in (2, 10_000))
    assert len(tolerant.positions) and not same(strict, tolerant)


def leaning_wall(degrees: float) -> FloatArray:
    """Both sides of a wall, 4 mm thick, that leans out of the vertical."""
    along, up = np.meshgrid(np.arange(-0.06, 0.061, 0.003), np.arange(0, 0.08, 0.003), indexing="ij")
    sides = [np.stack([0 * up + x, along, up], axis=-1).reshape(-1, 3) for x in (0, 0.004)]
    wall: FloatArray = np.concatenate(sides) @ about_closing_axis(np.deg2rad(degrees)).T
    wall[:, 2] -= wall[:, 2].min()
    return wall


def test_leaning_walls_are_held_with_a_rolled_hand_up_to_a_thickness() -> None:
    def first_roll(degrees: float, **changes: Any) -> float:
        found = proposals(leaning_wall(degrees), planes=PlaneConfig(max_planes=0), **changes)
        return float(abs(found.rotations[0, 2, 1]))

    assert first_roll(25) == pytest.approx(np.sin(np.deg2rad(25)))
    assert first_roll(15, wall_roll_deg=15.0) == pytest.approx(np.sin(np.deg2rad(15)))
    assert first_roll(25, max_wall_thickness_m=0.001) < 0.02


def test_fields_of_perception_change_what_they_name() -> None:
    depth, rgb = np.full((160, 160), 0.5), np.full((160, 160, 3), 90, np.uint8)
    depth[30:60, 40:80], depth[60:90, 40:80] = 0.45, 0.442
    assert len(object_point_cloud(depth, INTRINSIC, ABOVE).points) == 2400
    assert len(object_point_cloud(depth, INTRINSIC, ABOVE, PointCloudConfig(table_height_m=0.055)).points) == 1200
    assert segment_rgbd(rgb, depth, INTRINSIC, ABOVE)[30:90, 40:80].all()
    assert not segment_rgbd(rgb, depth, INTRINSIC, ABOVE, SegmentationConfig(min_depth_m=0.46)).any()
    segments = np.where(depth == 0.45, 1, np.where(depth == 0.442, 2, 0))
    heatmap = np.where(segments == 1, 1.0, 0.2)
    for ratio, merged in ((0.3, 1), (0.1, 2)):
        config = SegmentationConfig(min_heat_ratio=ratio)
        (mask,) = select_target_segments(segments, heatmap, depth, config=config)
        assert len(np.unique(segments[mask])) == merged
    assert [len(planar_normals(BAR, PlaneConfig(max_planes=most))) for most in (0, 1)] == [0, 1]
    hammer = np.concatenate([box((0.24, 0.02, 0.02)), box((0.04, 0.1, 0.03), at=(0.14, 0))])
    assert center_of_mass(hammer, CenterOfMassConfig(n_slices=1))[0] < center_of_mass(hammer)[0] - 0.01


def test_fields_of_the_held_object_change_its_pose() -> None:
    points = (box((0.16, 0.03, 0.03)) - np.array([0.05, 0, 0.02])) @ np.diag([1.0, -1.0, -1.0])
    center, view, down = points.mean(0), HandCameraView(np.zeros((9, 9)), INTRINSIC, np.eye(4)), np.array([0, 0, 1.0])
    held = points @ about_closing_axis(np.deg2rad(40)).T
    assert np.trace(estimate_in_hand_rotation(held, view, points, center, down)) < 2.9
    for change in ({"min_points": 10_000}, {"min_lever_m": 1.0}):
        rotation = estimate_in_hand_rotation(held, view, points, center, down, InHandPoseConfig(**change))
        assert rotation == pytest.approx(np.eye(3))
    (only,) = center_hypotheses(center, points, down, TransportConfig(center_offsets=((0.0, 0.01, 0.0),)))
    assert only - center == pytest.approx([0, 0, 0.01])


def test_fields_of_arm_and_gripper_change_what_they_name() -> None:
    arm, qpos = PandaArm(BASE), np.append(REST, [0.04, 0.04])
    goal = arm.forward(REST) + np.array([0.01, 0, 0, 0, 0, 0, 0])
    fine, coarse = (
        make_controller("pd_ee_delta_pose", ControllerConfig(position_scale_m=scale))(arm, qpos, goal, 1.0, 1.0)
        for scale in (0.1, 0.2)
    )
    assert coarse[:3] == pytest.approx(0.5 * fine[:3])
    assert PandaArm(BASE, KinematicsConfig(max_iterations=0)).inverse(goal, REST) is None
    narrow, wide = (
        points_between_fingers(proposals()[:1], BAR, GripperGeometry(finger_min_y_m=y))[0] for y in (0.01, 0.04)
    )
    assert narrow < wide


def test_the_picker_uses_its_configuration() -> None:
    depth = np.full((160, 160), 0.5)
    depth[76:84, 70:90] = 0.45
    observation = {
        "hand_depth": depth,
        "hand_intrinsic": INTRINSIC,
        "hand_cam2world": ABOVE,
        "qpos": np.append(REST, [0.04, 0.04]),
        "base_pose": BASE,
        "goal_pos": np.array([0, 0, 0.3]),
    }

    def pick(**changes: Any) -> tuple[ScriptedPicker, NDArray[np.float32]]:
        picker = ScriptedPicker(lambda seen: depth < 0.48, config=replace(DEFAULT_PICKER_CONFIG, **changes))
        return picker, picker.act(observation)

    default, action = pick()
    assert default.phase == PickPhase.REACH
    shallow, _ = pick(grasp=GraspConfig(fingertip_depths_m=(0.01,)))
    assert chosen_grasp(shallow)[2] > chosen_grasp(default)[2] + 0.003
    assert not np.array_equal(action, pick(motion=MotionConfig(travel_height_m=0.4))[1])
    for change in (
        {"grasp_limits": (GraspLimits(max_width_m=0.001),)},
        {"kinematics": KinematicsConfig(max_iterations=1)},
        {"point_cloud": PointCloudConfig(table_height_m=0.06)},
    ):
        assert pick(**change)[0].phase == PickPhase.DONE
