"""The set `proxy`: files, sizes, words and collision hulls, and concurrent or killed builds."""

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

from pickclutter_lang.kinds.proxy_set import INSTANCES, build_proxy_set
from pickclutter_lang.objects.catalog import CatalogObject, paper_catalog
from pickclutter_lang.objects.object_sets import ObjectSet

BUILD = "import sys; from pickclutter_lang.kinds.proxy_set import build_proxy_set as build; build(sys.argv[1])"


def contents(root: Path) -> dict[str, str]:
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def rows_of(path: Path, kind: str) -> list[list[str]]:
    return [line.split()[1:] for line in path.read_text().splitlines() if line.startswith(kind + " ")]


def hulls_of(path: Path) -> list[trimesh.Trimesh]:
    """Return the groups of an OBJ file, read without trimesh's own reader."""
    points = np.array(rows_of(path, "v"), dtype=float)
    groups = path.read_text().split("o convex_")[1:]
    faces = [[line.split()[1:] for line in g.splitlines() if line.startswith("f ")] for g in groups]
    meshes = [trimesh.Trimesh(points, np.array(f, dtype=int) - 1, process=False) for f in faces]
    for mesh in meshes:
        mesh.remove_unreferenced_vertices()
    return meshes


def test_models_are_textured_solids_of_the_real_size(procedural: ObjectSet) -> None:
    for item in paper_catalog():
        check_model(procedural.model_dir(item.model_id), item)


def check_model(folder: Path, item: CatalogObject) -> None:
    mesh = folder / "textured.obj"
    size = np.array(item.size)
    points, corners = np.array(rows_of(mesh, "v"), dtype=float), np.array(rows_of(mesh, "vt"), dtype=float)
    assert points.max(axis=0) == pytest.approx(size / 2, abs=2e-6), item.name
    assert points.min(axis=0) == pytest.approx(-size / 2, abs=2e-6), item.name
    assert corners.min() >= 0 and corners.max() <= 1 and len(rows_of(mesh, "f")) <= 5000, item.name
    faces = np.array([[[int(n) for n in corner.split("/")] for corner in row] for row in rows_of(mesh, "f")])
    triangles = points[faces[..., 0] - 1]
    normals = np.array(rows_of(mesh, "vn"), float)[faces[..., 2] - 1]
    areas = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    assert (np.einsum("fd,fcd->fc", areas, normals) >= -1e-9).mean() > 0.99, item.name
    with Image.open(folder / "texture_map.png") as texture:
        assert len(np.unique(np.asarray(texture).reshape(-1, 3), axis=0)) > 8, item.name
    hulls = hulls_of(folder / "collision.obj")
    assert 1 <= len(hulls) <= 32, item.name
    for hull in hulls:
        assert hull.is_watertight and len(hull.vertices) <= 255, item.name
        assert hull.volume == pytest.approx(hull.convex_hull.volume, rel=1e-3), item.name
    solid: NDArray[Any] = np.concatenate([hull.vertices for hull in hulls])
    assert (np.abs(np.ptp(solid, axis=0) - size) < np.maximum(0.004, 0.1 * size)).all(), item.name


def test_processes_that_build_at_once_share_one_result(tmp_path: Path, procedural: ObjectSet) -> None:
    target = tmp_path / "set"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    builders = [subprocess.Popen([sys.executable, "-c", BUILD, str(target)], env=environment) for _ in range(2)]
    assert [builder.wait(timeout=120) for builder in builders] == [0, 0]
    assert [p.name for p in tmp_path.iterdir()] == ["set"]
    assert contents(target) == contents(procedural.root) and len(contents(target)) == 1 + 4 * len(INSTANCES)


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
    build_proxy_set(target)
    assert [p.name for p in tmp_path.iterdir()] == ["set"]
    assert set(json.loads((target / "info_pick_v0.json").read_text())) == set(INSTANCES)
