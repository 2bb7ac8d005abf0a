"""Gripper poses around what is seen of an object: where fingers fit on both sides of it and nothing is in their way.

One picture from above shows no undersides. So a grasp is read off a strip as wide as a finger: the surface that the
strip shows between the fingers, down to where their tips would be, must be narrower than the gripper opens, and no
visible point may lie where fingers and hand go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.manipulation.center_of_mass import center_of_mass
from pickclutter_lang.manipulation.gripper import (
    FINGER_HALF_X,
    FINGER_TIP_Z,
    FINGER_Y,
    PAD_M,
    FloatArray,
    GraspCandidates,
    collision_counts,
    points_between_fingers,
)
from pickclutter_lang.manipulation.planes import planar_normals

MAX_COLLISIONS = 2
"""Points of a cloud that may lie in a gripper's way: single pixels at edges belong to nothing."""
_DEPTHS_M, _SHALLOWEST_M = (0.044, 0.036, 0.028, 0.018, 0.010), 0.003
_CLEARANCE_M = 0.003  # between fingertips and table
_GAP_M = 0.012
_THIN_M = 0.006
_CENTRES, _YAWS = 28, 12
_LEANING, _STEEPEST = np.deg2rad([8.0, 58.0])  # from the horizontal: faces that are neither level nor upright
_ROLL, _MOST_ROLL = (float(angle) for angle in np.deg2rad([25.0, 50.0]))  # of the closing axis: walls; faces that lean
_SQUARE = 0.3  # cosine between the normals of two faces that meet at about a right angle
_BELOW_MIDDLE_M = 0.01  # the tips should reach below the middle of an object's height
_CONSIDERED, _ROOM_M, _NARROW_COST = 4, 0.03, 0.05
_SLANT_COST, _WIDE_COST, _SHALLOW_COST, _FLARE_COST, _ACROSS_COST, _BEYOND_COST = 0.04, 0.1, 3.0, 6.0, 1.0, 3.0
# By a logistic regression of what slipped in 138 first grasps, `across` as 1; `below`, 1.4 by it, is less, so that rims
# are held along their wall.
_BELOW_COST, _TAPER_COST = 0.8, 0.09
_TURN_COST = 0.01  # of a radian of the closing axis, some 25 steps
_FLARE_M = 0.008
_WALL_M = 0.03  # thickest of what is held by a rolled hand
_LEVEL, _MOST_FLARE_M = 0.02, 0.004  # sine of the closing axis' slant; of what is held along one that is not level


class GraspLimits(NamedTuple):
    """What a grasp may be like: metres that it is wide at most, how much the width may change along the fingers' own
    width, points that may lie in the way of the fingers, and slants of the hand, degrees.
    """

    widest: float
    taper: float
    blocked: int
    slants: tuple[float, ...]


DEFAULT_LIMITS, RELAXED_LIMITS = (
    GraspLimits(0.072, 1.2, MAX_COLLISIONS, (0, 30)),
    GraspLimits(0.077, 2.5, 25, (0, 30, 50)),
)


class StripGrasp(NamedTuple):
    """A grasp of a strip: its TCP position [3], and its cost terms, metres but for `taper`.

    `width` between the pads; `depth_deficit`; `flare`, by which the strip is wider at the tips than a little above
    them, so that pads slip off; `taper`, by which its width changes along the fingers' own, over half of that; and how
    far the object's middle lies from the middle between the pads: `across` the closing axis, so that it swings about
    the line between them, along it, `beyond` them, so that it turns out, and along the approach, `below` them.
    """

    position: FloatArray
    width: float
    depth_deficit: float
    flare: float
    taper: float
    across: float
    beyond: float
    below: float

    @property
    def cost(self) -> float:
        """How bad it is; weights were chosen by what was lost in some 500 picks."""
        return (
            _WIDE_COST * self.width
            + _SHALLOW_COST * self.depth_deficit
            + _FLARE_COST * self.flare
            + _ACROSS_COST * self.across
            + _BEYOND_COST * self.beyond
            + _BELOW_COST * max(self.below, 0.0)
            + _TAPER_COST * self.taper
        )


def propose_grasps(
    target: FloatArray,
    others: FloatArray,
    count: int = 8,
    limits: GraspLimits = DEFAULT_LIMITS,
    hand: FloatArray | None = None,
) -> GraspCandidates:
    """Return up to `count` gripper poses that are free, the best first.

    :param target: points [N, 3] of the object, in the world, metres
    :param others: points [M, 3] of everything else above the table
    :param hand: rotation [3, 3] of the hand at rest; of grasps about as good comes first what it has to turn least for
    """
    if len(target) < 4:
        return GraspCandidates(np.zeros((0, 3)), np.zeros((0, 3, 3)))
    middle = center_of_mass(target)
    centres = target[_spread(target, _CENTRES)]
    positions, rotations, costs = [], [], []
    for rotation, slant in [*_orientations(limits.slants), *_rolled(), *_along_faces(target)]:
        turn = 0.0 if hand is None else np.arccos(min(abs(float(rotation[:, 1] @ hand[:, 1])), 1.0))
        for grip in _grasps_on_strips(target, centres, rotation, middle, limits):
            positions.append(grip.position)
            rotations.append(rotation)
            costs.append(_SLANT_COST * float(np.sin(slant)) + _TURN_COST * turn + grip.cost)
    if not positions:
        return GraspCandidates(np.zeros((0, 3)), np.zeros((0, 3, 3)))
    order = np.argsort(costs, kind="stable")
    found = GraspCandidates(np.array(positions)[order], np.array(rotations)[order])
    free = _free_and_apart(found, target, others, _CONSIDERED * count, limits.blocked)
    # Where an object is wide beside the fingers, its convex collision parts are wider yet.
    narrow = collision_counts(found[free], [target], _ROOM_M) > MAX_COLLISIONS
    best = np.argsort(np.array(costs)[order][free] + _NARROW_COST * narrow, kind="stable")[:count]
    return found[free[best]]


def _orientations(slants: Sequence[float]) -> list[tuple[FloatArray, float]]:
    """Return rotations (columns across, closing, approach) and their slant, radians, straight down first."""
    found = []
    for slant in np.deg2rad(slants):
        for yaw in np.arange(_YAWS) * np.pi / _YAWS:
            closing = np.array([np.cos(yaw), np.sin(yaw), 0.0])
            side = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
            for sign in (1.0,) if slant == 0 else (1.0, -1.0):
                approach = np.array([0.0, 0.0, -np.cos(slant)]) + sign * np.sin(slant) * side
                found.append((_with_axes(closing, approach), float(slant)))
    return found


def _rolled() -> list[tuple[FloatArray, float]]:
    """Return orientations, as `_orientations` does, whose closing axis is not level, for walls of bowls."""
    found = []
    for yaw in np.arange(2 * _YAWS) * np.pi / _YAWS:
        closing = np.array([np.cos(_ROLL) * np.cos(yaw), np.cos(_ROLL) * np.sin(yaw), np.sin(_ROLL)])
        found.append((_with_axes(closing, _steepest(closing)), _ROLL))
    return found


def _with_axes(closing: FloatArray, approach: FloatArray) -> FloatArray:
    """Return the rotation [3, 3] with these unit vectors as its closing and approach axes."""
    return np.stack([np.cross(closing, approach), closing, approach], axis=1)


def _steepest(closing: FloatArray) -> FloatArray:
    """Return the steepest approach [3] at which the fingers close along a unit vector."""
    approach = np.array([0.0, 0.0, -1.0]) + closing[2] * closing
    return np.asarray(approach / np.linalg.norm(approach))


def _along_faces(target: FloatArray) -> list[tuple[FloatArray, float]]:
    """Return orientations, as `_orientations` does, that fit an object that leans: its flat faces are slanted.

    The hand comes down on one of its faces, and closes along another one's normal, or level or steepest along the face;
    or it closes along the normal of one, coming down as steeply as it can so.
    """
    faces = planar_normals(target)
    found = []
    for face in faces:
        slant = float(np.arccos(np.clip(face[2], -1, 1)))
        across = 0.5 * np.pi - slant
        if len(faces) > 1 and _LEANING < across < _MOST_ROLL:
            found.append((_with_axes(face, _steepest(face)), across))
        if not _LEANING < slant < _STEEPEST:
            continue
        level = np.cross([0.0, 0.0, 1.0], face) / np.sin(slant)
        others = [other - (other @ face) * face for other in faces if abs(other @ face) < _SQUARE]
        for closing in [level, np.cross(face, level), *others]:
            found.append((_with_axes(closing / np.linalg.norm(closing), -face), slant))
    return found


def _grasps_on_strips(
    target: FloatArray,
    centres: FloatArray,
    rotation: FloatArray,
    middle: FloatArray,
    limits: GraspLimits = DEFAULT_LIMITS,
) -> list[StripGrasp]:
    """Return grasps of one orientation."""
    local, seeds, at = target @ rotation, centres @ rotation, middle @ rotation
    level, rolled = abs(rotation[2, 1]) < _LEVEL, abs(abs(rotation[2, 1]) - np.sin(_ROLL)) < 1e-9
    found = []
    for (u, v, w), (_, _, height) in zip(seeds, centres, strict=True):
        wanted = min(0.5 * height + _BELOW_MIDDLE_M, _DEPTHS_M[0])
        strip = local[np.abs(local[:, 0] - u) < FINGER_HALF_X]
        lowest = _lowest(rotation @ np.array([u, v, w - FINGER_TIP_Z]), rotation)
        clear = (lowest - _CLEARANCE_M) / -rotation[2, 2]  # so deep the tips may go above the table
        for depth in dict.fromkeys(min(depth, clear) for depth in _DEPTHS_M):
            tip = w + depth
            shallow = strip[strip[:, 2] < tip]
            between = _run(np.sort(shallow[:, 1]), v)
            if between is None:
                continue
            taper = _taper(shallow, u, between)
            if taper > limits.taper:
                continue
            width, centre = between[1] - between[0], 0.5 * (between[0] + between[1])
            deepest = PAD_M if width < 2 * PAD_M else width  # what is narrow may be thin, and would lie above the pads
            if width > limits.widest or not _SHALLOWEST_M <= depth <= deepest:
                continue
            position = rotation @ np.array([u, centre, tip - FINGER_TIP_Z])
            depth_deficit = max(0.0, min(wanted, deepest) - depth)
            flare = _flare(shallow, tip, between)
            if not level and (depth < _FLARE_M or flare > _MOST_FLARE_M):
                continue  # a finger would lie on top of it
            if rolled and width > _WALL_M:
                continue  # upright sides, which the camera does not see, would be in the way
            across, beyond, below = abs(u - at[0]), abs(centre - at[1]), at[2] - (tip - FINGER_TIP_Z)
            found.append(StripGrasp(position, width, depth_deficit, flare, taper, across, beyond, below))
    return found


def _run(values: FloatArray, through: float) -> tuple[float, float] | None:
    """Return the ends of the run of sorted values, without a gap, in which a value lies."""
    if not len(values):
        return None
    breaks = np.flatnonzero(np.diff(values) > _GAP_M)
    starts, ends = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [len(values) - 1]])
    for start, end in zip(starts, ends, strict=True):
        if values[start] - 1e-6 <= through <= values[end] + 1e-6:
            return float(values[start]), float(values[end])
    return None


def _taper(strip: FloatArray, u: float, between: tuple[float, float]) -> float:
    """Return how much the width changes along the fingers' own width: 0 between parallel faces; wedges slip out."""
    inside = strip[(strip[:, 1] >= between[0]) & (strip[:, 1] <= between[1])]
    halves = inside[inside[:, 0] < u][:, 1], inside[inside[:, 0] >= u][:, 1]
    if not len(halves[0]) or not len(halves[1]):  # the end of something, or something thinner than the fingers
        return 0.0 if np.ptp(inside[:, 0]) < _THIN_M else np.inf
    return float(abs(np.ptp(halves[0]) - np.ptp(halves[1])) / FINGER_HALF_X)


def _flare(strip: FloatArray, tip: float, between: tuple[float, float]) -> float:
    """Return by how much wider a strip is at the tips than a little above them; 0 where it is lower than that."""
    inside = strip[(strip[:, 1] >= between[0]) & (strip[:, 1] <= between[1])]
    above = inside[inside[:, 2] < tip - _FLARE_M][:, 1]
    return between[1] - between[0] - float(np.ptp(above)) if len(above) else 0.0


def _lowest(tcp: FloatArray, rotation: FloatArray) -> float:
    """Return the height of the lowest corner of the open fingers."""
    corners = np.array([[sx * FINGER_HALF_X, sy * FINGER_Y[1], FINGER_TIP_Z] for sx in (-1, 1) for sy in (-1, 1)])
    return float((tcp + corners @ rotation.T)[:, 2].min())


def _free_and_apart(
    found: GraspCandidates, target: FloatArray, others: FloatArray, count: int, blocked: int
) -> NDArray[np.int64]:
    """Return the rows of poses that nothing blocks and that hold nothing else, of those near each other the best."""
    chosen: list[int] = []
    for first in range(0, len(found.positions), 64):
        rows = np.arange(first, min(first + 64, len(found.positions)))
        free = collision_counts(found[rows], [target, others]) <= blocked
        for row in rows[free & (points_between_fingers(found[rows], others) <= MAX_COLLISIONS)]:
            apart = all(
                np.linalg.norm(found.positions[row] - found.positions[other]) > 0.012
                or found.rotations[row][:, 1] @ found.rotations[other][:, 1] < 0.9
                for other in chosen
            )
            if apart:
                chosen.append(int(row))
            if len(chosen) == count:
                return np.array(chosen)
    return np.array(chosen, np.int64)


def _spread(points: FloatArray, count: int) -> NDArray[np.int64]:
    """Choose points far from each other (greedy farthest-point sampling), from the one nearest the middle on."""
    distance = np.linalg.norm(points - center_of_mass(points), axis=1)
    chosen = [int(distance.argmin())]
    distance = np.full(len(points), np.inf)
    while len(chosen) < min(count, len(points)):
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(distance.argmax()))
    return np.array(chosen)
