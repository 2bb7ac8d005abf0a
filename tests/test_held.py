"""What is held: which points of the picture, how it has swung, where its middle may be, and how it is carried."""

from __future__ import annotations

import numpy as np
import pytest
from picking import ABOVE, BASE, INTRINSIC, REST, box
from scipy.linalg import null_space
from scipy.spatial.transform import Rotation

from pickclutter_lang.picking.arm import PandaArm
from pickclutter_lang.picking.gripper import rotation_matrix
from pickclutter_lang.picking.held import (
    about_closing_axis,
    carrying_pose,
    held_points,
    likely_middles,
    pivot_of_held,
)

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


def test_what_is_held_near_its_middle_does_not_hang():
    shape = box((0.12, 0.04, 0.05)) @ np.diag([1.0, -1.0, -1.0]) + np.array([0, 0, 0.024])
    raised = shape + np.array([0, 0, 0.03])  # it fits nowhere, but has not turned
    assert abs(pivot_of_held(raised, shape, np.array([0, 0, -0.001]), DOWN)) < np.deg2rad(20)


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
