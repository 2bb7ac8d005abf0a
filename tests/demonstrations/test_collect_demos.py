"""Demonstrations of the real simulator: the command, the replay of what it wrote by its own tool, and the grasps."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import gymnasium
import h5py
import numpy as np
import pytest

from helpers.forkserver import run_python
from helpers.own_objects import MESHES, make_own_set, own_entry
from helpers.paths import PROGRAM
from helpers.process_kill import run_killed
from helpers.torture import only_torture
from pickclutter_lang.demonstrations.config import ExportLerobotConfig
from pickclutter_lang.demonstrations.lerobot import export_lerobot
from pickclutter_lang.demonstrations.trajectories import Demonstrations, license_of
from pickclutter_lang.envs.simulator import simulator
from pickclutter_lang.manipulation.gripper import rotation_matrix

pytest.importorskip("sapien")
from pickclutter_lang.demonstrations.recorder import LIFTED, MISSED, NOT_TRIED, PLACED

pytestmark = [pytest.mark.sim, pytest.mark.slow]
COMMAND = [*PROGRAM, "collect-demos"]
FILE = "trajectory.rgbd.pd_ee_delta_pose.h5"
SEED = 1
SETTINGS = ["objects=proxy", "camera_size=64", f"seed={SEED}", "failures=true"]


def call(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    return run_python([*COMMAND, *SETTINGS, *overrides], folder)


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes, the first of which fails."""
    root = tmp_path_factory.mktemp("demos")
    done = call(root, "episodes=2", "workers=2", "n_videos=0", "out=demos")
    assert done.returncode == 0, done.stderr
    return root / "demos"


def arrays_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


def episodes_of(demos: Path) -> Any:
    return json.loads((demos / FILE).with_suffix(".json").read_text())["episodes"]


def test_the_tool_of_the_simulator_replays_them_exactly(demos: Path, tmp_path: Path) -> None:
    for suffix in (".h5", ".json"):
        (tmp_path / FILE).with_suffix(suffix).write_bytes((demos / FILE).with_suffix(suffix).read_bytes())
    package = simulator().package
    tool = ["-m", f"{package}.trajectory.replay_trajectory", "--traj-path", str(tmp_path / FILE)]
    done = run_python([*tool, "--save-traj", "--allow-failure"])
    assert done.returncode == 0, done.stderr
    (replayed,) = (path for path in tmp_path.glob("*.h5") if path.name != FILE)
    ours = arrays_of(demos / FILE)
    theirs = arrays_of(replayed)
    assert {name for name in ours if "grasp_annotations" not in name} == set(theirs)
    for name, values in theirs.items():
        assert ours[name].dtype == values.dtype, name
        np.testing.assert_array_equal(ours[name], values, err_msg=name)  # images and states too
    assert [ours[f"traj_{n}/success"][-1] for n in range(2)] == [one["success"] for one in episodes_of(demos)]


def test_the_json_says_what_each_episode_is(demos: Path) -> None:
    with h5py.File(demos / FILE) as file:
        for number, episode in enumerate(episodes_of(demos)):
            group = file[f"traj_{number}"]
            assert episode["episode_id"] == number and episode["episode_seed"] == SEED + number
            assert episode["reset_kwargs"] == {"seed": SEED + number}
            assert episode["elapsed_steps"] == len(group["actions"]) == len(group["obs/agent/qpos"]) - 1
            assert episode["target"] in episode["instruction"] and episode["target"] in episode["objects"]
    with Demonstrations(demos).open() as opened:
        assert [one.images().shape[1:] for one in opened] == [(64, 64, 3)] * 2
    outcomes = [json.loads(line) for line in (demos / "episodes.jsonl").read_text().splitlines()]
    assert {one["seed"]: one["success"] for one in outcomes} == {
        one["episode_seed"]: one["success"] for one in episodes_of(demos)
    }
    assert {one["success"] for one in outcomes} == {True, False}
    assert (demos / "README.md").is_file()


def test_grasps_are_annotated_with_what_became_of_them(demos: Path) -> None:
    with h5py.File(demos / FILE) as file:
        for number, episode in enumerate(episodes_of(demos)):
            group = file[f"traj_{number}"]
            found = {name: values[()] for name, values in group["grasp_annotations"].items()}
            target = episode["objects"].index(episode["target"])
            outcome = found["outcome"]
            tried = np.flatnonzero(outcome != NOT_TRIED)
            assert set(outcome) <= {NOT_TRIED, MISSED, LIFTED, PLACED}
            assert (found["actor"][tried] == target).all() and list(found["decision"][tried]) == list(range(len(tried)))
            assert (PLACED in outcome) == episode["success"]
            assert len(set(found["actor"])) > 1  # of other objects too
            assert (found["width"] >= 0).all() and (found["width"] < 0.08).all()
            path = group["obs/extra/tcp_pose"][()]
            for row in tried:  # the arm was there
                distance = np.linalg.norm(path[:, :3] - found["pose"][row, :3], axis=1)
                closing = rotation_matrix(found["pose"][row, 3:])[:, 1]
                axis = rotation_matrix(path[distance.argmin(), 3:])[:, 1]
                assert distance.min() < 0.03
                assert abs(axis @ closing) > 0.9 or distance.min() > 0.015  # it was on its way when it gave up
            for actor, decision in {*zip(found["actor"], found["decision"], strict=True)}:
                rows = np.flatnonzero((found["actor"] == actor) & (found["decision"] == decision))
                assert (np.diff(found["cost"][rows]) >= 0).all()
                frames = [frame_of(found["pose"][row], found["pose_in_object"][row]) for row in rows]
                np.testing.assert_allclose(frames, np.tile(frames[0], (len(frames), 1, 1)), atol=1e-4)


def frame_of(pose: Any, within: Any) -> Any:
    """The matrix [4, 4] of the frame in which a pose is `within`."""
    matrices = []
    for one in (pose, within):
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation_matrix(one[3:]), one[:3]
        matrices.append(matrix)
    return matrices[0] @ np.linalg.inv(matrices[1])


@only_torture
def test_a_killed_collection_with_other_workers_ends_as_an_undisturbed_one(demos: Path, tmp_path: Path) -> None:
    common = [*SETTINGS, "n_videos=0", "out=demos"]
    place = "pickclutter_lang.demonstrations.collect_demos:merge"
    run_killed([*COMMAND, *common, "episodes=2", "workers=1"], place, 1, tmp_path)
    folder = tmp_path / "demos"
    parts = sorted((folder / "parts").iterdir())
    assert [path.name for path in parts] == [f"{SEED + n:010d}.h5" for n in range(2)] and not (folder / FILE).exists()
    parts[0].unlink()  # as if the disk had lost it
    with (folder / "episodes.jsonl").open("a") as log:
        log.write('{"variant": "ora')  # as if it had been killed while writing
    done = call(tmp_path, *common, "episodes=2", "workers=2")
    assert done.returncode == 0, done.stderr
    ours, theirs = arrays_of(folder / FILE), arrays_of(demos / FILE)
    assert {name.partition("/")[0] for name in ours} == {"traj_0", "traj_1"}
    assert all(np.array_equal(values, theirs[name], equal_nan=True) for name, values in ours.items())
    assert episodes_of(folder) == episodes_of(demos) and not (folder / "parts").exists()
    refused = call(tmp_path, *common, "episodes=3", "camera_size=32")
    assert refused.returncode == 2 and "camera_size" in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_ones_own_objects_and_camera_are_those_of_the_replay(tmp_path: Path) -> None:
    mine = make_own_set(tmp_path / "mine")
    own = [f"objects={mine}", "camera.fov=[60,80]", "camera.pitch=4", "appearance.table=tan", "episodes=1", "out=demos"]
    done = call(tmp_path, *own, "workers=1", "n_videos=1")
    assert done.returncode == 0, done.stderr
    assert len([*tmp_path.glob("demos/videos/*.mp4")]) == 1
    demos = Demonstrations(tmp_path / "demos")
    told = json.loads(demos.path.with_suffix(".json").read_text())["env_info"]
    env: Any = gymnasium.make(told["env_id"], **told["env_kwargs"])
    observation, _ = env.reset(seed=demos.records[0]["episode_seed"])
    with demos.open() as opened:
        stored = next(opened).images()
    shown = observation["image"] if "image" in observation else observation["sensor_data"]
    assert np.array_equal(np.squeeze(shown["hand_camera"]["rgb"]), stored[0])
    assert 60 < env.unwrapped.camera.fov < 80 and env.unwrapped.camera.pitch == 4
    env.close()
    assert demos.records[0]["target"] in {own_entry(model_id).name for model_id in MESHES}
    assert "catalog.yaml" in license_of(tmp_path / "demos")
    lerobot = export_lerobot(ExportLerobotConfig(str(tmp_path / "demos"), str(tmp_path / "lerobot"))).folder
    assert "license: other" in (lerobot / "README.md").read_text()
