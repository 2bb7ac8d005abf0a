"""One policy in one episode: its actions until the end, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.envs.wrappers import FlatObservation
from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.evaluation.episode_instructions import BLANK, MAY_REFUSE, Instruction
from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.manipulation.scripted_picker import PickPhase
from pickclutter_lang.policy.detectors import Detection, TargetDetector
from pickclutter_lang.policy.policy import DECLARE, EpisodeState
from pickclutter_lang.utils.plugins import checked_result

RolloutCallback = Callable[[Mapping[str, NDArray[Any]], EpisodeState | None], None]
"""Called at each step with the observation and the state of the policy, None for a policy of a user's own."""


class TimedDetector:
    """A detector that measures its time and records its first detection.

    It knows the `names` that it is made with, whatever names were encoded in other episodes.
    """

    first: Detection | None = None

    def __init__(self, detector: TargetDetector, names: Sequence[str]) -> None:
        self._detector, self.names = detector, names
        self.seconds: list[float] = []

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name."""
        start = time.perf_counter()
        answer = self._detector(observation, name)
        detection = checked_result(answer, Detection, type(self._detector).__qualname__, "detector")
        self.first = self.first or detection
        self.seconds.append(time.perf_counter() - start)
        return detection


class Actor(NamedTuple):
    """A policy, its detector (None for a policy of a user's own), and the seconds of each of its decisions."""

    policy: Any
    detector: TimedDetector | None
    seconds: list[float]


class Run(NamedTuple):
    """How an episode ended: the last `info`, the objects in the order in which they were lifted, and more."""

    info: dict[str, Any]
    picked: list[str]
    steps: int
    grasp_found: bool
    refused: bool


def act(
    env: FlatObservation,
    actor: Actor,
    observation: Mapping[str, NDArray[Any]],
    info: dict[str, Any],
    asked: Instruction,
    callback: RolloutCallback | None,
) -> Run:
    """Let a policy act until the episode is over; words that it cannot read end the episode without an action.

    They may do so for the kinds of `MAY_REFUSE`.
    """
    picked, state = list[str](), None
    over, steps, grasp_found = False, 0, False
    while not over:
        start = time.perf_counter()
        try:
            observation = {**observation, "instruction": encode_instruction(asked.text)}
            action, state = actor.policy.predict(observation, state, episode_start=steps == 0)
        except (InvalidArgumentError, UnknownObjectError):
            if steps or asked.kind not in MAY_REFUSE:
                raise
            return Run(info, picked, steps, grasp_found, True)
        if actor.detector is None:
            actor.seconds.append(time.perf_counter() - start)
        known = state[0] if actor.detector is not None else None
        grasp_found = grasp_found or (known is not None and known.target is not None)
        if callback is not None:
            callback(observation, known)
        if known is not None and known.phase == PickPhase.DONE and action[-1] != DECLARE:
            break
        observation, _, terminated, truncated, info = env.step(action)
        over, steps = terminated or truncated, steps + 1
        lifted: list[str] = env.unwrapped.picked_objects()  # type: ignore[attr-defined]
        picked += [name for name in lifted if name not in picked]
    return Run(info, picked, steps, grasp_found, False)


def outcome(run: Run, asked: Instruction) -> dict[str, Any]:
    """Return what came of an episode, as JSON values."""
    declared = bool(run.info["declared_absent"])
    return {
        "success": bool(run.info["success"]),
        "declared_absent": declared,
        "refused": run.refused,
        "picked": run.picked,
        "followed": _followed(asked, run.picked, declared),
        "wrong_objects": int(run.info["wrong_object_picked"]),
        "grasp_found": run.grasp_found,
        "steps": run.steps,
    }


def first_decision(actor: Actor, truth: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the first detection of an episode and the time of a decision, as JSON values.

    :param truth: bool [H, W], the pixels of the target
    """
    first = actor.detector.first if actor.detector is not None else None
    located = first and bool((first.mask & truth).sum() > 0.5 * max(int(first.mask.sum()), 1))
    return {
        "located": located,
        "score": first and first.score,
        "threshold": first and first.threshold,
        "seconds": float(np.median(actor.seconds)) if actor.seconds else 0.0,
    }


def _followed(asked: Instruction, picked: list[str], declared: bool) -> bool:
    if asked.expected:
        return bool(picked) and picked[0] in asked.expected
    return not picked if asked.kind == BLANK else declared
