"""The policy that judges and picks: its observations, its judges, and `predict` as stable-baselines3 calls it."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from picking import tabletop
from toy_training import make_finished_run

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.picking.segments import hottest_objects
from pickclutter_lang.policy.agent import GraspabilityPolicy
from pickclutter_lang.policy.export import PolicySettings, export_policy
from pickclutter_lang.policy.judges import (
    Judgement,
    RandomJudge,
    SimulatorJudge,
    StudentJudge,
    TeacherJudge,
    on_picture,
)
from pickclutter_lang.policy.observations import PolicyObservation, decoded, encoded, nested
from pickclutter_lang.policy.student import GraspabilityStudent
from pickclutter_lang.policy.wrappers import frame_of

SIDE = 96
CAMERAS = {"hand_camera": {"width": SIDE, "height": SIDE}, "base_camera": {"width": 8, "height": 8}}
pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a policy, and that of its teacher."""
    root = tmp_path_factory.mktemp("agent")
    make_finished_run(root, SIDE)
    export_policy(PolicySettings(str(root / "run"), "fewshot", None, 1, str(root / "policy")))
    return root


def environment(mask=False, declare=True, **changes):
    from pickclutter_lang.envs.wrappers import DeclareAbsence

    given = {
        "obs_mode": "rgbd",
        "control_mode": "pd_ee_delta_pose",
        "camera_cfgs": CAMERAS,
        "enable_segmentation": mask,
        "absent_probability": 0.0,
    }
    env = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", **(given | changes))
    return PolicyObservation(DeclareAbsence(env) if declare else env, mask)


class Told:
    """A judge that says what it is told to."""

    def __init__(self, score: float) -> None:
        self.score, self.names, self.asked = score, ["lemon"], []

    def __call__(self, observation, name):
        self.asked.append(name)
        mask = np.zeros((SIDE, SIDE), bool)
        return Judgement(self.score, 0.5, mask, mask.astype(float))


def test_texts_survive_as_bytes():
    for text in ("pick up the lemon", "schäle die Zitrone 🍋", ""):
        assert decoded(encoded(text)) == text and encoded(text).shape == (256,)
    with pytest.raises(InvalidArgumentError, match="256 bytes"):
        encoded("x" * 257)


@pytest.mark.parametrize("base_camera", [True, False])
def test_both_libraries_check_the_observations(base_camera):
    pytest.importorskip("stable_baselines3")
    from gymnasium.utils.env_checker import check_env as check_gymnasium
    from stable_baselines3.common.env_checker import check_env as check_sb3

    env = environment(mask=True, base_camera=base_camera, camera_cfgs={"hand_camera": CAMERAS["hand_camera"]})
    assert ("base_rgb" in env.observation_space.spaces) is base_camera
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3(env)
        warnings.filterwarnings("ignore", ".*is different from the unwrapped version.*")  # it is a wrapper
        check_gymnasium(env, skip_render_check=True, skip_close_check=True)
    env.close()


def test_nothing_is_lost_in_a_flat_observation():
    env = environment(mask=True)
    flat, info = env.reset(seed=1)
    assert decoded(flat["instruction"]) == info["instruction"]
    raw = env.env.unwrapped.get_obs()
    again = nested(flat)
    for camera in ("hand_camera", "base_camera"):
        np.testing.assert_array_equal(again["image"][camera]["rgb"], raw["image"][camera]["rgb"])
        np.testing.assert_allclose(again["image"][camera]["depth"], raw["image"][camera]["depth"])
        for key in ("intrinsic_cv", "cam2world_gl"):
            np.testing.assert_allclose(again["camera_param"][camera][key], raw["camera_param"][camera][key])
    np.testing.assert_allclose(again["extra"]["goal_pos"], raw["extra"]["goal_pos"])
    np.testing.assert_allclose(again["agent"]["qpos"], raw["agent"]["qpos"])
    seen = raw["image"]["hand_camera"]["Segmentation"][..., 1] == env.unwrapped.obj.id
    np.testing.assert_array_equal(again["mask"].reshape(SIDE, SIDE), seen)
    env.close()


def test_wrong_environments_and_observations_are_refused():
    with pytest.raises(InvalidArgumentError, match="PickClutterLang"):
        PolicyObservation(gymnasium.make("CartPole-v1"))
    state = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", obs_mode="state")
    with pytest.raises(InvalidArgumentError, match="obs_mode='rgbd'"):
        PolicyObservation(state)
    state.close()
    pictures = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", obs_mode="rgbd", camera_cfgs=CAMERAS)
    with pytest.raises(InvalidArgumentError, match="enable_segmentation"):
        PolicyObservation(pictures, mask=True)
    pictures.close()
    policy = GraspabilityPolicy(Told(1.0))
    with pytest.raises(InvalidArgumentError, match="no instruction"):
        policy.predict({"image": {}})
    with pytest.raises(InvalidArgumentError, match="no 'qpos'"):
        policy.predict({"instruction": encoded("pick up the lemon")})
    with pytest.raises(InvalidArgumentError, match="pd_joint_delta_pos"):
        GraspabilityPolicy(Told(1.0), "pd_joint_vel")
    with pytest.raises(CheckpointError, match="pickclutter export-policy"):
        GraspabilityPolicy.load("nowhere")


def test_a_low_score_is_declared_and_a_high_one_acted_on():
    env = environment()
    observation, info = env.reset(seed=2)
    for score, declares in ((0.4, 1.0), (0.5, -1.0)):
        judge = Told(score)
        action, state = GraspabilityPolicy(judge).predict(observation)
        assert env.action_space.contains(action) and action[-1] == declares
        assert judge.asked == [info["target_name"]] and [said.score for said in state[0].judgements] == [score]
    action, _ = GraspabilityPolicy(Told(0.0), declare=False).predict(observation)
    assert action.shape == (7,)
    action, _ = GraspabilityPolicy(Told(0.0), "pd_joint_delta_pos").predict(observation)
    assert action.shape == (9,) and not action[:7].any() and action[-1] == 1
    env.close()


@pytest.mark.slow
def test_stable_baselines3_evaluates_it_in_two_environments():
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    from stable_baselines3.common.vec_env import DummyVecEnv

    outcomes = []

    def note(local, _):
        if local["done"]:
            outcomes.append(local["info"]["success"])

    venv = DummyVecEnv([lambda: environment(mask=True, absent_probability=0.5)] * 2)
    venv.seed(3)
    policy = GraspabilityPolicy(SimulatorJudge())
    rewards, lengths = evaluation.evaluate_policy(
        policy, venv, n_eval_episodes=4, callback=note, return_episode_rewards=True, warn=False
    )
    assert len(rewards) == len(lengths) == len(outcomes) == 4
    ends = list(zip(lengths, outcomes, strict=True))
    assert (1, True) in ends  # declared absent at once, and rightly
    assert any(length > 1 and success for length, success in ends)  # picked
    venv.close()


def test_gymnasiums_vectors_begin_an_episode_with_its_instruction():
    from pickclutter_lang.envs.wrappers import DeclareAbsence

    given = {"obs_mode": "rgbd", "control_mode": "pd_ee_delta_pose", "camera_cfgs": CAMERAS}
    envs = gymnasium.make_vec(
        "pickclutter_lang.envs:PickClutterLang/Proxy-v0",
        num_envs=1,
        vectorization_mode="sync",
        wrappers=[DeclareAbsence, PolicyObservation],
        **given,
    )
    policy, state, starts, asked = GraspabilityPolicy(Told(0.0)), None, None, set()  # each episode ends at once
    observation, _ = envs.reset(seed=0)
    for _ in range(6):
        actions, state = policy.predict(observation, state, starts)
        assert state[0].instruction == decoded(observation["instruction"][0])
        asked.add(state[0].name)
        observation, _, terminated, truncated, _ = envs.step(actions)
        starts = terminated | truncated
    assert len(asked) > 1
    envs.close()


@pytest.mark.parametrize(("scores", "declared"), [((0.6, 0.3), 1.0), ((0.9, 0.3), -1.0), ((1.0, 0.0), -1.0)])
def test_two_looks_are_judged_by_their_mean(scores, declared):
    """After a try that failed the object is judged anew, within an action; the last case is the simulator's judge."""
    env = environment()
    observation, _ = env.reset(seed=2)
    judge = Told(scores[0])
    policy = GraspabilityPolicy(judge)
    _, state = policy.predict(observation)
    pick, judge.score = state[0], scores[1]

    def look_again(seen):
        pick.judge(seen)
        return np.zeros(7, np.float32)

    pick.picker.act = look_again
    action, _ = policy.predict(observation, state, False)
    assert action[-1] == declared
    env.close()


class Everything(Told):
    """A judge that says that all it sees is the object."""

    def __init__(self) -> None:
        super().__init__(1.0)

    def __call__(self, observation, name):
        return super().__call__(observation, name)._replace(mask=np.ones((SIDE, SIDE), bool))


def test_vectors_and_single_environments_agree():
    env = environment()
    first, _ = env.reset(seed=4)
    second, _ = env.reset(seed=5)
    both = {key: np.stack([first[key], second[key]]) for key in first}
    policy = GraspabilityPolicy(Everything(), declare=False)
    actions, state = policy.predict(both)
    assert not np.array_equal(*actions)
    for n, observation in enumerate((first, second)):
        np.testing.assert_array_equal(actions[n], policy.predict(observation)[0])
    _, later = policy.predict(both, state, [False, True])
    assert later[0] is state[0] and later[1] is not state[1]
    with pytest.raises(InvalidArgumentError, match="2 environments, but got that of 1"):
        policy.predict(both, state[:1], [False, False])
    env.close()


def test_judges_say_where(made):
    env = environment(mask=True)
    student = GraspabilityStudent.load(made / "policy")
    pile = tabletop(env.unwrapped.object_set, ["lemon", "tennis ball"])
    flat, _ = env.reset(seed=0, options={"episode": pile, "target": "lemon"})
    seen = nested(flat)
    from pickclutter_lang.teachers import load_teacher

    judges = [
        StudentJudge(student),
        TeacherJudge(load_teacher("pocket"), ["lemon", "tennis ball"]),
        SimulatorJudge(),
        RandomJudge(),
    ]
    for judge in judges:
        said = judge(seen, "lemon")
        assert said.mask.shape == said.heat.shape == (SIDE, SIDE) and said.mask.any()
        assert said.heat.sum() == pytest.approx(1) and 0 <= said.score <= 1
        assert judge(seen, "lemon").score == said.score and (judge(seen, "lemon").mask == said.mask).all()
    told = SimulatorJudge()(seen, "lemon")
    named = judges[1](seen, "lemon")
    assert named.margin >= 0 and (named.mask & told.mask).sum() > 0.7 * (named.mask | told.mask).sum()
    flat["mask"][:] = 0
    hidden = SimulatorJudge()(nested(flat), "lemon")
    assert hidden.margin < 0 < told.margin + 2 * hidden.margin  # seen once in three looks, it is there
    del flat["mask"]
    with pytest.raises(InvalidArgumentError, match="mask=True"):
        SimulatorJudge()(nested(flat), "lemon")
    env.close()


def test_a_student_chooses_by_the_names_of_its_folder_whatever_was_asked_before(made, monkeypatch):
    env = environment(mask=True)
    student = GraspabilityStudent.load(made / "policy")
    flat, _ = env.reset(seed=0, options={"episode": tabletop(env.unwrapped.object_set, ["lemon", "tennis ball"])})
    seen, given = nested(flat), []

    def noted(segments, heat, depth, odds, count):
        given.append(odds)
        return hottest_objects(segments, heat, depth, odds, count)

    monkeypatch.setattr("pickclutter_lang.policy.judges.hottest_objects", noted)
    judge = StudentJudge(student)
    first = judge(seen, "lemon")
    judge(seen, "shiny thing")
    again = judge(seen, "lemon")
    assert (first.mask == again.mask).all() and len(student.names) == len(student.card.names) + 1
    names = student.card.names
    assert [len(odds) for odds in given] == [len(names), len(names) + 1, len(names)]
    look = student.look(frame_of(seen), ["lemon"])
    np.testing.assert_allclose(given[0][0], on_picture(look.odds, SIDE, SIDE, np.nan)[0], atol=1e-4)
    env.close()


def test_a_student_of_two_cameras_points_at_no_picture(made):
    student = GraspabilityStudent.load(made / "policy")
    student.settings.data.cameras = ["hand", "base"]
    with pytest.raises(InvalidArgumentError, match="hand camera alone"):
        StudentJudge(student)


def test_an_agent_learns_from_a_student_of_the_hand_camera_alone(made):
    pytest.importorskip("stable_baselines3", reason="needs the rl extra")
    from pickclutter_lang.trials import learning

    student = GraspabilityStudent.load(made / "policy")
    student.pictures = [("hand", "rgb"), ("base", "rgb")]
    with pytest.raises(InvalidArgumentError, match="rgb of hand, rgb of base"):
        learning.make_environment(None, student)


def test_a_map_of_the_middle_becomes_one_of_the_picture():
    heat = np.zeros((4, 4), np.float32)
    heat[0, 3] = 1.0
    whole, other = on_picture(np.stack([heat, heat]), 64, 96, np.nan)
    inside = np.isfinite(whole)
    assert inside.sum() == 64**2 and inside[16:80, 16:80].all()
    np.testing.assert_array_equal(whole, other)
    whole = np.nan_to_num(whole) / np.nansum(whole)
    assert np.unravel_index(whole.argmax(), whole.shape)[0] < 32
    row, column = (np.indices(whole.shape) * whole).sum((1, 2))
    assert row == pytest.approx(16 + 8, abs=6) and column == pytest.approx(16 + 56, abs=6)
