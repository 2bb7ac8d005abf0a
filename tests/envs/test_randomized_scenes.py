"""Stores whose camera and appearance are ranges: recorded, resumed, and read again with the true camera."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore, verify_store
from pickclutter_lang.envs.config import CollectConfig
from pickclutter_lang.envs.generation.collect import collect
from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig, read_settings, view_rng
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.policy.replay import scene_to_observation

pytest.importorskip("sapien", reason="needs the simulator: the `sim` extra")
pytestmark = [pytest.mark.sim, pytest.mark.slow]
CAMERA = HandCameraConfig(x=(-0.02, 0.02), pitch=(-6, 6), fov=(60, 95))
LOOK = AppearanceConfig(table="random", light_strength=(0.5, 1.5), shadows=True)


@pytest.fixture(scope="module")
def randomized(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("randomized") / "ood"
    config = CollectConfig(
        split="ood", scenes=6, seed=2, out=str(folder), image_size=64, shard_size=2, workers=2, camera=CAMERA,
        appearance=LOOK,
    )  # fmt: skip
    return config, collect(config).store


def test_the_manifest_says_what_was_drawn_from(randomized: Any) -> None:
    _, store = randomized
    settings = json.loads((store.path / "manifest.json").read_text())["settings"]
    assert settings["camera"] == {"x": [-0.02, 0.02], "pitch": [-6, 6], "fov": [60, 95]}
    assert settings["appearance"] == {"light_strength": [0.5, 1.5], "shadows": True, "table": "random"}
    assert "`appearance`" in (store.path / "card.md").read_text()
    for index in range(len(store)):
        rng = view_rng(2, "ood", index)
        drawn = read_settings(HandCameraConfig, settings["camera"]).draw(rng)
        focal = store.array("hand_intrinsic")[index, 1, 1]
        assert focal == pytest.approx(32 / np.tan(np.deg2rad(drawn.fov) / 2), rel=1e-4)


def test_a_resumed_collection_is_equal_for_any_number_of_workers(randomized: Any, tmp_path: Path) -> None:
    config, store = randomized
    again = replace(config, out=str(tmp_path / "again"), workers=1)
    collect(again)
    (tmp_path / "again" / "shards" / "00001.h5").unlink()
    done = collect(again)
    assert (done.made, done.kept) == (1, 2) and done.store.content_hash == store.content_hash
    assert verify_store(tmp_path / "again").content_hash == store.content_hash


def test_other_ranges_do_not_go_into_the_same_folder(randomized: Any) -> None:
    config, store = randomized
    for change, named in (
        ({"camera": HandCameraConfig()}, r"settings\.camera\.x is \[-0\.02, 0\.02\] there, None now"),
        ({"appearance": replace(LOOK, table=None)}, r"settings\.appearance\.table is 'random' there, None now"),
    ):
        with pytest.raises(MismatchError, match=named):
            collect(replace(config, **change))
    assert verify_store(store.path).content_hash == store.content_hash


def test_stored_scenes_are_replayed_with_their_own_camera(randomized: Any) -> None:
    _, store = randomized
    scenes = SceneDataset(SceneStore.open(store.path), SceneDataConfig(depth=True, crop_size=64, image_size=64))
    for index in range(len(scenes)):
        observation, row = scene_to_observation(scenes, index), store.scene(index)
        camera = observation["camera_param"]["hand_camera"]
        np.testing.assert_allclose(camera["intrinsic_cv"], row["hand_intrinsic"], rtol=1e-6)
        depth = observation["image"]["hand_camera"]["depth"][..., 0]
        cloud = unproject_depth(depth, camera["intrinsic_cv"], camera["cam2world_gl"])
        ids = row["hand_segmentation"][cloud.pixels[:, 0], cloud.pixels[:, 1]]
        assert np.abs(cloud.points[ids == 0, 2]).max() < 0.003  # the table, whose depth is rounded to millimeters
        for actor in np.flatnonzero(np.isfinite(row["rep_pts"]).all((1, 2))):
            nearest = np.linalg.norm(row["rep_pts"][actor][:, None] - cloud.points[ids == actor + 1], axis=2).min(1)
            assert nearest.max() < 0.003


def test_the_usual_camera_leaves_no_trace_in_a_store(randomized: Any, tmp_path: Path) -> None:
    config, store = randomized
    usual = replace(config, camera=HandCameraConfig(), appearance=AppearanceConfig(), out=str(tmp_path / "usual"))
    found = collect(replace(usual, scenes=2)).store
    assert not {"camera", "appearance"} & set(found.manifest.settings)
    assert set(store.manifest.fields) - set(found.manifest.fields) == {"hand_intrinsic", "hand_extrinsic"}
    np.testing.assert_array_equal(found.array("poses"), store.array("poses")[:2])
