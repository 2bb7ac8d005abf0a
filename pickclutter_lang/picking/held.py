"""What the fingers hold, as the camera on the hand sees it: what stays where it is while the hand moves."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from pickclutter_lang.picking.arm import PandaArm
from pickclutter_lang.picking.clouds import world_points
from pickclutter_lang.picking.gripper import FINGER_HALF_X, FloatArray, Numbers, quaternion, rotation_matrix

_STILL_M = 0.004
_FARTHEST_M = 0.3
_FEWEST = 12
_FINGER_M = 0.026  # of a finger along the closing axis, from its pad on
_MARGIN_M = 0.003
_ANGLES = np.deg2rad(np.arange(-90, 91, 6))
_FAR_M, _TURN_COST_M = 0.02, 0.001
_MISFIT_M = 0.008  # mean distance from the shape; the best fits of most things lie at 2 to 5 mm
_LEVER_M = 0.015  # what is held nearer to its middle does not swing far
_MOST_POINTS = 400
_TURNS = np.deg2rad(sorted(range(-90, 91, 15), key=abs))
# Where the middle of what is held may be, from where it is thought to be: along the object (negative: back towards the
# fingers) as multiples of a share of its spread, below, and beside, metres. Chosen to find it soon in 79 carries.
_ELSEWHERE = np.array(
    [
        [0.0, 0.008, 0],
        [0.5, 0.02, 0],
        [-1.0, -0.01, 0],
        [-0.5, 0.02, 0.02],
        [-0.5, 0.02, -0.02],
        [-1.5, 0.02, 0],
        [0.5, 0, 0.02],
        [0.5, 0, -0.02],
        [-1.0, 0.05, 0],
        [0, 0, 0.04],
        [0, 0, -0.04],
        [-2.0, 0, 0],
        [-0.5, -0.02, 0],
    ]
)
_ALONG, _SHORTEST_M, _LONGEST_M = 0.5, 0.018, 0.048
_UPRIGHT = 0.2  # sine of the angle to the vertical


def held_points(
    before: Numbers,
    after: Numbers,
    intrinsic: Numbers,
    camera: Numbers,
    tcp_pose: FloatArray,
    opening: float,
) -> FloatArray:
    """Return the points [P, 3] of what is held, in the frame of the TCP (x across, y closing, z approach), metres.

    :param before: depth [H, W] of the hand camera, metres
    :param after: depth [H, W] of the same camera after the hand moved, at least some centimetres
    :param intrinsic: [3, 3] of the camera
    :param camera: [4, 4], its pose in the world at `after`, OpenGL's axes
    :param tcp_pose: [7], at `after`
    :param opening: between the finger pads, metres
    """
    still = np.where((np.abs(before - after) < _STILL_M) & (after < _FARTHEST_M), after, 0.0)
    points, _ = world_points(still, intrinsic, camera)
    local = (points - tcp_pose[:3]) @ rotation_matrix(tcp_pose[3:])
    x, y = np.abs(local[:, 0]), np.abs(local[:, 1])
    inner = 0.5 * opening - _MARGIN_M
    fingers = (x < FINGER_HALF_X + _MARGIN_M) & (y > inner) & (y < inner + _FINGER_M + 2 * _MARGIN_M)
    return np.asarray(local[~fingers])


def pivot_of_held(held: FloatArray, shape: FloatArray, middle: FloatArray, down: FloatArray) -> float:
    """Return how far an object has turned between the fingers since they closed, radians, about the closing axis.

    An object that is held beside its centre of mass swings about the line between the pads. The angle is the one at
    which the shape fits best what is seen of it; 0 where too little is seen. Where none fits, since it has turned so
    far that other sides are seen or has slid, it is the one at which its middle hangs straight below that line.

    :param held: [P, 3], what `held_points` returns
    :param shape: [N, 3], what was seen of the object before, in the frame of the TCP that grasped it
    :param middle: [3], of the object, in that frame
    :param down: [3], the direction of gravity, in the frame of the TCP now
    """
    if len(held) < _FEWEST:
        return 0.0
    rows = np.linspace(0, len(held) - 1, min(len(held), _MOST_POINTS)).astype(int)
    misfits = []
    for angle in _ANGLES:
        distance, _ = cKDTree(shape @ about_closing_axis(angle).T).query(held[rows], distance_upper_bound=_FAR_M)
        misfits.append(np.minimum(distance, _FAR_M).mean())
    best = int(np.argmin(misfits + _TURN_COST_M * np.abs(_ANGLES)))
    if misfits[best] < _MISFIT_M or np.hypot(middle[0], middle[2]) < _LEVER_M:
        return float(_ANGLES[best])
    swing = float(np.arctan2(down[0], down[2]) - np.arctan2(middle[0], middle[2]))
    return (swing + np.pi) % (2 * np.pi) - np.pi


def about_closing_axis(angle: float) -> FloatArray:
    """Return the rotation [3, 3] about the closing axis (y) by an angle, radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def likely_middles(middle: FloatArray, shape: FloatArray, down: FloatArray) -> FloatArray:
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


def carrying_pose(
    arm: PandaArm, angles: FloatArray, place: FloatArray, middle: FloatArray, rotation: FloatArray
) -> FloatArray:
    """Return the TCP pose [7] at which what is held has its middle at a place of the world.

    :param angles: of the joints [7] now, from which the arm is to get there
    :param place: [3], metres
    :param middle: [3], of what is held, in the frame of the TCP
    :param rotation: [3, 3], of the hand as it grasped or carries; where the arm cannot be at the place so, it is turned
        from there about the vertical, by up to 90 degrees in steps of 15, the least first; not at all where none helps
    """
    poses: list[FloatArray] = []
    for turn in _TURNS:
        turned = Rotation.from_rotvec([0, 0, turn]).as_matrix() @ rotation
        poses.append(np.concatenate([place - turned @ middle, quaternion(turned)]))
        if arm.solve(poses[-1], angles) is not None:
            return poses[-1]
    return poses[0]
