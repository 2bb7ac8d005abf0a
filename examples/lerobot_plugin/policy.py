"""A policy of this package as one of LeRobot 0.6, for `lerobot-eval` in the environment of `env.py` beside it.

    PYTHONPATH=examples lerobot/bin/lerobot-eval --env.discover_packages_path=lerobot_plugin --env.type=pickclutter \
        --env.image_size=256 --policy.discover_packages_path=lerobot_plugin --policy.type=pick_by_name \
        --policy.folder=open --policy.device=cpu --eval.n_episodes=10 --eval.batch_size=1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lerobot.configs.policies import PreTrainedConfig
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.processor import PolicyProcessorPipeline
from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action
from torch import Tensor, nn

from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.policy.policy import LanguagePickPolicy


@PreTrainedConfig.register_subclass("pick_by_name")
@dataclass
class PickByNameConfig(PreTrainedConfig):
    """A policy folder, or an embedded policy."""

    folder: str = "open"
    observation_delta_indices = action_delta_indices = reward_delta_indices = None

    def get_optimizer_preset(self) -> Any:
        """Raise: it is trained by `pickclutter`, not by LeRobot."""
        raise NotImplementedError("pickclutter train-affordance trains it")

    get_scheduler_preset = get_optimizer_preset

    def validate_features(self) -> None:
        """Take any: `LanguagePickPolicy` checks each observation."""


class PickByNamePolicy(PreTrainedPolicy):  # type: ignore[misc]
    """Picks the object that `task` names, one environment or several."""

    config_class = PickByNameConfig
    name = "pick_by_name"

    def __init__(self, config: PickByNameConfig, **_: Any) -> None:
        """Open the policy."""
        super().__init__(config)
        self.policy = LanguagePickPolicy.load(config.folder, declare=False)
        self.unused = nn.Parameter(torch.zeros(()))  # LeRobot asks for the device of a parameter
        self.reset()

    def reset(self) -> None:
        """Begin episodes."""
        self._state: Any = None

    def select_action(self, batch: dict[str, Any], **_: Any) -> Tensor:
        """Return the next action of each environment."""
        images = (batch["observation.images.hand"].permute(0, 2, 3, 1) * 255).round().byte()
        qpos, _, goal = batch["observation.state"].split([9, 7, 3], dim=1)
        more = {
            name: batch[f"observation.{name}"].numpy() for name in ("hand_intrinsic", "hand_cam2world", "base_pose")
        }
        observation = {
            "hand_rgb": images.numpy(),
            "hand_depth": batch["observation.hand_depth"].numpy(),
            "qpos": qpos.numpy(),
            "goal_pos": goal.numpy(),
            "instruction": np.stack([encode_instruction(task) for task in batch["task"]]),
            **more,
        }
        actions, self._state = self.policy.predict(observation, self._state)
        return torch.from_numpy(actions)

    def predict_action_chunk(self, batch: dict[str, Any], **_: Any) -> Tensor:
        """Return one action as a chunk."""
        return self.select_action(batch)[:, None]

    def forward(self, batch: dict[str, Any]) -> Any:
        """Raise: it is trained by `pickclutter`, not by LeRobot."""
        raise NotImplementedError("pickclutter train-affordance trains it")

    get_optim_params = forward


def make_pick_by_name_pre_post_processors(config: Any, dataset_stats: Any = None) -> tuple[Any, Any]:
    """Return processors that change nothing."""
    as_action = {"to_transition": policy_action_to_transition, "to_output": transition_to_policy_action}
    return PolicyProcessorPipeline(steps=[]), PolicyProcessorPipeline(steps=[], **as_action)
