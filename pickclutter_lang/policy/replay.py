"""Stored scenes as observations, so that detectors can be run on them without the simulator."""

from __future__ import annotations

from typing import Any

import numpy as np

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.manipulation.point_cloud import camera_pose_from_table


def scene_to_observation(scenes: SceneDataset, row: int) -> dict[str, Any]:
    """Return the parts of an observation of mode `rgbd` that detectors read: the hand camera's RGB, depth and pose.

    A store has no camera poses. Detectors need a pose for heights above the table alone, so it is estimated from the
    plane of the table.

    :raises DatasetError: when the store lacks the hand camera's depth or segmentation, or no table is seen in the scene
    """
    rgb, depth, segments = (scenes.load_images("hand", kind, [row])[0] for kind in ("rgb", "depth", "segmentation"))
    side = scenes.store.image_size
    half = side / 2
    intrinsic = np.array([[half, 0, half], [0, half, half], [0, 0, 1]])  # the hand camera sees 90 degrees
    meters = depth.astype(np.float64) / 1000
    try:
        pose = camera_pose_from_table(meters, intrinsic, segments == 0)
    except InvalidArgumentError as error:
        raise DatasetError(f"scene {scenes.scene_ids[row]} of {scenes.store.path}: {error}") from error
    camera = {"intrinsic_cv": intrinsic, "cam2world_gl": pose}
    return {
        "image": {"hand_camera": {"rgb": rgb, "depth": meters[..., None].astype(np.float32)}},
        "camera_param": {"hand_camera": camera},
    }
