"""Wrappers that add the encoded instruction and a student's scores to flat observations.

They go around `FlatObservation`:

    TargetScoreObservation(InstructionEmbedding(FlatObservation(env), teacher), student)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import decode_instruction
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.teachers import Teacher


class InstructionEmbedding(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Adds `instruction_embedding`, float32 [D], the L2-normalized text feature of the episode's instruction."""

    def __init__(self, env: gym.Env[Any, Any], teacher: Teacher) -> None:
        """Wrap an environment.

        :param teacher: its text tower encodes instructions, each once
        :raises InvalidArgumentError: for an environment without flat observations
        """
        gym.utils.RecordConstructorArgs.__init__(self, teacher=teacher)
        super().__init__(env)
        self.teacher = teacher
        self._cache: dict[str, NDArray[np.float32]] = {}
        self.observation_space = _with(env, instruction_embedding=spaces.Box(-1, 1, (teacher.embed_dim,), np.float32))

    def observation(self, observation: Any) -> dict[str, NDArray[Any]]:
        """Add the embedding."""
        text = decode_instruction(observation["instruction"])
        if text not in self._cache:
            self._cache[text] = self.teacher.encode_text([text])[0].cpu().numpy().clip(-1, 1).astype(np.float32)
        return {**observation, "instruction_embedding": self._cache[text].copy()}


class TargetScoreObservation(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Adds a student's prediction for the object that the instruction names.

    - `target_score`: float32 [1], its score in 0..1
    - `target_map`: float32 [h, w], the student's attention to it, with sum 1
    - `name_scores`: float32 [C], the scores of a list of names, if one is given

    `info` gains `target_score`, and `target_threshold`, the score from which the object is predicted present.
    """

    def __init__(self, env: gym.Env[Any, Any], student: StudentRuntime, names: Sequence[str] | None = None) -> None:
        """Wrap an environment.

        :param names: further names to score at each step
        :raises InvalidArgumentError: for an environment without flat observations or without the images that the
            student needs, or for a wrong name
        """
        gym.utils.RecordConstructorArgs.__init__(self, student=student, names=names)
        super().__init__(env)
        self.student, self.others = student, validate_label_names(names) if names else []
        side = student.map_size
        self.observation_space = _with(
            env,
            target_score=spaces.Box(0, 1, (1,), np.float32),
            target_map=spaces.Box(0, 1, (side, side), np.float32),
            **({"name_scores": spaces.Box(0, 1, (len(self.others),), np.float32)} if self.others else {}),
        )
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
        scores, attention, _ = self.student.predict(observation, names)
        added = {"target_score": scores[:1].copy(), "target_map": attention[0].copy()}
        if self.others:
            added["name_scores"] = scores[[names.index(name) for name in self.others]]
        threshold = self.student.thresholds.of(self._target)
        target = {"target_score": float(scores[0]), "target_threshold": threshold}
        return observation | added, info | target


def _with(env: gym.Env[Any, Any], **added: spaces.Space[Any]) -> spaces.Dict:
    """Return the observation space of an environment with more keys."""
    if not isinstance(env.observation_space, spaces.Dict) or "instruction" not in env.observation_space.spaces:
        raise InvalidArgumentError(
            f"expected flat observations of a PickClutterLang environment, but got {env.unwrapped}; put "
            "FlatObservation inside this wrapper"
        )
    return spaces.Dict({**env.observation_space.spaces, **added})


def check_cameras(env: gym.Env[Any, Any], student: StudentRuntime) -> None:
    """Raise InvalidArgumentError, before any step, where an environment lacks images of a student or their size."""
    boxes: Any = env.observation_space
    student.preprocess({key: np.zeros(box.shape, box.dtype) for key, box in boxes.items()})
