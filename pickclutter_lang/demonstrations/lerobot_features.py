"""What a LeRobot data set of demonstrations says of each frame: features, their names, and their values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.demonstrations.trajectories import Demonstration

IMAGE = "observation.images.hand"
FPS = 20
"""Actions in a second of simulated time."""
_AXES = ("x", "y", "z")
_JOINTS = [f"joint_{n}" for n in range(1, 8)]
_STATE = {
    "agent/qpos": [*_JOINTS, "finger_1", "finger_2"],
    "extra/tcp_pose": [f"tcp_{axis}" for axis in (*_AXES, "qw", "qx", "qy", "qz")],
    "extra/goal_pos": [f"goal_{axis}" for axis in _AXES],
}
"""Array of an observation -> names of its numbers in `observation.state`."""
_ACTIONS = {
    "pd_ee_delta_pose": [*_AXES, *(f"rotation_{axis}" for axis in _AXES), "gripper"],
    "pd_joint_delta_pos": [*_JOINTS, "gripper"],
}
_COUNTERS = ("frame_index", "episode_index", "index", "task_index")


def features(control_mode: str, size: tuple[int, ...], video: bool) -> dict[str, dict[str, Any]]:
    """Return the features as `meta/info.json` has them.

    :param size: height, width and channels of an image
    """
    image: dict[str, Any] = {"dtype": "image", "shape": list(size), "names": ["height", "width", "channels"]}
    if video:
        image["dtype"] = "video"
        image["info"] = {
            "video.height": size[0],
            "video.width": size[1],
            "video.channels": 3,
            "video.codec": "h264",
            "video.pix_fmt": "yuv420p",
            "video.fps": FPS,
            "video.is_depth_map": False,
            "is_depth_map": False,
            "has_audio": False,
        }
    state = [name for names in _STATE.values() for name in names]
    action = _ACTIONS[control_mode]
    return {
        IMAGE: image,
        "observation.state": {"dtype": "float32", "shape": [len(state)], "names": state},
        "action": {"dtype": "float32", "shape": [len(action)], "names": action},
        "next.success": {"dtype": "bool", "shape": [1], "names": None},
        "timestamp": {"dtype": "float32", "shape": [1], "names": None},
        **{name: {"dtype": "int64", "shape": [1], "names": None} for name in _COUNTERS},
    }


def numbers(demonstration: Demonstration, episode: int, first: int, task: int) -> dict[str, NDArray[Any]]:
    """Return the numbers of T frames by feature, [T] or [T, d]: each observation with the action that followed it.

    :param episode: number of the episode
    :param first: number of its first frame in the data set
    :param task: number of its task
    """
    actions = demonstration.array("actions")
    count = len(actions)
    frames = np.arange(count)
    state = [demonstration.array(f"obs/{name}")[:count] for name in _STATE]
    return {
        "observation.state": np.concatenate(state, axis=1).astype(np.float32),
        "action": actions.astype(np.float32),
        "next.success": demonstration.array("success").astype(bool),
        "timestamp": (frames / FPS).astype(np.float32),
        "frame_index": frames,
        "episode_index": np.full(count, episode),
        "index": first + frames,
        "task_index": np.full(count, task),
    }


def images(demonstration: Demonstration) -> NDArray[np.uint8]:
    """Return the images [T, H, W, 3] of T frames."""
    found = demonstration.array("obs/image/hand_camera/rgb")
    return np.asarray(found[: len(demonstration.array("actions"))], np.uint8)
