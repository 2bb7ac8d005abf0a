"""Sampling of collision meshes: the convex parts of an object, surface points on them, and antipodal pairs."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from pickclutter_lang.errors import MissingAssetsError
from pickclutter_lang.utils.typing import FloatArray

GRIPPER_WIDTH_M = 0.08
_WIDTH_MARGIN_M = 0.003
_POINT_SPACING_M = 0.006
_MAX_PAIRS = 96
_FRICTION_COSINE = np.cos(np.deg2rad(45))


class AntipodalPairs(NamedTuple):
    """Where a parallel gripper could hold an object, in its frame.

    `centers` [G, 3] between the two contacts, `axes` [G, 3] unit vectors along which the fingers close, `widths` [G]
    between the contacts, meters.
    """

    centers: FloatArray
    axes: FloatArray
    widths: FloatArray


class ObjectGeometry:
    """Points on the surface [P, 3] in the object's frame, meters, scaled; antipodal pairs where they are asked for."""

    def __init__(self, collision_file: Path, scale: float) -> None:
        """Sample the surface.

        :raises MissingAssetsError: when there is no such file
        """
        self._rng = np.random.default_rng(0)
        self._hulls = _convex_parts(collision_file, scale)
        self._planes = [_half_spaces(hull) for hull in self._hulls]
        area = sum(float(hull.area) for hull in self._hulls)
        count = int(np.clip(area / _POINT_SPACING_M**2, 150, 1200))
        self.points, _ = _outer_surface(self._hulls, self._planes, count, self._rng)

    @cached_property
    def center_of_mass(self) -> FloatArray:
        """The center of mass [3] of the parts at uniform density."""
        volumes = np.array([hull.volume for hull in self._hulls])
        return np.asarray(np.average([hull.center_mass for hull in self._hulls], axis=0, weights=volumes))

    @cached_property
    def pairs(self) -> AntipodalPairs:
        """Antipodal pairs that fit between the fingers, spread out; their sampling takes most of the time."""
        starts, normals = _outer_surface(self._hulls, self._planes, 1500, self._rng)
        widths, exit_cosines = _thickness(starts, -normals, self._planes)
        good = (widths <= GRIPPER_WIDTH_M - _WIDTH_MARGIN_M) & (widths > 0.002) & (exit_cosines >= _FRICTION_COSINE)
        chosen = _spread_out(starts[good] - 0.5 * widths[good, None] * normals[good], _MAX_PAIRS, self._rng)
        starts, normals, widths = starts[good][chosen], normals[good][chosen], widths[good][chosen]
        return AntipodalPairs(starts - 0.5 * widths[:, None] * normals, normals, widths)


@lru_cache(maxsize=256)
def object_geometry(collision_file: Path, scale: float) -> ObjectGeometry:
    """Sample an object once; the result depends on the file and the scale alone."""
    return ObjectGeometry(collision_file, scale)


def _convex_parts(path: Path, scale: float) -> list[trimesh.Trimesh]:
    if not path.is_file():
        raise MissingAssetsError(f"expected convex collision parts at {path}, but there is no such file")
    scene: Any = trimesh.load(path, force="scene", split_objects=True, group_material=False, process=False)
    parts = [mesh.convex_hull for mesh in scene.geometry.values()]
    for part in parts:
        part.apply_scale(scale)
    return parts


def _half_spaces(hull: trimesh.Trimesh) -> FloatArray:
    """Return the planes [F, 4] (n, d) of a convex hull: inside where n.x + d <= 0."""
    return np.asarray(np.unique(np.round(ConvexHull(hull.vertices).equations, 7), axis=0))


def _outer_surface(
    hulls: list[trimesh.Trimesh], planes: list[FloatArray], count: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Sample points and outward normals on the surface of the union of the parts."""
    areas = np.array([hull.area for hull in hulls])
    counts = np.maximum(1, np.rint(count * areas / areas.sum())).astype(int)
    points, normals = [], []
    for index, (hull, number) in enumerate(zip(hulls, counts, strict=True)):
        sampled, faces = trimesh.sample.sample_surface(hull, number, seed=int(rng.integers(2**31)))
        outward = hull.face_normals[faces]
        just_outside = sampled + 1e-4 * outward
        covered = np.zeros(len(sampled), bool)
        for other, plane in enumerate(planes):
            if other != index:
                covered |= (just_outside @ plane[:, :3].T + plane[:, 3] < 0).all(1)
        points.append(np.asarray(sampled)[~covered])
        normals.append(outward[~covered])
    return np.concatenate(points), np.concatenate(normals)


def _thickness(starts: FloatArray, directions: FloatArray, planes: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Follow rays into the object until they leave the union of the parts.

    :return: the lengths [N] inside, and the cosines [N] between the rays and the outward normals where they leave
    """
    near, far, cosine = [], [], []
    for plane in planes:
        along = directions @ plane[:, :3].T
        height = starts @ plane[:, :3].T + plane[:, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = -height / along
        enters = np.where(along < -1e-9, crossing, -np.inf).max(1)
        leaving = np.where(along > 1e-9, crossing, np.inf)
        outside = ((np.abs(along) <= 1e-9) & (height > 1e-9)).any(1)
        leaves = np.where(outside, -np.inf, leaving.min(1))
        near.append(enters)
        far.append(leaves)
        cosine.append(np.take_along_axis(along, leaving.argmin(1)[:, None], 1)[:, 0])
    return _joined(np.stack(near, 1), np.stack(far, 1), np.stack(cosine, 1))


def _joined(near: FloatArray, far: FloatArray, cosine: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Join the intervals [near, far] that touch, from 0 on."""
    end = np.zeros(len(near))
    leave_cosine = np.full(len(near), -1.0)
    for _ in range(near.shape[1]):
        reached = (near <= end[:, None] + 1e-4) & (far > end[:, None] + 1e-6) & (far > near)
        candidate = np.where(reached, far, -np.inf)
        best = candidate.argmax(1)
        grows = candidate.max(1) > end
        end = np.where(grows, candidate.max(1), end)
        leave_cosine = np.where(grows, np.take_along_axis(cosine, best[:, None], 1)[:, 0], leave_cosine)
    return end, leave_cosine


def _spread_out(points: FloatArray, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose points far from each other (greedy farthest-point sampling)."""
    if len(points) <= count:
        return np.arange(len(points))
    chosen = [int(rng.integers(len(points)))]
    distance = np.full(len(points), np.inf)
    for _ in range(count - 1):
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(distance.argmax()))
    return np.array(chosen)
