"""Place and convex parts of a mesh: meters, z up, its middle at the origin; CoACD cuts what the physics collides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import trimesh
from scipy.spatial import ConvexHull, QhullError

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes import UNITS, UP_AXES
from pickclutter_lang.objects.meshes.surface import Faces, Piece, bounds, decimated, merged
from pickclutter_lang.utils.typing import FloatArray

SMALLEST, LARGEST = 0.005, 0.6
"""Extents of objects that lie in a pile for a Panda arm, meters."""
_THINNEST = 2e-4
_FACES = 2000
"""Triangles that are cut; more take long, and change little."""
_VERTICES = 128
"""Most corners of a part, which then has at most 252 triangles; PhysX takes 255."""
_SEARCH = {"resolution": 1000, "mcts_nodes": 10, "mcts_iterations": 60, "mcts_max_depth": 2}
"""CoACD's search for a cut: about a tenth of the default's work."""
_SAMPLES = 4000
_TOLERANCE = 0.02
"""Share of the diagonal by which a point of the surface may lie outside of all parts."""
_COVERED = 0.98


def placed(pieces: Sequence[Piece], meters: float, up: str) -> list[Piece]:
    """Return the pieces in meters, turned so that z is up, with the middle of their bounding box at the origin.

    A closed mesh that is inside out is turned: renderers draw the front of triangles alone.

    :param meters: length of the file's unit
    :param up: one of `UP_AXES`
    :raises InvalidArgumentError: for a size that no object in a pile has, or a flat mesh
    """
    longest = float(np.ptp(bounds(pieces), axis=0).max())
    if not SMALLEST <= longest * meters <= LARGEST:
        fitting = [f"--unit {unit}" for unit, length in UNITS.items() if SMALLEST <= longest * length <= LARGEST]
        remedy = f"is it {' or '.join(fitting)}?" if fitting else "scale it before"
        raise InvalidArgumentError(
            f"expected a size of {1000 * SMALLEST:g} mm to {100 * LARGEST:g} cm, but its longest side has "
            f"{longest * meters:.3g} m; {remedy}"
        )
    matrix = meters * np.array(UP_AXES[up], dtype=np.float64)
    turned = [piece.mapped(matrix, np.zeros(3)) for piece in pieces]
    center = bounds(turned).mean(axis=0)
    centered = [piece.mapped(np.eye(3), -center) for piece in turned]
    points, faces = merged(centered)
    thickness = 0.0
    if len(points):
        axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
        thickness = float(np.ptp(points @ axes.T, axis=0).min())
    if thickness < _THINNEST:
        raise InvalidArgumentError(
            f"expected a solid, but it is flat: {1000 * thickness:.2g} mm thick; give it a thickness of "
            f"{1000 * _THINNEST:g} mm or more"
        )
    mesh = trimesh.Trimesh(points, faces, process=False)
    if not (mesh.is_watertight and mesh.is_winding_consistent and mesh.volume < 0):
        return centered
    return [replace(piece, faces=piece.faces[:, ::-1], colors=piece.colors[:, ::-1]) for piece in centered]


def convex_parts(
    points: FloatArray, faces: Faces, max_parts: int, threshold: float, rng: np.random.Generator
) -> list[FloatArray]:
    """Cut a mesh into convex parts, and return the corners [N, 3] of each.

    :param points: [V, 3] of a mesh whose equal points are one, meters
    :param max_parts: most parts
    :param threshold: how far a part may be from convex before it is cut again, 0.01 (many parts) to 1 (one)
    :param rng: draws the points of the surface that are checked
    :raises InvalidArgumentError: when a part has no volume, or the parts leave out some of the mesh
    """
    mesh = trimesh.Trimesh(points, faces, process=False)
    fewer = decimated(points, faces, _FACES) if len(faces) > _FACES else (points, faces)
    import coacd  # in a worker alone: sapien crashes when it is imported after it, in one process

    coacd.set_log_level("error")
    cut = coacd.run_coacd(
        coacd.Mesh(*fewer), threshold=threshold, max_convex_hull=max_parts, decimate=True, max_ch_vertex=_VERTICES,
        seed=0, **_SEARCH,
    )  # fmt: skip
    hulls = [hull for hull in (_closed(np.round(corners, 6)) for corners, _ in cut) if hull is not None]
    covered = _covered(mesh, hulls, rng) if hulls else 0.0
    if covered < _COVERED:
        raise InvalidArgumentError(
            f"expected convex parts that cover the mesh, but they cover {covered:.0%} of its surface; allow more parts "
            "(--max-parts), lower --threshold, or repair the mesh"
        )
    return hulls


def _closed(corners: FloatArray) -> FloatArray | None:
    """Return the corners of the convex hull of a part; None for one without a volume, or not closed."""
    try:
        hull = trimesh.convex.convex_hull(corners)
    except QhullError:
        return None
    solid = hull.volume >= 1e-12 and hull.is_watertight and hull.is_convex
    return np.asarray(hull.vertices, dtype=np.float64) if solid else None


def _covered(mesh: trimesh.Trimesh, hulls: list[FloatArray], rng: np.random.Generator) -> float:
    places, _ = trimesh.sample.sample_surface(mesh, _SAMPLES, seed=int(rng.integers(2**31)))
    outside = np.full(len(places), np.inf)
    for hull in hulls:
        planes = ConvexHull(hull).equations
        outside = np.minimum(outside, (places @ planes[:, :3].T + planes[:, 3]).max(axis=1))
    return float(np.mean(outside <= _TOLERANCE * np.linalg.norm(mesh.extents)))
