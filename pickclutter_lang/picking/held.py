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
_MOST_POINTS = 400
_TURNS = np.deg2rad(sorted(range(-90, 91, 15), key=abs))


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


def pivot_of_held(held: FloatArray, shape: FloatArray) -> float:
    """Return how far an object has turned between the fingers since they closed, radians, about the closing axis.

    An object that is held beside its centre of mass swings about the line between the pads. The angle is the one at
    which the shape fits best what is seen of it.

    :param held: [P, 3], what `held_points` returns
    :param shape: [N, 3], what was seen of the object before, in the frame of the TCP that grasped it
    """
    if len(held) < _FEWEST:
        return 0.0
    rows = np.linspace(0, len(held) - 1, min(len(held), _MOST_POINTS)).astype(int)
    misfits = []
    for angle in _ANGLES:
        distance, _ = cKDTree(shape @ about_closing_axis(angle).T).query(held[rows], distance_upper_bound=_FAR_M)
        misfits.append(np.minimum(distance, _FAR_M).mean() + _TURN_COST_M * abs(angle))
    return float(_ANGLES[int(np.argmin(misfits))])


def about_closing_axis(angle: float) -> FloatArray:
    """Return the rotation [3, 3] about the closing axis (y) by an angle, radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def carrying_pose(
    arm: PandaArm, angles: FloatArray, place: FloatArray, middle: FloatArray, rotation: FloatArray
) -> FloatArray:
    """Return the TCP pose [7] at which what is held has its middle at a place of the world.

    :param angles: of the joints [7] now, from which the arm is to get there
    :param place: [3], metres
    :param middle: [3], of what is held, in the frame of the TCP
    :param rotation: [3, 3], of the hand as it grasped; where the arm cannot be at the place so, it is turned from there
        about the vertical, by up to 90 degrees in steps of 15, the least first; not at all where none of them helps
    """
    poses: list[FloatArray] = []
    for turn in _TURNS:
        turned = Rotation.from_rotvec([0, 0, turn]).as_matrix() @ rotation
        poses.append(np.concatenate([place - turned @ middle, quaternion(turned)]))
        if arm.solve(poses[-1], angles) is not None:
            return poses[-1]
    return poses[0]
