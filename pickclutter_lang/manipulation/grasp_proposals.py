"""Proposes collision-free antipodal grasps of an object from a point cloud.

One image from above shows no undersides. So a grasp is found on a strip as wide as a finger. The surface of the strip
down to the fingertips must be narrower than the gripper opens. No visible point may lie in the swept volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.manipulation.gripper import (
    PANDA_GRIPPER,
    GraspCandidates,
    GripperGeometry,
    collision_counts,
    points_between_fingers,
)
from pickclutter_lang.manipulation.point_cloud import (
    DEFAULT_CENTER_OF_MASS_CONFIG,
    DEFAULT_PLANE_CONFIG,
    CenterOfMassConfig,
    PlaneConfig,
    center_of_mass,
    farthest_points,
    planar_normals,
)
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


@dataclass(frozen=True)
class GraspCosts:
    """Weights of a grasp's cost. Lengths are in meters, so a weight of 1.0 makes one centimeter cost 0.01.

    Tuned on some 500 picks, but for `approach_offset` and `taper`: a logistic regression of slips in 138 first grasps.
    """

    width: float = 0.1
    """Of the width between the pads."""
    depth_deficit: float = 3.0
    """Of the missing depth of the fingers."""
    flare: float = 6.0
    """Of the width at the tips less that above them: pads slip off."""
    lateral_offset: float = 1.0
    """Of the center's offset along the finger width: the object rotates about the closing axis."""
    closing_offset: float = 3.0
    """Of the center's offset along the closing axis: the object turns out of the fingers."""
    approach_offset: float = 0.8
    """Of the center's offset below the tips; the regression gave 1.4, but then rims are held across their wall."""
    taper: float = 0.09
    """Of the taper, which has no unit."""
    slant: float = 0.04
    """Of the sine of slant or roll, so that a hand that comes straight down is preferred."""
    yaw: float = 0.01
    """Of the rotation of the closing axis from that at rest, per radian; a radian takes some 25 steps."""
    clutter: float = 0.05
    """Of points beside the fingers: convex collision parts are wider than the visible surface."""


@dataclass(frozen=True)
class GraspConfig:
    """Configuration of `propose_grasps`, for tabletop objects of some centimeters."""

    max_candidates: int = 8
    """Proposals that are returned."""
    oversampling: int = 4
    """Collision-free grasps per proposal before the tightness cost re-ranks them."""
    n_seeds: int = 28
    """Points of the object that strips run through, farthest-point samples."""
    n_yaws: int = 12
    """Directions of the closing axis in half a turn: one each 15 degrees."""
    fingertip_depths_m: tuple[float, ...] = (0.044, 0.036, 0.028, 0.018, 0.010)
    """Depths of the tips below the seed, the deepest first; the palm touches at 46 mm."""
    min_depth_m: float = 0.003
    """Shallowest grasp."""
    depth_below_center_m: float = 0.01
    """Desired depth of the tips below half of the object's height."""
    table_clearance_m: float = 0.003
    """Gap between fingertips and table."""
    max_surface_gap_m: float = 0.012
    """Larger gaps in a strip separate surfaces."""
    thin_object_m: float = 0.006
    """Objects thinner than that along the finger width have no taper."""
    flare_height_m: float = 0.008
    """Height above the tips at which the flare is measured."""
    max_flare_m: float = 0.004
    """Largest flare of a grasp whose closing axis is not level."""
    level_sine: float = 0.02
    """Sine of the roll below which the closing axis counts as level."""
    wall_roll_deg: float = 25.0
    """Roll of grasps for the walls of bowls and cups."""
    max_wall_thickness_m: float = 0.03
    """Thickest object of such a grasp; hidden upright sides of thicker ones would collide."""
    min_face_slope_deg: float = 8.0
    """Slope from which a face counts as neither level nor upright."""
    max_face_slope_deg: float = 58.0
    """Steepest face that the hand comes down on."""
    max_face_roll_deg: float = 50.0
    """Largest roll of a grasp along a face's normal."""
    max_perpendicular_cosine: float = 0.3
    """Largest cosine between the normals of two faces that meet at about a right angle."""
    max_stray_points: int = 2
    """Points of other objects between the fingers, or of the object beside them, that count as noise."""
    side_clearance_m: float = 0.03
    """Clearance on both sides of the fingers, without which `clutter` is paid."""
    min_separation_m: float = 0.012
    """Proposals closer than that must differ in their closing axis."""
    max_axis_cosine: float = 0.9
    """Largest cosine between closing axes that differ."""
    costs: GraspCosts = GraspCosts()
    """Weights that rank the proposals."""
    gripper: GripperGeometry = PANDA_GRIPPER
    """The gripper's volume."""
    planes: PlaneConfig = DEFAULT_PLANE_CONFIG
    """Detection of planar faces."""
    center_of_mass: CenterOfMassConfig = DEFAULT_CENTER_OF_MASS_CONFIG
    """Estimate of the center of mass."""


DEFAULT_GRASP_CONFIG = GraspConfig()


_CHUNK = 64  # candidates whose collisions are counted at once; bounds the memory


class StripGrasp(NamedTuple):
    """A grasp of a strip: its TCP position [3], meters, and the terms of its cost.

    All terms but `taper` are meters. `width` is that between the pads. `depth_deficit` is the missing depth of the
    fingers. `flare` is the width at the tips less that a little above them. `taper` is the change of the width along
    the fingers' own width, over half of that. Offsets are those of the object's center from the point between the
    pads: `lateral` along the finger width, `closing` along the closing axis, `approach` along the approach.
    """

    position: FloatArray
    width: float
    depth_deficit: float
    flare: float
    taper: float
    lateral_offset: float
    closing_offset: float
    approach_offset: float

    def cost(self, costs: GraspCosts) -> float:
        """Return the weighted sum of the terms; a center above the tips costs nothing."""
        return (
            costs.width * self.width
            + costs.depth_deficit * self.depth_deficit
            + costs.flare * self.flare
            + costs.lateral_offset * self.lateral_offset
            + costs.closing_offset * self.closing_offset
            + costs.approach_offset * max(self.approach_offset, 0.0)
            + costs.taper * self.taper
        )


class _Orientation(NamedTuple):
    """Rotation [3, 3] of the hand (columns across, closing, approach), and its slant or roll, radians."""

    rotation: FloatArray
    slant: float


def propose_grasps(
    target: FloatArray,
    others: FloatArray,
    limits: GraspLimits = DEFAULT_LIMITS,
    rest_rotation: FloatArray | None = None,
    config: GraspConfig = DEFAULT_GRASP_CONFIG,
) -> GraspCandidates:
    """Return collision-free grasps, the cheapest first.

    :param target: points [N, 3] of the object, in the world, meters
    :param others: points [M, 3] of everything else above the table
    :param rest_rotation: rotation [3, 3] of the hand at rest; of similar grasps the least rotated is first
    :return: up to `config.max_candidates`; none for fewer than 4 points
    """
    if len(target) < 4:
        return GraspCandidates(np.zeros((0, 3)), np.zeros((0, 3, 3)))
    center = center_of_mass(target, config.center_of_mass)
    seeds = target[farthest_points(target, center, config.n_seeds)]
    grasps, rotations, costs = [], [], []
    for rotation, slant in [*_slanted(limits, config), *_rolled(config), *_along_faces(target, config)]:
        rotation_angle = 0.0
        if rest_rotation is not None:
            rotation_angle = np.arccos(min(abs(float(rotation[:, 1] @ rest_rotation[:, 1])), 1.0))
        for grasp in _grasps_on_strips(target, seeds, rotation, center, limits, config):
            grasps.append(grasp)
            rotations.append(rotation)
            orientation_cost = config.costs.slant * float(np.sin(slant)) + config.costs.yaw * rotation_angle
            costs.append(orientation_cost + grasp.cost(config.costs))
    if not grasps:
        return GraspCandidates(np.zeros((0, 3)), np.zeros((0, 3, 3)))
    order = np.argsort(costs, kind="stable")
    positions, widths = np.array([grasp.position for grasp in grasps]), np.array([grasp.width for grasp in grasps])
    candidates = GraspCandidates(positions, np.array(rotations), widths=widths)[order]
    free = _free_and_distinct(candidates, target, others, limits, config)
    beside_fingers = collision_counts(candidates[free], [target], config.side_clearance_m, config.gripper)
    total = np.array(costs)[order][free] + config.costs.clutter * (beside_fingers > config.max_stray_points)
    best = np.argsort(total, kind="stable")[: config.max_candidates]
    return replace(candidates[free[best]], costs=total[best])


def _slanted(limits: GraspLimits, config: GraspConfig) -> Iterator[_Orientation]:
    """Yield orientations with a level closing axis, straight down first."""
    for slant in np.deg2rad(limits.slants_deg):
        for yaw in np.arange(config.n_yaws) * np.pi / config.n_yaws:
            closing = np.array([np.cos(yaw), np.sin(yaw), 0.0])
            side = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
            for sign in (1.0,) if slant == 0 else (1.0, -1.0):
                approach = np.array([0.0, 0.0, -np.cos(slant)]) + sign * np.sin(slant) * side
                yield _Orientation(_with_axes(closing, approach), float(slant))


def _rolled(config: GraspConfig) -> Iterator[_Orientation]:
    """Yield orientations with a rolled closing axis, for the walls of bowls."""
    roll = float(np.deg2rad(config.wall_roll_deg))
    for yaw in np.arange(2 * config.n_yaws) * np.pi / config.n_yaws:
        closing = np.array([np.cos(roll) * np.cos(yaw), np.cos(roll) * np.sin(yaw), np.sin(roll)])
        yield _Orientation(_with_axes(closing, _steepest_approach(closing)), roll)


def _along_faces(target: FloatArray, config: GraspConfig) -> Iterator[_Orientation]:
    """Yield orientations that fit an object with sloped faces.

    The hand comes down on one face. It closes along another one's normal, or along the level or the steepest line of
    the face. Or it closes along the normal of a face, with the steepest approach.
    """
    min_slope, max_slope, max_roll = np.deg2rad(
        [config.min_face_slope_deg, config.max_face_slope_deg, config.max_face_roll_deg]
    )
    normals = planar_normals(target, config.planes)
    for normal in normals:
        slope = float(np.arccos(np.clip(normal[2], -1, 1)))
        roll = 0.5 * np.pi - slope
        if len(normals) > 1 and min_slope < roll < max_roll:
            yield _Orientation(_with_axes(normal, _steepest_approach(normal)), roll)
        if not min_slope < slope < max_slope:
            continue
        level = np.cross([0.0, 0.0, 1.0], normal) / np.sin(slope)
        others = [
            other - (other @ normal) * normal
            for other in normals
            if abs(other @ normal) < config.max_perpendicular_cosine
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
    limits: GraspLimits = DEFAULT_LIMITS,
    config: GraspConfig = DEFAULT_GRASP_CONFIG,
) -> list[StripGrasp]:
    """Return the grasps of one orientation through seeds [S, 3]."""
    orientation = _OrientedHand(rotation, center @ rotation, limits, config)
    local, grasps = target @ rotation, []
    local = local[np.argsort(local[:, 1], kind="stable")]
    for seed, local_seed in zip(seeds, seeds @ rotation, strict=True):
        strip = local[np.abs(local[:, 0] - local_seed[0]) < config.gripper.finger_half_x_m]
        desired_depth = min(0.5 * seed[2] + config.depth_below_center_m, config.fingertip_depths_m[0])
        max_depth = orientation.max_depth(local_seed)
        for depth in dict.fromkeys(min(depth, max_depth) for depth in config.fingertip_depths_m):
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
    config: GraspConfig

    def max_depth(self, seed: FloatArray) -> float:
        """Return the depth below a seed [3] at which the lowest corner of the fingertips clears the table."""
        gripper = self.config.gripper
        tcp = self.rotation @ np.array([seed[0], seed[1], seed[2] - gripper.finger_tip_z_m])
        lowest = float((tcp + gripper.fingertip_corners @ self.rotation.T)[:, 2].min())
        return float((lowest - self.config.table_clearance_m) / -self.rotation[2, 2])

    def grasp(self, strip: FloatArray, seed: FloatArray, depth: float, desired_depth: float) -> StripGrasp | None:
        """Return the grasp of a strip with the tips `depth` meters below a seed [3], if it is within limits.

        :param strip: points [P, 3], ordered along y
        """
        config, pad = self.config, self.config.gripper.pad_height_m
        if depth < config.min_depth_m:
            return None
        tip = seed[2] + depth
        above_tip = strip[strip[:, 2] < tip]
        surface = above_tip[_surface_through(above_tip[:, 1], seed[1], config.max_surface_gap_m)]
        if not len(surface):
            return None
        width, center_y = _width(surface), 0.5 * float(surface[0, 1] + surface[-1, 1])
        # A narrow object may be thin, and would lie above the pads.
        deepest = pad if width < 2 * pad else width
        if width > self.limits.max_width_m or depth > deepest:
            return None
        taper = _taper(surface, seed[0], config)
        if taper > self.limits.max_taper:
            return None
        flare = _flare(surface, tip, config.flare_height_m)
        if self._blocked_by_roll(depth, width, flare):
            return None
        tcp_z = tip - config.gripper.finger_tip_z_m
        return StripGrasp(
            position=self.rotation @ np.array([seed[0], center_y, tcp_z]),
            width=width,
            depth_deficit=max(0.0, min(desired_depth, deepest) - depth),
            flare=flare,
            taper=taper,
            lateral_offset=abs(seed[0] - self.center[0]),
            closing_offset=abs(center_y - self.center[1]),
            approach_offset=self.center[2] - tcp_z,
        )

    def _blocked_by_roll(self, depth: float, width: float, flare: float) -> bool:
        """Return whether the roll of the closing axis would bring a finger onto the object, or into a hidden side."""
        config, sine = self.config, abs(self.rotation[2, 1])
        on_top = sine >= config.level_sine and (depth < config.flare_height_m or flare > config.max_flare_m)
        wall_roll = float(np.sin(float(np.deg2rad(config.wall_roll_deg))))
        return bool(on_top or (abs(sine - wall_roll) < 1e-9 and width > config.max_wall_thickness_m))


def _surface_through(values: FloatArray, through: float, max_gap: float) -> slice:
    """Return the gap-free run of sorted values that contains a value; an empty slice where none does."""
    breaks = np.flatnonzero(values[1:] - values[:-1] > max_gap) + 1
    for start, end in pairwise([0, *breaks.tolist(), len(values)]):
        if start < end and values[start] - 1e-6 <= through <= values[end - 1] + 1e-6:
            return slice(start, end)
    return slice(0)


def _width(surface: FloatArray) -> float:
    """Return the extent of points along y, in which they are ordered."""
    return float(surface[-1, 1] - surface[0, 1])


def _taper(surface: FloatArray, x: float, config: GraspConfig) -> float:
    """Return the change of the width along the fingers' own width, over half of that: 0 between parallel faces."""
    before = surface[:, 0] < x
    halves = surface[before], surface[~before]
    if not len(halves[0]) or not len(halves[1]):  # the end of an object, or an object thinner than the fingers
        return 0.0 if np.ptp(surface[:, 0]) < config.thin_object_m else np.inf
    return abs(_width(halves[0]) - _width(halves[1])) / config.gripper.finger_half_x_m


def _flare(surface: FloatArray, tip: float, height: float) -> float:
    """Return the width of a surface at the tips less that `height` meters above them; 0 where it is lower than that."""
    above = surface[surface[:, 2] < tip - height]
    return _width(surface) - _width(above) if len(above) else 0.0


def _free_and_distinct(
    candidates: GraspCandidates, target: FloatArray, others: FloatArray, limits: GraspLimits, config: GraspConfig
) -> NDArray[np.int64]:
    """Return the rows of collision-free grasps that grasp no other object; of similar ones the first."""
    chosen: list[int] = []
    for first in range(0, len(candidates.positions), _CHUNK):
        rows = np.arange(first, min(first + _CHUNK, len(candidates.positions)))
        free = collision_counts(candidates[rows], [target, others], gripper=config.gripper) <= limits.max_collisions
        target_only = points_between_fingers(candidates[rows], others, config.gripper) <= config.max_stray_points
        for row in rows[free & target_only]:
            distinct = all(
                np.linalg.norm(candidates.positions[row] - candidates.positions[other]) > config.min_separation_m
                or candidates.rotations[row][:, 1] @ candidates.rotations[other][:, 1] < config.max_axis_cosine
                for other in chosen
            )
            if distinct:
                chosen.append(int(row))
            if len(chosen) == config.oversampling * config.max_candidates:
                return np.array(chosen)
    return np.array(chosen, np.int64)
