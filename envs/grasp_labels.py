"""The label `graspable`: whether a collision-free, reachable pose of the open Panda gripper around the object exists.

Candidates are antipodal pairs of the object's convex parts, approached from above or at a slant. A candidate is
free when no surface point of any object, and not the table, is in the volume that fingers and hand sweep on the
way in; it is in reach when inverse kinematics finds joint angles for the grasp and for the pose before it.

Labels are the truth that policies are measured by: they come from meshes, true poses and the simulator's robot model.
A policy has one depth image instead, and a search and kinematics of its own in `pickclutter_lang.manipulation`.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import trimesh
from scipy.spatial import ConvexHull

from pickclutter_lang.envs.generation.pile_sampling import Pile
from pickclutter_lang.envs.generation.simulation import REST_QPOS, PandaKinematics
from pickclutter_lang.errors import MissingAssetsError
from pickclutter_lang.manipulation.gripper import (
    FINGERTIP_CORNERS,
    GraspCandidates,
    collision_counts,
    pregrasp_pose,
    rotation_matrix,
)
from pickclutter_lang.manipulation.point_cloud import farthest_points
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.utils.typing import FloatArray

GRIPPER_WIDTH_M = 0.08
_WIDTH_MARGIN_M = 0.003
_MIN_WIDTH_M = 0.002
_POINT_SPACING_M = 0.006
_MAX_PAIRS = 96
_FRICTION_COSINE = np.cos(np.deg2rad(45))
_SLANTS = np.deg2rad([0.0, -25.0, 25.0, -50.0, 50.0])
_MIN_SLANT_COSINE = np.cos(np.deg2rad(60))
_MIN_STEEPNESS = 0.5  # sine of a closing axis to the vertical; nearer to it no approach from above is left
_OFF_CENTER_COST = 3.0  # per meter between a grasp and the center of mass, against the cosine of approach and vertical
_TABLE_CLEARANCE_M = 0.002
_DEEPEST_CONTACT_M = 0.007  # a contact may lie that far beyond the TCP, still on the finger pads
_IK_TRIES = 4
_FIRST_CHUNK, _CHUNK = 6, 48  # poses that are checked at once: half of the graspable objects have one among the first 6


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
        good = (
            (widths <= GRIPPER_WIDTH_M - _WIDTH_MARGIN_M) & (widths > _MIN_WIDTH_M) & (exit_cosines >= _FRICTION_COSINE)
        )
        starts, normals, widths = starts[good], normals[good], widths[good]
        if len(starts) > _MAX_PAIRS:
            centers = starts - 0.5 * widths[:, None] * normals
            chosen = farthest_points(centers, centers[int(self._rng.integers(len(centers)))], _MAX_PAIRS)
            starts, normals, widths = starts[chosen], normals[chosen], widths[chosen]
        return AntipodalPairs(starts - 0.5 * widths[:, None] * normals, normals, widths)


@lru_cache(maxsize=256)
def object_geometry(collision_file: Path, scale: float) -> ObjectGeometry:
    """Sample an object once; the result depends on the file and the scale only."""
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
    """Join the intervals [near, far] of each ray, [N, parts], that touch one another, from 0 on.

    :return: where each union ends, [N], and the `cosine` [N] of the interval that ends there; 0 and -1 without any
    """
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


class GraspChecker:
    """Finds free and reachable gripper poses for the objects of a pile."""

    def __init__(self, objects: ObjectSet, kinematics: PandaKinematics) -> None:
        self._objects = objects
        self._kinematics = kinematics

    def geometry(self, model: CatalogObject) -> ObjectGeometry:
        """Return the sampled geometry of a model of the set."""
        return object_geometry(self._objects.model_dir(model.model_id) / "collision.obj", model.scale)

    def clouds(self, pile: Pile) -> list[FloatArray]:
        """Return the surface points [P, 3] of each object of a pile, in the world frame."""
        return [
            self.geometry(model).points @ rotation_matrix(pose[3:]).T + pose[:3]
            for model, pose in zip(pile.models, pile.poses, strict=True)
        ]

    def candidates(self, pile: Pile, instance_id: int) -> GraspCandidates:
        """Return all gripper poses around an object that stay above the table, the best first."""
        geometry = self.geometry(pile.models[instance_id])
        rotation = rotation_matrix(pile.poses[instance_id, 3:])
        position = pile.poses[instance_id, :3]
        return _propose(
            geometry.pairs.centers @ rotation.T + position,
            geometry.pairs.axes @ rotation.T,
            geometry.center_of_mass @ rotation.T + position,
        )

    def find(self, pile: Pile, instance_id: int, clouds: list[FloatArray] | None = None) -> FloatArray | None:
        """Return the TCP pose [7] of the best free grasp of an object of the pile, or None.

        :param clouds: of the pile, as `clouds` returns them; several objects of a pile share them
        """
        candidates = self.candidates(pile, instance_id)
        clouds = self.clouds(pile) if clouds is None else clouds
        attempts = 0
        first = 0
        size = _FIRST_CHUNK
        while first < len(candidates.positions):
            chunk = candidates[first : first + size]
            first = first + size
            size = min(2 * size, _CHUNK)
            for row in np.flatnonzero(collision_counts(chunk, clouds) == 0):
                if self.reachable(chunk.pose(int(row))):
                    return chunk.pose(int(row))
                attempts += 1
                if attempts == _IK_TRIES:
                    return None
        return None

    def reachable(self, tcp_pose: FloatArray) -> bool:
        """Tell whether the arm reaches a grasp and the pose from which it approaches."""
        qpos = self._kinematics.solve(pregrasp_pose(tcp_pose), REST_QPOS)
        return qpos is not None and self._kinematics.solve(tcp_pose, qpos) is not None


def _propose(centers: FloatArray, axes: FloatArray, center: FloatArray) -> GraspCandidates:
    """Turn antipodal pairs into gripper poses, sorted by how steep and how near the center of mass they are."""
    down = np.array([0.0, 0.0, -1.0])
    steep = down - (axes @ down)[:, None] * axes
    norm = np.linalg.norm(steep, axis=1)
    usable = norm > _MIN_STEEPNESS
    centers = centers[usable]
    axes = axes[usable]
    steep = steep[usable] / norm[usable, None]
    across = np.cross(axes, steep)
    slant = np.repeat(_SLANTS, len(axes))
    axes, centers = np.tile(axes, (len(_SLANTS), 1)), np.tile(centers, (len(_SLANTS), 1))
    approach = np.cos(slant)[:, None] * np.tile(steep, (len(_SLANTS), 1)) + np.sin(slant)[:, None] * np.tile(
        across, (len(_SLANTS), 1)
    )
    rotations = np.stack([np.cross(axes, approach), axes, approach], axis=2)
    positions = centers + _lift(centers, rotations)[:, None] * -approach
    lifted = np.linalg.norm(positions - centers, axis=1)
    good = (lifted <= _DEEPEST_CONTACT_M) & (approach @ down >= _MIN_SLANT_COSINE)
    score = approach @ down - _OFF_CENTER_COST * np.linalg.norm(centers - center, axis=1)
    order = np.argsort(-score[good], kind="stable")
    return GraspCandidates(positions[good][order], rotations[good][order])


def _lift(centers: FloatArray, rotations: FloatArray) -> FloatArray:
    """Return how far [G] each pose must back off along its approach so that the open fingers clear the table."""
    lowest = (centers[:, None] + np.einsum("gij,cj->gci", rotations, FINGERTIP_CORNERS))[..., 2].min(1)
    upward = -rotations[:, 2, 2]  # meters of height per meter of backing off
    return np.asarray(np.maximum(0.0, (_TABLE_CLEARANCE_M - lowest) / np.maximum(upward, 1e-3)))
