"""Suites of instructions: paired statistics against slow references, the verdict on language, words not understood."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.evaluation.episode_log import read_episodes, write_episodes
from pickclutter_lang.evaluation.instructions import SUITES, Instruction, Pile
from pickclutter_lang.evaluation.paired import paired_difference
from pickclutter_lang.evaluation.plots import plot_suite
from pickclutter_lang.evaluation.rollout import Actor, RolloutConfig, RolloutRunner, Start, act
from pickclutter_lang.evaluation.rollout_metrics import comparison_table, comparisons, went_right
from pickclutter_lang.evaluation.suites import (
    NO,
    YES,
    follows_language,
    language_effects,
    suite_summary,
    suite_tables,
)
from pickclutter_lang.evaluation.videos import _first_outcomes, video_name
from pickclutter_lang.manipulation.scripted_picker import DEFAULT_PICKER_CONFIG
from pickclutter_lang.reports.charts import save_png
from pickclutter_lang.utils.statistics import NOT_SHOWN

MODULE = '''
import numpy as np

from pickclutter_lang.manipulation.segmentation import DEFAULT_SEGMENTATION_CONFIG, segment_rgbd
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.policy.policy import LanguagePickPolicy


class Largest:
    """The largest segment, whatever the name."""

    names = ()

    def __call__(self, observation, name):
        seen = (observation[f"hand_{key}"] for key in ("rgb", "depth", "intrinsic", "cam2world"))
        segments = segment_rgbd(*seen, DEFAULT_SEGMENTATION_CONFIG)
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


def slow_mcnemar(more: int, less: int) -> float:
    """Twice the smaller tail of a fair coin, as the textbook has it."""
    n, least = more + less, min(more, less)
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(least + 1)) / 2**n) if n else 1.0


def slow_bootstrap(values: Sequence[int], resamples: int = 4000) -> tuple[float, float]:
    rng, means = np.random.default_rng(1), []
    for _ in range(resamples):
        means.append(sum(values[int(rng.integers(len(values)))] for _ in values) / len(values))
    means.sort()
    return means[int(0.025 * resamples)], means[int(0.975 * resamples)]


def slow_adjusted(more: int, less: int, same: int) -> tuple[float, float]:
    """Wald's interval of the 2 x 2 table of pairs after half a pair was added to each cell (Agresti and Min, 2005)."""
    n = more + less + same + 2
    p, q = (more + 0.5) / n, (less + 0.5) / n
    half = 1.959963984540054 * math.sqrt((p + q - (p - q) ** 2) / n)
    return p - q - half, p - q + half


@pytest.mark.parametrize(("more", "less", "same"), [(9, 2, 29), (0, 4, 6), (3, 3, 14), (1, 0, 9), (12, 0, 0)])
def test_paired_differences_agree_with_slow_references(more: int, less: int, same: int) -> None:
    first = [True] * more + [False] * less + [True] * same
    second = [False] * more + [True] * less + [True] * same
    found = paired_difference(first, second)
    assert found is not None and found.piles == more + less + same
    assert found.difference == pytest.approx((more - less) / found.piles)
    assert (found.first_only, found.second_only) == (more, less)
    assert found.p_value == pytest.approx(slow_mcnemar(more, less))
    low, high = slow_bootstrap([1] * more + [-1] * less + [0] * same)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1.6 / found.piles)
    low, high = slow_adjusted(more, less, same)
    assert (found.adjusted_low, found.adjusted_high) == pytest.approx((max(low, -1), min(high, 1)))
    assert paired_difference(first, second) == found


def test_no_piles_have_no_difference() -> None:
    assert paired_difference([], []) is None


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
        assert [effect.found.difference for effect in effects] == [0, 0, 0]
    assert follows_language([]) == NOT_SHOWN


def test_the_report_of_a_suite(tmp_path: Path) -> None:
    episodes = [*play("follows", 30, FOLLOWS), *play("ignores", 30, IGNORES)]
    text = suite_tables(episodes)
    assert "| `follows` | **follows the language** |  |  | **yes** |" in text
    assert "| `ignores` | **follows the language** |  |  | **no** |" in text
    assert "| `ignores` | other: another object of the pile | 0 (0 to 11; 0/30) | 0 (0 to 11; 0/30) | 30 |" in text
    found = suite_summary(episodes)
    assert found["ignores"]["kinds"]["other"]["outcomes"]["the target, though not asked for"] == 30
    denied = suite_summary(play("own", 30, {**IGNORES, "synonym": None}))["own"]["kinds"]
    assert denied["synonym"]["to_named"]["p_value"] == pytest.approx(2 / 2**30)
    assert denied["other"]["to_named"] is None  # another object is asked for
    assert found["follows"]["follows_language"] == YES and found["follows"]["kinds"]["absent"]["followed"] == 30
    save_png(plot_suite(episodes), tmp_path / "outcomes.png")
    with Image.open(tmp_path / "outcomes.png") as image:
        counts: Any = image.convert("RGB").getcolors(1 << 20)
        colors = {color for _, color in counts}
    assert (0x1B, 0x8A, 0x3A) in colors and (0xC6, 0x28, 0x28) in colors


def test_variants_are_compared_on_the_same_episodes() -> None:
    first = [
        suite_episode("teacher", seed, "drawn", "lemon" if seed % 2 else None, seed % 4 == 0) for seed in range(20)
    ]
    second = [suite_episode("few_shot", seed, "drawn", "lemon") for seed in range(5, 25)]
    rows = {(row["group"], row["rate"]): row for row in comparisons([*first, *second])}
    success = rows["all", "success"]
    assert (success["piles"], success["first_only"], success["second_only"]) == (15, 0, 7)
    assert success["difference"] == pytest.approx(-7 / 15) and success["p_value"] == pytest.approx(2 / 2**7)
    missed = rows["seen", "false_absence"]
    assert (missed["first_only"], missed["second_only"]) == (3, 0) and ("unseen", "success") not in rows
    assert "| `teacher` - `few_shot` | success | -47 (" in comparison_table(list(rows.values()))


def test_episodes_are_kept_as_a_table(tmp_path: Path) -> None:
    episodes = [*play("own", 2, FOLLOWS), suite_episode("own", 3, "named", None)]
    write_episodes(tmp_path / "episodes.csv", episodes)
    assert read_episodes(tmp_path / "episodes.csv") == [
        {key: value for key, value in episode.items() if key != "seconds"} for episode in episodes
    ]


def test_an_instruction_that_was_refused_has_no_video() -> None:
    moved = {"variant": "oracle", "success": False, "steps": 9, "graspable": True, "expected": ["lemon"]}
    episodes = [{**moved, "steps": 0}, moved]
    assert _first_outcomes(episodes, 2) == [moved]


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
        assert act(env, Actor(Reader(), None, []), start, asked)[1]["refused"]
    else:
        with pytest.raises(error):
            act(env, Actor(Reader(), None, []), start, asked)


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


def test_names_of_other_episodes_are_not_known() -> None:
    """Whatever a worker played before, a policy reads an instruction alike."""

    class Growing:
        def __init__(self) -> None:
            self.names = ["lemon"]

        def __call__(self, observation: Any, name: str) -> Any:
            raise AssertionError

    runner = object.__new__(RolloutRunner)
    runner._detectors, runner._known_names = {}, {}
    detector = Growing()
    runner.use_detector("few_shot", detector)
    detector.names.append("gizmo")
    runner.config, runner._picker_config = (
        RolloutConfig(),
        DEFAULT_PICKER_CONFIG,
    )
    timed = runner._actor("few_shot").detector
    assert timed is not None and timed.names == ("lemon",)


@pytest.mark.sim
@pytest.mark.slow
def test_a_policy_that_ignores_its_instruction_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ignoring.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    config = RolloutConfig(absent_probability=0.25, camera_size=96, own_policy="ignoring:Ignores")
    runner = RolloutRunner(config)
    episodes = [runner.rollout("own", 2, kind) for kind in ("named", "other", "blank")]
    episodes += [runner.rollout("oracle", 2, kind) for kind in ("named", "other", "blank")]
    own, oracle = ({e["kind"]: e for e in episodes if e["variant"] == variant} for variant in ("own", "oracle"))
    assert own["named"]["picked"] == own["other"]["picked"] == own["blank"]["picked"] == ["mustard bottle"]
    assert own["named"]["steps"] == own["other"]["steps"] and own["named"]["score"] is None
    assert [oracle[kind]["picked"] for kind in ("named", "other")] == [["pear"], ["fork"]]
    assert oracle["blank"]["refused"] and oracle["blank"]["followed"] and not oracle["blank"]["success"]
    many = [{**episode, "seed": seed} for episode in own.values() for seed in range(25)]
    assert follows_language(language_effects(many)) == NO
    del sys.modules["ignoring"]
