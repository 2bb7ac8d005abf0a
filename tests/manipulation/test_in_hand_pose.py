"""In-hand pose: points of the grasped object, its rotation, center hypotheses, and transport poses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.spatial.transform import Rotation

from helpers.grasping import ABOVE, BASE, INTRINSIC, REST, box
from pickclutter_lang.manipulation.gripper import quaternion, rotation_matrix
from pickclutter_lang.manipulation.kinematics import PandaArm, is_elbow_bent
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.manipulation.transport import (
    HandCameraView,
    center_hypotheses,
    estimate_in_hand_rotation,
    free_space_violation,
    hand_camera_view,
    held_object_points,
    transport_pose,
)
from pickclutter_lang.utils.typing import FloatArray

DOWN = np.array([0, 0, 1.0])  # in the frame of a gripper that points down


def angle_deg(rotation: FloatArray) -> float:
    return float(np.rad2deg(np.linalg.norm(Rotation.from_matrix(rotation).as_rotvec())))


EMPTY_VIEW = HandCameraView(np.zeros((160, 160)), INTRINSIC, np.eye(4))
"""A view without any measured depth."""


def bar() -> tuple[FloatArray, FloatArray]:
    """Return the visible points of a bar that is grasped off its center by a downward gripper, and its center."""
    points = (box((0.16, 0.03, 0.03)) - np.array([0.05, 0, 0.02])) @ np.diag([1.0, -1.0, -1.0])
    return points, points.mean(0)


@pytest.mark.parametrize("degrees", [0, 30, 75])
def test_the_pitch_of_an_object_is_estimated(degrees: int) -> None:
    points, center = bar()
    rotation = Rotation.from_euler("Y", -np.sign(center[0]) * degrees, degrees=True).as_matrix()
    assert (rotation @ center)[2] >= center[2] - 1e-9  # the center sinks
    observed = points @ rotation.T
    estimate = estimate_in_hand_rotation(observed, EMPTY_VIEW, points, center, DOWN)
    assert angle_deg(estimate @ rotation.T) < 7
    assert estimate_in_hand_rotation(observed[:3], EMPTY_VIEW, points, center, DOWN) == pytest.approx(np.eye(3))


@pytest.mark.parametrize("degrees", [20, 40])
@pytest.mark.parametrize("side", [-1, 1])
def test_the_roll_of_an_object_grasped_at_its_rim_is_estimated(degrees: int, side: int) -> None:
    points = box((0.03, 0.12, 0.03)) @ np.diag([1.0, -1.0, -1.0]) + np.array([0, 0.06 * side, 0.02])
    tilt = Rotation.from_rotvec([side * np.deg2rad(degrees), 0, 0]).as_matrix()
    assert (tilt @ points.mean(0))[2] > points.mean(0)[2]
    assert angle_deg(estimate_in_hand_rotation(points @ tilt.T, EMPTY_VIEW, points, points.mean(0), DOWN) @ tilt.T) < 7


def test_observed_free_space_excludes_rotations() -> None:
    """The points between the fingers fit the bar as it was, but its rest would have to be in the image."""
    points, center = bar()
    end = points[np.abs(points[:, 0]) < 0.016]
    depth = np.full((160, 200), 0.4)
    camera = np.eye(4)
    depth[50:110, 50:110] = 0.1  # fingers and what they hold
    camera[:3, :3], camera[:3, 3] = np.diag([1.0, -1.0, -1.0]), [0, 0, -0.1]  # the camera looks along the approach
    without_view, with_view = (
        estimate_in_hand_rotation(end, view, points, center, DOWN)
        for view in (EMPTY_VIEW, HandCameraView(depth, INTRINSIC, camera))
    )
    assert angle_deg(without_view) < 10 and (with_view @ center)[2] > 0.03


@pytest.mark.parametrize("degrees", [-90, 30, 60])
def test_a_center_above_the_pads_may_fall_to_either_side(degrees: int) -> None:
    points = box((0.16, 0.03, 0.055)) @ np.diag([1.0, -1.0, -1.0]) + np.array([0.009, 0, 0.015])
    rotation = Rotation.from_euler("Y", degrees, degrees=True).as_matrix()
    estimate = estimate_in_hand_rotation(points @ rotation.T, EMPTY_VIEW, points, np.array([0.009, 0, -0.013]), DOWN)
    assert angle_deg(estimate @ rotation.T) < 7


@pytest.mark.parametrize("degrees", [0, 40, 90])
def test_center_hypotheses_lie_along_below_and_beside(degrees: int) -> None:
    rotation = Rotation.from_euler("Y", degrees, degrees=True).as_matrix()
    points = (box((0.2, 0.03, 0.03)) - np.array([0.02, 0, 0.015])) @ rotation.T
    center = rotation @ np.array([-0.02, 0, 0])
    hypotheses = center_hypotheses(center, points, DOWN)
    assert np.linalg.norm(hypotheses[0] - center) < 0.01  # the estimate itself
    if degrees < 90:
        along = (hypotheses - center) @ rotation[:, 0]
        assert along.min() < -0.015 and along.max() > 0.04
    beside = (hypotheses - center) @ null_space(np.stack([rotation[:, 0], DOWN]))
    assert np.linalg.norm(beside, axis=1).max() == pytest.approx(0.036)
    assert (hypotheses[:, 2] - center[2]).max() > 0.03 and np.linalg.norm(hypotheses - center, axis=1).max() < 0.12


def test_points_that_move_with_the_hand_are_the_object_without_the_fingers() -> None:
    earlier, current = np.full((160, 160), 0.29), np.full((160, 160), 0.25)
    for depth in (earlier, current):
        depth[75:85, 70:90] = 0.1  # held
    pose = np.array([0, 0, 0.4, 0, 1, 0, 0.0])
    view = hand_camera_view(current, INTRINSIC, ABOVE, pose)
    points = held_object_points(earlier, view, opening=0.08)
    assert len(points) == 200 and np.abs(points[:, 2]).max() < 1e-6
    without_fingers = held_object_points(earlier, view, opening=0.0)
    assert len(without_fingers) < 200


def slanted_view() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return a wide image of random depths, some of them 0, from a random camera pose and hand pose."""
    generator = np.random.default_rng(0)
    depth = generator.uniform(0.2, 0.4, (12, 20))
    depth[generator.random(depth.shape) < 0.2] = 0
    intrinsic = np.array([[15.0, 0, 8], [0, 25, 7], [0, 0, 1]])
    camera = np.eye(4)
    camera[:3, :3], camera[:3, 3] = Rotation.random(random_state=1).as_matrix(), [0.1, -0.2, 0.3]
    tcp = np.concatenate([[0.1, -0.1, 0.2], quaternion(Rotation.random(random_state=2).as_matrix())])
    return depth, intrinsic, camera, tcp


def test_free_space_violation_is_the_depth_behind_points() -> None:
    view = hand_camera_view(*slanted_view())
    observed_points = unproject_depth(*view).points
    camera_position = view.camera[:3, 3]
    depths = view.depth[view.depth > 0]
    assert free_space_violation(camera_position + 0.6 * (observed_points - camera_position), view) == pytest.approx(
        0.4 * depths
    )
    for behind in (
        observed_points,
        camera_position + 1.2 * (observed_points - camera_position),
        camera_position - (observed_points - camera_position),
    ):
        assert not free_space_violation(behind, view).any()
    beside = observed_points + 1.0 * view.camera[:3, 0]
    assert not free_space_violation(beside, view).any()
    assert not free_space_violation(
        camera_position + 0.6 * (observed_points - camera_position), view._replace(depth=np.zeros_like(view.depth))
    ).any()


@pytest.mark.parametrize(
    ("position", "degrees", "yaw", "lean"),
    [
        ((0, 0.3, 0.5), 0, 0, 0),
        ((0.05, 0.25, 0.4), 120, -15, 0),
        ((0, 0.3, 0.5), 150, 0, 20),
        ((0.15, 0.25, 0.45), 120, 0, 40),
    ],
)
def test_the_hand_yaws_or_leans_when_the_goal_is_out_of_reach(
    position: tuple[float, float, float], degrees: int, yaw: int, lean: int
) -> None:
    arm = PandaArm(BASE)
    center = np.array([0.08, 0, 0.02])
    yaw_rotation = Rotation.from_rotvec([0, 0, np.deg2rad(degrees)]).as_matrix()
    rotation = yaw_rotation @ rotation_matrix(arm.forward(REST)[3:])
    pose = transport_pose(arm, REST, np.array(position), center, rotation)
    angles = arm.inverse(pose, REST)
    assert angles is not None and is_elbow_bent(angles)
    assert pose[:3] + rotation_matrix(pose[3:]) @ center == pytest.approx(position)
    change = np.rad2deg(Rotation.from_matrix(rotation_matrix(pose[3:]) @ rotation.T).as_rotvec())
    assert change[2] == pytest.approx(yaw, abs=1e-6) and np.hypot(*change[:2]) == pytest.approx(lean, abs=1e-6)
    if lean:  # the fingers point away from the arm's base
        assert rotation_matrix(pose[3:])[:2, 2] @ (position - arm.base)[:2] > 0.1
    fallback = transport_pose(arm, REST, np.array([0, 0, 3.0]), center, rotation)
    assert fallback[:3] == pytest.approx([0, 0, 3] - rotation @ center)
    assert rotation_matrix(fallback[3:]) == pytest.approx(rotation)
