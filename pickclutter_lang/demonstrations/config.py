"""Configurations of `pickclutter collect-demos` and `pickclutter export-lerobot`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from omegaconf import MISSING

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.config import EpisodesConfig
from pickclutter_lang.objects.object_sets import check_object_split
from pickclutter_lang.utils.validation import check_path, one_of


@dataclass(frozen=True)
class CollectDemosConfig(EpisodesConfig):
    """Demonstrations of picks by name in the simulator. Episode k depends on `seed` + k and on no other episode."""

    out: Annotated[str, check_path] = MISSING
    """Folder of the demonstrations. What a stopped command left there is completed."""
    episodes: int = 1000
    """Episodes that are played: those of the seeds `seed`, `seed` + 1, ... The successful ones are kept."""
    policy: Annotated[str | None, check_path] = None
    """Policy folder of `pickclutter export-policy`: its student says where the target is. null: the simulator does."""
    failures: bool = False
    """Keep the episodes that failed too."""
    split: Annotated[str, one_of, ("train", "id", "ood", "fewshot")] = "train"
    """Objects in the piles: `train` and `id` have the seen ones, `ood` and `fewshot` all."""
    object_split: int = 0
    """Which objects are unseen (Y_ood), as of `collect-scenes`."""
    camera_size: int = 128
    """Side in pixels of the hand camera's images. A student of `policy` has its own."""
    n_videos: int = 3
    """Successes, and kept failures, that become videos (MP4)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        from pickclutter_lang.envs.registration import environment_id  # loads Gymnasium

        super().validate()
        environment_id(self.objects)
        check_object_split(self.objects, self.object_split)


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
