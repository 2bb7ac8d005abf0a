"""Rollouts: a policy acts in the environment, and the outcome of each episode is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.wrappers import DeclareAbsence
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.picker_config import DEFAULT_PICKER_CONFIG
from pickclutter_lang.manipulation.scripted_picker import PickPhase
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.policy.detectors import (
    Detection,
    OracleDetector,
    RandomDetector,
    StudentDetector,
    TargetDetector,
    TeacherDetector,
)
from pickclutter_lang.policy.flat_observation import PolicyObservation
from pickclutter_lang.policy.policy import DECLARE, EpisodeState, LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.score_wrappers import check_cameras
from pickclutter_lang.utils.plugins import checked_result, is_plugin, resolve

RolloutCallback = Callable[[Mapping[str, NDArray[Any]], EpisodeState], None]
"""Called at each step with the observation and the state of the policy."""


@dataclass(frozen=True)
class RolloutConfig:
    """Where policies act: environment, objects, and how often an absent object is named.

    `policies` are policy folders by variant, `few_shot` or `zero_shot` or both; `trust_code` as of
    `StudentRuntime.load`. `proposer` names a grasp proposer as `module:attribute` (None: the package's).
    """

    env_id: str
    objects_root: str | None
    split: str
    absent_probability: float
    control_mode: str
    policies: Mapping[str, str]
    trust_code: bool = False
    proposer: str | None = None


class RolloutRunner:
    """The environment of one process, and the detectors that were used in it so far."""

    def __init__(self, config: RolloutConfig, base_size: int = 0) -> None:
        """Make the environment.

        :param base_size: side in pixels of the images of the base camera, which no policy uses; 0: there is none
        :raises PickClutterError: what making the environment and loading a policy raise
        """
        self.config = config
        self._detectors: dict[str, TargetDetector] = {}
        students = {name: StudentRuntime.load(folder, config.trust_code) for name, folder in config.policies.items()}
        self._detectors |= {name: StudentDetector(student) for name, student in students.items()}
        student = self._student = next(iter(students.values()))
        self._picker_config = DEFAULT_PICKER_CONFIG
        if config.proposer is not None:
            self._picker_config = replace(DEFAULT_PICKER_CONFIG, grasp_proposer=resolve(config.proposer, "proposer"))
        sides = {"hand": student.config.camera_size, "base": base_size}
        inner = gym.make(
            config.env_id,
            objects_root=config.objects_root,
            obs_mode="rgbd",
            control_mode=config.control_mode,
            split=config.split,
            absent_probability=config.absent_probability,
            enable_segmentation=True,
            base_camera=base_size > 0,
            camera_cfgs={f"{name}_camera": {"width": n, "height": n} for name, n in sides.items() if n > 0},
        )
        check_cameras(inner, student)
        catalog = paper_catalog()
        self._seen_names = {catalog[index].name for index in catalog.indices("id")}
        self._env = PolicyObservation(DeclareAbsence(inner), mask=True)

    def detector(self, variant: str) -> TargetDetector:
        """Return the detector of a variant, which is built at its first use."""
        if variant not in self._detectors:
            if variant == "teacher":
                spec = self._student.config
                self._detectors[variant] = TeacherDetector(spec.teacher.load(), spec.names)
            elif is_plugin(variant):
                self._detectors[variant] = _detector_from_outside(variant, self._student)
            else:
                self._detectors[variant] = OracleDetector() if variant == "oracle" else RandomDetector()
        return self._detectors[variant]

    def rollout(self, variant: str, seed: int, callback: RolloutCallback | None = None) -> dict[str, Any]:
        """Run the episode of a seed; return its outcome, as JSON values.

        It ends early where the arm has nothing more to do. `seconds` is the median time of a detection, `located`
        whether more than half of the first detected mask is the target.
        """
        detector = _Timed(self.detector(variant))
        policy = LanguagePickPolicy(detector, self.config.control_mode, config=self._picker_config)
        observation, info = self._env.reset(seed=seed)
        truth = observation["mask"] > 0
        state: tuple[EpisodeState, ...] | None = None
        over, steps, grasp_found = False, 0, False
        while not over:
            action, state = policy.predict(observation, state)
            grasp_found = grasp_found or state[0].target is not None
            if callback is not None:
                callback(observation, state[0])
            if state[0].phase == PickPhase.DONE and action[-1] != DECLARE:
                break
            observation, _, terminated, truncated, info = self._env.step(action)
            over, steps = terminated or truncated, steps + 1
        first = detector.first
        located = (first.mask.ravel() & truth).sum() > 0.5 * max(int(first.mask.sum()), 1)
        return {
            "variant": variant,
            "seed": seed,
            "instruction": info["instruction"],
            "target": info["target_name"],
            "seen": info["target_name"] in self._seen_names,
            **{key: bool(info[f"target_{key}"]) for key in ("present", "visible", "graspable")},
            "located": bool(located),
            "success": bool(info["success"]),
            "declared_absent": bool(info["declared_absent"]),
            "wrong_objects": int(info["wrong_object_picked"]),
            "grasp_found": grasp_found,
            "steps": steps,
            "score": first.score,
            "threshold": first.threshold,
            "seconds": float(np.median(detector.seconds)),
        }


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


class _Timed:
    """A detector that measures its time and records its first detection."""

    def __init__(self, detector: TargetDetector) -> None:
        self._detector, self.names = detector, detector.names
        self.seconds: list[float] = []

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        start = time.perf_counter()
        answer = self._detector(observation, name)
        detection = checked_result(answer, Detection, type(self._detector).__qualname__, "detector")
        if not self.seconds:
            self.first = detection
        self.seconds.append(time.perf_counter() - start)
        return detection
