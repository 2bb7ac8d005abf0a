"""Stored scenes as observations, so that judges can be asked about them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.manipulation.point_cloud import camera_pose_from_table


def scene_to_observation(scenes: SceneDataset, row: int) -> dict[str, Any]:
    """Return what a judge reads of an observation of mode `rgbd`: the hand camera's image, depth and pose.

    A store has no pose of the camera. Height above the table is all that judges want of it, so it is told by the plane
    of the table.

    :raises DatasetError: when the store lacks the hand camera's depth or segmentation, or no table is seen in the scene
    """
    rgb, depth, segments = (scenes.load_images("hand", kind, [row])[0] for kind in ("rgb", "depth", "segmentation"))
    side = scenes.store.image_size
    half = side / 2
    intrinsic = np.array([[half, 0, half], [0, half, half], [0, 0, 1]])  # the hand camera sees 90 degrees
    metres = depth.astype(np.float64) / 1000
    try:
        pose = camera_pose_from_table(metres, intrinsic, segments == 0)
    except InvalidArgumentError as error:
        raise DatasetError(f"scene {scenes.scene_ids[row]} of {scenes.store.path}: {error}") from error
    camera = {"intrinsic_cv": intrinsic, "cam2world_gl": pose}
    return {
        "image": {"hand_camera": {"rgb": rgb, "depth": metres[..., None].astype(np.float32)}},
        "camera_param": {"hand_camera": camera},
    }
