"""The environments on ManiSkill 3, in the simulator: the episodes of ManiSkill2, its conventions, and a pick."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from helpers.own_objects import make_own_set
from helpers.paths import PROGRAM
from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError

gym = pytest.importorskip("gymnasium")
pytest.importorskip("mani_skill", reason="needs the extra sim3")
from helpers.grasping import tabletop  # noqa: E402
from pickclutter_lang.envs.generation.collect import current_versions  # noqa: E402
from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig, view_rng  # noqa: E402
from pickclutter_lang.envs.registration import make_single  # noqa: E402
from pickclutter_lang.envs.renderer import sapien_names  # noqa: E402
from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation  # noqa: E402
from pickclutter_lang.evaluation.config import PolicyEvalConfig  # noqa: E402
from pickclutter_lang.evaluation.evaluate import evaluate_policy  # noqa: E402
from pickclutter_lang.manipulation.point_cloud import unproject_depth  # noqa: E402
from pickclutter_lang.manipulation.scripted_picker import ScriptedPicker  # noqa: E402
from pickclutter_lang.objects.object_sets import load_object_set  # noqa: E402
from pickclutter_lang.results.record import read_record  # noqa: E402

pytestmark = pytest.mark.sim
sapien_names()
from mani_skill.utils.wrappers import CPUGymWrapper  # noqa: E402

PROXY = "PickClutterLang/Proxy-v3"
# Of ManiSkill2's `PickClutterLang/Proxy-v0`, seed 1 of the pile below.
EPISODE: dict[str, Any] = {
    "instruction": "I need the mustard bottle",
    "qpos": [0.0325, -0.0122, -0.0106, -2.1159, 0.0173, 2.0484, 0.8203, 0.04, 0.04],
    "base_pose": [-0.544, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
    "goal_pos": [0.1134, -0.2363, 0.417],
    "obj_start_pos": [0.07, 0.07, 0.1915],
    "intrinsic": [[64.051, 0.0, 64.0], [0.0, 64.051, 64.0], [0.0, 0.0, 1.0]],
    "cam2world": [[-0.022, 0.998, 0.055, 0.034], [-1.0, -0.021, -0.014, 0.032], [-0.013, -0.056, 0.998, 0.376]],
}
NAMES = ["rubik's cube", "orange", "banana", "mustard bottle"]


@pytest.fixture(scope="module")
def env() -> Iterator[Any]:
    made = make_single(PROXY, enable_segmentation=True, base_camera=False, control_mode="pd_ee_delta_pose")
    yield made
    made.close()


def on_a_table(**options: Any) -> dict[str, Any]:
    return {"episode": tabletop(load_object_set("proxy"), NAMES), **options}


def test_a_seed_is_the_episode_of_maniskill2(env: Any) -> None:
    """Instruction, goal, start and arm are those that `PickClutterLang/Proxy-v0` has for the seed."""
    observation, info = env.reset(seed=1, options=on_a_table())
    assert info["instruction"] == EPISODE["instruction"] and info["target_name"] == "mustard bottle"
    assert info["target_present"] and info["target_visible"] and info["target_graspable"]
    for key, group in (("qpos", "agent"), ("base_pose", "agent"), ("goal_pos", "extra"), ("obj_start_pos", "extra")):
        np.testing.assert_allclose(observation[group][key], EPISODE[key], atol=2e-4, err_msg=key)


def test_the_hand_camera_is_that_of_maniskill2(env: Any) -> None:
    observation, _ = env.reset(seed=1, options=on_a_table())
    camera = observation["sensor_param"]["hand_camera"]
    np.testing.assert_allclose(camera["intrinsic_cv"], EPISODE["intrinsic"], atol=1e-2)
    np.testing.assert_allclose(camera["cam2world_gl"][:3], EPISODE["cam2world"], atol=2e-3)


def test_a_pick_succeeds(env: Any) -> None:
    """The arm, told where the target is, brings it to the goal through the observations of policies."""
    flat = FlatObservation(DeclareAbsence(env), mask=True)
    picker = ScriptedPicker(lambda observation: observation["mask"] > 0)
    observation, info = flat.reset(seed=1, options=on_a_table(target="orange"))
    assert flat.observation_space.contains(observation) and observation["mask"].any()
    over = False
    rewards = []
    while not over:
        observation, reward, terminated, truncated, info = flat.step(np.append(picker.act(observation), -1.0))
        rewards.append(float(reward))
        over = terminated or truncated
    assert info["success"] and info["is_success"] and rewards[-1] == 1.0 and 0 < rewards[0] < 0.2
    assert env.unwrapped.picked_objects() == ["orange"]


@pytest.mark.parametrize(("target", "success"), [("lemon", True), ("banana", False)])
def test_declaring_absence_ends_an_episode(env: Any, target: str, success: bool) -> None:
    declaring = DeclareAbsence(env)
    _, info = declaring.reset(seed=0, options=on_a_table(target=target, template="take the {name}"))
    assert info["instruction"] == f"take the {target}" and info["target_present"] is not success
    *_, reward, terminated, _, info = declaring.step(np.append(np.zeros(7), 1.0).astype(np.float32))
    assert terminated and info["success"] is success and reward == float(success)
    assert info["false_absence"] == int(not success)


def test_camera_and_looks_are_those_of_the_scene() -> None:
    """Dropped pile k has the draws of scene k; the matrices put the depth onto the table, which has its color."""
    camera = {"x": [0.01, 0.02], "roll": [10, 30], "fov": [70, 95]}
    look = {"table": "#e02020", "background": "#4080ff"}
    view: dict[str, Any] = {"camera": camera, "appearance": look | {"light_strength": [0.9, 1.1]}, "pile_seed": 4}
    env = make_single(PROXY, enable_segmentation=True, **view)
    observation, _ = env.reset(seed=0, options={"episode": 7})
    found: Any = env.unwrapped
    drawn = HandCameraConfig(**camera).draw(rng := view_rng(4, "ood", 7))
    assert found.camera == drawn and found.appearance == AppearanceConfig(**view["appearance"]).draw(rng)
    matrices, images = observation["sensor_param"]["hand_camera"], observation["sensor_data"]["hand_camera"]
    assert matrices["intrinsic_cv"][1, 1] == pytest.approx(64 / np.tan(np.deg2rad(drawn.fov) / 2), rel=1e-4)
    cloud = unproject_depth(images["depth"][..., 0] / 1000, matrices["intrinsic_cv"], matrices["cam2world_gl"])
    actors = {actor.name: int(actor.per_scene_id[0]) for actor in found.scene.actors.values()}
    table = images["segmentation"][..., 0] == actors["table"]
    on_table = table[cloud.pixels[:, 0], cloud.pixels[:, 1]]
    assert on_table.sum() > 1000 and np.abs(cloud.points[on_table, 2]).max() < 2e-3
    assert np.abs(np.median(images["rgb"][table], axis=0) - (0xE0, 0x20, 0x20)).max() < 30
    base = observation["sensor_data"]["base_camera"]
    assert (base["rgb"][base["depth"][..., 0] == 0] == (0x40, 0x80, 0xFF)).all()
    env.close()


def test_noise_depends_on_seed_and_step_alone(env: Any) -> None:
    clean = env.reset(seed=1, options=on_a_table())[0]["sensor_data"]["hand_camera"]
    noisy = make_single(PROXY, base_camera=False, camera={"image_noise": 8, "depth_noise": 0.02, "depth_dropout": 1.0})
    first = noisy.reset(seed=1, options=on_a_table())[0]["sensor_data"]["hand_camera"]
    later = noisy.step(np.zeros(noisy.action_space.shape or (), np.float32))[0]["sensor_data"]["hand_camera"]
    again = noisy.reset(seed=1, options=on_a_table())[0]["sensor_data"]["hand_camera"]
    noisy.close()
    for key in ("rgb", "depth"):
        np.testing.assert_array_equal(first[key], again[key])
        assert first[key].dtype == clean[key].dtype and not np.array_equal(first[key], later[key])
    far = (first["depth"] > 350) & (clean["depth"] > 350)
    error = (first["depth"].astype(float) - clean["depth"])[far] / clean["depth"][far].astype(float) ** 2
    assert 1000 * error.std() == pytest.approx(0.02, rel=0.1) and 0.005 < (first["depth"] == 0).mean() < 0.3
    gray = (clean["rgb"] > 30) & (clean["rgb"] < 225)
    assert (first["rgb"].astype(float) - clean["rgb"])[gray].std() == pytest.approx(8, rel=0.05)


def test_its_own_conventions_are_kept(tmp_path: Path) -> None:
    """Tensors with a row for each sub-scene; objects of a folder; every pile another one; seeds repeat."""
    folder = make_own_set(tmp_path)
    env = gym.make("PickClutterLang/Own-v3", objects=str(folder), obs_mode="state", sim_backend="physx_cpu")
    first, info = env.reset(seed=3)
    ids = [actor["model_id"] for actor in env.unwrapped.episode["actors"]]
    assert first.shape[0] == info["success"].shape[0] == len(info["instruction"]) == env.unwrapped.num_envs == 1
    env.reset(seed=4)
    again, _ = env.reset(seed=3)
    assert ids == [actor["model_id"] for actor in env.unwrapped.episode["actors"]]
    np.testing.assert_allclose(first.numpy(), again.numpy(), atol=1e-5)
    assert "PickClutterLang/Own-v3" in __import__("mani_skill.utils.registration", fromlist=["x"]).REGISTERED_ENVS
    env.close()


def test_processes_have_piles_and_instructions_of_their_own() -> None:
    made = gymnasium.make_vec(
        PROXY,
        num_envs=2,
        vectorization_mode="async",
        vector_kwargs={"context": "spawn"},
        wrappers=[CPUGymWrapper],
        obs_mode="state_dict",
    )
    observation, info = made.reset(seed=1)
    assert observation["extra"]["goal_pos"].shape == (2, 3) and len(set(info["instruction"].tolist())) == 2
    _, rewards, *_ = made.step(made.action_space.sample())
    assert rewards.shape == (2,)
    made.close()


def test_policies_are_evaluated(tmp_path: Path) -> None:
    """By the command's function, in a worker; the record names the simulator."""
    out = tmp_path / "out"
    given: dict[str, Any] = {"policy": "open", "objects": "proxy", "episodes": 1, "workers": 1}
    settings = PolicyEvalConfig(**given, variants=["oracle", "zero_shot"], n_videos=1, seed=1, out=str(out))
    record = read_record(evaluate_policy(settings).folder)
    assert list(record["metrics"]) == ["oracle", "zero_shot"] and record["data"]["piles"]["simulator"] == "maniskill3"
    assert list(out.glob("videos/*.mp4"))


def test_a_store_records_the_simulator() -> None:
    assert current_versions()["mani_skill"].startswith("3.") and "mani_skill2" not in current_versions()


def test_a_command_that_wants_maniskill2_says_so(tmp_path: Path) -> None:
    words = [sys.executable, *PROGRAM, "collect-demos", "simulator=maniskill2", "out=demos"]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "expected ManiSkill2" in ended.stderr and not list(tmp_path.iterdir())


def test_what_is_wrong_is_named(env: Any) -> None:
    with pytest.raises(UnknownObjectError):
        env.reset(options={"target": "lemmon"})
    with pytest.raises(InvalidArgumentError, match="CPUGymWrapper"):
        FlatObservation(env.env)
    with pytest.raises(InvalidArgumentError, match="num_envs"):
        gymnasium.make(PROXY, num_envs=2)
    with pytest.raises(InvalidArgumentError, match="fov"):
        make_single(PROXY, camera={"fov": 200})
    with pytest.raises(InvalidArgumentError, match="reset_to_env_states"):
        env.reset(options={"reset_to_env_states": {"env_states": {}}})
