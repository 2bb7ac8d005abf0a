"""The scripted picker: kinematics, clouds, grasps, what is held, and picks that are really executed."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from picking import tabletop
from scipy.linalg import null_space
from scipy.spatial.transform import Rotation

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.picking.arm import LOWER, UPPER, PandaArm, pose_distance
from pickclutter_lang.picking.clouds import TABLE_M, cloud_of, world_points
from pickclutter_lang.picking.drive import DRIVES, drive_of
from pickclutter_lang.picking.gripper import (
    FINGER_TIP_Z,
    PAD_M,
    Candidates,
    blocking_points,
    enclosed_points,
    rotation_matrix,
)
from pickclutter_lang.picking.held import (
    about_closing_axis,
    carrying_pose,
    held_points,
    likely_middles,
    pivot_of_held,
)
from pickclutter_lang.picking.masses import centre_of_mass
from pickclutter_lang.picking.picker import ScriptedPicker
from pickclutter_lang.picking.proposals import MOST_BLOCKED, propose
from pickclutter_lang.picking.segments import hottest_object, segments_of

BASE = np.array([-0.615, 0, 0, 1, 0, 0, 0], float)
REST = np.array([0, np.pi / 8, 0, -np.pi * 5 / 8, 0, np.pi * 3 / 4, np.pi / 4])
ABOVE = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.5], [0, 0, 0, 1]], float)  # looks down from 0.5 m
INTRINSIC = np.array([[80, 0, 80], [0, 80, 80], [0, 0, 1]], float)


def box(size, at=(0.0, 0.0), spacing=0.004):
    """Points on the top and the sides of a box on the table."""
    x, y, z = (np.arange(-s / 2, s / 2 + 1e-9, spacing) for s in size)
    z = z + size[2] / 2
    top = np.stack(np.meshgrid(x, y, [size[2]]), axis=-1).reshape(-1, 3)
    sides = [np.stack(np.meshgrid([sx], y, z), axis=-1).reshape(-1, 3) for sx in (x[0], x[-1])]
    sides += [np.stack(np.meshgrid(x, [sy], z), axis=-1).reshape(-1, 3) for sy in (y[0], y[-1])]
    points = np.concatenate([top, *sides])
    return points[points[:, 2] > TABLE_M] + np.array([*at, 0.0])


def test_inverse_kinematics_undo_forward_kinematics():
    arm, rng = PandaArm(BASE), np.random.default_rng(0)
    for _ in range(50):
        pose = arm.tcp(REST + rng.uniform(-0.4, 0.4, 7))
        found = arm.solve(pose, REST)
        assert found is not None and (found >= LOWER).all() and (found <= UPPER).all()
        metres, radians = pose_distance(arm.tcp(found), pose)
        assert metres < 1e-3 and radians < 0.01
    assert arm.solve(np.array([3.0, 0, 0, 0, 1, 0, 0]), REST) is None


def test_a_depth_picture_becomes_points_of_the_world():
    depth = np.full((160, 160), 0.5)
    depth[70:90, 100:120] = 0.4
    cloud = cloud_of(depth, INTRINSIC, ABOVE)
    assert len(cloud.points) == 400 and np.allclose(cloud.points[:, 2], 0.1)
    assert cloud.points[:, 0].mean() == pytest.approx((110 - 80) / 80 * 0.4)
    assert cloud.points[:, 1].mean() == pytest.approx(0, abs=1e-9)
    assert (cloud.pixels.min(0) == [70, 100]).all()
    depth[:5] = 0
    assert len(world_points(depth, INTRINSIC, ABOVE).points) == 155 * 160
    with pytest.raises(InvalidArgumentError, match=r"depth picture \[H, W\]"):
        world_points(depth[..., None], INTRINSIC, ABOVE)


def test_a_box_is_grasped_across_its_narrow_side():
    found = propose(box((0.12, 0.04, 0.05)), np.zeros((0, 3)))
    assert len(found.positions) > 1
    best, closing, approach = found.positions[0], found.rotations[0][:, 1], found.rotations[0][:, 2]
    assert abs(closing[1]) > 0.9 and approach[2] < -0.99
    assert np.abs(best[:2]).max() < 0.02 and 0.01 < best[2] < 0.05
    for rotation in found.rotations:
        assert np.allclose(rotation.T @ rotation, np.eye(3)) and np.linalg.det(rotation) == pytest.approx(1)


def test_what_the_gripper_cannot_hold_or_reach_around_has_no_grasp():
    cube = box((0.05, 0.05, 0.05))
    assert len(propose(cube, np.zeros((0, 3))).positions)
    plate = box((0.12, 0.12, 0.05))
    radius = np.linalg.norm(plate[:, :2], axis=1)
    assert not len(propose(plate[radius < 0.058], np.zeros((0, 3))).positions)
    walls = [box((0.02, 0.02, 0.1), at) for at in [(0.04, y) for y in (-0.04, -0.02, 0, 0.02, 0.04)]]
    walls += [w * [-1, 1, 1] for w in walls]
    walls += [w[:, [1, 0, 2]] for w in walls]
    assert not len(propose(cube, np.concatenate(walls)).positions)
    assert not len(propose(cube[:3], np.zeros((0, 3))).positions)


def test_proposals_are_free_and_keep_off_the_table():
    cube, neighbour = box((0.04, 0.04, 0.06)), box((0.04, 0.1, 0.08), at=(0.06, 0))
    found = propose(cube, neighbour)
    assert len(found.positions)
    assert (blocking_points(Candidates(found.positions, found.rotations), [cube, neighbour]) <= MOST_BLOCKED).all()
    assert (found.positions[:, 2] > 0.0098).all()


def test_nothing_else_is_taken_hold_of():
    bar, across = box((0.2, 0.03, 0.03)), box((0.02, 0.16, 0.02), at=(0.0, 0.0)) + np.array([0, 0, 0.03])
    alone, crossed = propose(bar, np.zeros((0, 3))), propose(bar, across)
    assert np.abs(alone.positions[0][:2]).max() < 0.02  # at the middle, where it is heaviest
    assert len(crossed.positions) and np.abs(crossed.positions[:, 0]).min() > 0.02  # beside what lies on it
    assert (enclosed_points(crossed, across) <= MOST_BLOCKED).all()
    assert enclosed_points(alone, across)[0] > MOST_BLOCKED
    assert enclosed_points(alone[np.zeros(0, int)], across).shape == (0,)


@pytest.mark.parametrize("turn", [0.0, 0.7, 2.0])
def test_a_hammer_is_heaviest_near_its_head(turn):
    handle, head = box((0.24, 0.02, 0.02), spacing=0.002), box((0.04, 0.1, 0.03), at=(0.14, 0), spacing=0.002)
    c, s = np.cos(turn), np.sin(turn)
    points = np.concatenate([handle, head]) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    masses = np.array([0.24 * 0.02 * 0.02, 0.04 * 0.1 * 0.03])
    along = masses @ [0.0, 0.14] / masses.sum()
    found = centre_of_mass(points)
    assert found[:2] == pytest.approx([along * c, along * s], abs=0.012)
    assert found[2] == pytest.approx(0.015, abs=0.004)
    assert centre_of_mass(points[:1]) == pytest.approx([*points[0, :2], 0.5 * points[0, 2]])


def test_things_that_lie_apart_are_segments():
    rgb, depth = np.full((160, 160, 3), 90, np.uint8), np.full((160, 160), 0.5)
    depth[30:60, 40:80], depth[60:90, 40:80] = 0.45, 0.42  # one stands higher than the other beside it
    depth[110:140, 20:60], rgb[110:140, 40:60] = 0.46, 250  # equally high, of another brightness
    depth[140:, 110:130] = 0.06  # a finger
    segments = segments_of(rgb, depth, INTRINSIC, ABOVE)
    things = [np.s_[30:60, 40:80], np.s_[60:90, 40:80], np.s_[110:140, 20:40], np.s_[110:140, 40:60]]
    values = [int(np.bincount(segments[thing].ravel()).argmax()) for thing in things]
    assert len(set(values)) == 4 and 0 not in values
    for value, thing in zip(values, things, strict=True):
        wanted = np.zeros((160, 160), bool)
        wanted[thing] = True
        found = segments == value
        assert (found & wanted).sum() > 0.8 * (found | wanted).sum()
    assert not segments[:, 100:].any()
    heat = np.zeros((160, 160))
    heat[115:120, 25:30] = 1.0
    assert (hottest_object(segments, heat, depth) == (segments == values[2])).all()  # what is beside it is cold
    heat[110:140, 20:60] = 1.0
    both = (segments == values[2]) | (segments == values[3])
    assert (hottest_object(segments, heat, depth) == both).all()  # of two colours, but hot and without a step between
    heat[30:60, 40:80] = heat[60:90, 40:80] = 2.0
    heat[32, 42] = 3.0
    assert (hottest_object(segments, heat, depth) == (segments == values[0])).all()  # the other one is 3 cm higher
    assert not hottest_object(np.zeros((4, 4), int), heat[:4, :4], depth[:4, :4]).any()
    assert hottest_object(np.ones((4, 4), int), heat[:4, :4], depth[:4, :4]).all()


def test_an_object_grows_along_borders_without_a_step_over_what_is_hot():
    segments = np.repeat([[1, 2, 3, 4, 0, 5]], 9, axis=0).repeat(4, axis=1)
    warm = np.array([0, 1.0, 0.4, 0.35, 0.25, 0.9])
    depth = np.full(segments.shape, 0.4)
    depth[4, 4:8] = 0.3  # a row that stands out does not part the first from the second
    assert (hottest_object(segments, warm[segments], depth) == np.isin(segments, [1, 2, 3])).all()  # 4 is cold, 5 apart
    depth[:, 4:] = 0.42
    assert (hottest_object(segments, warm[segments], depth) == (segments == 1)).all()


def test_the_pads_close_on_what_is_thin_and_lies_high():
    fork = box((0.15, 0.012, 0.006), spacing=0.002) + np.array([0, 0, 0.048])
    found = propose(fork, np.zeros((0, 3)))
    tips = found.positions[:, 2] + found.rotations[:, 2, 2] * FINGER_TIP_Z
    assert len(tips) and (0.054 - tips <= PAD_M + 1e-9).all()
    thick = propose(box((0.15, 0.05, 0.054)), np.zeros((0, 3)))
    assert 0.054 - (thick.positions[0, 2] - FINGER_TIP_Z) > 0.03


def test_a_bottle_is_not_taken_by_its_round_top():
    angles = np.arange(-1.5, 1.51, 0.05)
    x, a = np.meshgrid(np.arange(-0.08, 0.081, 0.004), angles, indexing="ij")
    body = np.stack([x, 0.05 * np.sin(a), 0.05 + 0.05 * np.cos(a)], axis=-1).reshape(-1, 3)  # too wide for the gripper
    neck = np.stack([x * 0.3 + 0.105, 0.02 * np.sin(a), 0.05 + 0.02 * np.cos(a)], axis=-1).reshape(-1, 3)
    found = propose(np.concatenate([body, neck]), np.zeros((0, 3)))
    assert found.positions[0, 2] < 0.06  # but where its sides are upright, as its neck has them


DOWN = np.array([0, 0, 1.0])  # in the frame of a gripper that points down


@pytest.mark.parametrize("degrees", [-60, -24, 0, 30, 54])
def test_how_far_an_object_has_swung_between_the_fingers(degrees):
    shape = box((0.16, 0.03, 0.03)) - np.array([0.05, 0, 0.02])
    shape = shape @ np.diag([1.0, -1.0, -1.0])  # seen by a gripper that points down
    held = shape @ about_closing_axis(np.deg2rad(degrees)).T
    middle = shape.mean(0)
    assert np.rad2deg(pivot_of_held(held, shape, middle, DOWN)) == pytest.approx(degrees, abs=7)
    assert pivot_of_held(held[:3], shape, middle, DOWN) == 0


@pytest.mark.parametrize("tilt", [-30, 0, 30])
def test_what_is_seen_from_another_side_hangs_below_the_fingers(tilt):
    shape = box((0.16, 0.03, 0.03)) @ np.diag([1.0, -1.0, -1.0]) - np.array([0.07, 0, 0])
    middle, down = np.array([-0.07, 0.01, 0.015]), about_closing_axis(np.deg2rad(tilt)) @ DOWN
    seen = np.random.default_rng(0).uniform(-0.04, 0.04, (200, 3)) + np.array([0, 0, 0.1])
    hanging = about_closing_axis(pivot_of_held(seen, shape, middle, down)) @ middle
    assert np.cross(hanging * [1, 0, 1], down) == pytest.approx(0, abs=1e-9) and hanging @ down > 0.07
    assert hanging[1] == middle[1]


@pytest.mark.parametrize("degrees", [0, 40, 90])
def test_a_middle_is_looked_for_along_below_and_beside(degrees):
    turn = about_closing_axis(np.deg2rad(degrees))
    shape, middle = (box((0.2, 0.03, 0.03)) - np.array([0.02, 0, 0.015])) @ turn.T, turn @ np.array([-0.02, 0, 0])
    places = likely_middles(middle, shape, DOWN)
    assert np.linalg.norm(places[0] - middle) < 0.01  # as it was thought
    if degrees < 90:
        along = (places - middle) @ turn[:, 0]
        assert along.min() < -0.015 and along.max() > 0.04
    beside = (places - middle) @ null_space(np.stack([turn[:, 0], DOWN]))
    assert np.linalg.norm(beside, axis=1).max() == pytest.approx(0.04)
    assert (places[:, 2] - middle[2]).max() > 0.03 and np.linalg.norm(places - middle, axis=1).max() < 0.12


def test_what_moves_with_the_hand_is_held_and_fingers_are_not():
    before, after = np.full((160, 160), 0.29), np.full((160, 160), 0.25)
    for depth in (before, after):
        depth[75:85, 70:90] = 0.1  # held
    pose = np.array([0, 0, 0.4, 0, 1, 0, 0.0])
    points = held_points(before, after, INTRINSIC, ABOVE, pose, opening=0.08)
    assert len(points) == 200 and np.abs(points[:, 2]).max() < 1e-6
    as_fingers = held_points(before, after, INTRINSIC, ABOVE, pose, opening=0.0)
    assert len(as_fingers) < 200


@pytest.mark.parametrize(("degrees", "turned"), [(0, 0), (120, 15), (150, 45)])
def test_the_hand_turns_where_it_cannot_carry_as_it_grasped(degrees, turned):
    arm, middle, place = PandaArm(BASE), np.array([0.08, 0, 0.02]), np.array([0, 0.3, 0.5])
    about = Rotation.from_rotvec([0, 0, np.deg2rad(degrees)]).as_matrix()
    rotation = about @ rotation_matrix(arm.tcp(REST)[3:])
    pose = carrying_pose(arm, REST, place, middle, rotation)
    assert arm.solve(pose, REST) is not None
    assert pose[:3] + rotation_matrix(pose[3:]) @ middle == pytest.approx(place)
    turn = Rotation.from_matrix(rotation_matrix(pose[3:]) @ rotation.T).as_rotvec()
    assert np.abs(np.rad2deg(turn)) == pytest.approx([0, 0, turned], abs=1e-6)
    away = np.array([0, 0, 3.0])
    unturned = carrying_pose(arm, REST, away, middle, rotation)
    assert unturned[:3] == pytest.approx(away - rotation @ middle)
    assert rotation_matrix(unturned[3:]) == pytest.approx(rotation)


@pytest.mark.parametrize("mode", sorted(DRIVES))
def test_driving_goes_to_a_pose(mode):
    arm, angles = PandaArm(BASE), np.append(REST, [0.04, 0.04])
    goal = arm.tcp(REST) + np.array([0.03, -0.04, -0.05, 0, 0, 0, 0])
    action = drive_of(mode)(arm, angles, goal, -1.0, 0.5)
    assert action.dtype == np.float32 and action[-1] == -1 and np.abs(action[:-1]).max() <= 0.5 + 1e-6
    assert drive_of(mode)(arm, angles, arm.tcp(REST), 1.0, 1.0)[:-1] == pytest.approx(0, abs=0.01)
    with pytest.raises(InvalidArgumentError, match="pd_ee_delta_pose, pd_joint_delta_pos"):
        drive_of("pd_joint_vel")
    with pytest.raises(InvalidArgumentError, match="at least one try"):
        ScriptedPicker(lambda seen: np.zeros((8, 8), bool), mode, tries=0)


def pick(env, options, mode, meddle=lambda picker: None):
    observation, info = env.reset(seed=0, options=options)
    picker = ScriptedPicker(
        lambda seen: seen["image"]["hand_camera"]["Segmentation"][..., 1] == env.unwrapped.obj.id, mode
    )
    for _ in range(200):
        action = picker.act(observation)
        if picker.doing == "rest":
            break
        meddle(picker)
        observation, _, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            break
    return info["success"], picker


@pytest.mark.slow
@pytest.mark.parametrize("mode", sorted(DRIVES))
def test_the_arm_brings_the_object_to_the_goal(mode):
    env = gymnasium.make(
        "PickClutterLang/Proxy-v0",
        obs_mode="rgbd",
        control_mode=mode,
        enable_segmentation=True,
        absent_probability=0.0,
        camera_cfgs={"base_camera": {"width": 8, "height": 8}},
    )
    pile = tabletop(env.unwrapped.object_set, ["lemon", "tennis ball", "banana"])
    asked = {"episode": pile, "target": "lemon"}
    success, picker = pick(env, asked, mode)
    assert success and picker.doing == "carry"

    aims = []

    def move_off(picker):
        """Move the lemon away from between the fingers, once."""
        if picker.doing == "close" and not aims:
            aims.append(picker.aim)
            lemon, pose = env.unwrapped.obj, env.unwrapped.obj.pose
            lemon.set_pose(type(pose)([0.07, 0.07, pose.p[2]], pose.q))

    _, picker = pick(env, asked, mode, move_off)
    assert np.linalg.norm(aims[0].grasp[:3] - picker.aim.grasp[:3]) > 0.1  # it looked again
    assert picker.doing == "carry" and env.unwrapped.obj.pose.p[2] > 0.1  # and the second try has it
    observation, _ = env.reset(seed=0)
    with pytest.raises(InvalidArgumentError, match="128, 128"):
        ScriptedPicker(lambda seen: np.zeros((5, 5), bool)).act(observation)
    picker = ScriptedPicker(lambda seen: np.zeros((128, 128), bool))  # nothing is seen of the object
    picker.act(observation)
    assert picker.doing == "rest" and picker.aim is None
    del observation["image"]
    with pytest.raises(InvalidArgumentError, match="obs_mode='rgbd'"):
        picker.act(observation)
    env.close()
