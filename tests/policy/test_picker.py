"""A picker of one's own: what it gets, what the policy's state says of it, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from bench import painted_observation
from numpy.typing import NDArray

from helpers.grasping import BASE, REST
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.manipulation.gripper import GraspCandidates
from pickclutter_lang.manipulation.picker import TargetMaskFn
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.policy.policy import LanguagePickPolicy

SIDE = 64
LOOK: dict[str, Any] = {
    **painted_observation(SIDE),
    "qpos": np.append(REST, [0.04, 0.04]).astype(np.float32),
    "base_pose": BASE.astype(np.float32),
    "goal_pos": np.array([0, 0, 0.3], np.float32),
    "instruction": encode_instruction("pick up the lemon"),
}
MASK = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) < 100
POSE = np.array([0.1, 0, 0.05, 0, 1, 0, 0])
MOVE = np.linspace(-1, 1, 7)


class Detector:
    """Finds a lemon with a score in the same pixels."""

    def __init__(self, score: float) -> None:
        self.names = ["lemon"]
        self.score = score

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        return Detection(self.score, 0.5, MASK, MASK.astype(float))


class Mover:
    """Looks for the target once, moves, and is done with the second action."""

    answer: Any = MOVE
    target: Any = POSE
    candidates: Any = GraspCandidates(POSE[None, :3], np.diag([1.0, -1, -1])[None])
    done = False

    def __init__(self, find_target: TargetMaskFn, control_mode: str) -> None:
        self.find_target = find_target
        self.control_mode = control_mode
        self.found: list[NDArray[np.bool_]] = []

    def act(self, observation: Mapping[str, Any]) -> Any:
        self.done = len(self.found) > 0
        self.found.append(self.find_target(observation))
        return self.answer


def test_it_moves_what_was_detected_and_the_state_tells_of_it() -> None:
    made: list[Mover] = []

    def picker(find_target: TargetMaskFn, control_mode: str) -> Mover:
        made.append(Mover(find_target, control_mode))
        return made[-1]

    policy = LanguagePickPolicy(Detector(0.9), picker=picker)
    action, (first,) = policy.predict(LOOK)
    np.testing.assert_allclose(action, [*MOVE, -1])
    assert action.dtype == np.float32 and made[0].control_mode == "pd_ee_delta_pose"
    assert (made[0].found[0] == MASK).all() and len(first.detections) == 1
    assert first.target is POSE and first.candidates is Mover.candidates and first.phase == "" and not first.done
    _, (second,) = policy.predict(LOOK, (first,))
    assert second.done and not first.done and len(second.detections) == 2
    policy.predict(LOOK)
    assert len(made) == 2  # one for each episode


def test_it_is_not_asked_where_the_object_is_predicted_absent() -> None:
    action, (state,) = LanguagePickPolicy(Detector(0.1), picker=Mover).predict(LOOK)
    assert action.tolist() == [0, 0, 0, 0, 0, 0, 1, 1] and len(state.detections) == 1


@pytest.mark.parametrize(
    ("member", "value", "named"),
    [
        ("answer", MOVE[:6], "7 finite numbers"),
        ("answer", np.full(7, np.nan), "7 finite numbers"),
        ("answer", "up", "7 finite numbers"),
        ("answer", None, "7 finite numbers"),
        ("target", POSE[:3], "target"),
        ("candidates", [POSE], "GraspCandidates"),
        ("candidates", GraspCandidates(POSE[None, :3], np.eye(3)), "positions"),
    ],
)
def test_what_it_gives_is_checked(member: str, value: Any, named: str) -> None:
    wrong = type("Wrong", (Mover,), {member: value})
    with pytest.raises(InvalidArgumentError, match=named):
        LanguagePickPolicy(Detector(0.9), picker=wrong).predict(LOOK)


def test_what_it_lacks_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match="object has no act, done, target, candidates"):
        LanguagePickPolicy(Detector(0.9), picker=lambda *given: object()).predict(LOOK)  # type: ignore[arg-type]
