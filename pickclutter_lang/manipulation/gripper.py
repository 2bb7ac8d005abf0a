"""Geometry of the Panda gripper: grasp poses, its swept volume, and collisions with point clouds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import mat2quat, quat2mat

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.typing import FloatArray

# Boxes around the open gripper in its TCP frame, meters: x across the fingers, y closing axis, z approach axis. Sizes
# are those of the collision shapes in `panda_v2.urdf`, with a margin of 1 mm. "Half" sizes are symmetric about the TCP.
FINGER_TIP_Z_M = 0.0098  # end of the fingers, 8.8 mm beyond the TCP
FINGER_HALF_X_M = 0.0118
PAD_HEIGHT_M = 0.0185  # of the pads above the tips; the fingers recede above them
PREGRASP_DISTANCE_M = 0.08  # between a grasp and the pose from which the gripper approaches it
_FINGER_MIN_Y_M, _FINGER_MAX_Y_M = 0.040, 0.062  # inner and outer face of an open finger
_PALM_Z_M = -0.036
_PALM_HALF_X_M = 0.033
_PALM_HALF_Y_M = 0.105
_SWEEP_Z_M = -0.16  # back of the swept volume: twice the pre-grasp distance behind the TCP
FINGERTIP_CORNERS = np.array(
    [[x * FINGER_HALF_X_M, y * _FINGER_MAX_Y_M, FINGER_TIP_Z_M] for x in (-1, 1) for y in (-1, 1)]
)
"""Outer corners of the open fingertips, [4, 3], meters, in the TCP frame."""


@dataclass(frozen=True)
class GraspCandidates:
    """Gripper poses [G]: TCP positions [G, 3] and rotations [G, 3, 3] (columns x, y closing, z approach).

    `costs` [G], by which a proposer ranked them, and `widths` [G] between the pads, meters; None where it does not say.
    """

    positions: FloatArray
    rotations: FloatArray
    costs: FloatArray | None = None
    widths: FloatArray | None = None

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> GraspCandidates:
        costs, widths = (None if values is None else values[rows] for values in (self.costs, self.widths))
        return GraspCandidates(self.positions[rows], self.rotations[rows], costs, widths)

    def pose(self, row: int) -> FloatArray:
        """Return the TCP pose [7] (x y z qw qx qy qz) of a candidate."""
        return np.concatenate([self.positions[row], quaternion(self.rotations[row])])

    def row_of(self, tcp_pose: FloatArray) -> int | None:
        """Return the row of a TCP pose [7] that was chosen among them, whichever finger is on which side, or None."""
        rows = np.flatnonzero(np.all(np.isclose(self.positions, tcp_pose[:3]), axis=1))
        if not len(rows):
            return None
        # Several may share a position. The fingers may be exchanged, so only the line of closing counts.
        closing = rotation_matrix(tcp_pose[3:])[:, 1]
        return int(rows[np.abs(self.rotations[rows][:, :, 1] @ closing).argmax()])


def checked_candidates(proposed: object) -> GraspCandidates:
    """Return what a grasp proposer or a picker gave.

    :raises InvalidArgumentError: for anything but `GraspCandidates` of positions [G, 3], rotations [G, 3, 3], and costs
        and widths [G] or None
    """
    if not isinstance(proposed, GraspCandidates):
        raise InvalidArgumentError(f"expected grasps as GraspCandidates, but got {type(proposed).__name__}")
    positions, rotations = np.shape(proposed.positions), np.shape(proposed.rotations)
    count = len(proposed.positions)
    if positions != (count, 3) or rotations != (count, 3, 3):
        raise InvalidArgumentError(
            f"expected grasps with positions [G, 3] and rotations [G, 3, 3], but got {positions} and {rotations}"
        )
    for name, values in {"costs": proposed.costs, "widths": proposed.widths}.items():
        if values is not None and np.shape(values) != (count,):
            raise InvalidArgumentError(f"expected grasps with {name} [{count}], but got {np.shape(values)}")
    return proposed


def pregrasp_pose(tcp_pose: FloatArray) -> FloatArray:
    """Return the TCP pose [7] from which the gripper approaches a grasp, along its approach axis."""
    offset = rotation_matrix(tcp_pose[3:])[:, 2] * PREGRASP_DISTANCE_M
    return np.concatenate([tcp_pose[:3] - offset, tcp_pose[3:]])


def collision_counts(
    candidates: GraspCandidates, clouds: Sequence[FloatArray], margin: float = 0.0
) -> NDArray[np.int64]:
    """Count [G] the points in the volume that fingers and palm sweep during the approach; 0 is collision-free.

    :param clouds: point clouds [P, 3] in the world, meters
    :param margin: widens the fingers on both sides along x, meters
    """
    x, y, z = _local_coordinates(candidates, np.concatenate(clouds))
    beside = (x < FINGER_HALF_X_M + margin) & (y > _FINGER_MIN_Y_M) & (y < _FINGER_MAX_Y_M)
    finger = beside & (z > _SWEEP_Z_M) & (z < FINGER_TIP_Z_M)
    palm = (x < _PALM_HALF_X_M) & (y < _PALM_HALF_Y_M) & (z > _SWEEP_Z_M) & (z < _PALM_Z_M)
    return np.asarray((finger | palm).sum(1))


def points_between_fingers(candidates: GraspCandidates, cloud: FloatArray) -> NDArray[np.int64]:
    """Count [G] the points of a cloud [P, 3] that lie between the open fingers."""
    x, y, z = _local_coordinates(candidates, cloud)
    in_gap = (x < FINGER_HALF_X_M) & (y < _FINGER_MIN_Y_M)
    return np.asarray((in_gap & (z > _PALM_Z_M) & (z < FINGER_TIP_Z_M)).sum(1))


def _local_coordinates(candidates: GraspCandidates, points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return nearby points in the TCP frames: |x|, |y| and z, [G, P] each."""
    if not len(candidates.positions):
        empty = np.zeros((0, len(points)))
        return empty, empty, empty
    center = candidates.positions.mean(0)
    spread = float(np.linalg.norm(candidates.positions - center, axis=1).max())
    # No box of the gripper reaches farther than 0.2 m from the TCP.
    points = points[np.linalg.norm(points - center, axis=1) < spread + 0.2]
    axes = candidates.rotations.transpose(2, 0, 1)  # x, y and z of each pose
    local = (axes.reshape(-1, 3) @ points.T).reshape(3, len(candidates.positions), len(points))  # one large product
    local -= np.einsum("kgi,gi->kg", axes, candidates.positions)[..., None]
    return np.abs(local[0]), np.abs(local[1]), local[2]


def rotation_matrix(quaternion_wxyz: FloatArray) -> FloatArray:
    """Return the rotation matrix [3, 3] of a unit quaternion (w x y z)."""
    return np.asarray(quat2mat(quaternion_wxyz), float)


def quaternion(rotation: FloatArray) -> FloatArray:
    """Return the unit quaternion [4] (w x y z) of a rotation matrix [3, 3]."""
    return np.asarray(mat2quat(rotation), float)
