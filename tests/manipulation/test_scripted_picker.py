"""The scripted picker: kinematics, point clouds, segmentation, grasp proposals, and picks in the simulator."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from helpers.grasping import ABOVE, BASE, INTRINSIC, REST, box, chosen_grasp, tabletop
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.center_of_mass import center_of_mass
from pickclutter_lang.manipulation.controllers import CONTROLLERS, make_controller
from pickclutter_lang.manipulation.grasp_config import DEFAULT_GRASP_CONFIG, DEFAULT_LIMITS, RELAXED_LIMITS
from pickclutter_lang.manipulation.grasp_proposals import StripGrasp, _grasps_on_strips, propose_grasps
from pickclutter_lang.manipulation.gripper import (
    PANDA_GRIPPER,
    GraspCandidates,
    collision_counts,
    points_between_fingers,
    rotation_matrix,
)
from pickclutter_lang.manipulation.kinematics import JOINT_LIMITS, PandaArm, pose_distance
from pickclutter_lang.manipulation.picker_config import DEFAULT_PICKER_CONFIG, PickerConfig
from pickclutter_lang.manipulation.planes import PlaneConfig, planar_normals
from pickclutter_lang.manipulation.point_cloud import DEFAULT_POINT_CLOUD_CONFIG, object_point_cloud, unproject_depth
from pickclutter_lang.manipulation.scripted_picker import GraspTarget, PickPhase, ScriptedPicker
from pickclutter_lang.manipulation.segmentation import segment_rgbd, select_target_segments
from pickclutter_lang.utils.typing import FloatArray


def select_one(
    segments: NDArray[np.int64], heatmap: FloatArray, depth: FloatArray, log_odds: FloatArray | None = None
) -> NDArray[np.bool_]:
    (mask,) = select_target_segments(segments, heatmap, depth, log_odds)
    return mask


def test_inverse_kinematics_undo_forward_kinematics() -> None:
    arm, rng = PandaArm(BASE), np.random.default_rng(0)
    for _ in range(50):
        pose = arm.forward(REST + rng.uniform(-0.4, 0.4, 7))
        result = arm.inverse(pose, REST)
        assert result is not None and (result >= JOINT_LIMITS[0]).all() and (result <= JOINT_LIMITS[1]).all()
        meters, radians = pose_distance(arm.forward(result), pose)
        assert meters < 1e-3 and radians < 0.01
    assert arm.inverse(np.array([3.0, 0, 0, 0, 1, 0, 0]), REST) is None


def test_a_depth_image_becomes_points_of_the_world() -> None:
    depth = np.full((160, 160), 0.5)
    depth[70:90, 100:120] = 0.4
    cloud = object_point_cloud(depth, INTRINSIC, ABOVE)
    assert len(cloud.points) == 400 and np.allclose(cloud.points[:, 2], 0.1)
    assert cloud.points[:, 0].mean() == pytest.approx((110 - 80) / 80 * 0.4)
    assert cloud.points[:, 1].mean() == pytest.approx(0, abs=1e-9)
    assert (cloud.pixels.min(0) == [70, 100]).all()
    depth[:5] = 0
    assert len(unproject_depth(depth, INTRINSIC, ABOVE).points) == 155 * 160
    with pytest.raises(InvalidArgumentError, match=r"depth image \[H, W\]"):
        unproject_depth(depth[..., None], INTRINSIC, ABOVE)


def test_a_box_is_grasped_across_its_narrow_side() -> None:
    result = propose_grasps(box((0.12, 0.04, 0.05)), np.zeros((0, 3)))
    assert len(result.positions) > 1
    position, closing, approach = result.positions[0], result.rotations[0][:, 1], result.rotations[0][:, 2]
    assert abs(closing[1]) > 0.9 and approach[2] < -0.99
    assert np.abs(position[:2]).max() < 0.02 and 0.01 < position[2] < 0.05
    for rotation in result.rotations:
        assert np.allclose(rotation.T @ rotation, np.eye(3)) and np.linalg.det(rotation) == pytest.approx(1)


def test_objects_too_wide_or_enclosed_have_no_grasp() -> None:
    cube = box((0.05, 0.05, 0.05))
    assert len(propose_grasps(cube, np.zeros((0, 3))).positions)
    plate = box((0.12, 0.12, 0.05))
    radius = np.linalg.norm(plate[:, :2], axis=1)
    assert not len(propose_grasps(plate[radius < 0.058], np.zeros((0, 3))).positions)
    walls = [box((0.02, 0.02, 0.1), at) for at in [(0.04, y) for y in (-0.04, -0.02, 0, 0.02, 0.04)]]
    walls += [w * [-1, 1, 1] for w in walls]
    walls += [w[:, [1, 0, 2]] for w in walls]
    assert not len(propose_grasps(cube, np.concatenate(walls)).positions)
    assert not len(propose_grasps(cube[:3], np.zeros((0, 3))).positions)


def test_proposals_are_collision_free_and_clear_the_table() -> None:
    cube, neighbor = box((0.04, 0.04, 0.06)), box((0.04, 0.1, 0.08), at=(0.06, 0))
    result = propose_grasps(cube, neighbor)
    assert len(result.positions)
    assert (
        collision_counts(GraspCandidates(result.positions, result.rotations), [cube, neighbor])
        <= DEFAULT_LIMITS.max_collisions
    ).all()
    assert (result.positions[:, 2] > 0.0098).all()


def test_no_other_object_is_grasped() -> None:
    bar, across = box((0.2, 0.03, 0.03)), box((0.02, 0.16, 0.02), at=(0.0, 0.0)) + np.array([0, 0, 0.03])
    alone, crossed = propose_grasps(bar, np.zeros((0, 3))), propose_grasps(bar, across)
    assert np.abs(alone.positions[0][:2]).max() < 0.02  # at the center of mass
    assert len(crossed.positions) and np.abs(crossed.positions[:, 0]).min() > 0.02  # beside the object on top of it
    assert (points_between_fingers(crossed, across) <= DEFAULT_LIMITS.max_collisions).all()
    assert points_between_fingers(alone, across)[0] > DEFAULT_LIMITS.max_collisions
    assert points_between_fingers(alone[np.zeros(0, int)], across).shape == (0,)


@pytest.mark.parametrize("yaw", [0.0, 0.7, 2.0])
def test_a_hammer_is_heaviest_near_its_head(yaw: float) -> None:
    handle, head = box((0.24, 0.02, 0.02), spacing=0.002), box((0.04, 0.1, 0.03), at=(0.14, 0), spacing=0.002)
    c, s = np.cos(yaw), np.sin(yaw)
    points = np.concatenate([handle, head]) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    masses = np.array([0.24 * 0.02 * 0.02, 0.04 * 0.1 * 0.03])
    along = masses @ [0.0, 0.14] / masses.sum()
    result = center_of_mass(points)
    assert result[:2] == pytest.approx([along * c, along * s], abs=0.012)
    assert result[2] == pytest.approx(0.015, abs=0.004)
    assert center_of_mass(points[:1]) == pytest.approx([*points[0, :2], 0.5 * points[0, 2]])


def test_separate_objects_are_segments() -> None:
    rgb, depth = np.full((160, 160, 3), 90, np.uint8), np.full((160, 160), 0.5)
    depth[30:60, 40:80], depth[60:90, 40:80] = 0.45, 0.42  # one stands higher than the other beside it
    depth[110:140, 20:60], rgb[110:140, 40:60] = 0.46, 250  # equally high, of another brightness
    depth[140:, 110:130] = 0.06  # a finger
    segments = segment_rgbd(rgb, depth, INTRINSIC, ABOVE)
    regions = [np.s_[30:60, 40:80], np.s_[60:90, 40:80], np.s_[110:140, 20:40], np.s_[110:140, 40:60]]
    values = [int(np.bincount(segments[region].ravel()).argmax()) for region in regions]
    assert len(set(values)) == 4 and 0 not in values
    for value, region in zip(values, regions, strict=True):
        expected = np.zeros((160, 160), bool)
        expected[region] = True
        result = segments == value
        assert (result & expected).sum() > 0.8 * (result | expected).sum()
    assert not segments[:, 100:].any()
    heatmap = np.zeros((160, 160))
    heatmap[115:120, 25:30] = 1.0
    assert (select_one(segments, heatmap, depth) == (segments == values[2])).all()  # its neighbor is cold
    heatmap[110:140, 20:60] = 1.0
    both = (segments == values[2]) | (segments == values[3])
    assert (select_one(segments, heatmap, depth) == both).all()  # of two colors, but hot and without a step between
    heatmap[30:60, 40:80] = heatmap[60:90, 40:80] = 2.0
    heatmap[32, 42] = 3.0
    assert (select_one(segments, heatmap, depth) == (segments == values[0])).all()  # the other one is 3 cm higher
    assert select_target_segments(np.zeros((4, 4), int), heatmap[:4, :4], depth[:4, :4]) == []
    assert select_one(np.ones((4, 4), int), heatmap[:4, :4], depth[:4, :4]).all()


def test_hot_neighbors_without_a_depth_step_are_merged() -> None:
    segments = np.repeat([[1, 2, 3, 4, 0, 5]], 9, axis=0).repeat(4, axis=1)
    heat = np.array([0, 1.0, 0.4, 0.35, 0.25, 0.9])
    depth = np.full(segments.shape, 0.4)
    depth[4, 4:8] = 0.3  # a single row does not separate the first from the second
    assert (
        select_one(segments, heat[segments], depth) == np.isin(segments, [1, 2, 3])
    ).all()  # 4 is cold, 5 not connected
    depth[:, 4:] = 0.42
    assert (select_one(segments, heat[segments], depth) == (segments == 1)).all()


def test_log_odds_of_names_decide_which_segments_are_merged() -> None:
    segments = np.repeat([[1, 2, 0, 3, 0, 4, 5]], 9, axis=0).repeat(4, axis=1)
    heat = np.array([0, 0.5, 0.2, 0.7, 0.0, 0.08])[segments]
    depth = np.full(segments.shape, 0.4)
    log_odds = np.array([[0.0, 2, 1, -1, 3, -2], [0, -2, 0, 2, 1.5, 0], [0, 0, 1.5, 0, -3, -9]])[:, segments]
    # 3 is the hottest, but has another name; 2 is merged with 1; 4 is cold, but clearly the target; 5 is neither.
    assert (select_one(segments, heat, depth) == (segments == 3)).all()
    assert (select_one(segments, heat, depth, log_odds) == np.isin(segments, [1, 2, 4])).all()
    depth[:, 4:] = 0.42
    assert (select_one(segments, heat, depth, log_odds) == np.isin(segments, [1, 4])).all()
    result = [
        sorted(set(segments[mask].tolist()))
        for mask in select_target_segments(segments, heat, depth, log_odds, count=4)
    ]
    assert result == [[1, 4], [2], [3], [5]]  # each without the segments of the earlier ones, the coldest last
    assert len(select_target_segments(segments, heat, depth, count=2)) == 2
    assert select_target_segments(0 * segments, heat, depth, log_odds, count=2) == []
    log_odds[:, :, 16:] = np.nan
    assert (select_one(segments, heat, depth, log_odds) == (segments == 1)).all()


def test_thin_objects_lie_between_the_pads() -> None:
    fork = box((0.15, 0.012, 0.006), spacing=0.002) + np.array([0, 0, 0.048])
    result = propose_grasps(fork, np.zeros((0, 3)))
    tips = result.positions[:, 2] + result.rotations[:, 2, 2] * PANDA_GRIPPER.finger_tip_z_m
    assert len(tips) and (0.054 - tips <= PANDA_GRIPPER.pad_height_m + 1e-9).all()
    thick = propose_grasps(box((0.15, 0.05, 0.054)), np.zeros((0, 3)))
    assert 0.054 - (thick.positions[0, 2] - PANDA_GRIPPER.finger_tip_z_m) > 0.03


def test_a_low_dome_has_no_upright_sides() -> None:
    angles, radii = np.meshgrid(np.arange(0, 2 * np.pi, 0.1), np.arange(0, 0.0341, 0.002))
    height = 0.02 * np.sqrt(1 - (radii / 0.0345) ** 2)
    dome = np.stack([radii * np.cos(angles), radii * np.sin(angles), height], axis=-1).reshape(-1, 3)
    dome = dome[dome[:, 2] > DEFAULT_POINT_CLOUD_CONFIG.table_height_m]
    straight = np.diag([1.0, -1.0, -1.0])
    grasps = _grasps_on_strips(dome, dome[::20], straight, dome.mean(0))
    deep = [grasp for grasp in grasps if grasp.position[2] < 0.015]  # its tips are as low as the table allows
    assert deep and min(grasp.flare for grasp in deep if grasp.width > 0.05) > 0.003


def test_a_center_beyond_a_pad_costs_more_than_one_across() -> None:
    bar = box((0.12, 0.03, 0.03))
    center, straight = np.array([0.0, 0.0, 0.015]), np.diag([1.0, -1.0, -1.0])
    seeds = bar[(np.abs(bar[:, 0]) < 1e-9) & (np.abs(bar[:, 1]) < 0.003) & (bar[:, 2] > 0.029)]
    (central, *_), (across, *_), (beyond, *_) = (
        _grasps_on_strips(bar + shift, seeds + shift, straight, center)
        for shift in ([0, 0, 0], [0.02, 0, 0], [0, 0.02, 0])
    )
    assert central.across < 1e-3 and central.beyond < 1e-3
    assert across.across == pytest.approx(0.02, abs=1e-3) and beyond.beyond == pytest.approx(0.02, abs=1e-3)
    costs = [grasp.cost(DEFAULT_GRASP_CONFIG.costs) for grasp in (central, across, beyond)]
    assert costs[0] < costs[1] < costs[2]


def observe_bar(angles: FloatArray) -> tuple[FloatArray, dict[str, Any]]:
    """Return a depth image with a bar in its center, and its observation by an arm with these joint angles."""
    depth = np.full((160, 160), 0.5)
    depth[76:84, 70:90] = 0.45
    return depth, {
        "image": {"hand_camera": {"depth": depth[..., None]}},
        "camera_param": {"hand_camera": {"intrinsic_cv": INTRINSIC, "cam2world_gl": ABOVE}},
        "agent": {"qpos": np.append(angles, [0.04, 0.04]), "base_pose": BASE},
        "extra": {"goal_pos": np.array([0, 0, 0.3])},
    }


def test_a_grasp_is_flipped_when_it_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    rotated = [0, 0, 0, 0, 0, 0, -0.1]  # so that half a turn of the hand begins away from the last joint's limit
    depth, observation = observe_bar(REST + rotated)
    pickers = [ScriptedPicker(lambda observation: depth < 0.48) for _ in range(3)]
    pickers[0].act(observation)
    first, solve, resting = chosen_grasp(pickers[0]), PandaArm.inverse, PandaArm(BASE).forward(REST)

    def angle(pose: FloatArray, other: FloatArray) -> float:
        return pose_distance(pose * [0, 0, 0, 1, 1, 1, 1], other * [0, 0, 0, 1, 1, 1, 1])[1]

    def refuse(wrong: Callable[[FloatArray], bool]) -> None:
        monkeypatch.setattr(
            PandaArm, "inverse", lambda self, pose, start: None if wrong(pose) else solve(self, pose, start)
        )

    refuse(lambda pose: angle(pose, first) < 0.1)
    pickers[1].act(observation)  # another grasp, rather than the same one after a long turn
    assert angle(chosen_grasp(pickers[1]), first) > 0.1 and angle(chosen_grasp(pickers[1]), resting) < np.pi / 2 + 0.1
    refuse(lambda pose: angle(pose, resting) < np.pi / 2)
    pickers[2].act(observation)
    assert chosen_grasp(pickers[2])[:3] == pytest.approx(first[:3])
    half = rotation_matrix(chosen_grasp(pickers[2])[3:]).T @ rotation_matrix(first[3:])
    assert half == pytest.approx(np.diag([-1, -1, 1]), abs=1e-6)


def test_an_object_that_slips_during_the_lift_is_picked_again() -> None:
    """The arm follows its actions exactly; the object slips in the second step of each lift."""
    depth, observation = observe_bar(REST)
    picker, angles, fingers = ScriptedPicker(lambda observation: depth < 0.48, "pd_joint_delta_pos"), REST.copy(), 0.04
    phases: list[PickPhase] = []
    speeds = []
    while PickPhase.DONE not in phases and len(phases) < 600:
        observation["agent"]["qpos"] = np.append(angles, [fingers, fingers])
        action = picker.act(observation)
        phases.append(picker.phase)
        angles = angles + 0.1 * action[:-1]
        slips = phases[-2:] == [PickPhase.LIFT, PickPhase.LIFT]
        fingers = 0.04 if action[-1] > 0 else 0.0 if slips else 0.01
        if picker.phase == PickPhase.LIFT:
            speeds.append(np.abs(action[:-1]).max())
    runs = [(phase, len(list(steps))) for phase, steps in itertools.groupby(phases)]
    assert [length for phase, length in runs if phase == PickPhase.LIFT] == [2, 2, 2]  # three attempts
    assert phases[-1] == PickPhase.DONE and PickPhase.TRANSPORT not in phases
    assert max(speeds) <= 0.15 + 1e-6


def test_a_center_below_the_tips_costs_and_one_above_does_not() -> None:
    grasps = [StripGrasp(np.zeros(3), 0.03, 0, 0, 0, 0, 0, below) for below in (-0.05, 0.0, 0.03, 0.06)]
    costs = [grasp.cost(DEFAULT_GRASP_CONFIG.costs) for grasp in grasps]
    assert costs[0] == costs[1] < costs[2] < costs[3]


def test_a_grasp_without_a_reachable_approach_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pose above the grasp is out of reach with that rotation of the hand."""
    depth, observation = observe_bar(REST)
    pickers, solve = [ScriptedPicker(lambda observation: depth < 0.48) for _ in range(2)], PandaArm.inverse
    pickers[0].act(observation)
    first = chosen_grasp(pickers[0])

    def refuse_above(self: PandaArm, pose: FloatArray, start: FloatArray) -> FloatArray | None:
        return None if pose[2] > 0.2 and abs(pose[3:] @ first[3:]) > 0.999 else solve(self, pose, start)

    monkeypatch.setattr(PandaArm, "inverse", refuse_above)
    pickers[1].act(observation)
    assert abs(chosen_grasp(pickers[1])[3:] @ first[3:]) < 0.999


@pytest.mark.parametrize("yaw", [0, 60, 90])
def test_of_equal_grasps_the_one_nearest_to_rest_is_first(yaw: int) -> None:
    rotated = Rotation.from_rotvec([0, 0, np.deg2rad(yaw)]).as_matrix() @ np.diag([1.0, -1.0, -1.0])
    ball = np.random.default_rng(0).normal(size=(4000, 3))
    ball = 0.025 * ball / np.linalg.norm(ball, axis=1, keepdims=True) + [0, 0, 0.025]
    result = propose_grasps(ball[ball[:, 2] > 0.02], np.zeros((0, 3)), rest_rotation=rotated)
    assert abs(result.rotations[0][:, 1] @ rotated[:, 1]) > np.cos(np.deg2rad(16))


def test_relaxed_limits_apply_when_no_grasp_is_within_the_default_ones() -> None:
    wide_box, no_points = box((0.12, 0.076, 0.05), spacing=0.002), np.zeros((0, 3))
    assert not len(propose_grasps(wide_box, no_points).positions)
    assert len(propose_grasps(wide_box, no_points, limits=RELAXED_LIMITS).positions)
    depth = np.full((160, 160), 0.5)
    depth[73:87, 60:100] = 0.45  # 14 pixels of 5.6 mm
    observation = {
        "image": {"hand_camera": {"depth": depth[..., None]}},
        "camera_param": {"hand_camera": {"intrinsic_cv": INTRINSIC, "cam2world_gl": ABOVE}},
        "agent": {"qpos": np.append(REST, [0.04, 0.04]), "base_pose": BASE},
        "extra": {"goal_pos": np.array([0, 0, 0.3])},
    }
    strict = PickerConfig(grasp_limits=(DEFAULT_LIMITS,))
    configs = DEFAULT_PICKER_CONFIG, strict
    picker, without = (ScriptedPicker(lambda observation: depth < 0.48, config=config) for config in configs)
    picker.act(observation)
    assert picker.target is not None and picker.phase == PickPhase.REACH
    without.act(observation)
    assert without.target is None and without.phase == PickPhase.DONE


def test_a_bottle_is_grasped_at_its_neck() -> None:
    angles = np.arange(-1.5, 1.51, 0.05)
    x, a = np.meshgrid(np.arange(-0.08, 0.081, 0.004), angles, indexing="ij")
    body = np.stack([x, 0.05 * np.sin(a), 0.05 + 0.05 * np.cos(a)], axis=-1).reshape(-1, 3)  # too wide for the gripper
    neck = np.stack([x * 0.3 + 0.105, 0.02 * np.sin(a), 0.05 + 0.02 * np.cos(a)], axis=-1).reshape(-1, 3)
    result = propose_grasps(np.concatenate([body, neck]), np.zeros((0, 3)))
    assert result.positions[0, 2] < 0.06  # but where its sides are upright, as its neck has them


@pytest.mark.parametrize("degrees", [-25, 25])
def test_a_leaning_wall_is_grasped_along_its_normal(degrees: int) -> None:
    along, up = np.meshgrid(np.arange(-0.06, 0.061, 0.003), np.arange(0, 0.08, 0.003), indexing="ij")
    sides = [np.stack([0 * up + x, along, up], axis=-1).reshape(-1, 3) for x in (0, 0.004)]
    rotation = Rotation.from_rotvec([0, np.deg2rad(degrees), 0]).as_matrix()
    wall = np.concatenate(sides) @ rotation.T
    wall[:, 2] -= wall[:, 2].min()
    assert abs(propose_grasps(wall, np.zeros((0, 3))).rotations[0][:, 1] @ rotation[:, 0]) > 0.999


def leaning_box(
    tilt: float, size: tuple[float, float, float] = (0.16, 0.066, 0.2), spacing: float = 0.003
) -> tuple[FloatArray, FloatArray]:
    """Return the visible points of a box that is tilted about x (its front and upper end), and its rotation."""
    width, thick, length = size
    across, along = np.meshgrid(np.arange(0, width, spacing) - width / 2, np.arange(0, length, spacing), indexing="ij")
    front = np.stack([across, 0 * across, along], axis=-1).reshape(-1, 3)
    across, deep = np.meshgrid(np.arange(0, width, spacing) - width / 2, np.arange(0, thick, spacing), indexing="ij")
    end = np.stack([across, deep, length + 0 * across], axis=-1).reshape(-1, 3)
    rotation = Rotation.from_rotvec([-tilt, 0, 0]).as_matrix()  # its upper end goes to +y, its front looks up
    return np.concatenate([front, end]) @ rotation.T + np.array([0, 0, 0.01]), rotation


def test_planar_faces_are_distinguished_from_round_ones() -> None:
    points, rotation = leaning_box(0.6)
    faces = planar_normals(points)
    assert len(faces) == 2 and np.allclose(np.linalg.norm(faces, axis=1), 1)
    assert (
        faces[0] @ (rotation @ [0, -1, 0]) > 0.999 and faces[1] @ (rotation @ [0, 0, 1]) > 0.999
    )  # the larger one first
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(1500, 3))
    ball = 0.03 * ball / np.linalg.norm(ball, axis=1, keepdims=True)
    assert planar_normals(ball[ball[:, 2] > 0]).shape == (0, 3)
    assert planar_normals(points[:20]).shape == (0, 3)


def test_a_leaning_box_is_grasped_across_its_thickness() -> None:
    points, rotation = leaning_box(0.6)
    thickness, no_points = rotation @ [0, 1, 0], np.zeros((0, 3))

    grasp = propose_grasps(points, no_points).rotations[0]
    assert abs(grasp[:, 1] @ thickness) > 0.99 and grasp[:, 2] @ (rotation @ [0, 0, -1]) > 0.99
    faceless = replace(DEFAULT_GRASP_CONFIG, planes=PlaneConfig(max_planes=0))
    others = propose_grasps(points, no_points, config=faceless).rotations
    assert max(abs(other[:, 1] @ thickness) for other in others) < 0.9  # without faces there is none


@pytest.mark.parametrize("mode", sorted(CONTROLLERS))
def test_controllers_move_to_a_pose(mode: str) -> None:
    arm, angles = PandaArm(BASE), np.append(REST, [0.04, 0.04])
    goal = arm.forward(REST) + np.array([0.03, -0.04, -0.05, 0, 0, 0, 0])
    action = make_controller(mode)(arm, angles, goal, -1.0, 0.5)
    assert action.dtype == np.float32 and action[-1] == -1 and np.abs(action[:-1]).max() <= 0.5 + 1e-6
    assert make_controller(mode)(arm, angles, arm.forward(REST), 1.0, 1.0)[:-1] == pytest.approx(0, abs=0.01)
    rotated = arm.forward(REST + np.array([0, 0, 0, 0, 0, 0, 0.6]))
    action = make_controller(mode)(arm, angles, rotated, -1.0, 0.2)
    fastest = 0.5 if mode == "pd_ee_delta_pose" else 0.2  # rotations have at least half speed
    assert np.linalg.norm(action[3:-1]) == pytest.approx(fastest, abs=1e-3)
    with pytest.raises(InvalidArgumentError, match="pd_ee_delta_pose, pd_joint_delta_pos"):
        make_controller("pd_joint_vel")
    with pytest.raises(InvalidArgumentError, match="at least one attempt"):
        PickerConfig(max_attempts=0)


def run_picker(
    env: Any,
    options: dict[str, Any],
    mode: str,
    callback: Callable[[ScriptedPicker], None] = lambda picker: None,
) -> tuple[bool, ScriptedPicker]:
    observation, info = env.reset(seed=0, options=options)
    picker = ScriptedPicker(
        lambda observation: observation["image"]["hand_camera"]["Segmentation"][..., 1] == env.unwrapped.obj.id, mode
    )
    for _ in range(200):
        action = picker.act(observation)
        if picker.phase == PickPhase.DONE:
            break
        callback(picker)
        observation, _, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            break
    return info["success"], picker


@pytest.mark.slow
@pytest.mark.parametrize("mode", sorted(CONTROLLERS))
def test_the_arm_brings_the_object_to_the_goal(mode: str) -> None:
    env: Any = gymnasium.make(
        "pickclutter_lang.envs:PickClutterLang/Proxy-v0",
        obs_mode="rgbd",
        control_mode=mode,
        enable_segmentation=True,
        absent_probability=0.0,
        camera_cfgs={"base_camera": {"width": 8, "height": 8}},
    )
    pile = tabletop(env.unwrapped.object_set, ["lemon", "tennis ball", "banana"])
    options = {"episode": pile, "target": "lemon"}
    success, picker = run_picker(env, options, mode)
    assert success and picker.phase == PickPhase.TRANSPORT

    targets: list[GraspTarget] = []

    def move_target(picker: ScriptedPicker) -> None:
        """Move the lemon away from between the fingers, once."""
        if picker.phase == PickPhase.CLOSE and not targets:
            assert picker.target is not None
            targets.append(picker.target)
            lemon, pose = env.unwrapped.obj, env.unwrapped.obj.pose
            lemon.set_pose(type(pose)([0.07, 0.07, pose.p[2]], pose.q))

    _, picker = run_picker(env, options, mode, move_target)
    assert np.linalg.norm(targets[0].grasp[:3] - chosen_grasp(picker)[:3]) > 0.1  # it observed again
    assert picker.phase == PickPhase.TRANSPORT and env.unwrapped.obj.pose.p[2] > 0.1  # the second attempt succeeds
    observation, _ = env.reset(seed=0)
    with pytest.raises(InvalidArgumentError, match="128, 128"):
        ScriptedPicker(lambda observation: np.zeros((5, 5), bool)).act(observation)
    picker = ScriptedPicker(lambda observation: np.zeros((128, 128), bool))  # the object is not visible
    picker.act(observation)
    assert picker.phase == PickPhase.DONE and picker.target is None
    del observation["image"]
    with pytest.raises(InvalidArgumentError, match="obs_mode='rgbd'"):
        picker.act(observation)
    env.close()
