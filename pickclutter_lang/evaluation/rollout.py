"""Rollouts: a policy acts in the environment, and the outcome of each episode is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import gymnasium as gym
from numpy.typing import NDArray

from pickclutter_lang.envs.generation.pile_sampling import split_label_indices
from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig
from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.acting import (
    Actor,
    RolloutCallback,
    TimedDetector,
    act,
    first_decision,
    outcome,
)
from pickclutter_lang.evaluation.episode_instructions import (
    DRAWN,
    Instruction,
    Pile,
    draw_instruction,
    typed_instruction,
)
from pickclutter_lang.manipulation.scripted_picker import DEFAULT_PICKER_CONFIG
from pickclutter_lang.objects.catalog import Catalog
from pickclutter_lang.policy.baseline_detectors import OracleDetector, RandomDetector
from pickclutter_lang.policy.config import Thresholds
from pickclutter_lang.policy.detectors import StudentDetector, TargetDetector
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.score_wrappers import check_cameras
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.utils.memory import return_unused_memory
from pickclutter_lang.utils.plugins import resolve

OWN = "own"
"""Variant: the policy that `RolloutConfig.own_policy` names."""


@dataclass(frozen=True)
class RolloutConfig:
    """Where policies act: environment, objects, and how often an absent object is named.

    - `policies`: policy folders by variant, `few_shot` or `zero_shot` or both, or none
    - `camera_size`: side in pixels of the hand camera's images where there is no policy folder
    - `teacher_thresholds`: of the variant `teacher`
    - `own_policy`: `module:attribute`, makes the variant `own`
    - `object_split`: which objects are unseen, see `paper_catalog`
    - `trust_code`: as of `StudentRuntime.load`
    - `proposer`: a grasp proposer as `module:attribute`; None: the package's
    - `kinds`, `instances`, `camera`, `appearance`, `distractors`: as of `PickClutterLangEnv`
    - `objects`: of the environment `PickClutterLang/Own-v0`: the sets that it mixes, folders of one's own among them
    """

    env_id: str
    objects_root: str | None
    split: str
    absent_probability: float
    control_mode: str
    policies: Mapping[str, str]
    camera_size: int
    teacher_thresholds: Thresholds | None = None
    own_policy: str | None = None
    object_split: int = 0
    trust_code: bool = False
    proposer: str | None = None
    kinds: tuple[str, ...] = ()
    instances: int = 50
    objects: tuple[str, ...] = ()
    camera: HandCameraConfig = field(default_factory=HandCameraConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    distractors: float = 0.0


def environment_arguments(config: RolloutConfig, hand_size: int, base_size: int = 0) -> dict[str, Any]:
    """Return the arguments of the environment of rollouts, as JSON values.

    :param hand_size: side in pixels of the hand camera's images
    :param base_size: of the base camera's; 0: there is none
    """
    sides = {"hand": hand_size, "base": base_size}
    view: dict[str, HandCameraConfig | AppearanceConfig] = {"camera": config.camera, "appearance": config.appearance}
    return {
        **({"objects": list(config.objects)} if config.objects else {}),
        **{name: asdict(value) for name, value in view.items() if value != type(value)()},
        **({"distractors": config.distractors} if config.distractors else {}),
        "objects_root": config.objects_root,
        "kinds": config.kinds,
        "instances": config.instances,
        "obs_mode": "rgbd",
        "control_mode": config.control_mode,
        "split": config.split,
        "object_split": config.object_split,
        "absent_probability": config.absent_probability,
        "enable_segmentation": True,
        "base_camera": base_size > 0,
        "camera_cfgs": {f"{name}_camera": {"width": n, "height": n} for name, n in sides.items() if n > 0},
    }


class RolloutRunner:
    """The environment of one process, and the detectors that were used in it so far."""

    def __init__(
        self,
        config: RolloutConfig,
        base_size: int = 0,
        wrap: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] = lambda env: env,
    ) -> None:
        """Make the environment.

        :param base_size: side in pixels of the images of the base camera, which no policy uses; 0: there is none
        :param wrap: wraps what Gymnasium makes, inside of what policies need
        :raises PickClutterError: what making the environment and loading a policy raise
        """
        self.config = config
        students = {name: StudentRuntime.load(folder, config.trust_code) for name, folder in config.policies.items()}
        self._detectors: dict[str, TargetDetector] = {}
        self._known_names: dict[str, tuple[str, ...]] = {}
        for name, student in students.items():
            self.use_detector(name, StudentDetector(student))
        self.student = next(iter(students.values()), None)
        self._picker_config = DEFAULT_PICKER_CONFIG
        if config.proposer is not None:
            self._picker_config = replace(DEFAULT_PICKER_CONFIG, grasp_proposer=resolve(config.proposer, "proposer"))
        hand_size = self.student.config.camera_size if self.student else config.camera_size
        inner = wrap(gym.make(config.env_id, **environment_arguments(config, hand_size, base_size)))
        catalog: Catalog = inner.unwrapped.catalog  # type: ignore[attr-defined]
        self._names, self._seen_names = catalog.names, _seen_names(catalog, self.student)
        self._env = FlatObservation(DeclareAbsence(inner), mask=True)
        if self.student is not None:
            check_cameras(self._env, self.student)

    def detector(self, variant: str) -> TargetDetector:
        """Return the detector of a variant, which is built at its first use.

        :raises InvalidArgumentError: when the variant needs a student or thresholds that are not there
        """
        if variant not in self._detectors:
            self.use_detector(variant, self._make_detector(variant))
        return self._detectors[variant]

    def use_detector(self, variant: str, detector: TargetDetector) -> None:
        """Take a detector for a variant, which knows the names in all episodes that it knows now."""
        self._detectors[variant], self._known_names[variant] = detector, tuple(detector.names)

    def is_graspable(self, seed: int, name: str) -> bool:
        """Return whether an object of the pile of a seed can be grasped before the arm moves."""
        _, info = self._env.reset(seed=seed, options={"target": name})
        return bool(info["target_graspable"])

    def _make_detector(self, variant: str) -> TargetDetector:
        if variant == "oracle":
            return OracleDetector(self._names)
        if variant == "random":
            return RandomDetector(self._names)
        if self.student is None:
            raise InvalidArgumentError(f"expected run= or policy= for the variant {variant}, but got neither")
        if variant != "teacher":
            return _detector_from_outside(variant, self.student)
        if self.config.teacher_thresholds is None:
            raise InvalidArgumentError("expected thresholds of the teacher, but got none")
        spec = self.student.config
        return TeacherDetector(spec.teacher.load(), spec.names, self.config.teacher_thresholds)

    def rollout(
        self, variant: str, seed: int, kind: str = DRAWN, callback: RolloutCallback | None = None
    ) -> dict[str, Any]:
        """Run the episode of a seed and a kind of instruction; return its outcome, as JSON values.

        It ends early where the arm has nothing more to do. Seconds are the median of a detection, for a user's own
        policy of a step. `located`: more than half of the first detected mask is the target. `picked`: objects in the
        order in which they were lifted. `followed`: the first of these is right, or, where none is, the policy
        declared absence (after a blank instruction: it picked nothing).
        """
        observation, info = self._env.reset(seed=seed)
        asked = Instruction(kind, info["instruction"], info["target_name"], info["target_name"], ())
        if kind != DRAWN:
            asked = draw_instruction(kind, self._pile(), seed)
            observation, info = self._env.reset(seed=seed, options={"target": asked.target})
        elif info["target_present"]:
            asked = replace(asked, expected=(asked.target,))
        return self._rollout(variant, seed, asked, observation, info, callback)

    def observe(self, seed: int) -> tuple[dict[str, NDArray[Any]], Pile]:
        """Return the first observation of the episode of a seed, and its pile."""
        observation, _ = self._env.reset(seed=seed)
        return observation, self._pile()

    def rollout_typed(
        self, variant: str, seed: int, name: str, callback: RolloutCallback | None = None
    ) -> dict[str, Any]:
        """Run the episode of a seed with a name that a person typed, of any object; return what `rollout` does.

        `present` and `success` say nothing of a name that is not in the catalog.

        :raises InvalidArgumentError: for a name that is too long
        :raises TeacherError: for a new name without its teacher
        """
        self._env.reset(seed=seed)
        return self.rollout_asked(variant, seed, typed_instruction(name, self._pile()), callback)

    def rollout_asked(
        self, variant: str, seed: int, asked: Instruction, callback: RolloutCallback | None = None
    ) -> dict[str, Any]:
        """Run the episode of a seed with an instruction; return what `rollout` does."""
        observation, info = self._env.reset(seed=seed, options={"target": asked.target})
        return self._rollout(variant, seed, asked, observation, info, callback)

    def _rollout(
        self,
        variant: str,
        seed: int,
        asked: Instruction,
        observation: Mapping[str, NDArray[Any]],
        info: dict[str, Any],
        callback: RolloutCallback | None,
    ) -> dict[str, Any]:
        truth = observation["mask"] > 0
        actor = self._actor(variant)
        run = act(self._env, actor, observation, info, asked, callback)
        return_unused_memory()
        return {
            "variant": variant,
            "seed": seed,
            "kind": asked.kind,
            "instruction": asked.text,
            "target": info["target_name"],
            "reference": asked.reference,
            "expected": list(asked.expected),
            "seen": info["target_name"] in self._seen_names,
            **{key: bool(info[f"target_{key}"]) for key in ("present", "visible", "graspable")},
            **outcome(run, asked),
            **first_decision(actor, truth),
        }

    def _actor(self, variant: str) -> Actor:
        if variant != OWN:
            detector = TimedDetector(self.detector(variant), self._known_names[variant])
            policy = LanguagePickPolicy(detector, self.config.control_mode, config=self._picker_config)
            return Actor(policy, detector, detector.seconds)
        assert self.config.own_policy is not None
        own = resolve(self.config.own_policy, "policy")()
        if not callable(getattr(own, "predict", None)):
            raise InvalidArgumentError(
                f"expected policy={self.config.own_policy} to make an object with a method predict(observation, state, "
                f"episode_start), but got {type(own).__name__}"
            )
        return Actor(own, None, [])

    def _pile(self) -> Pile:
        env: Any = self._env.unwrapped
        actors = env.episode["actors"]
        objects = [env.object_set.model(actor["model_id"]) for actor in actors]
        labeled = [(item, actor) for item, actor in zip(objects, actors, strict=True) if item.name in self._names]
        names = {item.name for item, _ in labeled}
        allowed = [env.catalog[index] for index in split_label_indices(env.catalog, self.config.split)]
        return Pile(
            objects=tuple(item for item, _ in labeled),
            visible=tuple(item for item, actor in labeled if actor["rep_pts"] is not None),
            absent=tuple(item for item in allowed if item.name not in names),
            labels=tuple(env.catalog),
            distractors=tuple(item for item in objects if item.name not in self._names),
        )


def _seen_names(catalog: Catalog, student: StudentRuntime | None) -> set[str]:
    """Return the names that a student trained on; where no folder says it, those of Y_id."""
    if student is not None and student.config.unseen_names is not None:
        return set(student.config.names) - set(student.config.unseen_names)
    return {catalog[index].name for index in catalog.indices("id")}


def _detector_from_outside(name: str, student: StudentRuntime) -> TargetDetector:
    """Make the detector of a variant `module:attribute`.

    :raises InvalidArgumentError: when there is none, or it builds no `TargetDetector`
    """
    detector = resolve(name, "variants")(student)
    if not callable(detector) or not hasattr(detector, "names"):
        raise InvalidArgumentError(
            f"expected variants={name} to make a pickclutter_lang.policy.detectors.TargetDetector, which has names and "
            f"can be called, but got {type(detector).__name__}"
        )
    return detector  # type: ignore[no-any-return]
