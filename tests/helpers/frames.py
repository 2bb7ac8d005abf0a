"""Frames of a camera on disk, of a painted or simulated observation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pickclutter_lang.manipulation.frame import Frame


def frame_of(observation: Mapping[str, Any], with_pose: bool = True) -> Frame:
    """The observation as a camera's driver gives it: millimeters, OpenCV's matrix and axes."""
    millimeters = np.rint(1000 * observation["hand_depth"]).astype(np.uint16)
    intrinsic = observation["hand_intrinsic"] - np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    pose = observation["hand_cam2world"] @ np.diag([1.0, -1.0, -1.0, 1.0]) if with_pose else None
    return Frame(observation["hand_rgb"], millimeters, intrinsic, pose, depth_scale=0.001)


def write_frame(folder: Path, frame: Frame, stem: str = "") -> None:
    """Write `color.png`, `depth.png` and `camera.json`, with a stem such as `mug1_`."""
    folder.mkdir(exist_ok=True)
    Image.fromarray(frame.rgb).save(folder / f"{stem}color.png")
    Image.fromarray(frame.depth).save(folder / f"{stem}depth.png")
    camera: dict[str, Any] = {"cam_K": np.ravel(frame.intrinsic).tolist(), "depth_scale": 1.0}
    camera |= {} if frame.pose is None else {"pose": frame.pose.tolist()}
    (folder / f"{stem}camera.json").write_text(json.dumps(camera))
