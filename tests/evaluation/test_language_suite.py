"""Suites of instructions: the verdict on language, words that are not understood, and a policy that reads none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.evaluation.instructions import SUITES, Instruction, Pile
from pickclutter_lang.evaluation.metrics import (
    NO,
    NOT_SHOWN,
    YES,
    follows_language,
    language_effects,
    paired,
    summary,
    tables,
    went_right,
)
from pickclutter_lang.evaluation.report import draw_outcomes
from pickclutter_lang.evaluation.rollout import Actor, RolloutConfig, RolloutRunner, Start, act
from pickclutter_lang.evaluation.videos import video_name

MODULE = '''
import numpy as np

from pickclutter_lang.manipulation.segmentation import segment_rgbd
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.policy.policy import LanguagePickPolicy


class Largest:
    """The largest segment, whatever the name."""

    names = ()

    def __call__(self, observation, name):
        seen = (observation[f"hand_{key}"] for key in ("rgb", "depth", "intrinsic", "cam2world"))
        segments = segment_rgbd(*seen)
        mask = segments == np.bincount(segments[segments > 0]).argmax()
        return Detection(1.0, 0.5, mask, mask / mask.sum())


class Ignores:
    """Picks the largest object, whatever the instruction."""

    def __init__(self):
        self.policy = LanguagePickPolicy(Largest())

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        observation = {**observation, "instruction": encode_instruction("pick up the object")}
        return self.policy.predict(observation, state, episode_start)
'''


def suite_episode(variant: str, seed: int, kind: str, picked: str | None, declared: bool = False) -> dict[str, Any]:
    """An episode in a pile with a lemon, the reference, and a fork; the dice is absent."""
    target = {"other": "fork", "absent": "dice"}.get(kind, "lemon")
    expected = [] if kind in ("absent", "blank") else [target]
    followed = picked in expected if expected else (picked is None if kind == "blank" else declared)
    return {
        "variant": variant, "seed": seed, "kind": kind, "instruction": "", "target": target, "reference": "lemon",
        "expected": expected, "seen": True, "present": bool(expected), "visible": True, "graspable": True,
        "located": None, "success": followed, "declared_absent": declared, "refused": False,
        "picked": [picked] if picked else [], "followed": followed, "wrong_objects": 0, "grasp_found": True, "steps": 9,
        "score": 0.75 if seed else None, "threshold": 0.5 if seed else None, "seconds": 0.1,
    }  # fmt: skip


def play(variant: str, piles: int, behavior: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Episodes of a policy that picks, for each kind, an object; None: it declares absence."""
    return [
        suite_episode(variant, seed, kind, behavior[kind], behavior[kind] is None)
        for seed in range(piles)
        for kind in SUITES["language"]
    ]


FOLLOWS = dict.fromkeys(SUITES["language"], "lemon") | {"other": "fork", "absent": None, "blank": None}
IGNORES = dict.fromkeys(SUITES["language"], "lemon")
DENIES = dict.fromkeys(SUITES["language"], None)


@pytest.mark.parametrize(
    ("behavior", "piles", "verdict"),
    [(FOLLOWS, 30, YES), (IGNORES, 30, NO), (DENIES, 30, NO), (IGNORES, 5, NOT_SHOWN), (FOLLOWS, 1, NOT_SHOWN)],
)
def test_the_verdict_goes_by_intervals(behavior: Mapping[str, str | None], piles: int, verdict: str) -> None:
    effects = language_effects(play("own", piles, behavior))
    assert follows_language(effects) == verdict
    if behavior is IGNORES:
        assert [effect.found.mean for effect in effects] == [0, 0, 0]
    assert follows_language([]) == NOT_SHOWN


def test_the_report_of_a_suite() -> None:
    episodes = [*play("follows", 30, FOLLOWS), *play("ignores", 30, IGNORES)]
    text, found = tables(episodes, "language"), summary(episodes, "language")
    assert "`follows`" in text and "`ignores`" in text
    assert (found["follows"]["follows_language"], found["ignores"]["follows_language"]) == (YES, NO)
    denied = play("own", 30, {**IGNORES, "synonym": None})
    synonym = paired(denied, ("own", "synonym"), ("own", "named"))
    assert synonym is not None and (synonym.mean, synonym.total) == (-1, 30)
    draw_outcomes(episodes, "language")


@pytest.mark.parametrize(
    ("kind", "text", "error", "refused"),
    [
        ("synonym", "lift the ripe banana", UnknownObjectError, True),
        ("paraphrase", "one gizmo, if you can find it", InvalidArgumentError, True),
        ("description", f"lift the {'very ' * 60}long fruit", None, True),  # the observation has no room for it
        ("named", "lift the banana", UnknownObjectError, False),
    ],
)
def test_words_that_cannot_be_read_end_the_episode_alone(kind: str, text: str, error: Any, refused: bool) -> None:
    class Reader:
        def predict(self, *_: Any, **__: Any) -> Any:
            raise error("unknown")

    asked = Instruction(kind, text, "banana", "banana", ("banana",))
    env: Any = None  # in which no step is taken
    start = Start(0, asked, {}, {"success": False}, Pile((), (), (), ()))
    if refused:
        assert act(env, Actor(Reader(), None, []), start)[1]["refused"]
    else:
        with pytest.raises(error):
            act(env, Actor(Reader(), None, []), start)


@pytest.mark.parametrize(
    ("success", "followed", "expected", "right"),
    [
        (False, True, ["lemon", "banana"], True),  # the banana; of which the simulator does not say where it is
        (False, True, ["lemon"], False),  # lifted and lost
        (True, True, ["lemon"], True),
        (False, True, [], True),  # nothing was lifted after a blank instruction
        (True, False, [], False),  # something was
        (False, False, ["lemon", "banana"], False),
    ],
)
def test_any_object_that_was_asked_for_is_right(
    success: bool, followed: bool, expected: list[str], right: bool
) -> None:
    one = suite_episode("own", 0, "category", "banana") | {
        "success": success, "followed": followed, "expected": expected,
    }  # fmt: skip
    assert went_right(one) is right
    assert ("success" if right else "failure") in video_name(one)


@pytest.mark.sim
@pytest.mark.slow
def test_a_policy_that_ignores_its_instruction_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ignoring.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    config = RolloutConfig(absent_probability=0.25, camera_size=96, own_policy="ignoring:Ignores")
    runner = RolloutRunner(config)
    episodes = [runner.rollout("own", 2, kind) for kind in ("named", "other", "blank")]
    episodes += [runner.rollout("oracle", 2, kind) for kind in ("other", "blank")]
    own, oracle = ({e["kind"]: e for e in episodes if e["variant"] == variant} for variant in ("own", "oracle"))
    assert own["named"]["picked"] == own["other"]["picked"] == own["blank"]["picked"] == ["mustard bottle"]
    assert own["named"]["steps"] == own["other"]["steps"] and own["named"]["score"] is None
    assert oracle["other"]["picked"] == ["fork"]
    assert oracle["blank"]["refused"] and oracle["blank"]["followed"] and not oracle["blank"]["success"]
    many = [{**episode, "seed": seed} for episode in own.values() for seed in range(25)]
    assert follows_language(language_effects(many)) == NO
    del sys.modules["ignoring"]
