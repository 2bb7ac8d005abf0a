"""Camera, lights and table of an episode, put into mani_skill2's scene as it is built, and noise into its images."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np
from mani_skill2.envs.pick_and_place.pick_clutter import PickClutterYCBEnv

from pickclutter_lang.envs.camera_noise import image_noise, noisy_depth
from pickclutter_lang.envs.randomization import (
    AppearanceConfig,
    HandCameraConfig,
    episode_view_rng,
    read_settings,
    view_rng,
)
from pickclutter_lang.envs.scene_view import Table, camera_pose, color_of, set_lights

HAND_CAMERA = "hand_camera"


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
