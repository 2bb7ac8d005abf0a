"""Declaring absence, and observations for stable-baselines3."""

from typing import Any

import numpy as np
import pytest

from helpers.environments import NAMES, PROXY, gym
from helpers.grasping import pick, tabletop
from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.lazy_observation import LazyObservation

pytestmark = pytest.mark.sim
ABSENT = "power drill"
SILENT = -1.0
DECLARES = 1.0


@pytest.fixture(scope="module")
def env() -> Any:
    return DeclareAbsence(gym.make(PROXY, obs_mode="state", control_mode="pd_joint_pos", max_episode_steps=90))


def start(env: Any, target: Any) -> Any:
    episode = tabletop(env.unwrapped.object_set, NAMES)
    return env.reset(seed=0, options={"episode": episode, "target": target})[1]


def rest(env: Any, declaration: Any) -> Any:
    """An action that keeps the arm where it is."""
    return np.array([*env.unwrapped.agent.robot.get_qpos()[:7], 1.0, declaration], np.float32)


def outcome(info: Any) -> Any:
    keys = ("success", "declared_absent", "wrong_object_picked", "false_absence", "missed_absence")
    assert info["is_success"] is info["success"]
    return tuple(info[key] for key in keys)


def test_one_more_dimension(env: Any) -> None:
    inner = env.env.action_space
    outer = env.action_space
    assert outer.shape == (inner.shape[0] + 1,) and outer.dtype == inner.dtype
    assert np.array_equal(outer.low[:-1], inner.low) and np.array_equal(outer.high[:-1], inner.high)
    assert (outer.low[-1], outer.high[-1]) == (-1, 1)


def test_picking_the_target_is_a_success(env: Any) -> None:
    assert outcome(start(env, NAMES[0])) == (False, False, 0, 0, 0)
    *before, last = pick(env, NAMES[0], to_goal=True, extra=[SILENT])
    assert outcome(last[4]) == (True, False, 0, 0, 0)
    assert last[1:4] == (1.0, True, False)
    assert not any(step[2] or step[4]["success"] for step in before)


def test_a_right_declaration_is_a_success(env: Any) -> None:
    start(env, ABSENT)
    _, reward, terminated, truncated, info = env.step(rest(env, DECLARES))
    assert outcome(info) == (True, True, 0, 0, 0)
    assert (reward, terminated, truncated) == (1.0, True, False)


def test_a_false_declaration_is_counted(env: Any) -> None:
    start(env, NAMES[0])
    _, reward, terminated, _, info = env.step(rest(env, DECLARES))
    assert outcome(info) == (False, True, 0, 1, 0)
    assert (reward, terminated) == (0.0, True)


def test_picking_another_object_is_counted_and_does_not_end_the_episode(env: Any) -> None:
    start(env, NAMES[2])
    steps = pick(env, NAMES[0], to_goal=False, extra=[SILENT])
    counts = [step[4]["wrong_object_picked"] for step in steps]
    assert counts[0] == 0 and counts[-1] == 1 and counts == sorted(counts)
    assert env.unwrapped.picked_objects() == [NAMES[0]]
    assert not steps[-1][2]


@pytest.mark.parametrize(("target", "missed"), [(ABSENT, 1), (NAMES[0], 0)])
def test_silence_until_the_time_limit_is_counted_at_the_end(target: Any, missed: Any) -> None:
    env = DeclareAbsence(gym.make(PROXY, obs_mode="none", control_mode="pd_joint_pos", max_episode_steps=3))
    start(env, target)
    steps = [env.step(rest(env, SILENT)) for _ in range(3)]
    assert [step[4]["missed_absence"] for step in steps] == [0, 0, missed]
    assert [step[3] for step in steps] == [False, False, True]
    assert not steps[-1][4]["success"]


@pytest.mark.parametrize(("value", "declared"), [(0.5, False), (0.6, True)])
def test_the_threshold(value: float, declared: bool) -> None:
    env = DeclareAbsence(gym.make(PROXY, obs_mode="none", control_mode="pd_joint_pos"), 0.5)
    start(env, ABSENT)
    _, _, terminated, _, info = env.step(rest(env, value))
    assert (terminated, info["declared_absent"]) == (declared, declared)


def test_a_right_declaration_earns_what_a_pick_earns() -> None:
    env = DeclareAbsence(gym.make(PROXY, obs_mode="none", control_mode="pd_joint_pos", reward_mode="dense"))
    start(env, ABSENT)
    right = env.step(rest(env, DECLARES))[1]
    start(env, NAMES[0])
    assert pick(env, NAMES[0], to_goal=True, extra=[SILENT])[-1][1] == right > 0


def test_images_that_nobody_reads_are_not_rendered() -> None:
    """They equal those of an eager environment, and those of a step that is over are an error."""
    made = [gym.make(PROXY, obs_mode="rgbd", control_mode="pd_joint_pos", max_episode_steps=9) for _ in range(2)]
    eager = FlatObservation(made[0])
    lazy = FlatObservation(made[1], lazy=True)
    for env in (eager, lazy):
        start(env, NAMES[0])
    action = rest(eager, SILENT)[:-1]
    unread = lazy.step(action)[0]
    eager.step(action)
    read, wanted = lazy.step(action)[0], eager.step(action)[0]
    with pytest.raises(InvalidArgumentError, match="before the next step"):
        unread["hand_depth"]
    assert isinstance(read, LazyObservation) and len(read) == len(wanted) and {*read} == {*wanted}
    for key, value in wanted.items():
        np.testing.assert_array_equal(read[key], value)


def test_wrong_use_is_named(env: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="threshold"):
        DeclareAbsence(env.env, threshold=1.0)
    with pytest.raises(InvalidArgumentError, match="PickClutterLang"):
        DeclareAbsence(gym.make("CartPole-v1"))
    start(env, ABSENT)
    with pytest.raises(InvalidArgumentError, match="shape"):
        env.step(np.zeros(8, np.float32))
    with pytest.raises(InvalidArgumentError, match="obs_mode"):
        FlatObservation(env)
