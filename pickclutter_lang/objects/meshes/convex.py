"""Convex parts of a mesh for the simulator's physics: CoACD cuts it, and what comes back is checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from scipy.spatial import ConvexHull, QhullError

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes.surface import Faces, decimated
from pickclutter_lang.utils.typing import FloatArray

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


@dataclass(frozen=True)
class ConvexParts:
    """Corners [N, 3] of each convex part, and how well they fit."""

    hulls: list[FloatArray]
    volume: float
    """Of all parts together, cubic meters."""
    mesh_volume: float | None
    """Of the mesh; None where it is not closed."""
    covered: float
    """Share of the surface inside of a part, or within 2% of the diagonal."""


def convex_parts(
    points: FloatArray, faces: Faces, max_parts: int, threshold: float, rng: np.random.Generator
) -> ConvexParts:
    """Cut a mesh into convex parts.

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
    hulls = [hull for hull in (_checked(np.round(corners, 6)) for corners, _ in cut) if hull is not None]
    if not hulls:
        raise InvalidArgumentError("expected a solid, but no convex part with a volume came of it; repair the mesh")
    covered = _covered(mesh, hulls, rng)
    if covered < _COVERED:
        raise InvalidArgumentError(
            f"expected convex parts that cover the mesh, but they cover {covered:.0%} of its surface; allow more parts "
            "(--max-parts), or lower --threshold"
        )
    volume = sum(float(ConvexHull(hull).volume) for hull in hulls)
    closed = bool(mesh.is_watertight and mesh.volume > 0)
    return ConvexParts(hulls, volume, float(mesh.volume) if closed else None, covered)


def _checked(corners: FloatArray) -> FloatArray | None:
    """Return the corners of the convex hull of a part, which is closed; None for a sliver without a volume."""
    try:
        hull = trimesh.convex.convex_hull(corners)
    except QhullError:
        return None
    if hull.volume < 1e-12:
        return None
    if not (hull.is_watertight and hull.is_convex):
        raise InvalidArgumentError("expected convex parts that are closed, but one is not; repair the mesh")
    return np.asarray(hull.vertices, dtype=np.float64)


def _covered(mesh: trimesh.Trimesh, hulls: list[FloatArray], rng: np.random.Generator) -> float:
    places, _ = trimesh.sample.sample_surface(mesh, _SAMPLES, seed=int(rng.integers(2**31)))
    outside = np.full(len(places), np.inf)
    for hull in hulls:
        planes = ConvexHull(hull).equations
        outside = np.minimum(outside, (places @ planes[:, :3].T + planes[:, 3]).max(axis=1))
    return float(np.mean(outside <= _TOLERANCE * np.linalg.norm(mesh.extents)))
