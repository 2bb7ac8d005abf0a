"""Antipodal pairs, free gripper poses, inverse kinematics, and picks that are really executed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from pickclutter_lang.envs.generation.pile_sampling import Pile
from pickclutter_lang.envs.generation.scene_generator import SceneGenerator
from pickclutter_lang.envs.generation.simulation import REST_QPOS, PandaKinematics
from pickclutter_lang.envs.grasp_labels import object_geometry
from pickclutter_lang.envs.grasp_validation import summarize
from pickclutter_lang.manipulation.gripper import (
    GraspCandidates,
    collision_counts,
    quaternion,
    rotation_matrix,
)
from pickclutter_lang.objects.object_sets import ObjectSet

DOWN = np.diag([1.0, -1.0, -1.0])  # gripper pointing down, closing along -y


def write_parts(path: Path, parts: list[trimesh.Trimesh]) -> Path:
    lines = []
    offset = 1
    for number, part in enumerate(parts):
        lines.append(f"o part_{number}")
        lines += ["v {:.6f} {:.6f} {:.6f}".format(*vertex) for vertex in part.vertices]
        lines += ["f {} {} {}".format(*(face + offset)) for face in part.faces]
        offset += len(part.vertices)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_pairs_of_a_box_span_its_short_sides(tmp_path: Path) -> None:
    box = trimesh.creation.box(extents=[0.04, 0.06, 0.2])
    geometry = object_geometry(write_parts(tmp_path / "box.obj", [box]), 1.0)
    assert set(np.round(geometry.pairs.widths, 4)) == {0.04, 0.06}
    x_axis = np.abs(geometry.pairs.axes[np.isclose(geometry.pairs.widths, 0.04)])
    np.testing.assert_allclose(x_axis, np.tile([1.0, 0, 0], (len(x_axis), 1)), atol=1e-6)
    np.testing.assert_allclose(geometry.center_of_mass, 0, atol=1e-9)


def test_rays_go_on_through_touching_parts_and_stop_in_gaps(tmp_path: Path) -> None:
    halves = [trimesh.creation.box(extents=[0.02, 0.05, 0.05]).apply_translation([x, 0, 0]) for x in (-0.01, 0.01)]
    joined = object_geometry(write_parts(tmp_path / "joined.obj", halves), 1.0)
    assert joined.pairs.widths.min() == pytest.approx(0.04, abs=1e-3)
    apart = [half.copy().apply_translation([np.sign(half.centroid[0]) * 0.01, 0, 0]) for half in halves]
    split = object_geometry(write_parts(tmp_path / "apart.obj", apart), 1.0)
    assert split.pairs.widths.min() == pytest.approx(0.02, abs=1e-3)


def reference_blocking(position: NDArray[Any], rotation: NDArray[Any], points: NDArray[Any]) -> int:
    """Count the points in the swept boxes of fingers and hand, point by point."""
    count = 0
    for point in points:
        x, y, z = rotation.T @ (point - position)
        finger = abs(x) < 0.0118 and 0.040 < abs(y) < 0.062 and -0.16 < z < 0.0098
        palm = abs(x) < 0.033 and abs(y) < 0.105 and -0.16 < z < -0.036
        count += finger or palm
    return count


def test_blocking_points_equal_a_slow_count() -> None:
    rng = np.random.default_rng(0)
    rotations = np.stack([rotation_matrix(q / np.linalg.norm(q)) for q in rng.normal(size=(6, 4))])
    candidates = GraspCandidates(rng.uniform(-0.05, 0.05, (6, 3)), rotations)
    clouds = [rng.uniform(-0.2, 0.2, (300, 3)), rng.uniform(-0.1, 0.1, (200, 3))]
    expected = [
        reference_blocking(p, r, np.concatenate(clouds))
        for p, r in zip(candidates.positions, candidates.rotations, strict=True)
    ]
    assert sum(expected) > 0
    assert collision_counts(candidates, clouds).tolist() == expected


@pytest.mark.sim
def test_inverse_kinematics_brings_the_tcp_there(scene_generator: SceneGenerator) -> None:
    robot = scene_generator.renderer.robot
    kinematics = PandaKinematics(robot)
    pose = np.array([0.05, -0.1, 0.1, *quaternion(DOWN)])
    qpos = kinematics.solve(pose, REST_QPOS)
    assert qpos is not None
    robot.set_qpos(qpos)
    tcp = next(link for link in robot.get_links() if link.name.endswith("panda_hand_tcp")).pose
    robot.set_qpos(REST_QPOS)
    np.testing.assert_allclose(tcp.p, pose[:3], atol=2e-3)
    assert abs(tcp.q @ pose[3:]) > 0.999
    assert kinematics.solve(np.array([1.5, 0, 0.1, *quaternion(DOWN)]), REST_QPOS) is None


def lone(objects: ObjectSet, name: str, height: float) -> Pile:
    pose = np.array([[0.0, 0.0, height, 1, 0, 0, 0]])
    return Pile(np.array([objects.catalog.index(name)]), (objects.catalog.find(name),), pose)


@pytest.mark.sim
def test_a_lone_ball_is_graspable_and_a_walled_in_one_is_not(
    scene_generator: SceneGenerator, procedural: ObjectSet
) -> None:
    checker = scene_generator.checker
    pile = lone(procedural, "tennis ball", 0.0332)
    assert checker.find(pile, 0) is not None
    columns = [procedural.catalog.index(n) for n in ("tennis ball", "cracker box", "bleach cleanser", "wood block")]
    poses = np.tile([0.0, 0.0, 0.107, 1, 0, 0, 0], (4, 1))
    poses[0, 2] = 0.0332
    poses[1, 0], poses[2, 1], poses[3, 1] = 0.071, 0.071, -0.071
    poses[2, 2], poses[3, 2] = 0.125, 0.083
    walls = Pile(np.array(columns), tuple(procedural.catalog[n] for n in columns), poses)
    assert checker.find(walls, 0) is None


@pytest.mark.sim
@pytest.mark.slow
def test_the_arm_lifts_at_labeled_poses_alone(scene_generator: SceneGenerator, procedural: ObjectSet) -> None:
    pytest.importorskip("mani_skill2")
    from pickclutter_lang.envs.grasp_validation import PickExecutor

    executor = PickExecutor(procedural)
    pile = lone(procedural, "tennis ball", 0.0332)
    pose = scene_generator.checker.find(pile, 0)
    assert pose is not None
    executor.load(pile)
    found = executor.validate(0, pose)
    assert found.pop("model_id") == "056_tennis_ball"
    assert found == {"labelled": True, "pose_succeeded": True, "picked": True, "tries": 1}
    assert not executor.pick(0, pose + np.array([0.15, 0, 0, 0, 0, 0, 0]))


def test_rates_of_a_check() -> None:
    picks = [
        {"model_id": "a", "labelled": True, "picked": True, "pose_succeeded": True},
        {"model_id": "a", "labelled": True, "picked": True, "pose_succeeded": False},
        {"model_id": "a", "labelled": True, "picked": False, "pose_succeeded": False},
        {"model_id": "b", "labelled": False, "picked": True, "pose_succeeded": False},
        {"model_id": "b", "labelled": False, "picked": False, "pose_succeeded": False},
    ]
    result = summarize(picks)
    assert result["agreement"] == pytest.approx(3 / 5)
    assert result["precision"] == pytest.approx(2 / 3)
    assert result["recall"] == pytest.approx(2 / 3)
    assert result["pose_success"] == pytest.approx(1 / 3)
