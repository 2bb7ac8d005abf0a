"""ManiSkill 3's Panda with ManiSkill2's hand camera and controller."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from mani_skill.agents.controllers import PDEEPoseController, PDEEPoseControllerConfig
from mani_skill.agents.registration import register_agent
from mani_skill.agents.robots import Panda
from mani_skill.render import PREBUILT_SHADER_CONFIGS
from mani_skill.sensors.camera import CameraConfig
from mani_skill.utils.geometry.rotation_conversions import axis_angle_to_quaternion
from mani_skill.utils.structs import Pose

from pickclutter_lang.envs.generation.simulation import (
    CAMERA_RANGE,
    HAND_FOV,
    HAND_LINK,
    camera_pose,
    hand_camera_mount,
)
from pickclutter_lang.envs.randomization import HandCameraConfig
from pickclutter_lang.envs.renderer import shader_folder

HAND_CAMERA = "hand_camera"


def camera_config(uid: str, pose: Any, fov: float, side: int = 128, **mount: Any) -> CameraConfig:
    """Return a camera with the shaders that come nearest to those of ManiSkill2."""
    shaders = dataclasses.replace(PREBUILT_SHADER_CONFIGS["default"], shader_pack=str(shader_folder()))
    return CameraConfig(uid, pose, side, side, fov, *CAMERA_RANGE, shader_config=shaders, **mount)


class _DeltaPoseController(PDEEPoseController):  # type: ignore[misc]
    """ManiSkill2's: the action turns the TCP by a rotation vector in its own axes."""

    def compute_target_pose(self, prev_ee_pose_at_base: Pose, action: Any) -> Pose:
        """Return the poses of the TCP after an action [B, 6], meters and radians."""
        return prev_ee_pose_at_base * Pose.create_from_pq(action[:, :3], axis_angle_to_quaternion(action[:, 3:]))


@register_agent()
class PandaHandCamera(Panda):  # type: ignore[misc]
    """ManiSkill 3's Panda with hand camera and `pd_ee_delta_pose` as in ManiSkill2."""

    uid = "panda_hand_camera"
    camera = HandCameraConfig()
    """How the camera is mounted."""

    @property
    def _sensor_configs(self) -> list[CameraConfig]:
        fov = HAND_FOV if self.camera.fov is None else float(np.deg2rad(self.camera.fov))
        pose = camera_pose(hand_camera_mount(), self.camera)
        return [camera_config(HAND_CAMERA, pose, fov, mount=self.robot.links_map[HAND_LINK])]

    @property
    def _controller_configs(self) -> dict[str, Any]:
        configs: dict[str, Any] = super()._controller_configs
        usual = configs["pd_ee_delta_pose"]["arm"]
        turned = PDEEPoseControllerConfig(
            **{name: getattr(usual, name) for name in vars(usual)}
            # ManiSkill 3 multiplies by the lower bound, which turns the other way.
            | {"rot_lower": usual.rot_upper, "frame": "body_translation:body_aligned_body_rotation"}
        )
        turned.controller_cls = _DeltaPoseController
        configs["pd_ee_delta_pose"]["arm"] = turned
        return configs
