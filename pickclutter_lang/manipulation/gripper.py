"""The Panda's gripper as a volume, its poses around things, and what stands in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import mat2quat, quat2mat

FloatArray = NDArray[np.float64]
AnyFloatArray = NDArray[np.floating[Any]]
"""An array that comes from outside, of any floating type."""

APPROACH_M = 0.08
"""Distance between a grasp and the pose from which it is approached."""
# The gripper in the frame of its TCP (x across, y closing, z approach), metres; measured on the collision shapes of
# panda_v2.urdf with 1 mm of margin. The fingers end 8.8 mm beyond the TCP.
FINGER_TIP_Z = 0.0098
FINGER_Y = (0.040, 0.062)
FINGER_HALF_X = 0.0118
PAD_M = 0.0185
"""Height of the pads, from the tips up; above them the fingers recede."""
_PALM_Z = -0.036
_PALM_HALF = (0.033, 0.105)
_SWEEP_Z = -0.16


@dataclass(frozen=True)
class GraspCandidates:
    """Gripper poses [G]: TCP positions [G, 3] and rotations [G, 3, 3] (columns x, y closing, z approach)."""

    positions: FloatArray
    rotations: FloatArray

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> GraspCandidates:
        return GraspCandidates(self.positions[rows], self.rotations[rows])

    def pose(self, row: int) -> FloatArray:
        """Return the TCP pose [7] (x y z qw qx qy qz) of a candidate."""
        return np.concatenate([self.positions[row], quaternion(self.rotations[row])])


def pregrasp_pose(tcp_pose: FloatArray, distance: float = APPROACH_M) -> FloatArray:
    """Return the TCP pose from which a grasp is approached: `distance` metres back along its approach axis."""
    back = rotation_matrix(tcp_pose[3:])[:, 2] * distance
    return np.concatenate([tcp_pose[:3] - back, tcp_pose[3:]])


def collision_counts(
    candidates: GraspCandidates, clouds: Sequence[FloatArray], margin: float = 0.0
) -> NDArray[np.int64]:
    """Count [G] the points of the clouds in the volume that fingers and hand sweep on the way in; 0 means free.

    :param margin: by which the fingers are taken to be wider to both sides, metres
    """
    x, y, z = _around(candidates, np.concatenate(clouds))
    finger = (x < FINGER_HALF_X + margin) & (y > FINGER_Y[0]) & (y < FINGER_Y[1]) & (z > _SWEEP_Z) & (z < FINGER_TIP_Z)
    palm = (x < _PALM_HALF[0]) & (y < _PALM_HALF[1]) & (z > _SWEEP_Z) & (z < _PALM_Z)
    return np.asarray((finger | palm).sum(1))


def points_between_fingers(candidates: GraspCandidates, cloud: FloatArray) -> NDArray[np.int64]:
    """Count [G] the points of a cloud that lie between the open fingers."""
    x, y, z = _around(candidates, cloud)
    return np.asarray(((x < FINGER_HALF_X) & (y < FINGER_Y[0]) & (z > _PALM_Z) & (z < FINGER_TIP_Z)).sum(1))


def _around(candidates: GraspCandidates, points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the points that lie near, in the frames of the TCP: |x|, |y| and z, [G, P] each."""
    if not len(candidates.positions):
        nothing = np.zeros((0, len(points)))
        return nothing, nothing, nothing
    middle = candidates.positions.mean(0)
    span = float(np.linalg.norm(candidates.positions - middle, axis=1).max())
    points = points[np.linalg.norm(points - middle, axis=1) < span + 0.2]
    # [G, P, 3] = (points - position) @ rotation, without the large intermediate
    local = np.matmul(points[None], candidates.rotations)
    local -= np.einsum("gi,gij->gj", candidates.positions, candidates.rotations)[:, None]
    return np.abs(local[..., 0]), np.abs(local[..., 1]), local[..., 2]


def rotation_matrix(quaternion_wxyz: FloatArray) -> FloatArray:
    """Return the rotation matrix [3, 3] of a unit quaternion (w x y z)."""
    return np.asarray(quat2mat(quaternion_wxyz), float)


def quaternion(rotation: FloatArray) -> FloatArray:
    """Return the unit quaternion [4] (w x y z) of a rotation matrix [3, 3]."""
    return np.asarray(mat2quat(rotation), float)
