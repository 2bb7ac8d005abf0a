"""Configuration of `pickclutter evaluate-policy`."""

from __future__ import annotations

from dataclasses import dataclass, field

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import one_of

VARIANTS = ("oracle", "few_shot", "zero_shot", "teacher", "random")
"""Target detectors: the simulator's segmentation (upper bound), the student after and before few-shot, the teacher,
chance."""


@dataclass
class PolicyEvalConfig:
    """Episodes of pick policies in the simulator."""

    run: str
    """Folder of the run, `out` of `pickclutter train-affordance`."""
    scenes: str | None = None
    """Folder with the stores `train`, `id`, `ood` and `fewshot`, if they were moved."""
    out: str = "${run}/trials"
    """Folder of the result, the report and the videos."""
    variants: list[str] = field(default_factory=lambda: [*VARIANTS])
    """Target detectors to compare: `oracle` (the simulator's segmentation, an upper bound), `few_shot` and `zero_shot`
    (the student after and before fine-tuning), `teacher`, `random` (a lower bound)."""
    episodes: int = 200
    """Episodes of each variant: those of the seeds `seed`, `seed` + 1, ..."""
    seed: int = 0
    """Seed of the first episode."""
    objects: str = "proxy"
    """Object set: `proxy` (procedural models) or `ycb` (real scans)."""
    objects_root: str | None = None
    """Folder of the object set. null: where the package keeps it."""
    split: str = "ood"
    """Objects in the piles: `id` (the 14 seen ones) or `ood` (all 26)."""
    absent_probability: float = 0.25
    """Probability that an instruction names an absent object."""
    control_mode: str = "pd_ee_delta_pose"
    """Controller: `pd_ee_delta_pose` or `pd_joint_delta_pos`."""
    workers: int = 2
    """Processes side by side, each with an environment of its own."""
    n_videos: int = 2
    """Successes and failures of each variant that become videos (animated GIFs)."""
    n_filmstrips: int = 4
    """Graspable targets that a variant missed and that are drawn as filmstrips."""

    def __post_init__(self) -> None:
        """Fill in `${run}`, as hydra does for a command."""
        self.out = self.out.replace("${run}", self.run)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        unknown = sorted(set(self.variants) - set(VARIANTS))
        if unknown or not self.variants or len(set(self.variants)) != len(self.variants):
            raise InvalidArgumentError(
                f"expected variants out of {', '.join(VARIANTS)}, each once, got {self.variants}"
            )
        for name, least in (("episodes", 1), ("seed", 0), ("workers", 1), ("n_videos", 0), ("n_filmstrips", 0)):
            if getattr(self, name) < least:
                raise InvalidArgumentError(f"expected {name} to be at least {least}, but got {getattr(self, name)}")
        from pickclutter_lang.envs.registration import environment_id  # these load Gymnasium
        from pickclutter_lang.manipulation.controllers import make_controller

        one_of("split", self.split, ("id", "ood"))
        environment_id(self.objects)
        make_controller(self.control_mode)
