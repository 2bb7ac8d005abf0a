"""Observations as one flat dictionary of arrays, turned back into nested ones; needs no gymnasium."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError

TEXT_BYTES = 256
NUMBERS = {
    "qpos": ("agent", "qpos"),
    "base_pose": ("agent", "base_pose"),
    "goal_pos": ("extra", "goal_pos"),
}
"""Key of a flat observation -> group and key of a nested one."""
CAMERA = {"intrinsic": ("intrinsic_cv", (3, 3)), "cam2world": ("cam2world_gl", (4, 4))}
"""Key of a camera's parameter, after `C_`, -> its key in a nested observation, and its shape there."""


def encode_instruction(instruction: str) -> NDArray[np.uint8]:
    """Return a text as UTF-8 [256] that ends in zeros.

    :raises InvalidArgumentError: for a text of more than 256 bytes
    """
    data = instruction.encode()
    if len(data) > TEXT_BYTES:
        raise InvalidArgumentError(f"expected an instruction of at most {TEXT_BYTES} bytes, but got {instruction!r}")
    return np.frombuffer(data.ljust(TEXT_BYTES, b"\0"), np.uint8).copy()


def decode_instruction(instruction: NDArray[np.uint8]) -> str:
    """Return the text that `encode_instruction` was given."""
    return bytes(np.asarray(instruction, np.uint8)).rstrip(b"\0").decode(errors="replace")


def unflatten_observation(flat: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return an observation of mode `rgbd` from one of `PolicyObservation`.

    :raises InvalidArgumentError: when it lacks something
    """
    try:
        cameras = [key.removesuffix("_rgb") for key in flat if key.endswith("_rgb")]
        image, parameters = {}, {}
        for camera in cameras:
            rgb = np.asarray(flat[f"{camera}_rgb"])
            image[f"{camera}_camera"] = {"rgb": rgb, "depth": flat[f"{camera}_depth"].reshape(*rgb.shape[:2], 1)}
            parameters[f"{camera}_camera"] = {
                name: flat[f"{camera}_{key}"].reshape(shape) for key, (name, shape) in CAMERA.items()
            }
        nested: dict[str, Any] = {"image": image, "camera_param": parameters, "agent": {}, "extra": {}}
        for key, (group, name) in NUMBERS.items():
            nested[group][name] = flat[key]
    except KeyError as error:
        raise InvalidArgumentError(
            f"expected an observation of PolicyObservation, but it has no {error}; wrap the environment in "
            "pickclutter_lang.policy.flat_observation.PolicyObservation"
        ) from error
    if "mask" in flat:
        nested["mask"] = flat["mask"]
    return nested
