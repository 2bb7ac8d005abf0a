"""The policy: its observations, its detectors, and `predict` as stable-baselines3 calls it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import FrozenInstanceError
from functools import partial
from pathlib import Path
from typing import Any, cast

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from helpers.grasping import tabletop
from pickclutter_lang.datasets.transforms.resampling import segment_means
from pickclutter_lang.envs.wrappers import FlatObservation
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.language.instructions import COLORS, color_phrase, decode_instruction, encode_instruction
from pickclutter_lang.manipulation.scripted_picker import ScriptedPicker
from pickclutter_lang.policy.detectors import Detection, OracleDetector, RandomDetector, StudentDetector
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy_folder.folder import Thresholds
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.teachers.zero_shot import encode_images

SIDE = 96
CAMERAS = {"hand_camera": {"width": SIDE, "height": SIDE}, "base_camera": {"width": 8, "height": 8}}
pytestmark = pytest.mark.sim


def environment(mask: bool = False, declare: bool = True, **changes: Any) -> FlatObservation:
    from pickclutter_lang.envs.wrappers import DeclareAbsence

    given: dict[str, Any] = {
        "obs_mode": "rgbd",
        "control_mode": "pd_ee_delta_pose",
        "camera_cfgs": CAMERAS,
        "enable_segmentation": mask,
        "absent_probability": 0.0,
    }
    env = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", **(given | changes))
    return FlatObservation(DeclareAbsence(env) if declare else env, mask)


@pytest.fixture(scope="module")
def env() -> Iterator[FlatObservation]:
    made = environment(mask=True)
    yield made
    made.close()


class FixedDetector:
    """A detector with a fixed score and mask: no pixel, or all."""

    def __init__(self, score: float, everywhere: bool = False) -> None:
        self.score = score
        self.names = ["lemon"]
        self.names_asked: list[str] = []
        self._mask = np.full((SIDE, SIDE), everywhere)

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        self.names_asked.append(name)
        return Detection(self.score, 0.5, self._mask, self._mask.astype(float))


def test_both_libraries_check_the_observations() -> None:
    pytest.importorskip("stable_baselines3")
    from gymnasium.utils.env_checker import check_env as check_gymnasium
    from stable_baselines3.common.env_checker import check_env as check_sb3

    env = environment(mask=True, base_camera=False, camera_cfgs={"hand_camera": CAMERAS["hand_camera"]})
    assert "base_rgb" not in cast(gymnasium.spaces.Dict, env.observation_space).spaces
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*unconventional shape.*")  # depth and matrices
        check_sb3(env)
        warnings.filterwarnings("ignore", ".*is different from the unwrapped version.*")  # it is a wrapper
        check_gymnasium(env, skip_render_check=True, skip_close_check=True)
    env.close()


def test_nothing_is_lost_in_a_flat_observation(env: FlatObservation) -> None:
    flat, info = env.reset(seed=1)
    assert decode_instruction(flat["instruction"]) == info["instruction"]
    base: Any = env.unwrapped
    raw = base.get_obs()
    for camera in ("hand", "base"):
        images, parameters = raw["image"][f"{camera}_camera"], raw["camera_param"][f"{camera}_camera"]
        np.testing.assert_array_equal(flat[f"{camera}_rgb"], images["rgb"])
        np.testing.assert_allclose(flat[f"{camera}_depth"], images["depth"][..., 0])
        np.testing.assert_allclose(flat[f"{camera}_intrinsic"], parameters["intrinsic_cv"])
        np.testing.assert_allclose(flat[f"{camera}_cam2world"], parameters["cam2world_gl"])
    for group, keys in (("agent", ("qpos", "qvel", "base_pose")), ("extra", ("tcp_pose", "goal_pos"))):
        for key in keys:
            np.testing.assert_allclose(flat[key], raw[group][key], atol=1e-6)
    assert "obj_start_pos" not in flat
    np.testing.assert_array_equal(flat["mask"], raw["image"]["hand_camera"]["Segmentation"][..., 1] == base.obj.id)


def test_wrong_environments_and_observations_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="PickClutterLang"):
        FlatObservation(gymnasium.make("CartPole-v1"))
    state = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", obs_mode="state")
    with pytest.raises(InvalidArgumentError, match="obs_mode"):
        FlatObservation(state)
    state.close()
    policy = LanguagePickPolicy(FixedDetector(1.0))
    with pytest.raises(InvalidArgumentError, match="instruction"):
        policy.predict({"image": np.zeros(0)})
    with pytest.raises(InvalidArgumentError, match="hand_depth"):
        policy.predict({"instruction": encode_instruction("pick up the lemon")})
    with pytest.raises(InvalidArgumentError, match="pd_joint_delta_pos"):
        LanguagePickPolicy(FixedDetector(1.0), "pd_joint_vel")
    with pytest.raises(CheckpointError, match="nowhere"):
        LanguagePickPolicy.load("nowhere")


def test_a_low_score_is_declared_and_a_high_one_acted_on(env: FlatObservation) -> None:
    observation, info = env.reset(seed=2)
    for score, declares in ((0.4, 1.0), (0.5, -1.0)):
        detector = FixedDetector(score)
        action, _ = LanguagePickPolicy(detector).predict(observation)
        assert env.action_space.contains(action) and action[-1] == declares
        assert detector.names_asked == [info["target_name"]]
    action, _ = LanguagePickPolicy(FixedDetector(0.0), declare=False).predict(observation)
    assert action.shape == (7,)
    action, _ = LanguagePickPolicy(FixedDetector(0.0), "pd_joint_delta_pos").predict(observation)
    assert action.shape == (9,) and not action[:7].any() and action[-1] == 1


@pytest.mark.slow
def test_stable_baselines3_evaluates_it_in_two_environments() -> None:
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    from stable_baselines3.common.vec_env import DummyVecEnv

    outcomes = []

    def note(local: dict[str, Any], _: dict[str, Any]) -> None:
        if local["done"]:
            outcomes.append(local["info"]["success"])

    shares = (0.0, 1.0)  # of absent objects
    # What is declared absent starts anew at each step: few steps, since piles take long.
    given: dict[str, Any] = {"mask": True, "max_episode_steps": 12}
    venv = DummyVecEnv([partial(environment, **given, absent_probability=share) for share in shares])
    venv.seed(3)
    policy = LanguagePickPolicy(OracleDetector())
    rewards, lengths = evaluation.evaluate_policy(
        policy, venv, n_eval_episodes=2, callback=note, return_episode_rewards=True, warn=False
    )
    assert len(rewards) == len(lengths) == len(outcomes) == 2
    ends = list(zip(lengths, outcomes, strict=True))
    assert (1, True) in ends  # declared absent at once, and rightly
    assert any(length > 1 for length, _ in ends)  # the other one acts
    venv.close()


@pytest.mark.parametrize(("scores", "declared"), [((0.6, 0.3), 1.0), ((0.9, 0.3), -1.0), ((1.0, 0.0), -1.0)])
def test_detections_of_an_episode_are_averaged(
    env: FlatObservation, monkeypatch: pytest.MonkeyPatch, scores: tuple[float, float], declared: float
) -> None:
    """After a failed attempt the object is detected again, within an action; the last case is the oracle's."""
    observation, _ = env.reset(seed=2)
    detector = FixedDetector(scores[0])
    policy = LanguagePickPolicy(detector)
    _, state = policy.predict(observation)
    detector.score = scores[1]

    def detect_again(picker: ScriptedPicker, seen: Mapping[str, Any]) -> NDArray[np.float32]:
        for _ in range(2):  # at most once in a step
            picker._find_target(seen)
        return np.zeros(7, np.float32)

    monkeypatch.setattr(ScriptedPicker, "act", detect_again)
    action, later = policy.predict(observation, state, False)
    assert action[-1] == declared
    assert [detection.score for detection in later[0].detections] == list(scores)


def test_a_returned_state_never_changes_and_only_the_newest_continues(env: FlatObservation) -> None:
    observation, _ = env.reset(seed=4)
    policy = LanguagePickPolicy(FixedDetector(1.0, everywhere=True))
    _, states = policy.predict(observation)
    first = states[0]
    before = repr(states[0])
    for _ in range(3):
        observation, *_ = env.step(env.action_space.sample())
        _, states = policy.predict(observation, states)
    assert repr(first) == before and first.phase == "reach" and first.name == states[0].name
    with pytest.raises(FrozenInstanceError):
        first.name = "banana"  # type: ignore[misc]
    with pytest.raises(InvalidArgumentError, match="4"):
        policy.predict(observation, (first,))
    _, again = policy.predict(observation, (first,), True)  # a new episode needs no state
    assert again[0].name == first.name


def test_vectors_and_single_environments_agree(env: FlatObservation) -> None:
    first, _ = env.reset(seed=4)
    second, _ = env.reset(seed=5)
    both = {key: np.stack([first[key], second[key]]) for key in first}
    policy = LanguagePickPolicy(FixedDetector(1.0, everywhere=True), declare=False)
    actions, state = policy.predict(both)
    assert not np.array_equal(*actions)
    for n, observation in enumerate((first, second)):
        np.testing.assert_array_equal(actions[n], policy.predict(observation)[0])
    again, later = policy.predict(both, state, [False, True])
    np.testing.assert_array_equal(again[1], actions[1])  # a new episode
    assert [len(one.detections) for one in later] == [1, 1]
    with pytest.raises(InvalidArgumentError, match="2"):
        policy.predict(both, state[:1], [False, False])


def test_detectors_find_the_object(env: FlatObservation) -> None:
    pile = tabletop(cast(Any, env.unwrapped).object_set, ["lemon", "tennis ball"])
    seen, _ = env.reset(seed=0, options={"episode": pile, "target": "lemon"})
    detectors: list[Any] = [
        TeacherDetector(load_teacher("pocket"), ["lemon", "tennis ball"], Thresholds(0.5, {})),
        OracleDetector(),
        RandomDetector(),
    ]
    for detector in detectors:
        found, again = detector(seen, "lemon"), detector(seen, "lemon")
        assert found.mask.shape == found.heatmap.shape == (SIDE, SIDE) and found.mask.any()
        assert found.heatmap.sum() == pytest.approx(1) and 0 <= found.score <= 1
        assert again.score == found.score and (again.mask == found.mask).all()
    truth = OracleDetector()(seen, "lemon")
    named = detectors[0](seen, "lemon")
    assert named.margin >= 0 and (named.mask & truth.mask).sum() > 0.7 * (named.mask | truth.mask).sum()
    hidden = OracleDetector()(seen | {"mask": np.zeros_like(seen["mask"])}, "lemon")
    assert hidden.margin < 0 < truth.margin + 2 * hidden.margin  # visible once of three times, it is there


def test_an_object_is_located_in_one_image(env: FlatObservation) -> None:
    pile = tabletop(cast(Any, env.unwrapped).object_set, ["lemon", "tennis ball"])
    seen, _ = env.reset(seed=0, options={"episode": pile, "target": "lemon"})
    teacher = TeacherDetector(load_teacher("pocket"), ["lemon", "tennis ball"], Thresholds(0.5, {}))
    found = LanguagePickPolicy(teacher).locate(seen, "lemon")
    lemon = cast(Any, env.unwrapped).obj.pose.p
    assert found.present and found.score >= found.threshold == 0.5
    assert (found.mask & (seen["mask"] > 0)).sum() > 0.7 * (found.mask | (seen["mask"] > 0)).sum()
    assert np.abs(found.points.mean(axis=0)[:2] - lemon[:2]).max() < 0.02
    assert len(found.grasps.positions) and np.linalg.norm(found.grasps.pose(0)[:3] - lemon) < 0.04


def test_a_teacher_encodes_each_text_once_and_scores_by_its_thresholds(
    env: FlatObservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    pile = tabletop(cast(Any, env.unwrapped).object_set, ["lemon", "tennis ball"])
    seen = env.reset(seed=0, options={"episode": pile})[0]
    teacher = load_teacher("pocket")
    given = list[list[str]]()
    encode = teacher.encode_text

    def record(texts: Sequence[str]) -> Tensor:
        given.append(list(texts))
        return encode(texts)

    monkeypatch.setattr(teacher, "encode_text", record)
    detector = TeacherDetector(teacher, ["lemon", "tennis ball"], Thresholds(0.2, {"lemon": 0.9}))
    found = [detector(seen, name) for name in ("lemon", "tennis ball", "lemon", "yellow fruit", "yellow fruit")]
    assert given == [["a photo of a lemon", "a photo of a tennis ball"], ["a photo of a yellow fruit"]]
    assert [one.threshold for one in found] == [0.9, 0.2, 0.9, 0.2, 0.2]
    both = detector.detect(seen, ["tennis ball", "lemon"])
    assert [one.score for one in both] == [found[1].score, found[0].score]
    image = seen["hand_rgb"]
    red = detector.detect_without_depth(image, ["the red one"])[0]
    features = encode_images(teacher, image[None])
    texts = [f"a photo of a {color} object" for color in ("red", *(c for c in COLORS if c != "red"))]
    odds = (teacher.logit_scale * features @ encode(texts).T)[0].double().numpy()
    assert red.threshold == 0.5 and red.score == pytest.approx(1 / (1 + np.exp(odds[1:].max() - odds[0])), abs=1e-5)
    alone = TeacherDetector(teacher, [], Thresholds(0.0, {}))(seen, "lemon")  # segments compete, not names
    segments = segment_observation(seen)
    assert (alone.mask == (segments == segments[alone.mask][0])).all()
    means = [alone.heatmap[segments == k].sum() for k in range(1, int(segments.max()) + 1)]
    assert alone.mask[segments == 1 + int(np.argmax(means))].all() and 1 / len(means) < alone.score < 1


def test_a_student_finds_a_name_and_of_a_color_alone_the_segment_that_is_most_of_it(exported: Path) -> None:
    side = 48
    student = StudentRuntime.load(exported / "few_shot")
    env = environment(camera_cfgs={"hand_camera": {"width": side, "height": side}})
    pile = tabletop(cast(Any, env.unwrapped).object_set, ["lemon", "tennis ball", "mustard bottle"])
    seen = env.reset(seed=0, options={"episode": pile})[0]
    located = LanguagePickPolicy(StudentDetector(student)).locate(seen, "lemon")
    named = StudentDetector(student)(seen, "lemon")
    assert (located.mask == named.mask).all() and named.mask.shape == (side, side)
    assert located.score == named.score and 0 <= named.score <= 1 and named.heatmap.sum() == pytest.approx(1)
    asked = [f"the {color} one" for color in COLORS]
    found = StudentDetector(student).detect(seen, asked)
    cells = student.predict(seen, [color_phrase(color) for color in COLORS]).cell_logits
    segments = segment_observation(seen)
    odds = segment_means(cells, segments, int(segments.max()) + 1)
    for n, detection in enumerate(found):
        best = (-np.inf, 0)
        for segment in range(1, odds.shape[1]):
            margin = odds[n, segment] - max(odds[m, segment] for m in range(len(COLORS)) if m != n)
            best = max(best, (-np.inf if np.isnan(margin) else margin, segment))
        assert detection.score == pytest.approx(1 / (1 + np.exp(-best[0])), abs=1e-4) and detection.threshold == 0.5
        assert detection.mask[segments == best[1]].all() and not detection.mask[segments == 0].any()
        assert detection.heatmap.sum() == pytest.approx(1) and not detection.heatmap[segments == 0].any()
        assert (detection.heatmap[segments == best[1]] == detection.heatmap.max()).all()
    empty = seen | {"hand_cam2world": np.eye(4)}  # nothing stands above the table
    nothing = StudentDetector(student)(empty, "the red one")
    assert nothing.score == 0 and not nothing.mask.any()
    env.close()
