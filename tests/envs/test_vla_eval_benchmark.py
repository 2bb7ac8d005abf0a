"""The benchmark for vla-evaluation-harness: its contract, and a whole run of the harness with a model on loopback."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.paths import ROOT

pytest.importorskip("sapien", reason="needs the sim extra")
pytest.importorskip("vla_eval", reason="needs constraints/vla_eval.txt, which scripts/setup.sh installs")

from pickclutter_lang.envs.vla_eval_benchmark import PickClutterLangBenchmark
from pickclutter_lang.errors import InvalidArgumentError

pytestmark = [pytest.mark.sim, pytest.mark.slow]
IMAGE = 48
OPEN = np.array([0, 0, 0, 0, 0, 0, 1], np.float32)


@pytest.fixture(scope="module")
def benchmark() -> Iterator[PickClutterLangBenchmark]:
    made = PickClutterLangBenchmark(image_size=IMAGE, max_episode_steps=3)
    yield made
    made.cleanup()


def start(benchmark: PickClutterLangBenchmark, task: dict[str, Any], episode: int) -> Any:
    """Start an episode as the harness does, and return its first observation."""

    async def begin() -> Any:
        await benchmark.start_episode({**task, "episode_idx": episode})
        return await benchmark.get_observation()

    return asyncio.run(begin())


def test_tasks_ask_for_visible_targets_of_their_kind(benchmark: PickClutterLangBenchmark) -> None:
    for task, split in zip(benchmark.get_tasks(), ("id", "ood"), strict=True):
        names = set()
        for episode in range(3):
            seen = start(benchmark, task, episode)
            env: Any = benchmark._environment().unwrapped
            assert env.catalog.find(env.target_name).split == split and env.target_visible
            assert env.target_name in seen["task_description"]
            names.add(env.target_name)
        assert len(names) > 1


def test_observations_are_those_of_the_specification(benchmark: PickClutterLangBenchmark) -> None:
    seen, again, other = (start(benchmark, benchmark.get_tasks()[0], episode) for episode in (0, 0, 1))
    assert list(seen["images"]) == ["hand_camera", "base_camera"]
    assert {image.shape for image in seen["images"].values()} == {(IMAGE, IMAGE, 3)}
    assert seen["state"].shape == (9,) and seen["goal_position"].shape == (3,)
    assert np.array_equal(seen["images"]["hand_camera"], again["images"]["hand_camera"])
    assert not np.array_equal(seen["images"]["hand_camera"], other["images"]["hand_camera"])


def test_one_camera_alone_is_rendered_alone() -> None:
    alone = PickClutterLangBenchmark(image_size=IMAGE, cameras=["hand_camera"])
    try:
        seen = start(alone, alone.get_tasks()[0], 0)
        assert list(seen["images"]) == ["hand_camera"] == list(alone._environment().observation_space["image"])  # type: ignore[index]
        assert {*alone.get_observation_spec()} == {"hand_camera", "language", "state", "goal_position"}
    finally:
        alone.cleanup()


def test_an_action_moves_the_hand_and_the_episode_ends(benchmark: PickClutterLangBenchmark) -> None:
    start(benchmark, benchmark.get_tasks()[0], 0)
    env: Any = benchmark._environment().unwrapped
    height = env.tcp.pose.p[2]
    done = [benchmark.step({"actions": np.array([0, 0, 0.5, 0, 0, 0, 1], np.float32)}).done for _ in range(3)]
    assert env.tcp.pose.p[2] < height - 0.02  # the z axis of the hand points down
    assert done == [False, False, True]
    result = asyncio.run(benchmark.get_result())
    assert result["success"] is False and result["lifted"] is False and result["wrong_object"] is False
    env.picked_objects = lambda: [env.target_name]  # as if the hand held it, and later nothing
    benchmark.step({"actions": OPEN})
    del env.picked_objects
    benchmark.step({"actions": OPEN})
    result = asyncio.run(benchmark.get_result())
    assert (result["success"], result["lifted"], result["wrong_object"]) == (False, True, False)
    for wrong in (OPEN[:6], np.full(7, np.nan)):
        with pytest.raises(InvalidArgumentError, match="expected an action of 7 finite numbers"):
            benchmark.step({"actions": wrong})


def test_the_image_has_what_the_set_up_installs() -> None:
    recipe, setup = ((ROOT / name).read_text() for name in ("docker/vla_eval.Dockerfile", "scripts/setup.sh"))
    installed = set(re.findall(r"\|\| echo ([a-z0-9.-]+)$", setup, re.MULTILINE))
    assert {"libvulkan1", "mesa-vulkan-drivers"} < installed
    assert installed == set(re.findall(r"\b(?:lib|mesa)[a-z0-9.-]+", recipe.partition("rm -rf")[0]))
    step = "docker/install_vla_eval.sh"  # scripts/check_wheel.sh runs it
    assert step in recipe and step in (ROOT / "scripts/check_wheel.sh").read_text()
    assert "constraints/vla_eval.txt" in setup and "constraints/vla_eval.txt" in (ROOT / step).read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": ["absent"]}, "expected tasks to be one of seen, unseen, but got 'absent'"),
        ({"cameras": ["wrist"]}, "expected cameras to be one of hand_camera, base_camera"),
        ({"objects": "toys"}, "expected objects to be one of"),
        ({"max_episode_steps": 0}, "expected max_episode_steps"),
        ({"base_camera": False}, "expected cameras instead of base_camera"),
        ({"camera_cfgs": {}}, "expected image_size instead of camera_cfgs"),
    ],
)
def test_wrong_settings_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        PickClutterLangBenchmark(**arguments)


def test_the_harness_runs_it(tmp_path: Path) -> None:
    import vla_eval
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

    page = (ROOT / "docs/how_to/vla_eval.md").read_text()
    config = tmp_path / "config.yaml"
    config.write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    small = {"episodes_per_task": 1, "params": {"image_size": IMAGE, "max_episode_steps": 2}}
    results = vla_eval.evaluate(
        Still(), config, docker=False, output_dir=tmp_path / "results", benchmark_overrides=small
    )
    (result,) = results
    assert result["mean_success"] == 0.0, json.dumps(result, default=str)
    assert len({*asked}) == 2 and len(asked) >= 4
