"""Configurations of `pickclutter collect-demos` and `pickclutter export-lerobot`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.object_sets import check_object_split, check_objects
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.validation import MAX_SEED, at_least, check_path, check_seed, check_workers, one_of, within


@dataclass
class CollectDemosConfig:
    """Demonstrations of picks by name in the simulator. Episode k depends on `seed` + k and on no other episode."""

    out: str = MISSING
    """Folder of the demonstrations. What a stopped command left there is completed."""
    episodes: int = 1000
    """Episodes that are played: those of the seeds `seed`, `seed` + 1, ... The successful ones are kept."""
    seed: int = 0
    """Seed of the first episode."""
    policy: str | None = None
    """Policy folder of `pickclutter export-policy`: its student says where the target is. null: the simulator does."""
    failures: bool = False
    """Keep the episodes that failed too."""
    objects: Any = "proxy"
    """Object set: `proxy` (generated models), `ycb` (real scans), `kinds` (in every pile other instances), a folder of
    your own objects, or sets to mix, `[ycb,./mine]`."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's default."""
    kinds: list[str] = field(default_factory=list)
    """For `kinds` and distractors: their names. []: all; as distractors, those that no label means."""
    instances: int = 50
    """For `kinds` and distractors: instances of each; those of `train` and `fewshot` are others than those of `id` and
    `ood`."""
    distractors: float = 0.0
    """Share of a pile's objects that are instances of kinds without a label, from 0 to below 1. None is a target."""
    camera: HandCameraConfig = field(default_factory=HandCameraConfig)
    """The hand camera; a range is drawn for each pile."""
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    """Lights, table and background; a range is drawn for each pile."""
    split: str = "train"
    """Objects in the piles: `train` and `id` have the seen ones, `ood` and `fewshot` all."""
    object_split: int = 0
    """Which objects are unseen (Y_ood), as of `collect-scenes`."""
    camera_size: int = 128
    """Side in pixels of the hand camera's images. A student of `policy` has its own."""
    control_mode: str = "pd_ee_delta_pose"
    """Controller: `pd_ee_delta_pose` or `pd_joint_delta_pos`."""
    workers: int = 2
    """Parallel processes, each with its environment. One that dies is replaced."""
    engine: str = "local"
    """Where they are: `local`, this machine, or `ray`, the machines of a Ray cluster. Needs the extra `cluster`."""
    address: str = "auto"
    """For `engine=ray`: HOST:PORT of the cluster's head. `auto`: the cluster of this machine."""
    n_videos: int = 3
    """Successes, and kept failures, that become videos (MP4)."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    @property
    def seeds(self) -> Sequence[int]:
        """Seeds of the episodes."""
        return range(self.seed, self.seed + self.episodes)

    @property
    def pool(self) -> PoolConfig:
        """Who plays the episodes."""
        return PoolConfig(self.workers, self.engine, self.address)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        from pickclutter_lang.envs.registration import environment_id  # these load Gymnasium
        from pickclutter_lang.manipulation.kinematics import make_controller

        check_path("out", self.out)
        check_path("policy", self.policy)
        check_seed(self.seed)
        within("episodes", self.episodes, 1, MAX_SEED - self.seed)
        check_objects(self.objects, self.objects_root, self.kinds, self.instances, self.distractors)
        environment_id(self.objects)
        one_of("split", self.split, ("train", "id", "ood", "fewshot"))
        check_object_split(self.objects, self.object_split)
        self.camera.validate()
        self.appearance.validate()
        within("camera_size", self.camera_size, 16, 1024)
        make_controller(self.control_mode)
        check_workers("workers", self.workers, 1)
        self.pool.validate()
        at_least("n_videos", self.n_videos, 0)


@dataclass
class ExportLerobotConfig:
    """A LeRobot data set, version 3.0, of collected demonstrations."""

    demos: str = MISSING
    """Folder of `pickclutter collect-demos`."""
    out: str = MISSING
    """Folder of the data set. An export that is there is replaced."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_path("demos", self.demos)
        check_path("out", self.out)
        if self.demos == self.out:
            raise InvalidArgumentError(f"expected another folder in out than in demos, but got {self.out!r} for both")
