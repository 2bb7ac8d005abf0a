"""Scenes that the simulator made: equal for any number of workers, sensible, and validated by picks."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.forkserver import PythonProcess
from helpers.paths import SCRIPTS
from helpers.process_kill import wait_until, worker_processes
from pickclutter_lang.envs.config import CollectConfig
from pickclutter_lang.envs.generation.collect import collect
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.objects.catalog import unseen_objects

pytest.importorskip("sapien", reason="needs the simulator: the `sim` extra")
pytestmark = [pytest.mark.sim, pytest.mark.slow]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Twelve small simulated scenes, made by two workers."""
    folder = tmp_path_factory.mktemp("simulated") / "ood"
    config = CollectConfig(
        split="ood",
        scenes=12,
        seed=3,
        out=str(folder),
        image_size=48,
        shard_size=3,
        workers=2,
        cameras=("hand", "base"),
    )
    return config, collect(config).store


def test_simulated_scenes_do_not_depend_on_the_workers(simulated: Any, tmp_path: Path) -> None:
    config, store = simulated
    other = collect(replace(config, out=str(tmp_path / "one"), workers=1)).store
    assert other.content_hash == store.content_hash
    whole = collect(replace(config, out=str(tmp_path / "big"), workers=1, shard_size=12)).store
    for name in store.manifest.fields:
        np.testing.assert_array_equal(whole.array(name), store.array(name), err_msg=name)


def test_simulated_scenes_make_sense(simulated: Any) -> None:
    _, store = simulated
    counts = store.labels("present").sum(1)
    assert counts.min() >= 4 and counts.max() <= 10
    assert store.labels("visible").sum() > 12
    for index in range(len(store)):
        scene = store.scene(index)
        used = scene["actors"] >= 0
        pixels = [(scene["hand_segmentation"] == instance_id + 1).sum() for instance_id in range(10)]
        np.testing.assert_array_equal(pixels, scene["pixels"])
        seen = used & scene["visible"][scene["actors"]]
        np.testing.assert_array_equal(np.isfinite(scene["rep_pts"]).all((1, 2)), seen)
        graspable = used & scene["graspable"][scene["actors"]]
        np.testing.assert_array_equal(np.isfinite(scene["grasp_poses"]).all(1), graspable)
        assert np.abs(scene["poses"][used][:, 0]).max() <= 0.2
        assert scene["base_depth"].max() > 300 and scene["hand_rgb"].std() > 5


@pytest.mark.parametrize(("split", "object_split"), [("train", 0), ("id", 0), ("id", 2)])
def test_seen_splits_hold_seen_objects_alone(tmp_path: Path, split: str, object_split: int) -> None:
    config = CollectConfig(split=split, scenes=8, out=str(tmp_path / split), image_size=32, workers=1, graspable=False)
    config = replace(config, object_split=object_split)
    store = collect(config).store
    assert store.object_split == object_split
    unseen = [n for n, model_id in enumerate(store.model_ids) if model_id in unseen_objects(object_split)]
    assert store.split_label_indices("ood") == unseen and not store.labels("present")[:, unseen].any()
    with pytest.raises(MismatchError, match=f"object_split is {object_split} there, 1 now; use the same"):
        collect(replace(config, object_split=1))


def test_unseen_objects_change_nothing_in_the_scenes_of_all_objects(simulated: Any, tmp_path: Path) -> None:
    config, store = simulated
    other = collect(replace(config, object_split=3, out=str(tmp_path / "other"))).store
    assert other.content_hash == store.content_hash and (store.object_split, other.object_split) == (0, 3)


def test_fewshot_and_ood_share_no_scene(simulated: Any, tmp_path: Path) -> None:
    config, ood = simulated
    fewshot = collect(replace(config, split="fewshot", out=str(tmp_path / "f"), scenes=12)).store
    assert not set(fewshot.scene_ids()) & set(ood.scene_ids())
    poses = {scene.tobytes() for scene in ood.array("poses")}
    assert not poses & {scene.tobytes() for scene in fewshot.array("poses")}
    assert fewshot.labels("present")[:, fewshot.split_label_indices("ood")].any()


def test_validating_grasps_survives_a_killed_worker(simulated: Any) -> None:
    _, store = simulated
    overrides = [f"store={store.path}", "instances=12", "workers=2"]
    process = PythonProcess([str(SCRIPTS / "validate_grasp_labels.py"), *overrides])
    wait_until(lambda: len(worker_processes(process.pid)) == 2, 120)
    os.kill(worker_processes(process.pid)[1], signal.SIGKILL)
    _, output = process.communicate(timeout=500)
    assert process.returncode == 0, output
    assert "ended unexpectedly" in output
    picks = json.loads((store.path / "grasp_check.json").read_text())["picks"]
    visible = store.labels("visible").sum(1)
    scenes = sorted({pick["scene"] for pick in picks})
    assert scenes == list(range(len(scenes))) and len(picks) == visible[: len(scenes)].sum() >= 12
