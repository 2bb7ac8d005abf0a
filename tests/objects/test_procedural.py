"""The procedural models: files, sizes, collision hulls and textures, and concurrent or killed builds."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.object_sets import ObjectSet, load_object_set
from pickclutter_lang.objects.procedural import build_procedural_set
from pickclutter_lang.objects.procedural.ycb_set import BUILDERS
from pickclutter_lang.objects.procedural.ycb_toys import DICE_SIDES, RUBIK

OBJECTS = paper_catalog().model_ids
BUILD = "import sys; from pickclutter_lang.objects.procedural import build_procedural_set as build; build(sys.argv[1])"


def _contents(root: Path) -> dict[str, str]:
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _rows(path: Path, kind: str) -> list[list[str]]:
    return [line.split()[1:] for line in path.read_text().splitlines() if line.startswith(kind + " ")]


def _points(path: Path) -> NDArray[Any]:
    return np.array(_rows(path, "v"), dtype=float)


def _hulls(path: Path) -> list[trimesh.Trimesh]:
    """Return the groups of an OBJ file, read without trimesh's own reader."""
    points, groups = _points(path), path.read_text().split("o convex_")[1:]
    faces = [[line.split()[1:] for line in g.splitlines() if line.startswith("f ")] for g in groups]
    meshes = [trimesh.Trimesh(points, np.array(f, dtype=int) - 1, process=False) for f in faces]
    for mesh in meshes:
        mesh.remove_unreferenced_vertices()
    return meshes


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    build_procedural_set(tmp_path / "one")
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path / "two")], check=True, env=environment)
    one, two = _contents(tmp_path / "one"), _contents(tmp_path / "two")
    assert one == two
    assert len(one) == 1 + 4 * len(OBJECTS)


def test_a_built_set_is_left_alone(tmp_path: Path) -> None:
    root = build_procedural_set(tmp_path / "set")
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*")}
    assert build_procedural_set(root) == root
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*")} == before


def test_the_default_folder_is_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKCLUTTER_CACHE", str(tmp_path))
    loaded = load_object_set("proxy")
    assert loaded.root.parent == tmp_path and loaded.root.name.startswith("proxy-")
    assert [p.name for p in tmp_path.iterdir()] == [loaded.root.name]


def test_every_object_has_a_builder() -> None:
    assert list(BUILDERS) == OBJECTS


def test_the_set_agrees_with_the_catalog(procedural: ObjectSet) -> None:
    for item, expected in zip(procedural.catalog, paper_catalog(), strict=True):
        assert item.size == pytest.approx(expected.size, abs=2e-6)
        assert (item.scale, item.density, item.name) == (expected.scale, expected.density, expected.name)


@pytest.mark.parametrize("model_id", OBJECTS)
def test_the_mesh_has_the_real_size_and_a_texture(procedural: ObjectSet, model_id: str) -> None:
    folder, size = procedural.model_dir(model_id), np.array(paper_catalog().find(model_id).size)
    points = _points(folder / "textured.obj")
    assert points.max(axis=0) == pytest.approx(size / 2, abs=2e-6)
    assert points.min(axis=0) == pytest.approx(-size / 2, abs=2e-6)
    assert len(_rows(folder / "textured.obj", "f")) <= 3000
    uv = np.array(_rows(folder / "textured.obj", "vt"), dtype=float)
    assert uv.min() >= 0 and uv.max() <= 1 and len(np.unique(uv, axis=0)) > 20
    assert "map_Kd texture_map.png" in (folder / "textured.mtl").read_text()
    with Image.open(folder / "texture_map.png") as texture:
        assert max(texture.size) <= 512
        assert len(np.unique(np.asarray(texture).reshape(-1, 3), axis=0)) > 8


@pytest.mark.parametrize("model_id", OBJECTS)
def test_faces_point_outward(procedural: ObjectSet, model_id: str) -> None:
    path = procedural.model_dir(model_id) / "textured.obj"
    faces = np.array([[[int(n) for n in corner.split("/")] for corner in row] for row in _rows(path, "f")])
    corners, normals = _points(path)[faces[..., 0] - 1], np.array(_rows(path, "vn"), float)[faces[..., 2] - 1]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("fd,fcd->fc", areas, normals) >= -1e-9).mean() > 0.999
    assert (corners[:, 0] * areas).sum() / 6 > 0  # the signed volume


@pytest.mark.parametrize("model_id", OBJECTS)
def test_hulls_are_convex_and_fill_the_shape(procedural: ObjectSet, model_id: str) -> None:
    folder, size = procedural.model_dir(model_id), np.array(paper_catalog().find(model_id).size)
    hulls = _hulls(folder / "collision.obj")
    assert 1 <= len(hulls) <= 32
    for hull in hulls:
        assert hull.is_watertight and hull.volume > 0 and len(hull.vertices) <= 128
        assert hull.volume == pytest.approx(hull.convex_hull.volume, rel=1e-3)
    points = np.concatenate([hull.vertices for hull in hulls])
    tolerance = np.maximum(0.0015, 0.03 * size)
    assert (np.abs(points.max(axis=0) - size / 2) < tolerance).all(), points.max(axis=0) - size / 2
    assert (np.abs(points.min(axis=0) + size / 2) < tolerance).all(), points.min(axis=0) + size / 2


@pytest.mark.parametrize("model_id", OBJECTS)
def test_volumes_are_near_those_of_the_real_objects(procedural: ObjectSet, ycb_root: Path, model_id: str) -> None:
    real: Any = trimesh.load(
        ycb_root / "models" / model_id / "collision.obj", force="scene", split_objects=True, group_material=False
    )
    volume = sum(hull.volume for hull in _hulls(procedural.model_dir(model_id) / "collision.obj"))
    ratio = volume / sum(mesh.convex_hull.volume for mesh in real.geometry.values())
    assert 0.3 < ratio < 1.5, ratio


def test_the_bowl_is_hollow(procedural: ObjectSet) -> None:
    hulls = _hulls(procedural.model_dir("024_bowl") / "collision.obj")
    inside = np.array([[x, y, 0.015] for x in (-0.03, 0, 0.03) for y in (-0.03, 0, 0.03)])
    assert not any(hull.contains(inside).any() for hull in hulls)
    floor, wall = np.array([[0, 0, -0.0255]]), np.array([[0.0737, 0.0066, 0.02], [0.0066, -0.0737, 0.02]])
    assert sum(hull.contains(floor)[0] for hull in hulls) >= 1
    assert np.sum([hull.contains(wall) for hull in hulls], axis=0).min() >= 1


def test_scissors_have_two_open_loops(procedural: ObjectSet) -> None:
    hulls = _hulls(procedural.model_dir("037_scissors") / "collision.obj")
    grid = np.stack(np.meshgrid(np.linspace(-0.04, 0.04, 33), np.linspace(-0.095, 0.0, 39), [0.0]), -1).reshape(-1, 3)
    solid = np.any([hull.contains(grid) for hull in hulls], axis=0)
    for side in (-1, 1):
        row = grid[:, 0] * side > 0.012
        lines = [solid[row & (grid[:, 1] == y)] for y in np.unique(grid[:, 1])]
        crossings = max(int(np.abs(np.diff(line.astype(int))).sum()) for line in lines if len(line))
        assert crossings >= 3  # a bar of the loop, a hole, another bar


def test_opposite_sides_of_the_dice_sum_to_seven() -> None:
    for side, other in (("top", "bottom"), ("front", "back"), ("right", "left")):
        assert DICE_SIDES[side] + DICE_SIDES[other] == 7
    assert len(set(DICE_SIDES.values())) == len(set(RUBIK.values())) == 6


@pytest.mark.slow
def test_processes_that_build_at_once_share_one_result(tmp_path: Path) -> None:
    target = tmp_path / "set"
    builders = [subprocess.Popen([sys.executable, "-c", BUILD, str(target)]) for _ in range(2)]
    assert [builder.wait(timeout=120) for builder in builders] == [0, 0]
    assert [p.name for p in tmp_path.iterdir()] == ["set"]
    assert len(_contents(target)) == 1 + 4 * len(OBJECTS)


def test_a_killed_build_leaves_no_partial_set(tmp_path: Path) -> None:
    target = tmp_path / "set"
    builder = subprocess.Popen([sys.executable, "-c", BUILD, str(target)])
    deadline = time.monotonic() + 120
    while not any(tmp_path.rglob("textured.obj")) and time.monotonic() < deadline:
        time.sleep(0.01)
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    assert not target.exists()
    (leftover,) = tmp_path.iterdir()
    os.utime(leftover, (0, 0))  # as if it had been killed long ago
    build_procedural_set(target)
    assert [p.name for p in tmp_path.iterdir()] == ["set"]
    assert set(json.loads((target / "info_pick_v0.json").read_text())) == set(OBJECTS)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    with pytest.raises(InvalidArgumentError, match="new or empty folder"):
        build_procedural_set(tmp_path / "mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgumentError, match="can be written"):
        build_procedural_set(tmp_path / "file" / "set")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "mine"]
