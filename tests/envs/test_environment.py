"""PickClutter with language: what it keeps of mani_skill2's environment and what it adds."""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

from helpers.environments import KINDS, NAMES, PROXY, SETTINGS, gym, in_new_process, make
from helpers.grasping import tabletop
from pickclutter_lang.envs.generation.pile_sampling import PileConfig
from pickclutter_lang.envs.maniskill_env import OBS_MODES
from pickclutter_lang.envs.wrappers import FlatObservation
from pickclutter_lang.errors import (
    RendererError,
)
from pickclutter_lang.objects.catalog import paper_catalog

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


@pytest.mark.parametrize("reward_mode", ["normalized_dense", "dense", "sparse"])
def test_reward_modes(reward_mode: str) -> None:
    env = make(reward_mode=reward_mode, obs_mode="none")
    env.reset(seed=0)
    reward = env.step(env.action_space.sample())[1]
    assert type(reward) is float
    assert 0 <= reward <= {"dense": 10, "normalized_dense": 1, "sparse": 1}[reward_mode]


def test_control_modes(env: Any) -> None:
    for mode in env.agent.supported_control_modes:
        controlled = make(control_mode=mode, obs_mode="state")
        controlled.reset(seed=0)
        observation, *_ = controlled.step(controlled.action_space.sample())
        assert controlled.control_mode == mode
        assert observation in controlled.observation_space, mode


@pytest.mark.parametrize("obs_mode", [mode for mode in OBS_MODES if mode != "none"])
def test_gymnasium_checks_it_without_a_warning(obs_mode: str) -> None:
    quick = obs_mode not in ("state", "rgbd")
    env = make(KINDS if obs_mode == "rgbd_robot_seg" else PROXY, obs_mode=obs_mode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=quick, skip_close_check=quick)
    assert env.obs_mode == obs_mode


@pytest.mark.parametrize(
    ("obs_mode", "wrap"), [("state", None), ("rgbd", FlatObservation), ("rgbd_robot_seg", FlatObservation)]
)
def test_stable_baselines3_checks_it(obs_mode: str, wrap: Any) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="needs the rl extra")
    env = gym.make(PROXY, obs_mode=obs_mode)
    env = wrap(env) if wrap else env
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*unconventional shape.*")  # depth and matrices
        checker.check_env(env)


@pytest.mark.parametrize("obs_mode", ["rgbd", "pointcloud"])
def test_without_the_base_camera_the_hand_sees_the_same(obs_mode: str) -> None:
    both, alone = make(obs_mode=obs_mode), make(obs_mode=obs_mode, base_camera=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(alone, skip_render_check=True, skip_close_check=True)
    seen, seen_alone = both.reset(seed=4)[0], alone.reset(seed=4)[0]
    if obs_mode == "rgbd":
        assert list(seen_alone["image"]) == list(seen_alone["camera_param"]) == ["hand_camera"]
        assert data_equivalence(seen_alone["image"]["hand_camera"], seen["image"]["hand_camera"])
    else:
        points, all_points = (shown["pointcloud"]["xyzw"].tolist() for shown in (seen_alone, seen))
        assert len(points) == len(all_points) / 2 and all(point in all_points for point in points[::97])


@pytest.mark.parametrize("mode", ["rgb_array", "cameras"])
def test_rendering_shows_the_pile_and_leaves_observations_alone(mode: str) -> None:
    env = make(obs_mode="rgbd", render_mode=mode)
    first, _ = env.reset(seed=1)
    image = env.render()
    assert image.dtype == np.uint8 and image.ndim == 3 and image.std() > 5
    again, _ = env.reset(seed=1)
    assert data_equivalence(first, again, exact=True)


def test_the_viewer_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(RendererError, match="no display"):
        make(render_mode="human")


FINGERPRINT = """
import gymnasium, hashlib, pickle, sys
import pickclutter_lang.envs
env = gymnasium.make({env_id!r}, obs_mode="rgbd", **{settings})
if {warm}: env.reset(seed=99)
observation, info = env.reset(seed=3)
env.action_space.seed(0)
step = env.step(env.action_space.sample())
print(hashlib.sha256(pickle.dumps((observation, info, step))).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.parametrize("env_id", [PROXY, KINDS])
def test_equal_seeds_are_equal_across_processes_and_whatever_came_before(env_id: str) -> None:
    code = partial(FINGERPRINT.format, env_id=env_id, settings=SETTINGS[env_id])
    printed = {in_new_process(code(warm=warm)).stdout for warm in (0, 1)}
    assert len(printed) == 1 and len(printed.pop().strip()) == 64


@pytest.mark.parametrize("env_id", [PROXY, KINDS])
def test_seeds(env_id: str) -> None:
    env = make(env_id, obs_mode="state")
    first = env.reset(seed=7)
    other = env.reset(seed=8)
    assert not np.array_equal(first[0], other[0])
    again = env.reset(seed=7)
    assert np.array_equal(first[0], again[0]) and data_equivalence(first[1], again[1])
    follow = [env.reset()[1]["instruction"], env.episode_idx]
    env.reset(seed=7)
    assert follow == [env.reset()[1]["instruction"], env.episode_idx]


@pytest.mark.parametrize("env_id", [PROXY, KINDS])
def test_dropped_piles_are_the_scenes_of_the_store(env_id: str) -> None:
    env = make(env_id, obs_mode="state")
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

    maker = SceneGenerator(env.object_set, PileConfig())
    for index in range(3):
        row = maker.generate(0, "ood", index)
        present = [env.catalog[c].name for c in row["actors"] if c >= 0]
        _, info = env.reset(seed=0, options={"episode": index, "target": present[0]})
        ids = [actor["model_id"] for actor in env.episode["actors"]]
        assert [env.object_set.model(model_id).name for model_id in ids] == present
        assert [env.object_set.seed_of(model_id) for model_id in ids] == seeds_of(row)[: len(present)]
        column = env.catalog.index(present[0])
        assert (info["target_visible"], info["target_graspable"]) == (row["visible"][column], row["graspable"][column])


def seeds_of(row: dict[str, Any]) -> list[int]:
    return [int(seed) for seed in row.get("instances", [-1] * 10)]


@pytest.mark.parametrize(("split", "object_split"), [("train", 0), ("id", 2)])
def test_piles_and_names_of_a_split(split: str, object_split: int) -> None:
    env = make(split=split, object_split=object_split, min_objects=2, max_objects=3, absent_probability=0.5)
    lengths, catalog = set(), paper_catalog(object_split)
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


def test_episode_files_may_hold_objects_outside_the_26(ycb_root: Path, tmp_path: Path) -> None:
    from pickclutter_lang.objects.object_sets import load_object_set

    others = load_object_set("ycb", ycb_root, ["065-a_cups", "065-b_cups"])
    path = tmp_path / "cups.json"
    path.write_text(json.dumps([tabletop(others, ["cups a", "cups b"])]))
    env = gym.make("PickClutterLang/YCB-v0", objects_root=ycb_root, episode_json=path, absent_probability=0)
    names = {env.reset(seed=seed)[1]["target_name"] for seed in range(8)}
    assert names == {"cups a", "cups b"}


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
    assert "RendererError" in child.stderr and "'spawn'" in child.stderr
