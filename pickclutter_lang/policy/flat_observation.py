"""Observations for a policy of images and an instruction, as one flat dictionary of arrays."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.policy.flat_arrays import CAMERA, NUMBERS, TEXT_BYTES, encode_instruction

_LARGEST = float(np.finfo(np.float32).max)


class PolicyObservation(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """What `LanguagePickPolicy` needs, as a dictionary of one level that vectorized environments take.

    For each camera C of an environment with `obs_mode="rgbd"`: `C_rgb`, uint8 [H, W, 3], `C_depth`, float32 [H * W],
    meters, 0 without a measurement, `C_intrinsic`, float32 [9] and `C_cam2world`, float32 [16], OpenGL's axes. Further
    `qpos` [9], `base_pose` [7] and `goal_pos` [3], float32, and `instruction`, uint8 [256], UTF-8 that ends in zeros.

    With `mask=True` also `mask`, uint8 [H * W], 1 at the pixels of the environment's target in the hand camera's image:
    the simulator's segmentation, for comparison.
    """

    def __init__(self, env: gym.Env[Any, Any], mask: bool = False) -> None:
        """Wrap an environment.

        :raises InvalidArgumentError: for one without instructions, in another observation mode, or, with `mask`,
            without segmentation
        """
        gym.utils.RecordConstructorArgs.__init__(self, mask=mask)
        super().__init__(env)
        inner: Any = env.observation_space
        if not hasattr(env.unwrapped, "instruction"):
            raise InvalidArgumentError(f"expected a PickClutterLang environment, but got {env.unwrapped}")
        if not isinstance(inner, spaces.Dict) or "camera_param" not in inner.spaces:
            raise InvalidArgumentError(
                "expected observations with images; make the environment with obs_mode='rgbd', and put no wrapper "
                "that flattens observations inside this one"
            )
        groups: Any = inner
        self.mask = mask
        self.cameras = [name.removesuffix("_camera") for name in groups["image"]]
        box: dict[str, spaces.Space[Any]] = {"instruction": spaces.Box(0, 255, (TEXT_BYTES,), np.uint8)}
        for camera in self.cameras:
            images = groups["image"][f"{camera}_camera"]
            side = images["rgb"].shape[:2]
            box[f"{camera}_rgb"] = spaces.Box(0, 255, (*side, 3), np.uint8)
            box[f"{camera}_depth"] = spaces.Box(0, _LARGEST, (side[0] * side[1],), np.float32)
            for key, (_, shape) in CAMERA.items():
                box[f"{camera}_{key}"] = _numbers(int(np.prod(shape)))
            if mask and camera == "hand":
                if "Segmentation" not in images.spaces:
                    raise InvalidArgumentError(
                        "expected segmentation; make the environment with enable_segmentation=True"
                    )
                box["mask"] = spaces.Box(0, 1, (side[0] * side[1],), np.uint8)
        for key, (group, name) in NUMBERS.items():
            box[key] = _numbers(groups[group][name].shape[0])
        self.observation_space = spaces.Dict(box)

    def observation(self, observation: Any) -> dict[str, NDArray[Any]]:
        """Flatten one observation."""
        base: Any = self.env.unwrapped
        flat: dict[str, NDArray[Any]] = {"instruction": encode_instruction(base.instruction)}
        for camera in self.cameras:
            images = observation["image"][f"{camera}_camera"]
            flat[f"{camera}_rgb"] = images["rgb"]
            flat[f"{camera}_depth"] = np.ravel(images["depth"]).astype(np.float32)
            for key, (name, _) in CAMERA.items():
                flat[f"{camera}_{key}"] = np.ravel(observation["camera_param"][f"{camera}_camera"][name]).astype(
                    np.float32
                )
        if self.mask:
            target = observation["image"]["hand_camera"]["Segmentation"][..., 1] == base.obj.id
            flat["mask"] = np.ravel(target & base.target_present).astype(np.uint8)
        for key, (group, name) in NUMBERS.items():
            flat[key] = np.asarray(observation[group][name], np.float32)
        return flat


def _numbers(count: int) -> spaces.Box:
    return spaces.Box(-_LARGEST, _LARGEST, (count,), np.float32)
