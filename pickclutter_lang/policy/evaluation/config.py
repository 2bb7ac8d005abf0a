"""Configuration of `pickclutter evaluate-policy`."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.plugins import is_plugin, resolve
from pickclutter_lang.utils.validation import (
    at_least,
    check_folder,
    check_path,
    check_seed,
    check_workers,
    one_of,
    within,
)

VARIANTS = ("oracle", "few_shot", "zero_shot", "teacher", "random")
"""Which detector decides: the simulator itself (upper bound), the student after or before few-shot learning, the
teacher, or chance (lower bound). A further one is named `module:attribute`: a function from a `StudentRuntime` to a
`TargetDetector`."""


@dataclass
class PolicyEvalConfig:
    """Episodes of pick policies in the simulator."""

    run: str | None = None
    """Folder of a finished run, `out` of `pickclutter train-affordance`. Its student acts after either phase."""
    policy: str | None = None
    """Policy folder of `pickclutter export-policy`, instead of `run`."""
    scenes: str | None = None
    """Folder with the stores `train`, `id`, `ood` and `fewshot` of the run, if they were moved."""
    out: str | None = None
    """Folder of the result, the report and the videos. null: `evaluation` in the folder of the student."""
    variants: list[str] | None = None
    """Detectors to compare: `oracle` (the simulator's segmentation, an upper bound), `few_shot` and `zero_shot` (the
    student), `teacher` (classifies each segment), `random` (a lower bound), or a detector of
    your own, `module:attribute`. null: all of these for which there is a student."""
    episodes: int = 200
    """Episodes of each variant: those of the seeds `seed`, `seed` + 1, ..."""
    seed: int = 0
    """Seed of the first episode."""
    objects: str = "proxy"
    """Object set: `proxy` (procedural models) or `ycb` (real scans)."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's default."""
    split: str = "ood"
    """Objects in the piles: `id` (the 14 seen ones) or `ood` (all 26)."""
    absent_probability: float = 0.25
    """Probability that an instruction names an absent object."""
    control_mode: str = "pd_ee_delta_pose"
    """Controller: `pd_ee_delta_pose` or `pd_joint_delta_pos`."""
    workers: int = 2
    """Parallel processes, each with its environment. One that dies is replaced."""
    n_videos: int = 2
    """Successes, and failures, of each variant that become videos (animated GIFs)."""
    n_filmstrips: int = 4
    """Graspable targets that a variant missed and that become filmstrips, from the first to the last frame."""
    proposer: str | None = None
    """Grasp proposer of your own, `module:attribute`. null: the package's."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        from pickclutter_lang.envs.registration import environment_id  # these load Gymnasium
        from pickclutter_lang.manipulation.controllers import make_controller

        if (self.run is None) == (self.policy is None):
            raise InvalidArgumentError("expected a student: either run= (a finished run) or policy= (an export of one)")
        variants = self.variants
        known = {variant for variant in variants or () if variant in VARIANTS or is_plugin(variant)}
        if variants is not None and (not variants or len(known) != len(variants)):
            raise InvalidArgumentError(
                f"expected variants out of {', '.join(VARIANTS)}, or detectors as module:attribute, each once, but got "
                f"{variants}"
            )
        for variant in filter(is_plugin, known):
            resolve(variant, "variants")
        if self.proposer is not None:
            resolve(self.proposer, "proposer")
        for name, least in (("episodes", 1), ("n_videos", 0), ("n_filmstrips", 0)):
            at_least(name, getattr(self, name), least)
        check_seed(self.seed)
        check_workers("workers", self.workers, 1)
        check_path("out", self.out)
        if self.objects == "proxy":  # of `ycb` its loader says where it comes from
            check_folder("objects_root", self.objects_root)
        within("absent_probability", self.absent_probability, 0.0, 1.0)
        one_of("split", self.split, ("id", "ood"))
        environment_id(self.objects)
        make_controller(self.control_mode)
