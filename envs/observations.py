"""Observation modes of mani_skill2 (`mani_skill2.make` dispatches them to wrappers) inside one environment.

Inside, so that `env.unwrapped` is the environment that an agent meets, and Gymnasium's checker can see it.
"""

from __future__ import annotations

from collections import OrderedDict
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from mani_skill2.utils.wrappers.observation import (
    PointCloudObservationWrapper,
    RGBDObservationWrapper,
    RobotSegmentationObservationWrapper,
)

from pickclutter_lang.errors import InvalidArgumentError

PLAIN_MODES = ("state", "state_dict", "none", "image")
CONVERTED_MODES = ("rgbd", "pointcloud", "image_robot_seg", "rgbd_robot_seg", "pointcloud_robot_seg")
OBS_MODES = PLAIN_MODES + CONVERTED_MODES
LARGEST = float(np.finfo(np.float32).max)


def base_mode(obs_mode: str) -> str:
    """Return the mode in which mani_skill2's own environment takes the observation of a mode.

    :raises InvalidArgumentError: for a mode that is not in `OBS_MODES`
    """
    if obs_mode not in OBS_MODES:
        raise InvalidArgumentError(f"expected obs_mode out of {', '.join(OBS_MODES)}, but got {obs_mode!r}")
    return obs_mode if obs_mode in PLAIN_MODES else "image"


class _Stage(gym.Env[Any, Any]):
    """What mani_skill2's wrappers read of an environment.

    They are not given the environment itself, as it would then hold itself: Python's garbage collector, not the
    last `del`, would choose when and in which order its scene and renderer end, and SAPIEN does not survive that.
    """

    def __init__(self, observation_space: spaces.Space[Any]) -> None:
        self.observation_space = observation_space
        self.action_space = spaces.Discrete(1)
        self.robot_link_ids: list[int] = []


class ObservationConverter:
    """Turns raw images into the observation of a mode, by mani_skill2's own wrappers in their own order."""

    def __init__(self, raw_space: spaces.Space[Any], obs_mode: str) -> None:
        # Each wraps the stage: in a chain, Gymnasium 1 hides `robot_link_ids` from the next one.
        stage = _Stage(raw_space)
        space = deepcopy(raw_space)
        self._steps: list[Any] = []
        if "rgbd" in obs_mode:
            self._steps.append(RGBDObservationWrapper(stage))
            RGBDObservationWrapper.update_observation_space(space)
        elif "pointcloud" in obs_mode:
            self._steps.append(PointCloudObservationWrapper(stage))
            PointCloudObservationWrapper.update_observation_space(space)
        if "robot_seg" in obs_mode:
            self._steps.append(RobotSegmentationObservationWrapper(stage))
            RobotSegmentationObservationWrapper.init_observation_space(space, replace=True)
        self.space: spaces.Space[Any] = finite(space)

    def __call__(self, observation: Any, robot_link_ids: list[int]) -> Any:
        """Convert one observation; nothing in the result is shared with another one."""
        for step in self._steps:
            if isinstance(step, RobotSegmentationObservationWrapper):
                step.robot_link_ids = robot_link_ids  # they change when the scene is rebuilt
            observation = step.observation(observation)
        return deepcopy(observation)


def finite(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """Replace infinite bounds by the largest float32, as Gymnasium's checker takes infinity for an oversight."""
    if isinstance(space, spaces.Dict):
        # A list of pairs keeps the order of the keys; a plain dict would be sorted.
        return spaces.Dict([(key, finite(inner)) for key, inner in space.spaces.items()])
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        low, high = np.maximum(space.low, -LARGEST), np.minimum(space.high, LARGEST)
        return spaces.Box(low.astype(space.dtype), high.astype(space.dtype), dtype=space.dtype.type)
    return space


def camera_config(camera_cfgs: dict[str, Any] | None, segmentation: bool, base_camera: bool) -> dict[str, Any]:
    """Return a copy of camera configurations, with segmentation if requested; mani_skill2 removes keys from it.

    :raises InvalidArgumentError: for a configuration of the base camera where there is none
    """
    if not base_camera and "base_camera" in (camera_cfgs or {}):
        raise InvalidArgumentError(
            "expected no configuration of the base camera with base_camera=False, but camera_cfgs has some; "
            "leave out the one or the other"
        )
    config = deepcopy(camera_cfgs or {})
    if segmentation:
        config["add_segmentation"] = True
    return OrderedDict(config)
