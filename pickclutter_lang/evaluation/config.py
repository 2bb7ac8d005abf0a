"""Configurations of `pickclutter evaluate-policy`, `pick` and `locate`, and what commands with episodes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from omegaconf import MISSING

from pickclutter_lang.envs.randomization import ViewConfig, changes
from pickclutter_lang.envs.simulator import SimulatorConfig, simulator
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.instructions import SUITES
from pickclutter_lang.experiments.scenes.config import CALIBRATIONS
from pickclutter_lang.objects.object_sets import ObjectsConfig, ObjectSet, check_objects, is_own
from pickclutter_lang.policy.asking import AskConfig
from pickclutter_lang.utils.plugins import is_plugin, resolve
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.validation import (
    MAX_SEED,
    at_least,
    check_folder,
    check_path,
    check_values,
    one_of,
    within,
)

VARIANTS = ("oracle", "few_shot", "zero_shot", "teacher", "own", "random")
"""Which detector decides: the simulator itself (upper bound), the student after or before few-shot learning, the
teacher, a policy of a user's own, or chance (lower bound). A further one is named `module:attribute`: a function from a
`StudentRuntime` to a `TargetDetector`."""


@dataclass(frozen=True)
class PileSettings(ObjectsConfig, ViewConfig):
    """Piles of objects, and how the arm acts in them."""

    split: str = "ood"
    """Objects in the piles: `id` (the seen ones) or `ood` (all)."""
    control_mode: str = "pd_ee_delta_pose"
    """Controller: `pd_ee_delta_pose` or `pd_joint_delta_pos`."""
    picker: str | None = None
    """Picker of your own, `module:attribute`, which moves the arm once it is known where the target is. null: the
    scripted one."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""

    def identity(self, objects: ObjectSet) -> dict[str, Any]:
        """Return what episodes depend on besides their seeds and who acts, as JSON values."""
        optional: dict[str, Any] = {name: changes(getattr(self, name)) for name in ("camera", "appearance")}
        optional["distractors"] = self.distractors
        optional["picker"] = self.picker
        optional["simulator"] = simulator().identity
        return {
            "objects": objects.name if is_own(self.objects) else self.objects,  # however its folder is written
            "meshes": objects.fingerprint[:16],
            "split": self.split,
            "control_mode": self.control_mode,
            **{name: value for name, value in optional.items() if value},
        }


@dataclass(frozen=True)
class EpisodesConfig(PileSettings, PoolConfig, SimulatorConfig):
    """Episodes that several processes play. That of a seed depends on no other one."""

    seed: Annotated[int, within, 0, MAX_SEED] = 0
    """Seed of the first episode."""
    workers: int = 2
    """Parallel processes, each with its environment. One that dies is replaced. 0: one for each core."""
    episodes: int = 200
    """Episodes of each variant and kind of instruction: those of the seeds `seed`, `seed` + 1, ..."""
    camera_size: Annotated[int, within, 16, 1024] = 256
    """Side in pixels of the hand camera's images where no student of a run or folder acts."""
    n_videos: Annotated[int, at_least, 0] = 2
    """Successes, and failures, of each variant that become videos (MP4)."""

    @property
    def seeds(self) -> Sequence[int]:
        """Seeds of the episodes."""
        return range(self.seed, self.seed + self.episodes)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        from pickclutter_lang.manipulation.kinematics import make_controller  # loads Gymnasium

        PoolConfig.validate(self)
        within("episodes", self.episodes, 1, MAX_SEED - self.seed)
        ObjectsConfig.validate(self)
        ViewConfig.validate(self)
        make_controller(self.control_mode)
        if self.picker is not None:
            resolve(self.picker, "picker")
        SimulatorConfig.validate(self)


@dataclass(frozen=True)
class PickConfig(ViewConfig, SimulatorConfig):
    """One pick by name in the simulator."""

    phrase: str = MISSING
    """What to pick: a name, synonym or category, after colors, materials or shapes, such as `the red mug`; or
    a color by itself: `the red one`."""
    policy: Annotated[str | None, check_path] = "open"
    """Who decides: `open`, the embedded policy, or a policy folder of `pickclutter export-policy`. null: the teacher
    classifies what lies there, among the other names of the pile, or a color among the others."""
    declare: bool = False
    """Let the policy declare the object absent, although the pile has it. false: it points to the likeliest object."""
    teacher_name: str = "pocket"
    """Teacher with `policy=null`: `pocket`, `vit_l14_openai`, or `<open_clip architecture>:<tag>`."""
    objects: Any = "kinds"
    """Object set of the pile: `kinds` (instances that no teacher was trained on), `proxy`, `ycb`, a folder of your own
    objects, or sets to mix, `[ycb,./mine]`."""
    objects_root: str | None = None
    """Folder of the object set. null: the package's default."""
    seed: Annotated[int, within, 0, 10**6] = 0
    """Seed of the pile: another one has other objects."""
    picker: str | None = None
    """Picker of your own, `module:attribute`. null: the scripted one."""
    ask: AskConfig = field(default_factory=AskConfig)
    """A large model that is asked where the policy is unsure."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""
    device: str = "cpu"
    """torch's name of where the networks of policy and teacher compute, such as `cuda`."""
    out: Annotated[str, check_path, ".mp4"] = "pick.mp4"
    """MP4 file of the video, in a folder that exists."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_objects(self.objects, self.objects_root)
        ViewConfig.validate(self)
        SimulatorConfig.validate(self)
        self.ask.validate()
        check_values(self)
        if self.policy is None and self.ask.model:
            raise InvalidArgumentError("expected policy= with ask.model: the teacher of policy=null asks nobody")
        if self.policy is None and self.declare:
            raise InvalidArgumentError("expected declare=false with policy=null: the teacher declares nothing absent")
        check_folder("the folder of out", str(Path(self.out).parent))


@dataclass(frozen=True)
class LocateConfig:
    """Named objects in one frame of any camera."""

    frame: Annotated[str, check_path] = MISSING
    """Folder of the frame: `color.png`, `depth.png` and `camera.json`."""
    name: str = ""
    """Name before the files of the frame, in a folder of several: `mug1` of `mug1_color.png`."""
    names: list[str] = field(default_factory=list)
    """Names to ask for, such as `[mug,"yellow fruit"]`. Empty: those that the policy was taught."""
    policy: Annotated[str, check_path] = "open"
    """Policy folder, or an embedded policy, `open` or `ycb`."""
    trust_code: bool = False
    """Open a policy folder that names code outside this package (`student.name=module:attribute`)."""
    json: bool = False
    """Print a line of JSON for each name, in place of a table."""
    out: Annotated[str, check_path, ".png"] = "located.png"
    """PNG file of the picture, in a folder that exists."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_values(self)
        check_folder("the folder of out", str(Path(self.out).parent))


@dataclass(frozen=True)
class PolicyEvalConfig(EpisodesConfig):
    """Episodes of pick policies in the simulator."""

    run: str | None = None
    """Folder of a finished run, `out` of `pickclutter train-affordance`. Its student acts after either phase."""
    policy: str | None = None
    """Instead of `run`: `open`, the embedded policy, a folder of `pickclutter export-policy`, or a policy of your own,
    `module:attribute`, which is called without arguments and makes an object with `predict` of stable-baselines3."""
    scenes: str | None = None
    """Folder with the stores `train`, `id`, `ood` and `fewshot`: of the run, if they were moved, or for the teacher's
    thresholds beside a policy folder."""
    suite: Annotated[str, one_of, tuple(SUITES)] = "picking"
    """What is asked for: `picking` (a target that is drawn), `language` (in the same pile the target, another object,
    an absent one, other words, a blank), `open_vocabulary` (names that are no labels, colors, categories) or `words`
    (a category, a color and a category, a description, true of the target or of nothing there)."""
    out: Annotated[str | None, check_path] = None
    """Folder of the result, the report and the videos. null: `evaluation` in the folder of the student."""
    variants: list[str] | None = None
    """Detectors to compare: `oracle` (the simulator's segmentation, an upper bound), `few_shot` and `zero_shot` (the
    student), `teacher` (classifies each segment), `random` (a lower bound), `own` (the policy of
    `policy=module:attribute`), or a detector of your own, `module:attribute`. null: all for which there is a student,
    and the teacher where there are scenes for its thresholds."""
    absent_probability: Annotated[float, within, 0.0, 1.0] = 0.25
    """Probability that an instruction names an absent object."""
    false_positive_rate: Annotated[float, within, 0.0, 1.0] = 0.07
    """Fraction of absent names that the thresholds of students of a run and of the teacher let pass, on the scenes of
    `calibration`. A policy folder keeps its own thresholds."""
    ask: AskConfig = field(default_factory=AskConfig)
    """A large model that the student asks where it is unsure. It learns on the way: episodes are played in turn, by
    `workers=1`, and what it learned is kept in `out`."""
    device: str = "cpu"
    """torch's name of where the networks of students compute, such as `cuda`."""
    calibration: Annotated[str, one_of, tuple(CALIBRATIONS)] = "few_shot"
    """Scenes that these thresholds come from: `few_shot` (X_id and the few-shot scenes), `id` (only X_id), or
    `unlabeled` (X_id, and for unseen names the unlabeled scenes)."""

    @property
    def policy_folder(self) -> str | None:
        """The policy folder, None where `policy` is none or a policy of a user's own."""
        return None if self.own_policy is not None else self.policy

    @property
    def own_policy(self) -> str | None:
        """The `module:attribute` of a policy of a user's own, None where `policy` is none."""
        return self.policy if self.policy is not None and is_plugin(self.policy) else None

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        one_of("split", self.split, ("id", "ood"))
        self.ask.validate()
        if self.ask.model and self.own_policy is not None:
            raise InvalidArgumentError("expected a policy folder with ask.model, but got a policy of your own")
        if self.ask.model and self.workers != 1:
            raise InvalidArgumentError(f"expected workers=1 with ask.model, but got {self.workers}")
        self._check_who_acts()

    def _check_who_acts(self) -> None:
        variants = self.variants
        without = variants is not None and set(variants) <= {"oracle", "random"}
        if (self.run is None) == (self.policy is None) and not (self.run is None and without):
            raise InvalidArgumentError(
                "expected a student: either run= (a finished run) or policy= (an export of one, or module:attribute); "
                "variants=[oracle,random] need none"
            )
        if self.own_policy is not None:
            resolve(self.own_policy, "policy")
        known = {variant for variant in variants or () if variant in VARIANTS or is_plugin(variant)}
        if variants is not None and (not variants or len(known) != len(variants)):
            raise InvalidArgumentError(
                f"expected variants out of {', '.join(VARIANTS)}, or detectors as module:attribute, each once, but got "
                f"{variants}"
            )
        for variant in filter(is_plugin, known):
            resolve(variant, "variants")
