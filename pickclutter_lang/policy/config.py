"""Configuration of `pickclutter train-ppo`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from omegaconf import MISSING

from pickclutter_lang.envs.randomization import ViewConfig
from pickclutter_lang.objects.object_sets import ObjectsConfig
from pickclutter_lang.utils.validation import MAX_SEED, MAX_WORKERS, at_least, check_path, check_values, within

EPISODE_STEPS = 64
"""Time limit of an episode of `pickclutter train-ppo`."""


@dataclass(frozen=True)
class PPOConfig(ObjectsConfig, ViewConfig):
    """PPO on a student's features."""

    policy: str = MISSING
    """Policy folder of `pickclutter export-policy`, of a student of the hand camera's RGB."""
    out: Annotated[str, check_path] = "runs/agent"
    """Folder for agent.safetensors, episodes.monitor.csv and curves.png."""
    steps: Annotated[int, at_least, EPISODE_STEPS] = 4096
    """Steps of the environment; an episode has 64."""
    seed: Annotated[int, within, 0, MAX_SEED] = 0
    """Seed of the training."""
    num_threads: Annotated[int, within, 1, MAX_WORKERS] = 1
    """Threads of torch."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_values(self)
        ObjectsConfig.validate(self)
        ViewConfig.validate(self)
