"""A painted observation of a pile by the hand camera: without the simulator, and the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np

_CAMERA_M, _NUM_OBJECTS, _SPREAD_M = 0.38, 12, 0.13
_GRAIN, _DEPTH_NOISE_M = 1.0, 0.0002


def painted_observation(side: int, seed: int = 0) -> dict[str, Any]:
    """Return what detectors read of an observation: RGB, depth and pose of the hand camera.

    Boxes and domes with stripes lie close together on a table, below a camera that looks straight down.

    :param side: of the images in pixels
    """
    rng, half = np.random.default_rng(seed), side / 2
    x, y = (np.mgrid[:side, :side][::-1] + 0.5 - half) / half * _CAMERA_M  # on the table; the camera sees 90 degrees
    height, color = np.zeros((side, side)), np.full((side, side, 3), 150.0)
    for number in range(_NUM_OBJECTS):
        center, radii, top = rng.uniform(-_SPREAD_M, _SPREAD_M, 2), rng.uniform(0.03, 0.06, 2), rng.uniform(0.02, 0.1)
        across, along = (x - center[0]) / radii[0], (y - center[1]) / radii[1]
        dome = top * np.sqrt(np.clip(1 - across**2 - along**2, 0, None))
        box = top * (np.maximum(abs(across), abs(along)) < 1)
        found = box if number % 2 else dome
        shown = found > height
        height[shown] = found[shown]
        stripes = 30 * (np.sin(8 * across) > 0)[..., None]
        color[shown] = (rng.uniform(30, 220, 3) + stripes)[shown]
    rgb = np.clip(color + rng.normal(0, _GRAIN, color.shape), 0, 255).astype(np.uint8)
    depth = (_CAMERA_M - height + rng.normal(0, _DEPTH_NOISE_M, height.shape)).astype(np.float32)
    pose = np.eye(4)
    pose[2, 3] = _CAMERA_M
    intrinsic = np.array([[half, 0, half], [0, half, half], [0, 0, 1]])
    return {"hand_rgb": rgb, "hand_depth": depth, "hand_intrinsic": intrinsic, "hand_cam2world": pose}
