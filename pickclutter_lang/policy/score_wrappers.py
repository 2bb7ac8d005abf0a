"""Wrappers that add the encoded instruction and a student's scores to observations.

They go around an environment of `pickclutter_lang.envs` with `obs_mode="rgbd"`, and inside `FlatObservation`, which
puts their additions into its `state`:

    FlatObservation(TargetScoreObservation(InstructionEmbedding(env, teacher), student))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.student import camera_images
from pickclutter_lang.teachers import Teacher

EMBEDDING, GRASPABILITY = "instruction", "graspability"


class InstructionEmbedding(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Adds `instruction` to observations: float32 [D], the L2-normalized text feature of the episode's instruction.

    The instruction itself stays in `info["instruction"]`.
    """

    def __init__(self, env: gym.Env[Any, Any], teacher: Teacher) -> None:
        """Wrap an environment.

        :param teacher: its text tower encodes instructions, each once
        :raises InvalidArgumentError: for an environment without instructions or without images in a dictionary
        """
        gym.utils.RecordConstructorArgs.__init__(self, teacher=teacher)
        super().__init__(env)
        self.teacher = teacher
        self._cache: dict[str, NDArray[np.float32]] = {}
        self.observation_space = _with(env, EMBEDDING, spaces.Box(-1, 1, (teacher.embed_dim,), np.float32))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        text = str(info["instruction"])
        if text not in self._cache:
            self._cache[text] = self.teacher.encode_text([text])[0].cpu().numpy().clip(-1, 1).astype(np.float32)
        self._feature = self._cache[text]
        return observation | {EMBEDDING: self._feature.copy()}, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation | {EMBEDDING: self._feature.copy()}, reward, terminated, truncated, info


class TargetScoreObservation(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Adds `graspability` to observations: the student's prediction for the object that the instruction names.

    - `target`: float32 [1], its score in 0..1
    - `map`: float32 [h, w], the student's attention to it, with sum 1
    - `names`: float32 [C], the scores of a list of names, if one is given

    `info` gains `target_score`, and `target_threshold`, the score from which the object is predicted present.
    """

    def __init__(self, env: gym.Env[Any, Any], student: StudentRuntime, names: Sequence[str] | None = None) -> None:
        """Wrap an environment.

        :param names: further names to score at each step
        :raises InvalidArgumentError: for an environment without instructions, without dictionary observations or
            without the images that the student needs, or for a wrong name
        """
        gym.utils.RecordConstructorArgs.__init__(self, student=student, names=names)
        super().__init__(env)
        self.student, self.others = student, validate_label_names(names) if names else []
        side = student.map_size
        added: dict[str, spaces.Space[Any]] = {
            "target": spaces.Box(0, 1, (1,), np.float32),
            "map": spaces.Box(0, 1, (side, side), np.float32),
        }
        if self.others:
            added["names"] = spaces.Box(0, 1, (len(self.others),), np.float32)
        self.observation_space = _with(env, GRASPABILITY, spaces.Dict(added))
        check_cameras(env, student)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._target = str(info["target_name"])
        return self._with_scores(observation, info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        observation, info = self._with_scores(observation, info)
        return observation, reward, terminated, truncated, info

    def _with_scores(self, observation: Any, info: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        names = list(dict.fromkeys([self._target, *self.others]))
        scores, attention, _ = self.student.predict(camera_images(observation), names)
        added = {"target": scores[:1].copy(), "map": attention[0].copy()}
        if self.others:
            added["names"] = np.array([scores[names.index(name)] for name in self.others], np.float32)
        target = {"target_score": float(scores[0]), "target_threshold": self.student.threshold(self._target)}
        return observation | {GRASPABILITY: added}, info | target


def _with(env: gym.Env[Any, Any], key: str, space: spaces.Space[Any]) -> spaces.Dict:
    """Return the observation space of an environment with one key more."""
    if not hasattr(env.unwrapped, "target_name"):
        raise InvalidArgumentError(f"expected a PickClutterLang environment, but got {env.unwrapped}")
    if not isinstance(env.observation_space, spaces.Dict) or "image" not in env.observation_space.spaces:
        raise InvalidArgumentError(
            "expected observations with images; make the environment with obs_mode='rgbd', and put FlatObservation "
            "around this wrapper, not inside"
        )
    return spaces.Dict({**env.observation_space.spaces, key: space})


def check_cameras(env: gym.Env[Any, Any], student: StudentRuntime) -> None:
    """Check, before any step, that an environment has the images that a student takes.

    :raises InvalidArgumentError: when it lacks images that the student needs, or they are of another size
    """
    cameras: Any = env.observation_space["image"]  # type: ignore[index]
    blank = {
        camera: {kind: np.zeros(box.shape, box.dtype) for kind, box in kinds.items()}
        for camera, kinds in cameras.items()
    }
    student.preprocess(camera_images({"image": blank}))
