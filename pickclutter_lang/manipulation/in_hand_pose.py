"""What the fingers hold, as the camera on the hand sees it: what stays where it is while the hand moves."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from pickclutter_lang.manipulation.gripper import FINGER_HALF_X, AnyFloatArray, FloatArray, quaternion, rotation_matrix
from pickclutter_lang.manipulation.kinematics import PandaArm, is_elbow_bent
from pickclutter_lang.manipulation.point_cloud import unproject_depth

_STILL_M = 0.004
_FARTHEST_M = 0.3
_FEWEST = 12
_FINGER_M = 0.026  # of a finger along the closing axis, from its pad on
_MARGIN_M = 0.003
_STEP, _BEYOND, _MOST_TILT = np.deg2rad([7.5, 12.0, 60.0])  # of swings and tilts; past hanging; of a rim
_NEAREST_M, _THROUGH_M = 0.01, 0.012  # from the camera; behind a point, so that it is not just the object's own surface
_RIM_M = 0.03  # along the closing axis, of the middle from the pads: what is held so tilts
# A swing costs the mean distance of what is seen from the shape, up to _FAR_M, that by which the shape is seen through,
# and _SHORT_COST for each radian that is left to hang straight, times the lever: what is heavy and far out swings.
# Most that is held fits at 2 to 11 mm. All three and _HANGING were chosen on 36 carries.
_FAR_M, _SHORT_COST, _MOST_COST_M = 0.02, 0.02, 0.014
_HANGING = 0.85  # how far what fits nowhere is taken to have swung, since palm and fingers may stop it; 1 is straight
_LEVER_M = 0.015  # what is held nearer to its middle is not taken to have swung: it moves the middle by less than 2 cm
_MOST_POINTS = 400
# About the vertical, and leaning back.
_TURNS = np.deg2rad(sorted(itertools.product(range(-90, 91, 15), (0, 20, 40)), key=lambda pair: abs(pair[0]) + pair[1]))
# Where the middle of what is held may be, from where it is thought to be: along the object (negative: back towards the
# fingers) as multiples of a share of its spread, below, and beside, metres. Each is the place that adds most, for the
# steps to it, to what lies within 21 mm of the places before it; the errors are taken to be normal, half of them of
# 14, 12 and 9 mm (as the good ones of 36 carries), half of 34, 30 and 24 mm.
_ELSEWHERE = np.array(
    [
        [0.0, 0.008, 0.0],
        [0.5, 0.004, 0.0],
        [-0.75, 0.0, -0.004],
        [-0.25, 0.028, 0.004],
        [-0.25, -0.016, 0.008],
        [0.25, 0.008, -0.024],
        [1.0, 0.024, -0.004],
        [1.0, -0.008, 0.004],
        [-1.0, 0.016, 0.02],
        [-1.5, 0.02, 0.0],
        [-0.75, 0.024, -0.028],
        [-0.25, 0.044, -0.016],
        [0.5, 0.012, 0.02],
        [0.25, 0.048, 0.024],
        [0.75, 0.056, 0.008],
        [1.75, 0.024, 0.008],
        [1.5, 0.008, -0.028],
        [0.25, -0.02, -0.016],
        [-1.0, -0.004, -0.036],
        [-1.25, -0.016, 0.008],
        [-0.75, -0.008, 0.028],
        [0.75, -0.024, 0.02],
        [1.75, 0.004, 0.032],
        [0.75, 0.04, -0.032],
    ]
)
_ALONG, _SHORTEST_M, _LONGEST_M = 0.5, 0.018, 0.048
_UPRIGHT = 0.2  # sine of the angle to the vertical


class WristCameraView(NamedTuple):
    """What the camera on the hand sees.

    `depth` [H, W] in metres, its `intrinsic` matrix [3, 3], and its pose [4, 4] in the frame of the TCP (x across, y
    closing, z approach), OpenGL's axes.
    """

    depth: AnyFloatArray
    intrinsic: AnyFloatArray
    camera: FloatArray


def wrist_camera_view(
    depth: AnyFloatArray, intrinsic: AnyFloatArray, camera: AnyFloatArray, tcp_pose: FloatArray
) -> WristCameraView:
    """Return what the hand camera sees from the poses of camera [4, 4] and TCP [7] in the world."""
    rotation, own = rotation_matrix(tcp_pose[3:]), np.array(camera, float)
    own[:3, :3], own[:3, 3] = rotation.T @ own[:3, :3], rotation.T @ (own[:3, 3] - tcp_pose[:3])
    return WristCameraView(depth, intrinsic, own)


def held_object_points(before: AnyFloatArray, view: WristCameraView, opening: float) -> FloatArray:
    """Return the points [P, 3] of what is held, in the frame of the TCP, metres.

    :param before: depth [H, W] of the hand camera before it came to the view, from at least some centimetres away
    :param opening: between the finger pads, metres
    """
    still = np.where((np.abs(before - view.depth) < _STILL_M) & (view.depth < _FARTHEST_M), view.depth, 0.0)
    local, _ = unproject_depth(still, view.intrinsic, view.camera)
    x, y = np.abs(local[:, 0]), np.abs(local[:, 1])
    inner = 0.5 * opening - _MARGIN_M
    fingers = (x < FINGER_HALF_X + _MARGIN_M) & (y > inner) & (y < inner + _FINGER_M + 2 * _MARGIN_M)
    return np.asarray(local[~fingers])


def estimate_in_hand_rotation(
    held: FloatArray, view: WristCameraView, shape: FloatArray, middle: FloatArray, down: FloatArray
) -> FloatArray:
    """Return the rotation [3, 3] by which an object has turned between the fingers since they closed.

    An object that is held beside its centre of mass swings about the line between the pads, and one that is held at a
    rim, with its middle beyond a finger, tilts about the pads' own width besides; so that its middle sinks, at most to
    below the fingers. The rotation is the one of these at which the shape fits best what is seen of it, and the least
    of it lies where the view goes through; of those that fit about as well, the one at which a long lever hangs
    straightest. It is none where too little is seen. Where none fits, since it has turned so far that other sides are
    seen or has slid, it is the one at which its middle hangs almost straight below the line between the pads. What is
    held near its middle is not taken to have swung.

    :param held: [P, 3], what `held_object_points` returns for the view
    :param shape: [N, 3], what was seen of the object before, in the frame of the TCP that grasped it
    :param middle: [3], of the object, in that frame
    :param down: [3], the direction of gravity, in the frame of the TCP now
    """
    if len(held) < _FEWEST:
        return np.eye(3)
    seen, some = _sample(held), _sample(shape)
    hanging = _between(np.arctan2(middle[0], middle[2]), np.arctan2(down[0], down[2]))
    level = _between(np.arctan2(down[1], down[2]), np.arctan2(middle[1], middle[2]))
    lever = float(np.hypot(middle[0], middle[2]))
    swings, tilts = np.zeros(1), np.zeros(1)
    if lever >= _LEVER_M:
        low, high = sorted([hanging, 0.0])
        if abs(hanging) > 0.5 * np.pi:  # what lies above the pads may fall to either side
            low, high = -abs(hanging), abs(hanging)
        swings = np.append(np.arange(low - _BEYOND, high + _BEYOND, _STEP), 0.0)
    if abs(middle[1]) >= _RIM_M:
        tilts = np.sign(level) * np.arange(0.0, min(abs(level), _MOST_TILT) + 1e-9, _STEP)
    turns = [(swing, tilt) for swing in swings for tilt in tilts]
    tree, costs = cKDTree(shape), []
    for swing, tilt in turns:
        rotation = about_closing_axis(swing) @ _about_width(tilt)
        distance, _ = tree.query(seen @ rotation, distance_upper_bound=_FAR_M)
        through = free_space_violation(some @ rotation.T, view)
        misfit = np.minimum(distance, _FAR_M).mean() + np.minimum(through, _FAR_M).mean()
        costs.append(misfit + lever * _SHORT_COST * abs(_between(swing, hanging)))
    swing, tilt = turns[int(np.argmin(costs))]
    if lever >= _LEVER_M and min(costs) > _MOST_COST_M:
        swing, tilt = _HANGING * hanging, 0.0
    return about_closing_axis(swing) @ _about_width(tilt)


def _sample(points: FloatArray) -> FloatArray:
    return np.asarray(points[np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).astype(int)])


def free_space_violation(points: FloatArray, view: WristCameraView) -> FloatArray:
    """Return how far [N] a view goes beyond points [N, 3] of the TCP's frame, metres along the optical axis.

    What it goes beyond by more than a centimetre is not there. 0 for points outside of the picture, or behind what is
    seen.
    """
    x, y, z = ((points - view.camera[:3, 3]) @ view.camera[:3, :3] * [1, -1, -1]).T
    ahead = z > _NEAREST_M
    z = np.where(ahead, z, 1.0)
    column = np.floor(view.intrinsic[0, 0] * x / z + view.intrinsic[0, 2]).astype(int)
    row = np.floor(view.intrinsic[1, 1] * y / z + view.intrinsic[1, 2]).astype(int)
    height, width = view.depth.shape
    inside = ahead & (row >= 0) & (row < height) & (column >= 0) & (column < width)
    beyond = view.depth[np.where(inside, row, 0), np.where(inside, column, 0)] - z
    return np.where(inside & (beyond > _THROUGH_M), beyond, 0.0)


def _between(one: float, other: float) -> float:
    """Return the angle from one direction to another, in -pi..pi."""
    return float((other - one + np.pi) % (2 * np.pi) - np.pi)


def _about_width(angle: float) -> FloatArray:
    """Return the rotation [3, 3] about the axis across the fingers (x) by an angle, radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def about_closing_axis(angle: float) -> FloatArray:
    """Return the rotation [3, 3] about the closing axis (y) by an angle, radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def center_hypotheses(middle: FloatArray, shape: FloatArray, down: FloatArray) -> FloatArray:
    """Return where [G, 3] the middle of what is held may be in truth, the likeliest first, in the frame of the TCP.

    What was hidden, and what is heavier than it looks, lies along the object; and things hang deeper than they seem.

    :param middle: [3], where it is thought to be
    :param shape: [N, 3], what was seen of the object, as it hangs now
    :param down: [3], the direction of gravity
    """
    variances, axes = np.linalg.eigh(np.cov(shape.T))
    along = axes[:, 2] if axes[:, 2] @ middle > 0 else -axes[:, 2]
    beside = np.cross(along, down)
    if np.linalg.norm(beside) < _UPRIGHT:
        beside = np.cross(along, [0, 1, 0])
    step = np.clip(_ALONG * np.sqrt(variances[2]), _SHORTEST_M, _LONGEST_M)
    ways = np.stack([step * along, down, beside / np.linalg.norm(beside)])
    return np.asarray(middle + _ELSEWHERE @ ways)


def transport_pose(
    arm: PandaArm, angles: FloatArray, place: FloatArray, middle: FloatArray, rotation: FloatArray
) -> FloatArray:
    """Return the TCP pose [7] at which what is held has its middle at a place of the world.

    Where the arm cannot be at the place so, or only outstretched, the hand is turned about the vertical, or leans back
    so that the wrist comes nearer to the arm's base: as little as does.

    :param angles: of the joints [7] now, from which the arm is to get there
    :param place: [3], metres
    :param middle: [3], of what is held, in the frame of the TCP
    :param rotation: [3, 3], of the hand as it grasped or as it began to carry; kept where no turn helps
    """
    away = place[:2] - arm.base[:2]
    level = np.array([away[1], -away[0], 0.0]) / max(float(np.linalg.norm(away)), 1e-9)
    poses: list[FloatArray] = []
    for turn, lean in _TURNS:
        turned = (Rotation.from_rotvec(lean * level) * Rotation.from_rotvec([0, 0, turn])).as_matrix() @ rotation
        poses.append(np.concatenate([place - turned @ middle, quaternion(turned)]))
        solved = arm.inverse(poses[-1], angles)
        if solved is not None and is_elbow_bent(solved):
            return poses[-1]
    return poses[0]
