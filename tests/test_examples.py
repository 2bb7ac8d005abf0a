"""The examples and the benchmark script run."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.forkserver import run_python
from helpers.paths import PROGRAM, ROOT

pytestmark = [pytest.mark.sim, pytest.mark.slow]
OPEN = np.array([0, 0, 0, 0, 0, 0, 1], np.float32)
CONFIG = """
server: {url: "ws://localhost:8000"}
benchmarks:
  - benchmark: examples.vla_eval_benchmark:PickClutterLangBenchmark
    episodes_per_task: 1
    params: {image_size: 48, max_episode_steps: 2}
"""


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])


@pytest.mark.usefixtures("examples")
def test_the_harness_runs_its_benchmark(tmp_path: Path) -> None:
    vla_eval = pytest.importorskip("vla_eval")
    from vla_eval.model_servers.predict import PredictModelServer
    from vla_eval.specs import GRIPPER_CLOSE_NEG, IMAGE_RGB, LANGUAGE, POSITION_DELTA, ROTATION_AA

    asked = []

    class Still(PredictModelServer):  # type: ignore[misc]
        def predict(self, obs: Any, ctx: Any) -> Any:
            asked.append(obs["task_description"])
            return {"actions": OPEN}

        def get_action_spec(self) -> Any:
            return {"position": POSITION_DELTA, "rotation": ROTATION_AA, "gripper": GRIPPER_CLOSE_NEG}

        def get_observation_spec(self) -> Any:
            return {"hand_camera": IMAGE_RGB, "language": LANGUAGE}

    (tmp_path / "config.yaml").write_text(CONFIG)
    (result,) = vla_eval.evaluate(Still(), tmp_path / "config.yaml", docker=False, output_dir=tmp_path / "results")
    assert result["mean_success"] == 0.0 and len({*asked}) == 2 and len(asked) >= 4


@pytest.mark.usefixtures("examples")
def test_an_episode_of_the_benchmark() -> None:
    pytest.importorskip("vla_eval")
    from examples.vla_eval_benchmark import SPLITS, PickClutterLangBenchmark

    benchmark = PickClutterLangBenchmark(image_size=48, max_episode_steps=3)

    async def start(task: dict[str, Any]) -> Any:
        await benchmark.start_episode({**task, "episode_idx": 1})
        return await benchmark.get_observation()

    for task in benchmark.get_tasks():
        seen = asyncio.run(start(task))
        env: Any = benchmark._env.unwrapped
        assert env.catalog.find(env.target_name).split == SPLITS[task["name"]] and env.target_visible
        assert env.target_name in seen["task_description"] and seen["state"].shape == (9,)
        assert {image.shape for image in seen["images"].values()} == {(48, 48, 3)}
    height = env.tcp.pose.p[2]
    done = [benchmark.step({"actions": np.array([0, 0, 0.5, 0, 0, 0, 1], np.float32)}).done for _ in range(3)]
    assert env.tcp.pose.p[2] < height - 0.02 and done == [False, False, True]  # the hand's z axis points down
    result = asyncio.run(benchmark.get_result())
    assert not (result["success"] or result["lifted"] or result["wrong_object"])
    benchmark.cleanup()


def test_the_picker_is_evaluated_and_recorded_as_the_scripted_one_is(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, (str(ROOT / "examples"), os.environ.get("PYTHONPATH"))))
    common = ("objects=proxy", "seed=1", "episodes=1", "workers=1", "n_videos=1", "camera_size=64")
    command = ("evaluate-policy", *common, "variants=[oracle]", "absent_probability=0", "out=picks")

    def call(*words: str) -> Any:
        return run_python([*PROGRAM, *words], tmp_path, {**os.environ, "PYTHONPATH": path})

    done = call(*command, "picker=top_grasp:TopGrasp")
    assert done.returncode == 0, done.stderr
    episode = json.loads((tmp_path / "picks" / "episodes.jsonl").read_text())
    assert episode["grasp_found"] and 0 < episode["steps"] < 200
    assert len([*(tmp_path / "picks" / "videos").glob("*.mp4")]) == 1
    other = call(*command)
    assert other.returncode == 2 and "top_grasp:TopGrasp" in other.stderr
    done = call("collect-demos", *common, "failures=true", "out=demos", "picker=top_grasp:TopGrasp")
    assert done.returncode == 0, done.stderr
    assert "top_grasp:TopGrasp" in (tmp_path / "demos" / "README.md").read_text()
    with h5py.File(tmp_path / "demos" / "trajectory.rgbd.pd_ee_delta_pose.h5") as file:
        found = {name: values[()] for name, values in file["traj_0/grasp_annotations"].items()}
        (tried,) = np.flatnonzero(found["outcome"] >= 0)
        approach = file["traj_0/obs/extra/tcp_pose"][:, :3] - found["pose"][tried, :3]
    assert np.linalg.norm(approach, axis=1).min() < 0.01  # the hand was there
    assert (found["actor"] == found["actor"][tried]).sum() == 1 and len({*found["actor"]}) > 1


def test_the_page_shows_the_picker_as_it_is() -> None:
    shown = (ROOT / "docs" / "how_to" / "extend.md").read_text().partition("# examples/top_grasp.py\n")[2]
    code = shown.partition("```")[0]
    assert code and (ROOT / "examples" / "top_grasp.py").read_text().endswith(code)


def test_the_benchmark_measures_a_row(tmp_path: Path) -> None:
    script = [str(ROOT / "scripts" / "bench.py"), "--only", "decision/segmentation", "--repeats", "2"]
    done = run_python(script, tmp_path)
    assert done.returncode == 0, done.stderr
    header, _, row = done.stdout.splitlines()
    assert header.startswith("| row |") and row.startswith("| decision/segmentation |")
