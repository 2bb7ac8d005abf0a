"""Configuration of grasp proposals: limits, cost weights and search grid.

Angles of the hand: roll is that of the closing axis, slant that of the approach.
"""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.manipulation.center_of_mass import DEFAULT_CENTER_OF_MASS_CONFIG, CenterOfMassConfig
from pickclutter_lang.manipulation.gripper import PANDA_GRIPPER, GripperGeometry
from pickclutter_lang.manipulation.planes import DEFAULT_PLANE_CONFIG, PlaneConfig


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
