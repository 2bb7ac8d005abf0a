"""The texture of an imported mesh: its own where that is possible, otherwise one with the same colors at each place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from helpers.own_meshes import checkered, write_glb, write_obj, write_ply, write_urdf
from pickclutter_lang.objects.meshes.model import Piece, TexturedSurface, merged, placed, textured_surface
from pickclutter_lang.objects.meshes.reading import read_mesh
from pickclutter_lang.objects.meshes.sources import find_sources

Colors = NDArray[np.float64]


def pieces_of(path: Path) -> list[Piece]:
    content = read_mesh(find_sources([path])[0][0])
    return placed(content.pieces, content.meters, content.up)


def surface_of(path: Path, max_faces: int = 20_000, size: int = 256) -> TexturedSurface:
    return textured_surface(pieces_of(path), max_faces, size, np.random.default_rng(0))


def colors_seen(surface: TexturedSurface) -> tuple[Colors, Colors, Colors]:
    """Return the middle [F, 3] of each face, its unit normal, and the color [F, 3] there, as a renderer finds it."""
    u, v = surface.uv[surface.faces].mean(axis=1).T
    height, width = surface.image.shape[:2]
    rows = ((1 - v) * height).astype(int)
    columns = (u * width).astype(int)
    seen = surface.image[rows.clip(max=height - 1), columns.clip(max=width - 1)]
    mesh = trimesh.Trimesh(surface.points, surface.faces, process=False)
    return mesh.triangles_center, mesh.face_normals, seen.astype(float)


def test_a_mesh_with_one_image_keeps_it_and_its_triangles(tmp_path: Path) -> None:
    surface = surface_of(write_obj(tmp_path))
    assert len(surface.faces) == 12
    assert np.array_equal(surface.image, np.asarray(checkered()))


def test_colors_of_vertices_become_a_texture_that_keeps_both_sides_of_a_thin_wall_apart(tmp_path: Path) -> None:
    surface = surface_of(write_ply(tmp_path))
    middle, normals, seen = colors_seen(surface)
    radius = np.linalg.norm(middle[:, :2], axis=1)
    outward = (normals[:, :2] * middle[:, :2]).sum(axis=1) / np.maximum(radius, 1e-9)
    outside = outward > 0.7
    inside = outward < -0.7
    assert outside.sum() > 30 and inside.sum() > 30
    np.testing.assert_allclose(seen[outside], np.broadcast_to([200, 40, 40], (outside.sum(), 3)), atol=12)
    np.testing.assert_allclose(seen[inside], np.broadcast_to([50, 70, 200], (inside.sum(), 3)), atol=12)


@pytest.mark.parametrize(("write", "upper"), [(write_glb, 2), (write_urdf, 0)])
def test_several_materials_become_one_texture(write: Callable[[Path], Path], upper: int, tmp_path: Path) -> None:
    path = write(tmp_path)
    first, second = pieces_of(path)
    surface = surface_of(path)
    middle, _, seen = colors_seen(surface)
    both = first.points[:, upper].max(), second.points[:, upper].min()
    low, high = min(both), max(both)  # where they meet or overlap, either color is right
    for piece, mine in ((first, middle[:, upper] < low - 1e-4), (second, middle[:, upper] > high + 1e-4)):
        assert mine.sum() >= 4
        wanted = np.broadcast_to(255 * piece.colors[0, 0], (mine.sum(), 3))
        np.testing.assert_allclose(seen[mine], wanted, atol=3)


def test_a_mesh_with_too_many_triangles_is_decimated_and_its_texture_baked_anew() -> None:
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.04)
    uv = ball.vertices[:, [0, 2]] / 0.08 + 0.5
    image = np.asarray(checkered(256))
    piece = Piece(ball.vertices, ball.faces, np.ones((len(ball.faces), 3, 3)), uv, image)
    surface = textured_surface([piece], 1500, 256, np.random.default_rng(0))
    assert 1000 < len(surface.faces) <= 1500
    made = trimesh.Trimesh(*merged([Piece(surface.points, surface.faces, piece.colors)]))
    assert made.is_watertight and made.volume == pytest.approx(ball.volume, rel=0.01)
    middle, _, seen = colors_seen(surface)
    orange = seen[:, 0] > seen[:, 2]
    away = np.abs(middle[:, 0]) > 0.002
    assert np.array_equal(orange[away], middle[away, 0] < 0)
