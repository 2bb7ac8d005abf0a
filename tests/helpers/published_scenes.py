"""Small files of scenes in the published layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

SCENES = {
    "traj_0": ["011_banana", "013_apple"],
    "traj_2": ["062_dice"],
    "traj_10": ["003_cracker_box", "011_banana", "077_rubiks_cube"],
}


def write_published(path: Path, depth_dtype: str = "f4", size: int = 48, cameras: Any = ("base", "hand")) -> Path:
    """Write a file of the published layout; scene k has the color 10 (k + 1) and a step in depth."""
    with h5py.File(path, "w") as file:
        for k, (name, model_ids) in enumerate(SCENES.items()):
            group = file.create_group(name)
            group["model_ids"] = np.array(model_ids, dtype="S")
            for camera in cameras:
                views = group.create_group(f"dict_str_{camera}_camera")
                views["dict_str_rgb"] = np.full((size, size, 3), 10 * (k + 1), np.uint8)
                depth = np.full((size, size), 0.5)
                depth[:, size // 2 :] = 0.75
                views["dict_str_depth"] = (depth if depth_dtype[0] == "f" else depth * 1000).astype(depth_dtype)
    return path
