"""The policy: its observations, its detectors, and `predict` as stable-baselines3 calls it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any, cast

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from helpers.grasping import tabletop
from helpers.scene_runs import make_finished_run
from pickclutter_lang.envs.wrappers import FlatObservation
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import PolicyExportConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy
from pickclutter_lang.language.instructions import COLORS, color_phrase, decode_instruction, encode_instruction
from pickclutter_lang.manipulation.scripted_picker import PickPhase, ScriptedPicker
from pickclutter_lang.policy.detectors import (
    Detection,
    OracleDetector,
    RandomDetector,
    StudentDetector,
    segment_log_odds,
    upsample_to_image,
)
from pickclutter_lang.policy.folder import Thresholds
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.teachers.zero_shot import encode_images

SIDE = 96
CAMERAS = {"hand_camera": {"width": SIDE, "height": SIDE}, "base_camera": {"width": 8, "height": 8}}
pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def exported_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a policy, and that of its teacher."""
    root = tmp_path_factory.mktemp("policy")
    make_finished_run(root, SIDE)
    export_policy(PolicyExportConfig(str(root / "run"), "few_shot", None, 1, str(root / "policy")))
    return root


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


class FixedDetector:
    """A detector with a fixed score."""

    def __init__(self, score: float) -> None:
        self.score, self.names = score, ["lemon"]
        self.names_asked: list[str] = []

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        self.names_asked.append(name)
        mask = np.zeros((SIDE, SIDE), bool)
        return Detection(self.score, 0.5, mask, mask.astype(float))


def test_texts_survive_as_bytes() -> None:
    for text in ("pick up the lemon", "schäle die Zitrone 🍋", ""):
        assert decode_instruction(encode_instruction(text)) == text and encode_instruction(text).shape == (256,)
    with pytest.raises(InvalidArgumentError, match="256 bytes"):
        encode_instruction("x" * 257)


@pytest.mark.parametrize("base_camera", [True, False])
def test_both_libraries_check_the_observations(base_camera: bool) -> None:
    pytest.importorskip("stable_baselines3")
    from gymnasium.utils.env_checker import check_env as check_gymnasium
    from stable_baselines3.common.env_checker import check_env as check_sb3

    env = environment(mask=True, base_camera=base_camera, camera_cfgs={"hand_camera": CAMERAS["hand_camera"]})
    assert ("base_rgb" in cast(gymnasium.spaces.Dict, env.observation_space).spaces) is base_camera
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*unconventional shape.*")  # depth and matrices
        check_sb3(env)
        warnings.filterwarnings("ignore", ".*is different from the unwrapped version.*")  # it is a wrapper
        check_gymnasium(env, skip_render_check=True, skip_close_check=True)
    env.close()


def test_nothing_is_lost_in_a_flat_observation() -> None:
    env = environment(mask=True)
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
    env.close()


def test_wrong_environments_and_observations_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="PickClutterLang"):
        FlatObservation(gymnasium.make("CartPole-v1"))
    state = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", obs_mode="state")
    with pytest.raises(InvalidArgumentError, match="obs_mode='rgbd'"):
        FlatObservation(state)
    state.close()
    images = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", obs_mode="rgbd", camera_cfgs=CAMERAS)
    with pytest.raises(InvalidArgumentError, match="enable_segmentation"):
        FlatObservation(images, mask=True)
    images.close()
    policy = LanguagePickPolicy(FixedDetector(1.0))
    with pytest.raises(InvalidArgumentError, match="no instruction"):
        policy.predict({"image": np.zeros(0)})
    with pytest.raises(InvalidArgumentError, match="hand_depth"):
        policy.predict({"instruction": encode_instruction("pick up the lemon")})
    with pytest.raises(InvalidArgumentError, match="pd_joint_delta_pos"):
        LanguagePickPolicy(FixedDetector(1.0), "pd_joint_vel")
    with pytest.raises(CheckpointError, match="export-policy"):
        LanguagePickPolicy.load("nowhere")


def test_a_low_score_is_declared_and_a_high_one_acted_on() -> None:
    env = environment()
    observation, info = env.reset(seed=2)
    for score, declares in ((0.4, 1.0), (0.5, -1.0)):
        detector = FixedDetector(score)
        action, state = LanguagePickPolicy(detector).predict(observation)
        assert env.action_space.contains(action) and action[-1] == declares
        assert detector.names_asked == [info["target_name"]] and [
            detection.score for detection in state[0].detections
        ] == [score]
    action, _ = LanguagePickPolicy(FixedDetector(0.0), declare=False).predict(observation)
    assert action.shape == (7,)
    action, _ = LanguagePickPolicy(FixedDetector(0.0), "pd_joint_delta_pos").predict(observation)
    assert action.shape == (9,) and not action[:7].any() and action[-1] == 1
    env.close()


@pytest.mark.slow
def test_stable_baselines3_evaluates_it_in_two_environments() -> None:
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    from stable_baselines3.common.vec_env import DummyVecEnv

    outcomes = []

    def note(local: dict[str, Any], _: dict[str, Any]) -> None:
        if local["done"]:
            outcomes.append(local["info"]["success"])

    venv = DummyVecEnv([lambda: environment(mask=True, absent_probability=0.5)] * 2)
    venv.seed(3)
    policy = LanguagePickPolicy(OracleDetector())
    rewards, lengths = evaluation.evaluate_policy(
        policy, venv, n_eval_episodes=4, callback=note, return_episode_rewards=True, warn=False
    )
    assert len(rewards) == len(lengths) == len(outcomes) == 4
    ends = list(zip(lengths, outcomes, strict=True))
    assert (1, True) in ends  # declared absent at once, and rightly
    assert any(length > 1 and success for length, success in ends)  # picked
    venv.close()


def test_gymnasiums_vectors_begin_an_episode_with_its_instruction() -> None:
    from pickclutter_lang.envs.wrappers import DeclareAbsence

    given: dict[str, Any] = {"obs_mode": "rgbd", "control_mode": "pd_ee_delta_pose", "camera_cfgs": CAMERAS}
    envs = gymnasium.make_vec(
        "pickclutter_lang.envs:PickClutterLang/Proxy-v0",
        num_envs=1,
        vectorization_mode="sync",
        wrappers=[DeclareAbsence, FlatObservation],
        **given,
    )
    policy, state, starts, targets = (
        LanguagePickPolicy(FixedDetector(0.0)),
        None,
        None,
        set(),
    )  # each episode ends at once
    observation, _ = envs.reset(seed=0)
    for _ in range(6):
        actions, state = policy.predict(observation, state, starts)
        assert state[0].instruction == decode_instruction(observation["instruction"][0])
        targets.add(state[0].name)
        observation, _, terminated, truncated, _ = envs.step(actions)
        starts = terminated | truncated
    assert len(targets) > 1
    envs.close()


@pytest.mark.parametrize(("scores", "declared"), [((0.6, 0.3), 1.0), ((0.9, 0.3), -1.0), ((1.0, 0.0), -1.0)])
def test_detections_of_an_episode_are_averaged(
    monkeypatch: pytest.MonkeyPatch, scores: tuple[float, float], declared: float
) -> None:
    """After a failed attempt the object is detected again, within an action; the last case is the oracle's."""
    env = environment()
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
    env.close()


class WholeImageDetector(FixedDetector):
    """A detector whose mask is the full image."""

    def __init__(self) -> None:
        super().__init__(1.0)

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        return super().__call__(observation, name)._replace(mask=np.ones((SIDE, SIDE), bool))


def test_a_returned_state_never_changes_and_only_the_newest_continues() -> None:
    env = environment()
    observation, _ = env.reset(seed=4)
    policy = LanguagePickPolicy(WholeImageDetector())
    _, states = policy.predict(observation)
    first, before = states[0], repr(states[0])
    for _ in range(3):
        observation, *_ = env.step(env.action_space.sample())
        _, states = policy.predict(observation, states)
    assert repr(first) == before and first.phase == PickPhase.REACH and first.name == states[0].name
    with pytest.raises(FrozenInstanceError):
        first.name = "banana"  # type: ignore[misc]
    with pytest.raises(InvalidArgumentError, match="after step 4, but got the one after step 1"):
        policy.predict(observation, (first,))
    _, again = policy.predict(observation, (first,), True)  # a new episode needs no state
    assert again[0].name == first.name
    env.close()


def test_vectors_and_single_environments_agree() -> None:
    env = environment()
    first, _ = env.reset(seed=4)
    second, _ = env.reset(seed=5)
    both = {key: np.stack([first[key], second[key]]) for key in first}
    policy = LanguagePickPolicy(WholeImageDetector(), declare=False)
    actions, state = policy.predict(both)
    assert not np.array_equal(*actions)
    for n, observation in enumerate((first, second)):
        np.testing.assert_array_equal(actions[n], policy.predict(observation)[0])
    again, later = policy.predict(both, state, [False, True])
    np.testing.assert_array_equal(again[1], actions[1])  # a new episode
    assert [len(one.detections) for one in later] == [1, 1]
    with pytest.raises(InvalidArgumentError, match="2 environments, but got that of 1"):
        policy.predict(both, state[:1], [False, False])
    env.close()


def test_detectors_find_the_object(exported_policy: Path) -> None:
    env = environment(mask=True)
    student = StudentRuntime.load(exported_policy / "policy")
    pile = tabletop(cast(Any, env.unwrapped).object_set, ["lemon", "tennis ball"])
    flat, _ = env.reset(seed=0, options={"episode": pile, "target": "lemon"})
    seen = flat
    from pickclutter_lang.teachers import load_teacher

    detectors: list[Any] = [
        StudentDetector(student),
        TeacherDetector(load_teacher("pocket"), ["lemon", "tennis ball"], Thresholds(0.5, {}, None)),
        OracleDetector(),
        RandomDetector(),
    ]
    for detector in detectors:
        found, again = detector(seen, "lemon"), detector(seen, "lemon")
        assert found.mask.shape == found.heatmap.shape == (SIDE, SIDE) and found.mask.any()
        assert found.heatmap.sum() == pytest.approx(1) and 0 <= found.score <= 1
        assert again.score == found.score and (again.mask == found.mask).all()
    truth = OracleDetector()(seen, "lemon")
    named = detectors[1](seen, "lemon")
    assert named.margin >= 0 and (named.mask & truth.mask).sum() > 0.7 * (named.mask | truth.mask).sum()
    flat["mask"][:] = 0
    hidden = OracleDetector()(flat, "lemon")
    assert hidden.margin < 0 < truth.margin + 2 * hidden.margin  # visible once of three times, it is there
    del flat["mask"]
    with pytest.raises(InvalidArgumentError, match="mask=True"):
        OracleDetector()(flat, "lemon")
    env.close()


def test_an_object_is_located_in_one_image(exported_policy: Path) -> None:
    env = environment(mask=True)
    pile = tabletop(cast(Any, env.unwrapped).object_set, ["lemon", "tennis ball"])
    seen, _ = env.reset(seed=0, options={"episode": pile, "target": "lemon"})
    rgb, depth, intrinsic, pose = (seen[f"hand_{key}"] for key in ("rgb", "depth", "intrinsic", "cam2world"))
    from pickclutter_lang.teachers import load_teacher

    teacher = TeacherDetector(load_teacher("pocket"), ["lemon", "tennis ball"], Thresholds(0.5, {}, None))
    found = LanguagePickPolicy(teacher).locate(rgb, depth, intrinsic, pose, "lemon")
    lemon = cast(Any, env.unwrapped).obj.pose.p
    assert found.present and found.score >= found.threshold == 0.5
    assert (found.mask & (seen["mask"] > 0)).sum() > 0.7 * (found.mask | (seen["mask"] > 0)).sum()
    assert np.abs(found.points.mean(axis=0)[:2] - lemon[:2]).max() < 0.02
    assert len(found.grasps.positions) and np.linalg.norm(found.grasps.pose(0)[:3] - lemon) < 0.04
    student = LanguagePickPolicy.load(exported_policy / "policy").locate(rgb, depth, intrinsic, pose, "lemon")
    assert student.mask.shape == (SIDE, SIDE) and 0 <= student.score <= 1
    env.close()


def test_a_teacher_encodes_each_text_once_and_scores_by_its_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    from pickclutter_lang.teachers import load_teacher

    env = environment(mask=True)
    pile = tabletop(cast(Any, env.unwrapped).object_set, ["lemon", "tennis ball"])
    flat, _ = env.reset(seed=0, options={"episode": pile})
    seen, teacher = flat, load_teacher("pocket")
    given, encode = list[list[str]](), teacher.encode_text

    def record(texts: Sequence[str]) -> Tensor:
        given.append(list(texts))
        return encode(texts)

    monkeypatch.setattr(teacher, "encode_text", record)
    detector = TeacherDetector(teacher, ["lemon", "tennis ball"], Thresholds(0.2, {"lemon": 0.9}, None))
    found = [detector(seen, name) for name in ("lemon", "tennis ball", "lemon", "yellow fruit", "yellow fruit")]
    assert given == [["a photo of a lemon", "a photo of a tennis ball"], ["a photo of a yellow fruit"]]
    assert [one.threshold for one in found] == [0.9, 0.2, 0.9, 0.2, 0.2]
    scored = detector.score(seen, ["tennis ball", "lemon"])
    assert [one.score for one in scored] == [found[1].score, found[0].score]
    without_lemon = TeacherDetector(teacher, ["tennis ball"], None)  # which may be the fruit, and is no rival of it
    assert detector(seen, "fruit").score == pytest.approx(without_lemon(seen, "fruit").score, abs=1e-5)
    all_meant = TeacherDetector(teacher, ["lemon", "banana"], Thresholds(0.5, {}, None))
    assert all_meant.detect_without_depth(seen["hand_rgb"], ["fruit"])[0].score < 1
    image = seen["hand_rgb"]
    red, features = detector.detect_without_depth(image, ["the red one"])[0], encode_images(teacher, image[None])
    texts = [f"a photo of a {color} object" for color in ("red", *(c for c in COLORS if c != "red"))]
    odds = (teacher.logit_scale * features @ encode(texts).T)[0].double().numpy()
    assert red.threshold == 0.5 and red.score == pytest.approx(1 / (1 + np.exp(odds[1:].max() - odds[0])), abs=1e-5)
    assert TeacherDetector(teacher, ["lemon"], None)(seen, "the red one").threshold == 0  # as `pick` asks
    alone = TeacherDetector(teacher, [], Thresholds(0.0, {}, None))(seen, "lemon")  # segments compete, not names
    assert alone.segments is not None and (alone.mask == (alone.segments == alone.segments[alone.mask][0])).all()
    means = [alone.heatmap[alone.segments == k].sum() for k in range(1, int(alone.segments.max()) + 1)]
    assert alone.mask[alone.segments == 1 + int(np.argmax(means))].all() and 1 / len(means) < alone.score < 1
    env.close()


def test_a_color_alone_is_the_segment_that_is_most_of_it(exported_policy: Path) -> None:
    env = environment(mask=True)
    student = StudentRuntime.load(exported_policy / "policy")
    pile = tabletop(cast(Any, env.unwrapped).object_set, ["lemon", "tennis ball", "mustard bottle"])
    seen = env.reset(seed=0, options={"episode": pile})[0]
    asked = [f"the {color} one" for color in COLORS]
    found = StudentDetector(student).detect(seen, asked)
    cells = student.predict(seen, [color_phrase(color) for color in COLORS]).cell_logits
    assert found[0].segments is not None
    odds = segment_log_odds(cells, found[0].segments, SIDE)
    for n, detection in enumerate(found):
        best = (-np.inf, 0)
        for segment in range(1, odds.shape[1]):
            margin = odds[n, segment] - max(odds[m, segment] for m in range(len(COLORS)) if m != n)
            best = max(best, (-np.inf if np.isnan(margin) else margin, segment))
        assert detection.score == pytest.approx(1 / (1 + np.exp(-best[0])), abs=1e-4) and detection.threshold == 0.5
        assert detection.mask[found[0].segments == best[1]].all() and not detection.mask[found[0].segments == 0].any()
        assert detection.heatmap.sum() == pytest.approx(1) and not detection.heatmap[found[0].segments == 0].any()
        assert (detection.heatmap[found[0].segments == best[1]] == detection.heatmap.max()).all()
    detector = StudentDetector(student)
    assert [*detector.names] == [*student.config.names]  # the phrases of colors are not names that one may ask for
    assert StudentDetector(student, always_present=True)(seen, "the red one").threshold == 0
    empty = seen | {key: np.zeros_like(seen[key]) for key in ("hand_rgb", "hand_depth")}
    nothing = StudentDetector(student)(empty, "the red one")
    assert nothing.score == 0 and not nothing.mask.any()
    env.close()


def test_red_segments_that_touch_are_one_object(exported_policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = environment(mask=True)
    student = StudentRuntime.load(exported_policy / "policy")
    seen = env.reset(seed=0)[0]
    seen["hand_depth"][:] = 0.4
    segments = np.zeros((SIDE, SIDE), np.int64)
    for number, column in ((1, 10), (2, 14), (4, 18), (3, 40)):  # 3 lies apart
        segments[20:30, column : column + 4] = number
    red = [0.0, 5.0, 4.0, 4.5, -0.4]  # against 0 of all other texts: 4 is a little less red than blue, say

    def odds(cells: NDArray[np.float32], of: NDArray[np.int64], view: int) -> NDArray[np.float64]:
        return np.vstack([red, np.zeros((len(cells) - 1, len(red)))])  # the text that is asked for comes first

    monkeypatch.setattr("pickclutter_lang.policy.detectors.segment_observation", lambda *_: segments)
    monkeypatch.setattr("pickclutter_lang.policy.detectors.segment_log_odds", odds)
    found = StudentDetector(student)(seen, "the red one")
    assert (found.mask == np.isin(segments, (1, 2))).all() and found.score == pytest.approx(1 / (1 + np.exp(-5)))
    red[1:4] = [-1.0, -0.2, -0.3]
    found = StudentDetector(student)(seen, "the red one")  # nothing is red above all: no segment joins another
    assert found.margin < 0 and (found.mask == (segments == 2)).all()
    env.close()


def test_a_student_of_two_cameras_is_no_detector(exported_policy: Path) -> None:
    student = StudentRuntime.load(exported_policy / "policy")
    student.config = replace(student.config, cameras=("hand", "base"))
    with pytest.raises(InvalidArgumentError, match="hand camera alone"):
        StudentDetector(student)


def test_an_agent_learns_from_a_student_of_the_hand_camera_alone(exported_policy: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the rl extra")
    from pickclutter_lang.policy import ppo

    student = StudentRuntime.load(exported_policy / "policy")
    student.config = replace(student.config, cameras=("hand", "base"))
    with pytest.raises(InvalidArgumentError, match="hand_rgb, base_rgb"):
        ppo.make_environment(cast(Any, None), student)


def test_a_map_of_the_center_becomes_one_of_the_image() -> None:
    heatmap = np.full((4, 4), 1e-6, np.float32)
    heatmap[0, 3] = 1.0
    full, other = upsample_to_image(np.stack([heatmap, heatmap]), 64, 96)
    inside = full > 0
    assert inside.sum() == 64**2 and inside[16:80, 16:80].all()
    np.testing.assert_array_equal(full, other)
    full /= full.sum()
    assert np.unravel_index(full.argmax(), full.shape)[0] < 32
    row, column = (np.indices(full.shape) * full).sum((1, 2))
    assert row == pytest.approx(16 + 8, abs=6) and column == pytest.approx(16 + 56, abs=6)


def test_a_policy_makes_the_environment_that_it_acts_in() -> None:
    policy = LanguagePickPolicy(FixedDetector(0.0), control_mode="pd_joint_delta_pos")
    env = policy.make_env(camera_cfgs=CAMERAS, absent_probability=1.0)
    observation, _ = env.reset(seed=0)
    action, _ = policy.predict(observation)
    assert action.shape == env.action_space.shape
    info = env.step(action)[4]
    assert info["declared_absent"] and info["success"]
    env.close()
    held = LanguagePickPolicy(FixedDetector(0.0), declare=False).make_env(camera_cfgs=CAMERAS)
    assert held.action_space.shape == (7,)
    held.close()
