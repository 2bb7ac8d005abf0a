"""The label `graspable`: whether a collision-free, reachable pose of the open Panda gripper around the object exists.

Candidates are antipodal pairs of the object's convex parts, approached from above or at a slant. A candidate is
free when no surface point of any object, and not the table, is in the volume that fingers and hand sweep on the
way in; it is in reach when inverse kinematics finds joint angles for the grasp and for the pose before it.
"""

from __future__ import annotations

import numpy as np

from pickclutter_lang.envs.generation.physics import Pile
from pickclutter_lang.envs.generation.scene_renderer import REST_QPOS
from pickclutter_lang.envs.mesh_sampling import ObjectGeometry, object_geometry
from pickclutter_lang.envs.simulator_kinematics import PandaKinematics
from pickclutter_lang.manipulation.gripper import (
    PANDA_GRIPPER,
    GraspCandidates,
    collision_counts,
    pregrasp_pose,
    rotation_matrix,
)
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.utils.typing import FloatArray

_SLANTS = np.deg2rad([0.0, -25.0, 25.0, -50.0, 50.0])
_MIN_SLANT_COSINE = np.cos(np.deg2rad(60))
_TABLE_CLEARANCE_M = 0.002
_DEEPEST_CONTACT_M = 0.007  # a contact may lie that far beyond the TCP, still on the finger pads
_IK_TRIES = 4
_FIRST_CHUNK, _CHUNK = 6, 48  # poses that are checked at once: half of the graspable objects have one among the first 6


class GraspChecker:
    """Finds free and reachable gripper poses for the objects of a pile."""

    def __init__(self, objects: ObjectSet, kinematics: PandaKinematics) -> None:
        self._objects = objects
        self._kinematics = kinematics

    def geometry(self, model: CatalogObject) -> ObjectGeometry:
        """Return the sampled geometry of a model of the set."""
        return object_geometry(self._objects.model_dir(model.model_id) / "collision.obj", model.scale)

    def find(self, pile: Pile, instance_id: int) -> FloatArray | None:
        """Return the TCP pose [7] of the best free grasp of an object of the pile, or None."""
        return self._find(pile, instance_id, self.clouds(pile))

    def find_all(self, pile: Pile, instance_ids: list[int]) -> dict[int, FloatArray]:
        """Return the best free grasp of each of these objects that has one."""
        clouds = self.clouds(pile)
        found = {instance_id: self._find(pile, instance_id, clouds) for instance_id in instance_ids}
        return {instance_id: pose for instance_id, pose in found.items() if pose is not None}

    def clouds(self, pile: Pile) -> list[FloatArray]:
        """Return the surface points [P, 3] of each object of a pile, in the world frame."""
        return [self._points(pile, instance_id) for instance_id in range(len(pile.models))]

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

    def _find(self, pile: Pile, instance_id: int, clouds: list[FloatArray]) -> FloatArray | None:
        candidates = self.candidates(pile, instance_id)
        attempts, first, size = 0, 0, _FIRST_CHUNK
        while first < len(candidates.positions):
            chunk = candidates[first : first + size]
            first, size = first + size, min(2 * size, _CHUNK)
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

    def _points(self, pile: Pile, instance_id: int) -> FloatArray:
        points = self.geometry(pile.models[instance_id]).points
        return points @ rotation_matrix(pile.poses[instance_id, 3:]).T + pile.poses[instance_id, :3]


def _propose(centers: FloatArray, axes: FloatArray, center: FloatArray) -> GraspCandidates:
    """Turn antipodal pairs into gripper poses, sorted by how steep and how near the center of mass they are."""
    down = np.array([0.0, 0.0, -1.0])
    steep = down - (axes @ down)[:, None] * axes
    norm = np.linalg.norm(steep, axis=1)
    usable = norm > 0.5  # closing axes near the vertical leave no approach from above
    centers, axes, steep = centers[usable], axes[usable], steep[usable] / norm[usable, None]
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
    score = approach @ down - 3.0 * np.linalg.norm(centers - center, axis=1)
    order = np.argsort(-score[good], kind="stable")
    return GraspCandidates(positions[good][order], rotations[good][order])


def _lift(centers: FloatArray, rotations: FloatArray) -> FloatArray:
    """Return how far [G] each pose must back off along its approach so that the open fingers clear the table."""
    lowest = (centers[:, None] + np.einsum("gij,cj->gci", rotations, PANDA_GRIPPER.fingertip_corners))[..., 2].min(1)
    upward = -rotations[:, 2, 2]  # meters of height per meter of backing off
    return np.asarray(np.maximum(0.0, (_TABLE_CLEARANCE_M - lowest) / np.maximum(upward, 1e-3)))
