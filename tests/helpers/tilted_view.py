"""Depth images of a box on a table before a wall, by a camera that is tilted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pickclutter_lang.manipulation.point_cloud import unproject_depth

HEIGHT = 120
WIDTH = 160
FOCAL = 120.0
INTRINSIC = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])


def tilted_camera(degrees: float) -> NDArray[np.float64]:
    """Return the pose of a camera 0.6 m from the origin, which it looks down on at an angle."""
    angle = np.deg2rad(degrees)
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("x", 90 - degrees, degrees=True).as_matrix()
    pose[:3, 3] = 0.6 * np.array([0, -np.cos(angle), np.sin(angle)])
    return pose


def render(
    pose: NDArray[np.float64], wall: float | None = None, noise: float = 0.0, box: bool = True
) -> NDArray[np.float64]:
    """Return the depth of a table at z = 0, a box of 12 x 10 x 15 cm on it, and a wall at a y."""
    rays = unproject_depth(np.ones((HEIGHT, WIDTH)), INTRINSIC, pose).points - pose[:3, 3]
    start = pose[:3, 3]
    with np.errstate(divide="ignore"):
        table = np.where(rays[:, 2] < 0, -start[2] / rays[:, 2], np.inf)
        behind = (wall - start[1]) / rays[:, 1] if wall is not None else np.full(len(rays), np.inf)
        slabs = (np.array([[-0.06, -0.05, 0.0], [0.06, 0.05, 0.15]])[:, None] - start) / rays
    enters, leaves = slabs.min(axis=0).max(axis=1), slabs.max(axis=0).min(axis=1)
    front = np.where((enters < leaves) & box, enters, np.inf)
    depth = np.minimum(np.minimum(table, np.where(behind > 0, behind, np.inf)), front)
    depth = depth + np.random.default_rng(0).normal(0, 1, depth.shape) * noise
    return np.where(np.isfinite(depth), depth, 0.0).reshape(HEIGHT, WIDTH)
