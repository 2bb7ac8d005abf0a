"""Rollouts: a policy acts in the environment, and the outcome of each episode is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.generation.pile_sampling import split_label_indices
from pickclutter_lang.envs.registration import environment_id, make_single
from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation
from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.evaluation.config import PileSettings
from pickclutter_lang.evaluation.instructions import BLANK, DRAWN, Instruction, Pile, draw_instruction, may_refuse
from pickclutter_lang.language.instructions import encode_instruction, unread_words
from pickclutter_lang.manipulation.scripted_picker import ScriptedPicker
from pickclutter_lang.objects.catalog import Catalog
from pickclutter_lang.objects.object_sets import own_sources
from pickclutter_lang.policy.asking import AskConfig
from pickclutter_lang.policy.detectors import Detection, OracleDetector, RandomDetector, TargetDetector
from pickclutter_lang.policy.policy import DECLARE, EpisodeState, LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.score_wrappers import check_cameras
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy_folder.folder import Thresholds
from pickclutter_lang.utils.memory import return_unused_memory
from pickclutter_lang.utils.plugins import checked_result, resolve

OWN = "own"
"""Variant: the policy that `RolloutConfig.own_policy` names."""
_OF_ENVIRONMENT = (
    "objects_root", "kinds", "instances", "control_mode", "split", "object_split", "absent_probability",
)  # fmt: skip

RolloutCallback = Callable[[Mapping[str, NDArray[Any]], EpisodeState | None], None]
"""Called at each step with the observation and the state of the policy, None for a policy of a user's own."""


@dataclass(frozen=True)
class RolloutConfig(PileSettings):
    """Where policies act, and which.

    - `policies`: policy folders by variant, `few_shot` or `zero_shot` or both, or none
    - `camera_size`: side in pixels of the hand camera's images where there is no policy folder
    - `teacher_thresholds`: of the variant `teacher`
    - `own_policy`: `module:attribute`, makes the variant `own`
    - `ask`: who is asked where a student is unsure; `learned`: folder that keeps what each student learns by that
    - `device`: torch's name of where the networks of policies compute
    - the others: as of `PickClutterLangEnv`
    """

    object_split: int = 0
    absent_probability: float = 0.0
    camera_size: int = 256
    policies: Mapping[str, str] = field(default_factory=dict)
    teacher_thresholds: Thresholds | None = None
    own_policy: str | None = None
    ask: AskConfig = field(default_factory=AskConfig)
    learned: str | None = None
    device: str = "cpu"

    @classmethod
    def of_command(cls, config: Any, **others: Any) -> RolloutConfig:
        """Return what a command's configuration has of these settings, with the values that it calls otherwise."""
        names = [item.name for item in fields(cls) if hasattr(config, item.name)]
        return cls(**{name: getattr(config, name) for name in names} | others)

    @property
    def env_id(self) -> str:
        """The environment's id of Gymnasium."""
        return environment_id(self.objects)

    def env_arguments(self, hand_size: int, base_size: int = 0) -> dict[str, Any]:
        """Return the arguments of the environment, as JSON values.

        :param hand_size: side in pixels of the hand camera's images
        :param base_size: of the base camera's; 0: there is none
        """
        sides = {"hand": hand_size, "base": base_size}
        view: dict[str, Any] = {"camera": self.camera, "appearance": self.appearance}
        own = own_sources(self.objects)
        return {
            **({"objects": list(own)} if own else {}),
            **{name: asdict(value) for name, value in view.items() if value != type(value)()},
            **({"distractors": self.distractors} if self.distractors else {}),
            **{key: getattr(self, key) for key in _OF_ENVIRONMENT},
            "obs_mode": "rgbd",
            "enable_segmentation": True,
            "base_camera": base_size > 0,
            "camera_cfgs": {f"{name}_camera": {"width": n, "height": n} for name, n in sides.items() if n > 0},
        }


class TimedDetector:
    """A detector that measures its time and records its first detection.

    It knows the `names` that it is made with, whatever names were encoded in other episodes.
    """

    first: Detection | None = None

    def __init__(self, detector: TargetDetector, names: Sequence[str]) -> None:
        self._detector = detector
        self.names = names
        self.seconds: list[float] = []

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name."""
        seen = dict(observation)  # what is not rendered yet is not a part of the decision
        start = time.perf_counter()
        answer = self._detector(seen, name)
        detection = checked_result(answer, Detection, type(self._detector).__qualname__, "detector")
        self.first = self.first or detection
        self.seconds.append(time.perf_counter() - start)
        return detection


class Actor(NamedTuple):
    """A policy, its detector (None for a policy of a user's own), and the seconds of each of its decisions."""

    policy: Any
    detector: TimedDetector | None
    seconds: list[float]


class Start(NamedTuple):
    """An episode before its first action: what is asked, the first observation, and the pile."""

    seed: int
    asked: Instruction
    observation: Mapping[str, NDArray[Any]]
    info: dict[str, Any]
    pile: Pile


class RolloutRunner:
    """The environment of one process, and the detectors that were used in it so far."""

    def __init__(
        self,
        config: RolloutConfig,
        base_size: int = 0,
        wrap: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
    ) -> None:
        """Make the environment.

        :param base_size: side in pixels of the images of the base camera, which no policy uses; 0: there is none
        :param wrap: wraps what `make_single` returns, inside of what policies need, and gets all images; None: only
            those that someone reads are rendered
        :raises PickClutterError: what making the environment and loading a policy raise
        """
        self.config = config
        students = {
            name: StudentRuntime.load(folder, config.trust_code, device=config.device)
            for name, folder in config.policies.items()
        }
        self._detectors: dict[str, tuple[TargetDetector, tuple[str, ...]]] = {}
        for name, student in students.items():
            keep = None if config.learned is None else Path(config.learned, name)
            self.use_detector(name, config.ask.detector(student, keep=keep))
        self.student = next(iter(students.values()), None)
        self._picker = ScriptedPicker if config.picker is None else resolve(config.picker, "picker")
        hand_size = self.student.config.camera_size if self.student else config.camera_size
        made = make_single(config.env_id, **config.env_arguments(hand_size, base_size))
        self.inner: Any = made if wrap is None else wrap(made)
        catalog: Catalog = self.inner.unwrapped.catalog  # type: ignore[attr-defined]
        self._names = catalog.names
        self._seen_names = seen_names(catalog, self.student)
        self._unread = unread_words(catalog)
        self._env = FlatObservation(DeclareAbsence(self.inner), mask=True, lazy=wrap is None)
        if self.student is not None:
            check_cameras(self._env, self.student)

    def use_detector(self, variant: str, detector: TargetDetector) -> None:
        """Take a detector for a variant, which knows the names in all episodes that it knows now."""
        self._detectors[variant] = detector, tuple(detector.names)

    def detector(self, variant: str) -> TargetDetector:
        """Return the detector of a variant."""
        return self._detectors[variant][0]

    def start(self, seed: int, ask: Callable[[Pile], Instruction | None] | None = None) -> Start:
        """Start the episode of a seed, with one reset.

        :param ask: what is asked for in the pile; None, also as its result: the environment's own instruction
        """
        asked: Instruction | None = None

        def choose() -> str | None:
            nonlocal asked
            asked = ask(self._pile()) if ask is not None else None
            return None if asked is None else asked.target

        observation, info = self._env.reset(seed=seed, options={"target": choose})
        if asked is None:
            name = info["target_name"]
            asked = Instruction(DRAWN, info["instruction"], name, name, (name,) if info["target_present"] else ())
        return Start(seed, asked, observation, info, self._pile())

    def rollout(
        self, variant: str, seed: int, kind: str = DRAWN, callback: RolloutCallback | None = None
    ) -> dict[str, Any]:
        """Run the episode of a seed and a kind of instruction; return what `run` does."""
        if kind == DRAWN:
            return self.run(variant, self.start(seed), callback)
        return self.run(variant, self.start(seed, lambda pile: draw_instruction(kind, pile, seed)), callback)

    def run(self, variant: str, start: Start, callback: RolloutCallback | None = None) -> dict[str, Any]:
        """Run an episode to its end; return its outcome, as JSON values.

        It ends early where the arm has nothing more to do, or where the policy cannot read words that it may refuse.
        Seconds are the median of a detection, for a user's own policy of a step. `located`: more than half of the first
        detected mask is the target. `picked`: objects in the order in which they were lifted. `followed`: the first of
        these is right, or, where none is, the policy declared absence (after a blank instruction: it picked nothing).
        `present` and `success` say nothing of a name that is not in the catalog.

        :raises TeacherError: for a new name without its teacher
        """
        info = start.info
        asked = start.asked
        actor = self._actor(variant)
        last, acted = act(self._env, actor, start, callback)
        return_unused_memory()
        declared = bool(last["declared_absent"])
        first = actor.detector and actor.detector.first
        located = None
        if first:
            right = int((first.mask & (start.observation["mask"] > 0)).sum())
            located = right > 0.5 * max(int(first.mask.sum()), 1)
        return {
            "variant": variant,
            "seed": start.seed,
            "kind": asked.kind,
            "instruction": asked.text,
            "target": info["target_name"],
            "reference": asked.reference,
            "expected": list(asked.expected),
            "seen": info["target_name"] in self._seen_names,
            **{key: bool(info[f"target_{key}"]) for key in ("present", "visible", "graspable")},
            "success": bool(last["success"]),
            "declared_absent": declared,
            **acted,
            "followed": _followed(asked, acted["picked"], declared),
            "wrong_objects": int(last["wrong_object_picked"]),
            "located": located,
            "score": first and first.score,
            "threshold": first and first.threshold,
            "seconds": float(np.median(actor.seconds)) if actor.seconds else 0.0,
        }

    def _actor(self, variant: str) -> Actor:
        if variant != OWN:
            if variant not in self._detectors:
                self.use_detector(variant, self._make_detector(variant))
            made, names = self._detectors[variant]
            detector = TimedDetector(made, (*names, *self._unread))
            policy = LanguagePickPolicy(detector, self.config.control_mode, picker=self._picker)
            return Actor(policy, detector, detector.seconds)
        own = resolve(str(self.config.own_policy), "policy")()
        if not callable(getattr(own, "predict", None)):
            raise InvalidArgumentError(
                f"expected policy={self.config.own_policy} to make an object with a method predict(observation, state, "
                f"episode_start), but got {type(own).__name__}"
            )
        return Actor(own, None, [])

    def _make_detector(self, variant: str) -> TargetDetector:
        if variant == "oracle":
            return OracleDetector(self._names)
        if variant == "random":
            return RandomDetector(self._names)
        if self.student is None:
            raise InvalidArgumentError(f"expected run= or policy= for the variant {variant}, but got neither")
        if variant == "teacher":
            spec = self.student.config
            return TeacherDetector(spec.teacher.load(), spec.names, self.config.teacher_thresholds)
        detector = resolve(variant, "variants")(self.student)
        if not callable(detector) or not hasattr(detector, "names"):
            raise InvalidArgumentError(
                f"expected variants={variant} to make a pickclutter_lang.policy.detectors.TargetDetector, which has "
                f"names and can be called, but got {type(detector).__name__}"
            )
        return detector  # type: ignore[no-any-return]

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


def act(
    env: gym.Env[Any, Any], actor: Actor, start: Start, callback: RolloutCallback | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let a policy act until the episode is over; return the last `info`, and what the arm did, as JSON values.

    Words that the policy cannot read end the episode without an action, where `may_refuse` allows it.
    """
    observation: Any = start.observation
    info = start.info
    asked = start.asked
    state = None
    picked: list[str] = []
    steps = 0
    grasp_found = False
    refused = False
    over = False
    while not over:
        if actor.detector is None:
            observation = dict(observation)
        began = time.perf_counter()
        try:
            observation = observation | {"instruction": encode_instruction(asked.text)}
            action, state = actor.policy.predict(observation, state, episode_start=steps == 0)
        except (InvalidArgumentError, UnknownObjectError):
            if steps or not may_refuse(asked.kind):
                raise
            refused = True
            break
        if actor.detector is None:
            actor.seconds.append(time.perf_counter() - began)
        known = state[0] if actor.detector is not None else None
        grasp_found = grasp_found or (known is not None and known.target is not None)
        if callback is not None:
            callback(observation, known)
        if known is not None and known.done and action[-1] != DECLARE:
            break
        observation, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        steps += 1
        lifted: list[str] = env.unwrapped.picked_objects()  # type: ignore[attr-defined]
        picked += [name for name in lifted if name not in picked]
    return info, {"picked": picked, "steps": steps, "grasp_found": grasp_found, "refused": refused}


def _followed(asked: Instruction, picked: list[str], declared: bool) -> bool:
    if asked.expected:
        return bool(picked) and picked[0] in asked.expected
    return not picked if asked.kind == BLANK else declared


def seen_names(catalog: Catalog, student: StudentRuntime | None) -> set[str]:
    """Return the names that a student trained on; where no folder says it, those of Y_id."""
    if student is not None and student.config.unseen_names is not None:
        return set(student.config.names) - set(student.config.unseen_names)
    return {catalog[index].name for index in catalog.indices("id")}
