"""What is held: which points of the image, how it has swung, where its middle may be, and how it is carried."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.spatial.transform import Rotation

from helpers.grasping import ABOVE, BASE, INTRINSIC, REST, box
from pickclutter_lang.manipulation.gripper import quaternion, rotation_matrix
from pickclutter_lang.manipulation.in_hand_pose import (
    WristCameraView,
    about_closing_axis,
    estimate_in_hand_rotation,
    free_space_violation,
    held_object_points,
    wrist_camera_view,
)
from pickclutter_lang.manipulation.kinematics import PandaArm, is_elbow_bent
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.manipulation.transport import center_hypotheses, transport_pose

DOWN = np.array([0, 0, 1.0])  # in the frame of a gripper that points down


def turned(rotation):
    return np.rad2deg(np.linalg.norm(Rotation.from_matrix(rotation).as_rotvec()))


NOTHING = WristCameraView(np.zeros((160, 160)), INTRINSIC, np.eye(4))
"""A view that goes through nothing."""


def bar():
    """What is seen of a bar that is held beside its middle, by a gripper that points down, and that middle."""
    shape = (box((0.16, 0.03, 0.03)) - np.array([0.05, 0, 0.02])) @ np.diag([1.0, -1.0, -1.0])
    return shape, shape.mean(0)


@pytest.mark.parametrize("degrees", [0, 15, 30, 54, 75])
@pytest.mark.parametrize("side", [-1, 1])
def test_how_far_an_object_has_swung_between_the_fingers(degrees, side):
    shape, middle = (part * [side, 1, 1] for part in bar())
    swing = about_closing_axis(-np.sign(middle[0]) * np.deg2rad(degrees))
    assert (swing @ middle)[2] >= middle[2] - 1e-9  # it sinks
    held = shape @ swing.T
    found = estimate_in_hand_rotation(held, NOTHING, shape, middle, DOWN)
    assert turned(found @ swing.T) < 7
    assert estimate_in_hand_rotation(held[:3], NOTHING, shape, middle, DOWN) == pytest.approx(np.eye(3))


@pytest.mark.parametrize("degrees", [20, 40])
@pytest.mark.parametrize("side", [-1, 1])
def test_what_is_held_at_its_rim_tilts(degrees, side):
    shape = box((0.03, 0.12, 0.03)) @ np.diag([1.0, -1.0, -1.0]) + np.array([0, 0.06 * side, 0.02])
    tilt = Rotation.from_rotvec([side * np.deg2rad(degrees), 0, 0]).as_matrix()
    assert (tilt @ shape.mean(0))[2] > shape.mean(0)[2]
    assert turned(estimate_in_hand_rotation(shape @ tilt.T, NOTHING, shape, shape.mean(0), DOWN) @ tilt.T) < 7


@pytest.mark.parametrize("tilt", [-30, 0, 30])
def test_what_is_seen_from_another_side_hangs_below_the_fingers(tilt):
    shape = box((0.16, 0.03, 0.03)) @ np.diag([1.0, -1.0, -1.0]) - np.array([0.07, 0, 0])
    middle, down = np.array([-0.07, 0.01, 0.015]), about_closing_axis(np.deg2rad(tilt)) @ DOWN
    seen = np.random.default_rng(0).uniform(-0.04, 0.04, (200, 3)) + np.array([0, 0, 0.1])
    hanging = estimate_in_hand_rotation(seen, NOTHING, shape, middle, down) @ middle
    assert hanging[1] == middle[1]
    left = np.arccos(hanging @ down / np.linalg.norm(hanging * [1, 0, 1]))
    assert left == pytest.approx(0.15 * np.arccos(middle @ down / np.linalg.norm(middle * [1, 0, 1])))


def test_where_the_view_goes_through_nothing_is_held():
    """What is seen between the fingers is as the bar was, but the rest of the bar would be in the image."""
    shape, middle = bar()
    end = shape[np.abs(shape[:, 0]) < 0.016]
    depth, camera = np.full((160, 200), 0.4), np.eye(4)
    depth[50:110, 50:110] = 0.1  # fingers and what they hold
    camera[:3, :3], camera[:3, 3] = np.diag([1.0, -1.0, -1.0]), [0, 0, -0.1]  # it looks along the approach
    blind, seeing = (
        estimate_in_hand_rotation(end, view, shape, middle, DOWN)
        for view in (NOTHING, WristCameraView(depth, INTRINSIC, camera))
    )
    assert turned(blind) < 10 and (seeing @ middle)[2] > 0.03


def test_what_is_held_near_its_middle_does_not_hang():
    shape = box((0.12, 0.04, 0.05)) @ np.diag([1.0, -1.0, -1.0]) + np.array([0, 0, 0.024])
    raised = shape + np.array([0, 0, 0.03])  # it fits nowhere, but has not turned
    assert estimate_in_hand_rotation(raised, NOTHING, shape, np.array([0, 0, -0.001]), DOWN) == pytest.approx(np.eye(3))


@pytest.mark.parametrize("degrees", [-90, -60, -30, 30, 60, 90])
def test_what_lies_above_the_pads_may_fall_to_either_side(degrees):
    shape = box((0.16, 0.03, 0.055)) @ np.diag([1.0, -1.0, -1.0]) + np.array([0.009, 0, 0.015])
    fallen = about_closing_axis(np.deg2rad(degrees))
    found = estimate_in_hand_rotation(shape @ fallen.T, NOTHING, shape, np.array([0.009, 0, -0.013]), DOWN)
    assert turned(found @ fallen.T) < 7


def test_of_what_looks_the_same_however_it_hangs_a_long_lever_hangs():
    ring = np.linspace(0, 2 * np.pi, 100)
    round_part = np.stack([0.01 * np.cos(ring), 0 * ring, 0.01 * np.sin(ring)], axis=1)
    for middle in (np.array([-0.12, 0, 0]), np.array([0.12, 0, 0])):
        assert (estimate_in_hand_rotation(round_part, NOTHING, round_part, middle, DOWN) @ middle)[2] > 0.115


@pytest.mark.parametrize(("down_at", "degrees"), [(0, 20), (20, 20), (80, -15)])
def test_a_rim_tilts_to_where_down_is(down_at, degrees):
    """The closing axis of a hand may be slanted; angles are in its plane with the approach, from that on."""
    shape = box((0.03, 0.12, 0.03)) @ np.diag([1.0, -1.0, -1.0]) + np.array([0, 0.05, 0.05])
    down = np.array([0, np.sin(np.deg2rad(down_at)), np.cos(np.deg2rad(down_at))])
    tilt = Rotation.from_rotvec([np.deg2rad(degrees), 0, 0]).as_matrix()
    assert (tilt @ shape.mean(0)) @ down > shape.mean(0) @ down
    assert turned(estimate_in_hand_rotation(shape @ tilt.T, NOTHING, shape, shape.mean(0), down) @ tilt.T) < 7


@pytest.mark.parametrize("degrees", [0, 40, 90])
def test_a_middle_is_looked_for_along_below_and_beside(degrees):
    turn = about_closing_axis(np.deg2rad(degrees))
    shape, middle = (box((0.2, 0.03, 0.03)) - np.array([0.02, 0, 0.015])) @ turn.T, turn @ np.array([-0.02, 0, 0])
    places = center_hypotheses(middle, shape, DOWN)
    assert np.linalg.norm(places[0] - middle) < 0.01  # as it was thought
    if degrees < 90:
        along = (places - middle) @ turn[:, 0]
        assert along.min() < -0.015 and along.max() > 0.04
    beside = (places - middle) @ null_space(np.stack([turn[:, 0], DOWN]))
    assert np.linalg.norm(beside, axis=1).max() == pytest.approx(0.036)
    assert (places[:, 2] - middle[2]).max() > 0.03 and np.linalg.norm(places - middle, axis=1).max() < 0.12


def test_what_moves_with_the_hand_is_held_and_fingers_are_not():
    before, after = np.full((160, 160), 0.29), np.full((160, 160), 0.25)
    for depth in (before, after):
        depth[75:85, 70:90] = 0.1  # held
    pose = np.array([0, 0, 0.4, 0, 1, 0, 0.0])
    view = wrist_camera_view(after, INTRINSIC, ABOVE, pose)
    points = held_object_points(before, view, opening=0.08)
    assert len(points) == 200 and np.abs(points[:, 2]).max() < 1e-6
    as_fingers = held_object_points(before, view, opening=0.0)
    assert len(as_fingers) < 200


def slanted_view():
    """A wide image of random depths, some of them 0, by a camera and a hand that are turned any way."""
    generator = np.random.default_rng(0)
    depth = generator.uniform(0.2, 0.4, (12, 20))
    depth[generator.random(depth.shape) < 0.2] = 0
    intrinsic, camera = np.array([[15.0, 0, 8], [0, 25, 7], [0, 0, 1]]), np.eye(4)
    camera[:3, :3], camera[:3, 3] = Rotation.random(random_state=1).as_matrix(), [0.1, -0.2, 0.3]
    tcp = np.concatenate([[0.1, -0.1, 0.2], quaternion(Rotation.random(random_state=2).as_matrix())])
    return depth, intrinsic, camera, tcp


def test_a_view_is_in_the_frame_of_the_hand():
    depth, intrinsic, camera, tcp = slanted_view()
    world = unproject_depth(depth, intrinsic, camera).points
    own = unproject_depth(depth, intrinsic, wrist_camera_view(depth, intrinsic, camera, tcp).camera).points
    assert own @ rotation_matrix(tcp[3:]).T + tcp[:3] == pytest.approx(world)


def test_how_far_a_view_goes_beyond_points():
    view = wrist_camera_view(*slanted_view())
    seen, at = unproject_depth(*view).points, view.camera[:3, 3]
    depths = view.depth[view.depth > 0]
    assert free_space_violation(at + 0.6 * (seen - at), view) == pytest.approx(0.4 * depths)
    for behind in (seen, at + 1.2 * (seen - at), at - (seen - at)):
        assert not free_space_violation(behind, view).any()
    beside = seen + 1.0 * view.camera[:3, 0]
    assert not free_space_violation(beside, view).any()
    assert not free_space_violation(at + 0.6 * (seen - at), view._replace(depth=np.zeros_like(view.depth))).any()


@pytest.mark.parametrize(
    ("place", "degrees", "turn", "lean"),
    [
        ((0, 0.3, 0.5), 0, 0, 0),
        ((0.05, 0.25, 0.4), 120, -15, 0),
        ((0, 0.3, 0.5), 150, 0, 20),
        ((0.15, 0.25, 0.45), 120, 0, 40),
    ],
)
def test_the_hand_turns_or_leans_where_it_cannot_carry_as_it_grasped(place, degrees, turn, lean):
    arm, middle, place = PandaArm(BASE), np.array([0.08, 0, 0.02]), np.array(place)
    about = Rotation.from_rotvec([0, 0, np.deg2rad(degrees)]).as_matrix()
    rotation = about @ rotation_matrix(arm.forward(REST)[3:])
    pose = transport_pose(arm, REST, place, middle, rotation)
    angles = arm.inverse(pose, REST)
    assert angles is not None and is_elbow_bent(angles)
    assert pose[:3] + rotation_matrix(pose[3:]) @ middle == pytest.approx(place)
    change = np.rad2deg(Rotation.from_matrix(rotation_matrix(pose[3:]) @ rotation.T).as_rotvec())
    assert change[2] == pytest.approx(turn, abs=1e-6) and np.hypot(*change[:2]) == pytest.approx(lean, abs=1e-6)
    if lean:  # the fingers point away from the arm's base
        assert rotation_matrix(pose[3:])[:2, 2] @ (place - arm.base)[:2] > 0.1
    unturned = transport_pose(arm, REST, np.array([0, 0, 3.0]), middle, rotation)
    assert unturned[:3] == pytest.approx([0, 0, 3] - rotation @ middle)
    assert rotation_matrix(unturned[3:]) == pytest.approx(rotation)
