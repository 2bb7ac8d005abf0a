"""ManiSkill2's PickClutter with object sets, drawn cameras and lights, and all observation modes in one environment."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from copy import copy, deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from mani_skill2.envs.pick_and_place.pick_clutter import PickClutterEnv, PickClutterYCBEnv
from mani_skill2.utils.wrappers.observation import (
    PointCloudObservationWrapper,
    RGBDObservationWrapper,
    RobotSegmentationObservationWrapper,
)

from pickclutter_lang.envs.randomization import (
    AppearanceConfig,
    HandCameraConfig,
    episode_view_rng,
    image_noise,
    noisy_depth,
    read_settings,
    view_rng,
)
from pickclutter_lang.envs.renderer import shared_engine
from pickclutter_lang.envs.scene_view import Table, camera_pose, color_of, set_lights
from pickclutter_lang.errors import InvalidArgumentError, RendererError
from pickclutter_lang.objects.object_sets import ObjectSet

HAND_CAMERA = "hand_camera"
PLAIN_MODES = ("state", "state_dict", "none", "image")
CONVERTED_MODES = ("rgbd", "pointcloud", "image_robot_seg", "rgbd_robot_seg", "pointcloud_robot_seg")
OBS_MODES = PLAIN_MODES + CONVERTED_MODES
LARGEST = float(np.finfo(np.float32).max)


class ObjectSetEnv(PickClutterYCBEnv):  # type: ignore[misc]
    """`PickClutterYCBEnv` that takes each model from its folder in an object set; a mixed set has several."""

    object_set: ObjectSet

    def __init__(self, object_set: ObjectSet, **kwargs: Any) -> None:
        """Make the environment; further arguments are those of `PickClutterYCBEnv`."""
        self.object_set = object_set
        super().__init__(**kwargs)

    def _load_model(self, model_id: str, model_scale: float = 1.0) -> Any:
        self.asset_root = self.object_set.model_dir(model_id).parent.parent
        return super()._load_model(model_id, model_scale)


class EpisodeViewEnv(PickClutterYCBEnv):  # type: ignore[misc]
    """mani_skill2's environment, whose hand camera, lights and table are settings; drawn anew for each episode."""

    _has_base_camera = True
    _renderer: Any

    def _set_view(
        self,
        camera: HandCameraConfig | Mapping[str, Any] | None,
        appearance: AppearanceConfig | Mapping[str, Any] | None,
    ) -> None:
        """Set from what every episode draws."""
        self._camera_settings = read_settings(HandCameraConfig, camera)
        self._appearance_settings = read_settings(AppearanceConfig, appearance)

    def _register_cameras(self) -> Any:
        return super()._register_cameras() if self._has_base_camera else []

    def _draw_view(self, scene: tuple[int, str, int] | None) -> None:
        """Draw camera and appearance of the episode that is about to be built.

        :param scene: seed, split and index of the scene whose draws these are; None: by the episode's seed
        """
        rng = episode_view_rng(self._episode_seed) if scene is None else view_rng(*scene)
        self.camera: HandCameraConfig = self._camera_settings.draw(rng)
        """The hand camera of the episode."""
        self.appearance: AppearanceConfig = self._appearance_settings.draw(rng)
        """Lights, table and background of the episode."""

    def _setup_cameras(self) -> None:
        usual = self._camera_cfgs[HAND_CAMERA]
        if self.camera.moved:
            moved = copy(usual)
            moved.pose = camera_pose(usual.pose, self.camera)
            if self.camera.fov is not None:
                moved.fov = float(np.deg2rad(self.camera.fov))
            self._camera_cfgs[HAND_CAMERA] = moved
        try:
            super()._setup_cameras()
        finally:
            self._camera_cfgs[HAND_CAMERA] = usual

    def _setup_lighting(self) -> None:
        self.enable_shadow |= self.appearance.shadows
        super()._setup_lighting()
        if self.appearance != AppearanceConfig():
            set_lights(self._scene, self.appearance)

    def _add_ground(self, altitude: float = 0.0, render: bool = True) -> Any:
        if self.appearance.table is None or not render:
            return super()._add_ground(altitude, render)
        self._table = Table(self._scene, self.appearance.table)
        return super()._add_ground(altitude, render=False)

    def _get_obs_images(self) -> Any:
        observation = super()._get_obs_images()
        if self.appearance.background is not None:
            for images in observation["image"].values():
                nothing = images["Position"][..., 2] == 0
                images["Color"][nothing, :3] = color_of(self.appearance.background) / 255
        if self.camera.noisy:
            intrinsic = observation["camera_param"][HAND_CAMERA]["intrinsic_cv"]
            self._add_noise(observation["image"][HAND_CAMERA], float(intrinsic[1, 1]))
        return observation

    def _add_noise(self, images: dict[str, Any], focal_length: float) -> None:
        """Add noise that depends on episode and step alone to raw images; the missing depth is at the origin."""
        rng = episode_view_rng(self._episode_seed, self._elapsed_steps)
        color, position = images["Color"], images["Position"]
        noisy = color[..., :3] + image_noise(color[..., :3].shape, self.camera, rng) / 255
        color[..., :3] = np.clip(noisy, 0, 1)
        depth = -position[..., 2].astype(np.float64)
        measured = noisy_depth(depth, focal_length, self.camera, rng)
        position[..., :3] *= np.where(depth > 0, measured / np.where(depth > 0, depth, 1.0), 0.0)[..., None]


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


def available_render_modes() -> tuple[str, ...]:
    """Return mani_skill2's render modes; its viewer ("human") needs a display."""
    return tuple(mode for mode in PickClutterEnv.SUPPORTED_RENDER_MODES if mode != "human" or _has_display())


def start_renderer(render_mode: str | None, renderer_kwargs: dict[str, Any] | None) -> tuple[Any, Any]:
    """Return the process's engine and renderer; with render_mode="human" the renderer can open a window.

    :raises InvalidArgumentError: for a render mode that mani_skill2 does not have
    :raises RendererError: for render_mode="human" without a display
    """
    if render_mode is not None and render_mode not in PickClutterEnv.SUPPORTED_RENDER_MODES:
        raise InvalidArgumentError(
            f"expected render_mode out of {', '.join(PickClutterEnv.SUPPORTED_RENDER_MODES)}, but got {render_mode!r}"
        )
    if render_mode == "human" and not _has_display():
        raise RendererError("render_mode='human' opens a window, but there is no display; use 'rgb_array'")
    viewer_kwargs = {"offscreen_only": False} if render_mode == "human" else {}
    engine, renderer = shared_engine(**viewer_kwargs, **(renderer_kwargs or {}))
    renderer.set_log_level("error")  # else each environment would warn that the renderer is shared
    return engine, renderer


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
