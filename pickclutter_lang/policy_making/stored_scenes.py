"""Stored scenes as detectors see them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.table import camera_pose_from_table
from pickclutter_lang.utils.typing import FloatArray


def scene_to_observation(scenes: SceneDataset, row: int) -> dict[str, Any]:
    """Return what detectors read of an observation of `FlatObservation`: the hand camera's RGB, depth and pose.

    A store of ManiSkill2's camera has no camera poses. Detectors need a pose only for heights above the table, so it
    is estimated from the plane of the table. Where an object hides the table, the camera looks straight down at the
    farthest pixel; it is within some degrees of that.

    :raises DatasetError: when the store lacks the hand camera's depth, or where it has no poses its segmentation
    """
    rgb, depth = (scenes.load_images("hand", kind, [row])[0] for kind in ("rgb", "depth"))
    meters = depth.astype(np.float64) / 1000
    matrices = scenes.camera_matrices(row)
    half = scenes.store.image_size / 2
    intrinsic: FloatArray = np.array([[half, 0, half], [0, half, half], [0, 0, 1]])  # ManiSkill2: 90 degrees
    if matrices is not None:  # of OpenCV's axes, from the world; a pose is of OpenGL's
        intrinsic = matrices[0]
        world2cam = np.vstack([matrices[1], [0, 0, 0, 1]])
        pose: FloatArray = np.linalg.inv(world2cam) * [1.0, -1.0, -1.0, 1.0]
    else:
        table = scenes.load_images("hand", "segmentation", [row])[0] == 0
        try:
            pose = camera_pose_from_table(meters, intrinsic, table)
        except InvalidArgumentError:
            pose = np.eye(4)
            pose[2, 3] = meters.max()
    depth = meters.astype(np.float32)
    return {"hand_rgb": rgb, "hand_depth": depth, "hand_intrinsic": intrinsic, "hand_cam2world": pose}
