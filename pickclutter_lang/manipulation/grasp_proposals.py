"""Proposes collision-free antipodal grasps of an object from a point cloud.

One image from above shows no undersides. So a grasp is found on a strip as wide as a finger. The surface of the strip
down to the fingertips must be narrower than the gripper opens. No visible point may lie in the swept volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.manipulation.gripper import (
    FINGER_HALF_X_M,
    FINGER_TIP_Z_M,
    FINGERTIP_CORNERS,
    PAD_HEIGHT_M,
    GraspCandidates,
    checked_candidates,
    collision_counts,
    points_between_fingers,
)
from pickclutter_lang.manipulation.point_cloud import center_of_mass, farthest_points, planar_normals
from pickclutter_lang.utils.typing import FloatArray


@dataclass(frozen=True)
class GraspLimits:
    """Hard limits of a grasp."""

    max_width_m: float = 0.072
    """Widest object; the fingers open 80 mm, less the errors of depth and motion."""
    max_taper: float = 1.2
    """Largest change of the width along the fingers' own width, over half of that; wedges slip out."""
    max_collisions: int = 2
    """Points in the swept volume; single pixels at depth edges are noise."""
    slants_deg: tuple[float, ...] = (0, 30)
    """Angles between approach and vertical."""


DEFAULT_LIMITS = GraspLimits()
RELAXED_LIMITS = GraspLimits(max_width_m=0.077, max_taper=2.5, max_collisions=25, slants_deg=(0, 30, 50))
"""For objects that have no grasp within the default limits."""

# Weights of a grasp's cost, by term of `StripGrasp`, and of others. Lengths are in meters, so a weight of 1.0 makes one
# centimeter cost 0.01. Tuned on some 500 picks, but for `approach_offset` and `taper`: a logistic regression of slips
# in 138 first grasps. It gave 1.4 for the former, but then rims are held across their wall.
_WEIGHTS = {
    "width": 0.1,
    "depth_deficit": 3.0,
    "flare": 6.0,  # pads slip off
    "lateral_offset": 1.0,  # the object rotates about the closing axis
    "closing_offset": 3.0,  # the object turns out of the fingers
    "approach_offset": 0.8,
    "taper": 0.09,
}
_SLANT_COST = 0.04  # of the sine of slant or roll, so that a hand that comes straight down is preferred
_YAW_COST = 0.01  # of the rotation of the closing axis from that at rest, per radian, which takes some 25 steps
_CLUTTER_COST = 0.05  # of points beside the fingers: convex collision parts are wider than the visible surface
MAX_CANDIDATES = 8
"""Proposals that are returned."""
_OVERSAMPLING = 4  # collision-free grasps per proposal before the clutter cost ranks them anew
_SEEDS, _YAWS = 28, 12  # points of the object that strips run through; directions of the closing axis in half a turn
_FINGERTIP_DEPTHS_M = (0.044, 0.036, 0.028, 0.018, 0.010)  # of the tips below the seed; the palm touches at 46 mm
_MIN_DEPTH_M = 0.003
_DEPTH_BELOW_CENTER_M = 0.01  # desired, of the tips below half of the object's height
_TABLE_CLEARANCE_M = 0.003
_MAX_SURFACE_GAP_M = 0.012  # larger gaps in a strip separate surfaces
_THIN_OBJECT_M = 0.006  # objects thinner than that along the finger width have no taper
_FLARE_HEIGHT_M = 0.008  # above the tips, at which the flare is measured
_MAX_FLARE_M = 0.004  # of a grasp whose closing axis is not level
_LEVEL_SINE = 0.02  # of the roll below which the closing axis counts as level
_WALL_ROLL = float(np.deg2rad(25.0))  # of grasps for the walls of bowls and cups
_MAX_WALL_THICKNESS_M = 0.03  # of such a grasp; hidden upright sides of thicker objects would collide
_MIN_FACE_SLOPE, _MAX_FACE_SLOPE, _MAX_FACE_ROLL = np.deg2rad([8.0, 58.0, 50.0])  # of faces that the hand comes down on
_MAX_PERPENDICULAR_COSINE = 0.3  # between the normals of two faces that meet at about a right angle
_MAX_STRAY_POINTS = 2  # of other objects between the fingers, or of the object beside them: noise
_SIDE_CLEARANCE_M = 0.03  # on both sides of the fingers, without which `_CLUTTER_COST` is paid
_MIN_SEPARATION_M, _MAX_AXIS_COSINE = 0.012, 0.9  # proposals closer than that must differ in their closing axis
_CHUNK = 64  # candidates whose collisions are counted at once; bounds the memory


class StripGrasp(NamedTuple):
    """A grasp of a strip: its TCP position [3], meters, and the terms of its cost.

    All terms but `taper` are meters. `width` is that between the pads. `depth_deficit` is the missing depth of the
    fingers. `flare` is the width at the tips less that a little above them. `taper` is the change of the width along
    the fingers' own width, over half of that. Offsets are those of the object's center from the point between the
    pads: `lateral` along the finger width, `closing` along the closing axis, `approach` below the tips, 0 above them.
    """

    position: FloatArray
    width: float
    depth_deficit: float
    flare: float
    taper: float
    lateral_offset: float
    closing_offset: float
    approach_offset: float

    def cost(self) -> float:
        """Return the weighted sum of the terms."""
        return float(sum(weight * getattr(self, name) for name, weight in _WEIGHTS.items()))


class _Orientation(NamedTuple):
    """Rotation [3, 3] of the hand (columns across, closing, approach), and its slant or roll, radians."""

    rotation: FloatArray
    slant: float


def propose_grasps(
    target: FloatArray,
    others: FloatArray,
    limits: GraspLimits = DEFAULT_LIMITS,
    rest_rotation: FloatArray | None = None,
) -> GraspCandidates:
    """Return collision-free grasps, the cheapest first.

    :param target: points [N, 3] of the object, in the world, meters
    :param others: points [M, 3] of everything else above the table
    :param rest_rotation: rotation [3, 3] of the hand at rest; of similar grasps the least rotated is first
    :return: up to `MAX_CANDIDATES`; none for fewer than 4 points
    """
    if len(target) < 4:
        return GraspCandidates(np.zeros((0, 3)), np.zeros((0, 3, 3)))
    center = center_of_mass(target)
    seeds = target[farthest_points(target, center, _SEEDS)]
    grasps, rotations, costs = [], [], []
    for rotation, slant in [*_slanted(limits), *_rolled(), *_along_faces(target)]:
        cosine = 1.0 if rest_rotation is None else min(abs(float(rotation[:, 1] @ rest_rotation[:, 1])), 1.0)
        for grasp in _grasps_on_strips(target, seeds, rotation, center, limits):
            grasps.append(grasp)
            rotations.append(rotation)
            orientation_cost = _SLANT_COST * float(np.sin(slant)) + _YAW_COST * np.arccos(cosine)
            costs.append(orientation_cost + grasp.cost())
    if not grasps:
        return GraspCandidates(np.zeros((0, 3)), np.zeros((0, 3, 3)))
    order = np.argsort(costs, kind="stable")
    positions, widths = np.array([grasp.position for grasp in grasps]), np.array([grasp.width for grasp in grasps])
    candidates = GraspCandidates(positions, np.array(rotations), widths=widths)[order]
    free = _free_and_distinct(candidates, target, others, limits)
    beside_fingers = collision_counts(candidates[free], [target], _SIDE_CLEARANCE_M)
    total = np.array(costs)[order][free] + _CLUTTER_COST * (beside_fingers > _MAX_STRAY_POINTS)
    best = np.argsort(total, kind="stable")[:MAX_CANDIDATES]
    return replace(candidates[free[best]], costs=total[best])


GraspProposer = Callable[[FloatArray, FloatArray, GraspLimits, FloatArray], GraspCandidates]
"""As `propose_grasps`: the target's points [N, 3] and all others [M, 3] in the world, in meters, limits, and the
rotation [3, 3] of the hand at rest; to grasps, the best first."""


def proposals(
    target: FloatArray, others: FloatArray, rest_rotation: FloatArray, proposer: GraspProposer = propose_grasps
) -> Iterator[GraspCandidates]:
    """Yield the grasps within the default limits, then those within the relaxed ones.

    :raises InvalidArgumentError: as `checked_candidates`
    """
    for limits in (DEFAULT_LIMITS, RELAXED_LIMITS):
        yield checked_candidates(proposer(target, others, limits, rest_rotation))


def first_proposals(
    target: FloatArray, others: FloatArray, rest_rotation: FloatArray, proposer: GraspProposer = propose_grasps
) -> GraspCandidates:
    """Return the grasps within the first limits that have any; arguments and errors are those of `proposals`."""
    for grasps in proposals(target, others, rest_rotation, proposer):
        if len(grasps.positions):
            break
    return grasps


def _slanted(limits: GraspLimits) -> Iterator[_Orientation]:
    """Yield orientations with a level closing axis, straight down first."""
    for slant in np.deg2rad(limits.slants_deg):
        for yaw in np.arange(_YAWS) * np.pi / _YAWS:
            closing = np.array([np.cos(yaw), np.sin(yaw), 0.0])
            side = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
            for sign in (1.0,) if slant == 0 else (1.0, -1.0):
                approach = np.array([0.0, 0.0, -np.cos(slant)]) + sign * np.sin(slant) * side
                yield _Orientation(_with_axes(closing, approach), float(slant))


def _rolled() -> Iterator[_Orientation]:
    """Yield orientations with a rolled closing axis, for the walls of bowls."""
    for yaw in np.arange(2 * _YAWS) * np.pi / _YAWS:
        closing = np.array([np.cos(_WALL_ROLL) * np.cos(yaw), np.cos(_WALL_ROLL) * np.sin(yaw), np.sin(_WALL_ROLL)])
        yield _Orientation(_with_axes(closing, _steepest_approach(closing)), _WALL_ROLL)


def _along_faces(target: FloatArray) -> Iterator[_Orientation]:
    """Yield orientations that fit an object with sloped faces.

    The hand comes down on one face. It closes along another one's normal, or along the level or the steepest line of
    the face. Or it closes along the normal of a face, with the steepest approach.
    """
    normals = planar_normals(target)
    for normal in normals:
        slope = float(np.arccos(np.clip(normal[2], -1, 1)))
        roll = 0.5 * np.pi - slope
        if len(normals) > 1 and _MIN_FACE_SLOPE < roll < _MAX_FACE_ROLL:
            yield _Orientation(_with_axes(normal, _steepest_approach(normal)), roll)
        if not _MIN_FACE_SLOPE < slope < _MAX_FACE_SLOPE:
            continue
        level = np.cross([0.0, 0.0, 1.0], normal) / np.sin(slope)
        others = [
            other - (other @ normal) * normal for other in normals if abs(other @ normal) < _MAX_PERPENDICULAR_COSINE
        ]
        for closing in [level, np.cross(normal, level), *others]:
            yield _Orientation(_with_axes(closing / np.linalg.norm(closing), -normal), slope)


def _with_axes(closing: FloatArray, approach: FloatArray) -> FloatArray:
    """Return the rotation [3, 3] with these unit vectors as its closing and approach axes."""
    return np.stack([np.cross(closing, approach), closing, approach], axis=1)


def _steepest_approach(closing: FloatArray) -> FloatArray:
    """Return the steepest approach [3] for a closing axis [3]."""
    approach = np.array([0.0, 0.0, -1.0]) + closing[2] * closing
    return np.asarray(approach / np.linalg.norm(approach))


def _grasps_on_strips(
    target: FloatArray,
    seeds: FloatArray,
    rotation: FloatArray,
    center: FloatArray,
    limits: GraspLimits,
) -> list[StripGrasp]:
    """Return the grasps of one orientation through seeds [S, 3]."""
    orientation = _OrientedHand(rotation, center @ rotation, limits)
    local = target @ rotation
    grasps = []
    local = local[np.argsort(local[:, 1], kind="stable")]
    for seed, local_seed in zip(seeds, seeds @ rotation, strict=True):
        strip = local[np.abs(local[:, 0] - local_seed[0]) < FINGER_HALF_X_M]
        desired_depth = min(0.5 * seed[2] + _DEPTH_BELOW_CENTER_M, _FINGERTIP_DEPTHS_M[0])
        max_depth = orientation.max_depth(local_seed)
        for depth in dict.fromkeys(min(depth, max_depth) for depth in _FINGERTIP_DEPTHS_M):
            grasp = orientation.grasp(strip, local_seed, depth, desired_depth)
            if grasp is not None:
                grasps.append(grasp)
    return grasps


@dataclass(frozen=True)
class _OrientedHand:
    """One orientation of the hand; points are in its axes: x across the fingers, y closing, z approach."""

    rotation: FloatArray
    center: FloatArray
    limits: GraspLimits

    def max_depth(self, seed: FloatArray) -> float:
        """Return the depth below a seed [3] at which the lowest corner of the fingertips clears the table."""
        tcp = self.rotation @ np.array([seed[0], seed[1], seed[2] - FINGER_TIP_Z_M])
        lowest = float((tcp + FINGERTIP_CORNERS @ self.rotation.T)[:, 2].min())
        return float((lowest - _TABLE_CLEARANCE_M) / -self.rotation[2, 2])

    def grasp(self, strip: FloatArray, seed: FloatArray, depth: float, desired_depth: float) -> StripGrasp | None:
        """Return the grasp of a strip with the tips `depth` meters below a seed [3], if it is within limits.

        :param strip: points [P, 3], ordered along y
        """
        if depth < _MIN_DEPTH_M:
            return None
        tip = seed[2] + depth
        above_tip = strip[strip[:, 2] < tip]
        surface = above_tip[_surface_through(above_tip[:, 1], seed[1])]
        if not len(surface):
            return None
        width = _width(surface)
        center_y = 0.5 * float(surface[0, 1] + surface[-1, 1])
        # A narrow object may be thin, and would lie above the pads.
        deepest = PAD_HEIGHT_M if width < 2 * PAD_HEIGHT_M else width
        if width > self.limits.max_width_m or depth > deepest:
            return None
        taper = _taper(surface, seed[0])
        if taper > self.limits.max_taper:
            return None
        raised = surface[surface[:, 2] < tip - _FLARE_HEIGHT_M]
        flare = width - _width(raised) if len(raised) else 0.0
        if self._blocked_by_roll(depth, width, flare):
            return None
        tcp_z = tip - FINGER_TIP_Z_M
        return StripGrasp(
            position=self.rotation @ np.array([seed[0], center_y, tcp_z]),
            width=width,
            depth_deficit=max(0.0, min(desired_depth, deepest) - depth),
            flare=flare,
            taper=taper,
            lateral_offset=abs(seed[0] - self.center[0]),
            closing_offset=abs(center_y - self.center[1]),
            approach_offset=max(self.center[2] - tcp_z, 0.0),
        )

    def _blocked_by_roll(self, depth: float, width: float, flare: float) -> bool:
        """Return whether the roll of the closing axis would bring a finger onto the object, or into a hidden side."""
        sine = abs(self.rotation[2, 1])
        on_top = sine >= _LEVEL_SINE and (depth < _FLARE_HEIGHT_M or flare > _MAX_FLARE_M)
        return bool(on_top or (abs(sine - float(np.sin(_WALL_ROLL))) < 1e-9 and width > _MAX_WALL_THICKNESS_M))


def _surface_through(values: FloatArray, through: float) -> slice:
    """Return the gap-free run of sorted values that contains a value; an empty slice where none does."""
    breaks = np.flatnonzero(values[1:] - values[:-1] > _MAX_SURFACE_GAP_M) + 1
    for start, end in pairwise([0, *breaks.tolist(), len(values)]):
        if start < end and values[start] - 1e-6 <= through <= values[end - 1] + 1e-6:
            return slice(start, end)
    return slice(0)


def _width(surface: FloatArray) -> float:
    """Return the extent of points along y, in which they are ordered."""
    return float(surface[-1, 1] - surface[0, 1])


def _taper(surface: FloatArray, x: float) -> float:
    """Return the change of the width along the fingers' own width, over half of that: 0 between parallel faces."""
    before = surface[:, 0] < x
    halves = surface[before], surface[~before]
    if not len(halves[0]) or not len(halves[1]):  # the end of an object, or an object thinner than the fingers
        return 0.0 if np.ptp(surface[:, 0]) < _THIN_OBJECT_M else np.inf
    return abs(_width(halves[0]) - _width(halves[1])) / FINGER_HALF_X_M


def _free_and_distinct(
    candidates: GraspCandidates, target: FloatArray, others: FloatArray, limits: GraspLimits
) -> NDArray[np.int64]:
    """Return the rows of collision-free grasps that grasp no other object; of similar ones the first."""
    chosen: list[int] = []
    for first in range(0, len(candidates.positions), _CHUNK):
        rows = np.arange(first, min(first + _CHUNK, len(candidates.positions)))
        free = collision_counts(candidates[rows], [target, others]) <= limits.max_collisions
        target_only = points_between_fingers(candidates[rows], others) <= _MAX_STRAY_POINTS
        for row in rows[free & target_only]:
            distinct = all(
                np.linalg.norm(candidates.positions[row] - candidates.positions[other]) > _MIN_SEPARATION_M
                or candidates.rotations[row][:, 1] @ candidates.rotations[other][:, 1] < _MAX_AXIS_COSINE
                for other in chosen
            )
            if distinct:
                chosen.append(int(row))
            if len(chosen) == _OVERSAMPLING * MAX_CANDIDATES:
                return np.array(chosen)
    return np.array(chosen, np.int64)
