"""PickClutter with language: what it keeps of mani_skill2's environment and what it adds."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

from helpers.environments import KINDS, NAMES, PROXY, gym, in_new_process, make
from helpers.grasping import tabletop
from pickclutter_lang.envs.wrappers import FlatObservation
from pickclutter_lang.objects.catalog import paper_catalog, unseen_objects

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def episode_file(env: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("episodes") / "two.json"
    path.write_text(json.dumps([tabletop(env.object_set, NAMES), tabletop(env.object_set, NAMES[::-1])]))
    return path


@pytest.fixture(params=["state", "rgbd", "pointcloud"])
def pair(request: Any, env: Any, episode_file: Path) -> Any:
    from helpers.environments import make_stock

    files = {"episode_json": str(episode_file), "obs_mode": request.param}
    root = env.object_set.root
    return make_stock(root, **files), make(absent_probability=0, objects_root=root, **files)


def test_same_episode_same_observations_and_rewards(pair: Any) -> None:
    stock, ours = pair
    assert ours.action_space == stock.action_space
    theirs, _ = stock.reset(seed=5, options={"reconfigure": True})
    mine, _ = ours.reset(seed=5)
    assert data_equivalence(mine, type(mine)(theirs) if isinstance(mine, dict) else theirs, exact=True)
    ours.action_space.seed(0)
    rewards = []
    for _ in range(8):
        action = ours.action_space.sample()
        a, b = stock.step(action), ours.step(action)
        assert data_equivalence(b[0], a[0], exact=True)
        assert a[1:4] == b[1:4]
        assert a[4].keys() <= b[4].keys() and bool(a[4]["success"]) == b[4]["success"] == b[4]["is_success"]
        assert ours.unwrapped.task_description == b[4]["instruction"]
        rewards.append(b[1])
    assert len(set(rewards)) > 1


@pytest.mark.parametrize("obs_mode", ["state", "rgbd", "rgbd_robot_seg", "pointcloud"])
def test_gymnasium_checks_it_without_a_warning(obs_mode: str) -> None:
    quick = obs_mode not in ("state", "rgbd")
    env = make(KINDS if obs_mode == "rgbd_robot_seg" else PROXY, obs_mode=obs_mode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=quick, skip_close_check=quick)
    assert env.obs_mode == obs_mode


def test_stable_baselines3_checks_it() -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="needs the rl extra")
    env = FlatObservation(gym.make(PROXY, obs_mode="rgbd"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*unconventional shape.*")  # depth and matrices
        checker.check_env(env)


def test_without_the_base_camera_the_hand_sees_the_same() -> None:
    both = make(obs_mode="rgbd")
    alone = make(obs_mode="rgbd", base_camera=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(alone, skip_render_check=True, skip_close_check=True)
    seen, seen_alone = both.reset(seed=4)[0], alone.reset(seed=4)[0]
    assert list(seen_alone["image"]) == list(seen_alone["camera_param"]) == ["hand_camera"]
    assert data_equivalence(seen_alone["image"]["hand_camera"], seen["image"]["hand_camera"])


def test_rendering_shows_the_pile_and_leaves_observations_alone() -> None:
    env = make(obs_mode="rgbd", render_mode="cameras")
    first, _ = env.reset(seed=1)
    image = env.render()
    assert image.dtype == np.uint8 and image.ndim == 3 and image.std() > 5
    again, _ = env.reset(seed=1)
    assert data_equivalence(first, again, exact=True)


def test_seeds(env: Any) -> None:
    first, other = env.reset(seed=7), env.reset(seed=8)
    assert not np.array_equal(first[0], other[0])
    again = env.reset(seed=7)
    assert np.array_equal(first[0], again[0]) and data_equivalence(first[1], again[1])
    follow = [env.reset()[1]["instruction"], env.episode_idx]
    env.reset(seed=7)
    assert follow == [env.reset()[1]["instruction"], env.episode_idx]


@pytest.mark.parametrize(("split", "object_split"), [("train", 0), ("id", 2)])
def test_piles_and_names_of_a_split(split: str, object_split: int) -> None:
    env = make(split=split, object_split=object_split, min_objects=2, max_objects=3, absent_probability=0.5)
    lengths = set()
    catalog = paper_catalog().with_unseen(unseen_objects(object_split))
    for seed in range(8):
        _, info = env.reset(seed=seed)
        assert catalog.find(info["target_name"]).split == "id"
        assert {catalog.find(a["model_id"]).split for a in env.episode["actors"]} == {"id"}
        lengths.add(len(env.episode["actors"]))
    assert lengths <= {2, 3}


def test_real_scans(ycb_root: Path) -> None:
    env = gym.make("PickClutterLang/YCB-v0", objects_root=ycb_root).unwrapped
    _, info = env.reset(seed=0, options={"episode": tabletop(env.object_set, NAMES), "target": "banana"})
    assert info["target_present"] and info["target_visible"] and info["target_graspable"]
    assert env.reset(seed=0)[0] in env.observation_space


@pytest.mark.slow
def test_two_environments_side_by_side() -> None:
    spawn = {"context": "spawn"}
    envs = gym.make_vec(PROXY, num_envs=2, vectorization_mode="async", vector_kwargs=spawn, obs_mode="state")
    observations, info = envs.reset(seed=[1, 2])
    assert observations.shape[0] == 2 and not np.array_equal(*observations)
    single = make(obs_mode="state").reset(seed=2)
    assert np.array_equal(observations[1], single[0]) and info["instruction"][1] == single[1]["instruction"]
    envs.step(envs.action_space.sample())
    envs.close()


def test_a_forked_process_must_use_spawn() -> None:
    child = in_new_process(
        f"import gymnasium, os, sys, traceback; gymnasium.make('pickclutter_lang.envs:{PROXY}')\n"
        "if os.fork(): os.wait(); sys.exit()\n"
        f"try: gymnasium.make({PROXY!r})\n"
        "except Exception: traceback.print_exc()\n"
        "sys.stderr.flush(); os._exit(0)"
    )
    assert "RendererError" in child.stderr
