"""Configuration of `pickclutter train-ppo`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig
from pickclutter_lang.objects.object_sets import check_objects
from pickclutter_lang.utils.validation import at_least, check_path, check_seed, check_threads


@dataclass
class PPOConfig:
    """PPO on a student's features."""

    policy: str
    """Policy folder of `pickclutter export-policy`, of a student of the hand camera's RGB."""
    out: str = "runs/agent"
    """Folder for agent.safetensors, episodes.monitor.csv and curves.png."""
    steps: int = 4096
    """Steps of the environment."""
    seed: int = 0
    """Seed of the training."""
    objects: Any = "proxy"
    """Object set: `proxy` (procedural models), `ycb` (real scans), `kinds` (in every pile other instances), a folder of
    your own objects, or sets to mix, `[ycb,./mine]`."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's default."""
    kinds: list[str] = field(default_factory=list)
    """For `kinds`: their names. []: all."""
    instances: int = 50
    """For `kinds`: instances of each, those of `train` scenes."""
    camera: HandCameraConfig = field(default_factory=HandCameraConfig)
    """The hand camera; a range is drawn for each pile."""
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    """Lights, table and background; a range is drawn for each pile."""
    frozen: bool = True
    """Freeze the student's weights. false: train them too."""
    episode_steps: int = 64
    """Time limit of an episode."""
    num_threads: int = 1
    """Threads of torch."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for name, least in (("steps", 2), ("episode_steps", 1)):
            at_least(name, getattr(self, name), least)
        check_seed(self.seed)
        check_threads(self.num_threads)
        check_path("out", self.out)
        self.camera.validate()
        self.appearance.validate()
        check_objects(self.objects, self.objects_root, self.kinds, self.instances)
