"""What a policy may look at: one check of a view for all that look, and of the robot's numbers for `predict`."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import painted_observation

from helpers.grasping import BASE, REST
from helpers.policies import random_policy
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.manipulation.scripted_picker import ScriptedPicker
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.policy import LanguagePickPolicy

SIDE = 64
VIEW = ("hand_rgb", "hand_depth", "hand_intrinsic", "hand_cam2world")
LOOK: dict[str, Any] = {
    **painted_observation(SIDE),
    "qpos": np.append(REST, [0.04, 0.04]).astype(np.float32),
    "base_pose": BASE.astype(np.float32),
    "goal_pos": np.array([0, 0, 0.3], np.float32),
    "instruction": encode_instruction("pick up the lemon"),
}
RGB, DEPTH, MATRIX, POSE = (LOOK[key] for key in VIEW)
MASKED: Any = np.ma.masked_array(DEPTH, DEPTH < 0.3)  # type: ignore[no-untyped-call]
POINT = np.argwhere(segment_observation(LOOK) == 2)[10][::-1]
Look = Callable[[LanguagePickPolicy, Any], Any]
LOOKS: dict[str, Look] = {
    "predict": lambda policy, seen: policy.predict(seen),
    "teach": lambda policy, seen: policy.teach(seen, "nut", point=POINT),
    "detect": lambda policy, seen: policy.detector.detect(seen, ["lemon"]),  # type: ignore[attr-defined]
    "locate": lambda policy, seen: policy.locate(seen, "lemon"),
}


def changed(array: Any, place: Any, value: Any) -> Any:
    out = np.array(array)
    out[place] = value
    return out


WRONG: dict[str, list[Any]] = {
    "hand_rgb": [None, "image.png", RGB.tolist(), RGB / 255, RGB[:0], RGB.transpose(2, 0, 1), RGB[..., 0]],
    "hand_depth": [
        *(None, DEPTH.tolist(), DEPTH[:-1], DEPTH[..., None], DEPTH > 0, DEPTH + 0j, DEPTH.astype(object)),
        *((DEPTH * 1000).astype(np.uint16), DEPTH * 1000, DEPTH * 10, changed(DEPTH * 1000, (0, 0), 1)),
        *(DEPTH * 0, DEPTH * np.nan, -DEPTH, MASKED, DEPTH.astype(np.longdouble)),
    ],
    "hand_intrinsic": [
        *(None, "fx", MATRIX.tolist(), MATRIX.astype(str), MATRIX[0], MATRIX[None], MATRIX > 0, MATRIX * 0),
        *(MATRIX / SIDE, MATRIX * [[0.5], [0.5], [1]], MATRIX * [[2], [2], [1]], MATRIX * 0.5, MATRIX.T, -MATRIX),
        *(changed(MATRIX, at, np.nan) for at in ((0, 0), (0, 1), (1, 2), (2, 2))),
        *(changed(MATRIX, at, 1000) for at in ((0, 0), (0, 1), (1, 0), (2, 0), (2, 2))),
        *(changed(MATRIX, at, value) for at, value in (((0, 0), 1e-9), ((0, 0), np.inf), ((1, 1), 3 * SIDE))),
    ],
    "hand_cam2world": [
        *(None, "pose", POSE.tolist(), POSE.astype(object), POSE + 0j, POSE[:3], np.ones(7), POSE * 2, POSE.T),
        *(
            POSE * [1, -1, 1, 1],
            changed(POSE, np.s_[:3, :3], 0),
            changed(POSE, (2, 3), 380),
            changed(POSE, (0, 3), 1e6),
        ),
        *(changed(POSE, (2, 3), value) for value in (np.nan, np.inf, -np.inf)),
        *(changed(POSE, (3, 3), value) for value in (0, 2, np.nan)),
    ],
}
RIGHT: list[dict[str, Any]] = [
    {"hand_rgb": np.asfortranarray(RGB), "hand_depth": changed(DEPTH, (40, 40), np.nan), "note": "of a person"},
    {"hand_depth": changed(DEPTH, np.s_[:20], 9).astype(float), "hand_intrinsic": MATRIX.astype(int)},
    {"hand_depth": DEPTH.astype(">f4"), "hand_intrinsic": changed(MATRIX, (0, 2), 0.6 * SIDE).astype(np.float16)},
    {"hand_depth": changed(DEPTH, (3, 3), -1), "hand_cam2world": changed(POSE, np.s_[:3, :3], np.eye(3) * 1.004)},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_policy(tmp_path_factory.mktemp("toy") / "p", camera_size=SIDE, crop_size=SIDE)


@pytest.fixture
def policy(folder: Path) -> LanguagePickPolicy:
    return LanguagePickPolicy.load(folder)


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_all_that_look_refuse_what_is_no_view(policy: LanguagePickPolicy, look: Look) -> None:
    for key, values in WRONG.items():
        for value in values:
            with pytest.raises(InvalidArgumentError, match=f"expected {key}") as raised:
                look(policy, {**LOOK, key: value})
            assert "\n" not in str(raised.value)
    assert policy.taught == {}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_all_that_look_take_what_cameras_give(policy: LanguagePickPolicy, look: Look) -> None:
    for right in RIGHT:
        look(policy, {**LOOK, **right})


@pytest.mark.parametrize("name", [name for name in LOOKS if name != "locate"])
def test_an_observation_has_all_arrays(policy: LanguagePickPolicy, name: str) -> None:
    for key in VIEW:
        with pytest.raises(InvalidArgumentError, match=key):
            LOOKS[name](policy, {other: value for other, value in LOOK.items() if other != key})
    others: list[Any] = [None, "look", {}, [LOOK]] + ([] if name == "teach" else [RGB])
    for wrong in others:
        with pytest.raises(InvalidArgumentError):
            LOOKS[name](policy, wrong)


def test_pixels_without_a_measurement_are_zero_for_all(policy: LanguagePickPolicy) -> None:
    for value in (np.nan, np.inf):
        seen = policy.locate({**LOOK, "hand_depth": changed(DEPTH, np.s_[:30], value)}, "lemon")
        zero = policy.locate({**LOOK, "hand_depth": changed(DEPTH, np.s_[:30], 0)}, "lemon")
        np.testing.assert_array_equal(seen.mask, zero.mask)
        assert seen.score == zero.score
    at_the_table = policy.locate({**LOOK, "hand_cam2world": np.eye(4, dtype=int)}, "lemon")
    assert seen.mask.any() and not at_the_table.mask.any()


ROBOT: list[tuple[str, Any]] = [
    *((key, value) for key in ("qpos", "base_pose", "goal_pos") for value in (None, "x", LOOK[key].tolist())),
    *((key, LOOK[key][:2]) for key in ("qpos", "base_pose", "goal_pos", "instruction")),
    *((key, changed(LOOK[key], 0, value)) for key in ("qpos", "base_pose", "goal_pos") for value in (np.nan, np.inf)),
    *(("base_pose", changed(BASE, 3, value)) for value in (0, 2)),
    *(
        ("instruction", value)
        for value in (None, "pick up the lemon", LOOK["instruction"] / 2, LOOK["instruction"][None])
    ),
]


@pytest.mark.parametrize(("key", "value"), ROBOT, ids=[f"{key}-{n}" for n, (key, _) in enumerate(ROBOT)])
def test_what_is_no_state_of_a_robot_is_named(policy: LanguagePickPolicy, key: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"expected {key}"):
        policy.predict({**LOOK, key: value})


def test_environments_of_a_vector_are_checked_before_any_acts(policy: LanguagePickPolicy) -> None:
    three = {key: np.stack([value] * 3) for key, value in LOOK.items()}
    actions, states = policy.predict(three)
    assert actions.shape == (3, 8) and len(states) == 3
    no_pose = {**three, "hand_cam2world": np.stack([POSE, POSE, POSE * np.nan])}
    wrong = [
        no_pose,
        {key: value[:0] for key, value in three.items()},
        {**three, "hand_depth": three["hand_depth"][:2]},
    ]
    for seen in [*wrong, {**three, "note": "of a person"}]:
        with pytest.raises(InvalidArgumentError):
            policy.predict(seen, states)
    assert policy.predict(three, states)[0].shape == (3, 8)  # nor did a step begin


def test_states_and_starts_of_another_form_are_named(policy: LanguagePickPolicy) -> None:
    _, state = policy.predict(LOOK)
    for wrong in (5, "x", ["x"], (), state * 2):
        with pytest.raises(InvalidArgumentError, match="expected the state of 1 "):
            policy.predict(LOOK, wrong)  # type: ignore[arg-type]
    for start in ([True, False], [np.nan], "x", [[True], [True, False]], 1):
        with pytest.raises(InvalidArgumentError, match="episode_start"):
            policy.predict(LOOK, state, start)  # type: ignore[arg-type]
    for right in (True, [True], np.ones(1, bool), np.True_):
        policy.predict(LOOK, state, right)  # type: ignore[arg-type]


def test_depth_may_be_hidden_once_an_episode_began(policy: LanguagePickPolicy) -> None:
    always = LanguagePickPolicy(policy.detector, declare=False)
    _, state = always.predict(LOOK)
    assert np.isfinite(always.predict({**LOOK, "hand_depth": DEPTH * 0}, state)[0]).all()


def test_a_state_that_was_pickled_is_a_record(policy: LanguagePickPolicy) -> None:
    _, state = policy.predict(LOOK)
    copied = pickle.loads(pickle.dumps(state))
    assert copied[0].name == "lemon" and repr(copied) == repr(state)
    with pytest.raises(InvalidArgumentError, match="copy"):
        policy.predict(LOOK, copied)
    policy.predict(LOOK, state)


def test_the_arm_is_slowed(folder: Path) -> None:
    pickers = [partial(ScriptedPicker, speed=speed) for speed in (1.0, 0.1)]
    full, slow = (LanguagePickPolicy.load(folder, declare=False, picker=one).predict(LOOK)[0] for one in pickers)
    assert np.linalg.norm(full[:3]) > 0.5 and slow[-1] == full[-1] == 1
    np.testing.assert_allclose(slow[:3], 0.1 * full[:3] / np.linalg.norm(full[:3]), atol=1e-6)
    with pytest.raises(InvalidArgumentError, match="speed"):
        LanguagePickPolicy.load(folder, picker=partial(ScriptedPicker, speed=0)).predict(LOOK)
