"""Configurations of `pickclutter export-runtime` and `pickclutter train-ppo`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.objects.object_sets import check_objects
from pickclutter_lang.utils.validation import at_least, check_path, check_seed, check_threads


@dataclass
class RuntimeExportConfig:
    """Export of a policy folder for use without torch."""

    policy: str
    """Folder of `pickclutter export-policy`."""
    num_threads: int | None = None
    """Threads of torch. null: torch's default."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""
    out: str = "${policy}/runtime"
    """Folder of ONNX networks. The files of a policy in it are replaced."""
    names: list[str] = field(default_factory=list)
    """Further names to ask for there, also of objects that were never seen."""

    def __post_init__(self) -> None:
        """Fill in `${policy}`, as hydra does for a command."""
        self.out = self.out.replace("${policy}", self.policy)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("policy", self.policy)
        check_threads(self.num_threads)
        check_path("out", self.out)
        if self.names:
            validate_label_names(self.names)


EPISODE_STEPS = 64
"""Time limit of an episode of `pickclutter train-ppo`."""


@dataclass
class PPOConfig:
    """PPO on a student's features."""

    policy: str
    """Policy folder of `pickclutter export-policy`, of a student of the hand camera's RGB."""
    out: str = "runs/agent"
    """Folder for agent.safetensors, episodes.monitor.csv and curves.png."""
    steps: int = 4096
    """Steps of the environment; an episode has 64."""
    seed: int = 0
    """Seed of the training."""
    objects: Any = "proxy"
    """Object set: `proxy` (generated models), `ycb` (real scans), `kinds` (in every pile other instances), a folder of
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
    num_threads: int = 1
    """Threads of torch."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        at_least("steps", self.steps, EPISODE_STEPS)
        check_seed(self.seed)
        check_threads(self.num_threads)
        check_path("out", self.out)
        self.camera.validate()
        self.appearance.validate()
        check_objects(self.objects, self.objects_root, self.kinds, self.instances)
