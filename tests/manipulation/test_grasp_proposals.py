"""Grasp proposals from points: which are free, which are preferred, and faces and walls of objects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from helpers.grasping import box
from pickclutter_lang.manipulation.grasp_proposals import DEFAULT_LIMITS, RELAXED_LIMITS, proposals, propose_grasps
from pickclutter_lang.manipulation.gripper import (
    FINGER_TIP_Z_M,
    PAD_HEIGHT_M,
    GraspCandidates,
    collision_counts,
    points_between_fingers,
)
from pickclutter_lang.manipulation.point_cloud import center_of_mass, planar_normals
from pickclutter_lang.utils.typing import FloatArray


def test_a_box_is_grasped_across_its_narrow_side() -> None:
    result = propose_grasps(box((0.12, 0.04, 0.05)), np.zeros((0, 3)))
    assert len(result.positions) > 1
    position = result.positions[0]
    closing = result.rotations[0][:, 1]
    approach = result.rotations[0][:, 2]
    assert abs(closing[1]) > 0.9 and approach[2] < -0.99
    assert np.abs(position[:2]).max() < 0.02 and 0.01 < position[2] < 0.05
    for rotation in result.rotations:
        assert np.allclose(rotation.T @ rotation, np.eye(3)) and np.linalg.det(rotation) == pytest.approx(1)
    assert result.widths is not None and len(result.widths) == len(result.positions)
    assert result.widths[0] == pytest.approx(0.04, abs=0.003)


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
    cube = box((0.04, 0.04, 0.06))
    neighbor = box((0.04, 0.1, 0.08), at=(0.06, 0))
    result = propose_grasps(cube, neighbor)
    assert len(result.positions)
    assert (
        collision_counts(GraspCandidates(result.positions, result.rotations), [cube, neighbor])
        <= DEFAULT_LIMITS.max_collisions
    ).all()
    assert (result.positions[:, 2] > 0.0098).all()


def test_no_other_object_is_grasped() -> None:
    bar = box((0.2, 0.03, 0.03))
    across = box((0.02, 0.16, 0.02), at=(0.0, 0.0)) + np.array([0, 0, 0.03])
    alone = propose_grasps(bar, np.zeros((0, 3)))
    crossed = propose_grasps(bar, across)
    assert np.abs(alone.positions[0][:2]).max() < 0.02  # at the center of mass
    assert len(crossed.positions) and np.abs(crossed.positions[:, 0]).min() > 0.02  # beside the object on top of it
    assert (points_between_fingers(crossed, across) <= DEFAULT_LIMITS.max_collisions).all()
    assert points_between_fingers(alone, across)[0] > DEFAULT_LIMITS.max_collisions
    assert points_between_fingers(alone[np.zeros(0, int)], across).shape == (0,)


def test_a_hammer_is_heaviest_near_its_head(yaw: float = 0.7) -> None:
    handle = box((0.24, 0.02, 0.02), spacing=0.002)
    head = box((0.04, 0.1, 0.03), at=(0.14, 0), spacing=0.002)
    c, s = np.cos(yaw), np.sin(yaw)
    points = np.concatenate([handle, head]) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    masses = np.array([0.24 * 0.02 * 0.02, 0.04 * 0.1 * 0.03])
    along = masses @ [0.0, 0.14] / masses.sum()
    result = center_of_mass(points)
    assert result[:2] == pytest.approx([along * c, along * s], abs=0.012)
    assert result[2] == pytest.approx(0.015, abs=0.004)
    assert center_of_mass(points[:1]) == pytest.approx([*points[0, :2], 0.5 * points[0, 2]])


def test_thin_objects_lie_between_the_pads() -> None:
    fork = box((0.15, 0.012, 0.006), spacing=0.002) + np.array([0, 0, 0.048])
    result = propose_grasps(fork, np.zeros((0, 3)))
    tips = result.positions[:, 2] + result.rotations[:, 2, 2] * FINGER_TIP_Z_M
    assert len(tips) and (0.054 - tips <= PAD_HEIGHT_M + 1e-9).all()
    thick = propose_grasps(box((0.15, 0.05, 0.054)), np.zeros((0, 3)))
    assert 0.054 - (thick.positions[0, 2] - FINGER_TIP_Z_M) > 0.03


@pytest.mark.parametrize("yaw", [0, 60, 90])
def test_of_equal_grasps_the_one_nearest_to_rest_is_first(yaw: int) -> None:
    rotated = Rotation.from_rotvec([0, 0, np.deg2rad(yaw)]).as_matrix() @ np.diag([1.0, -1.0, -1.0])
    ball = np.random.default_rng(0).normal(size=(4000, 3))
    ball = 0.025 * ball / np.linalg.norm(ball, axis=1, keepdims=True) + [0, 0, 0.025]
    result = propose_grasps(ball[ball[:, 2] > 0.02], np.zeros((0, 3)), rest_rotation=rotated)
    assert abs(result.rotations[0][:, 1] @ rotated[:, 1]) > np.cos(np.deg2rad(16))


def test_relaxed_limits_apply_when_no_grasp_is_within_the_default_ones() -> None:
    wide_box = box((0.12, 0.076, 0.05), spacing=0.002)
    no_points = np.zeros((0, 3))
    assert not len(propose_grasps(wide_box, no_points).positions)
    assert len(propose_grasps(wide_box, no_points, limits=RELAXED_LIMITS).positions)
    first, second = proposals(wide_box, no_points, np.eye(3))
    assert not len(first.positions) and len(second.positions)


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
    thickness = rotation @ [0, 1, 0]
    no_points = np.zeros((0, 3))

    grasp = propose_grasps(points, no_points).rotations[0]
    assert abs(grasp[:, 1] @ thickness) > 0.99 and grasp[:, 2] @ (rotation @ [0, 0, -1]) > 0.99


@pytest.mark.parametrize("degrees", [-25, 25])
def test_a_leaning_wall_is_grasped_along_its_normal(degrees: int) -> None:
    along, up = np.meshgrid(np.arange(-0.06, 0.061, 0.003), np.arange(0, 0.08, 0.003), indexing="ij")
    sides = [np.stack([0 * up + x, along, up], axis=-1).reshape(-1, 3) for x in (0, 0.004)]
    rotation = Rotation.from_rotvec([0, np.deg2rad(degrees), 0]).as_matrix()
    wall = np.concatenate(sides) @ rotation.T
    wall[:, 2] -= wall[:, 2].min()
    assert abs(propose_grasps(wall, np.zeros((0, 3))).rotations[0][:, 1] @ rotation[:, 0]) > 0.999
