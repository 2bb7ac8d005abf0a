"""A stable-baselines3 features extractor on top of a student's image features."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError
from pickclutter_lang.policy.runtime import StudentRuntime

try:
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
except ImportError as error:
    raise MissingExtraError("stable_baselines3", "rl") from error

_STATE_WIDTH = 64
_NOT_NUMBERS = ("_rgb", "_depth", "_intrinsic", "_cam2world", "instruction", "mask")


class StudentFeaturesExtractor(BaseFeaturesExtractor):
    """The student's global feature of the hand camera's image, concatenated with a small layer on the numbers.

    For observations of `FlatObservation` and wrappers around it. Images and matrices of cameras are no such numbers,
    nor is the instruction's text. stable-baselines3 takes it as `policy_kwargs`:
    `{"features_extractor_class": StudentFeaturesExtractor, "features_extractor_kwargs": {"student": student}}`.
    """

    def __init__(self, observation_space: spaces.Dict, student: StudentRuntime, frozen: bool = True) -> None:
        """Build the extractor.

        :param observation_space: has `hand_rgb`, uint8 [3, H, W] or [H, W, 3], and numbers, such as `qpos`
        :param student: of the hand camera's RGB alone; it is copied, so that training does not change it
        :param frozen: freeze the student's weights; trained along, its normalization keeps the statistics that it has
        :raises InvalidArgumentError: for another student, or observations without these keys
        """
        check_hand_rgb(student)
        numbers = [key for key in observation_space.spaces if not key.endswith(_NOT_NUMBERS)]
        if "hand_rgb" not in observation_space.spaces or not numbers:
            raise InvalidArgumentError(
                f"expected the observations of FlatObservation, but got {', '.join(observation_space.spaces)}"
            )
        count = sum(math.prod(observation_space[key].shape or ()) for key in numbers)
        width = student.encode_names(student.config.names[:1]).positive.shape[1]
        super().__init__(observation_space, features_dim=width + _STATE_WIDTH)
        config = replace(student.config, object_crop_size=None)
        fresh = StudentRuntime(config, student.scorer.state_dict(), student.encode_names(config.names))
        self.numbers, self.scorer, self.frozen = numbers, fresh.scorer, frozen
        self.scorer.requires_grad_(not frozen)
        self.camera_size, self.crop_size, self.image_size = config.camera_size, config.crop_size, config.image_size
        self.state = nn.Sequential(nn.LayerNorm(count), nn.Linear(count, _STATE_WIDTH), nn.ReLU())

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Return features [N, D + 64] of observations as stable-baselines3 gives them: images float32 in 0..1."""
        images = observations["hand_rgb"]
        side = self.camera_size
        if images.shape[-2:] != (side, side):
            raise InvalidArgumentError(
                f"expected images of {side} x {side} pixels, but got {list(images.shape[-2:])}; make the environment "
                f"with camera_cfgs={{'hand_camera': {{'width': {side}, 'height': {side}}}}}"
            )
        start = (side - self.crop_size) // 2
        window = images[..., start : start + self.crop_size, start : start + self.crop_size]
        if self.crop_size != self.image_size:
            window = functional.interpolate(window, size=(self.image_size,) * 2, mode="bilinear", antialias=True)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            features = self.scorer.features(window).pooled.float()
        numbers = torch.cat([observations[key].flatten(1) for key in self.numbers], dim=1)
        return torch.cat([functional.normalize(features, dim=1), self.state(numbers)], dim=1)

    def train(self, mode: bool = True) -> StudentFeaturesExtractor:
        """Switch between training and evaluation; the student stays in evaluation.

        PPO compares probabilities of its updates with those of its rollouts, which run in evaluation.
        """
        super().train(mode)
        self.scorer.eval()
        return self

    def apply(self, fn: Callable[[nn.Module], None]) -> StudentFeaturesExtractor:
        """Apply a function to the layers of the numbers: stable-baselines3 initializes all others by it anew."""
        self.state.apply(fn)
        return self


def check_hand_rgb(student: StudentRuntime) -> None:
    """Check that a student takes the hand camera's RGB alone.

    :raises InvalidArgumentError: for another one
    """
    if student.student_input != ["hand_rgb"]:
        raise InvalidArgumentError(
            "expected a student of the hand camera's RGB, but this one takes "
            f"{', '.join(student.student_input)}; distill one with "
            "data=hand_rgb"
        )
