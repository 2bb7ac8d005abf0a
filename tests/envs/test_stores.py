"""Collected stores of each kind of objects: equal whatever was made before, true to physics, and played by episodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from helpers.environments import KINDS, OWN, PROXY, gym
from helpers.own_objects import LICENSE, MESHES, UNSEEN, make_own_set, own_entry
from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore, verify_store
from pickclutter_lang.datasets.scenes.episodes import read_episodes
from pickclutter_lang.envs.config import CollectConfig, GraspValidationConfig
from pickclutter_lang.envs.generation.collect import collect
from pickclutter_lang.envs.grasp_validation import validate_grasp_labels
from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig, view_rng
from pickclutter_lang.errors import InvalidArgumentError, MismatchError, UnknownObjectError
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.objects.catalog_file import CATALOG_FILE
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import TeacherData
from pickclutter_lang.teacher_training.render_batches import SceneImages, scene_objects

pytestmark = [pytest.mark.sim, pytest.mark.slow]
SCENES = 4
DRAWN = ("mug", "soda can", "toy car", "teapot")
CAMERA = HandCameraConfig(x=(-0.02, 0.02), pitch=(-6, 6), fov=(60, 95))
APPEARANCE = AppearanceConfig(table="random", light_strength=(0.5, 1.5), shadows=True)
SETTINGS: dict[str, dict[str, Any]] = {
    "proxy": {"cameras": ("hand", "base")},
    "kinds": {
        "objects": "kinds",
        "kinds": ("apple", "banana", "mug", "soda can", "toy car", "fork"),
        "instances": 3,
        "object_split": 1,
    },
    "distractors": {"kinds": DRAWN, "instances": 2, "distractors": 0.5},
    "own": {},
    "randomized": {"camera": CAMERA, "appearance": APPEARANCE, "image_size": 64},
}
OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "proxy": ({"visible_share": 0.5}, r"settings\.visible_share"),
    "kinds": ({"kinds": SETTINGS["kinds"]["kinds"][:-1]}, "objects"),
    "distractors": ({"kinds": DRAWN[:-1]}, r"settings\.distractor_kinds\.teapot"),
    "own": ({"object_split": 7}, "object_split"),
    "randomized": ({"camera": HandCameraConfig()}, r"settings\.camera\.x"),
}


class Collection(NamedTuple):
    config: CollectConfig
    store: SceneStore

    def collect(self, out: Path, **changes: Any) -> SceneStore:
        return collect(replace(self.config, out=str(out), workers=1, **changes)).store

    def environment(self, **arguments: Any) -> Any:
        """Return an environment of the objects of the store, which drops its piles unless a file has them."""
        config = self.config
        env_id = {"proxy": PROXY, "kinds": KINDS}.get(str(self.config.objects), OWN)
        given = {"kinds": config.kinds, "instances": config.instances, "distractors": config.distractors}
        given |= {"objects": config.objects} if env_id == OWN else {}
        camera = {"camera": config.camera, "appearance": config.appearance}
        given |= {"object_split": config.object_split, "pile_seed": config.seed, "obs_mode": "state"} | camera
        return gym.make(env_id, **given | arguments).unwrapped


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_own_set(tmp_path_factory.mktemp("own") / "mine")


@pytest.fixture(scope="module")
def collected(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Collection]:
    """Collect each store once, two of them by two workers."""

    @cache
    def get(name: str) -> Collection:
        out = tmp_path_factory.mktemp(name) / "ood"
        given = {"image_size": 48, **SETTINGS[name], **({"objects": str(mine)} if name == "own" else {})}
        workers = 2 if name in ("proxy", "kinds") else 1
        config = CollectConfig(split="ood", scenes=SCENES, seed=3, out=str(out), shard_size=2, workers=workers, **given)
        return Collection(config, collect(config).store)

    return get


@pytest.fixture(params=SETTINGS)
def collection(request: pytest.FixtureRequest, collected: Callable[[str], Collection]) -> Collection:
    return collected(request.param)


def test_content_depends_on_settings_alone(collection: Collection, tmp_path: Path) -> None:
    store = collection.store
    verify_store(store.path)
    other = collection.collect(tmp_path / "other", shard_size=SCENES)  # one worker, after what this process made
    for name in store.manifest.fields:
        np.testing.assert_array_equal(other.array(name), store.array(name), err_msg=name)
    (store.path / "shards" / "00001.h5").unlink()
    (store.path / CATALOG_FILE).unlink(missing_ok=True)
    again = collect(collection.config)
    assert (again.made, again.kept, again.store.content_hash) == (1, 1, store.content_hash)


def test_other_settings_do_not_go_together(collection: Collection, request: pytest.FixtureRequest) -> None:
    changes, key = OTHERS[request.node.callspec.params["collection"]]
    with pytest.raises(MismatchError, match=key):
        collect(replace(collection.config, **changes))


def test_scenes_agree_with_themselves(collection: Collection) -> None:
    store = collection.store
    labels = len(collection.store.label_names)
    seeds = store.array("instances") if "instances" in store.manifest.fields else None
    for index in range(SCENES):
        scene = store.scene(index)
        actors = scene["actors"][scene["actors"] >= 0]
        labeled = actors < labels
        assert {*np.flatnonzero(scene["present"])} == {*actors[labeled].tolist()} and labeled.sum() >= 2
        np.testing.assert_array_equal(
            scene["pixels"], [(scene["hand_segmentation"] == number + 1).sum() for number in range(10)]
        )
        for number, actor in enumerate(actors):
            named = bool(labeled[number])
            assert np.isfinite(scene["grasp_poses"][number]).all() == (named and scene["graspable"][actor])
            assert not named or np.isfinite(scene["rep_pts"][number]).all() == scene["visible"][actor]
            if seeds is not None and (named == store.manifest.has_instances):
                assert MAX_INSTANCES <= seeds[index, number] < MAX_INSTANCES + collection.config.instances
        poses = scene["poses"][: len(actors)]
        assert (np.abs(poses[:, :2]) <= (0.2, 0.25)).all() and (poses[:, 2] > 0).all() and (poses[:, 2] < 0.4).all()
        assert scene["hand_rgb"].std() > 5 and scene["hand_depth"].max() > 300


def test_the_environment_drops_and_reads_the_piles_of_the_store(collection: Collection) -> None:
    store = collection.store
    path = store.path / "episodes.json.gz"
    dropped = collection.environment()
    filed = collection.environment(episode_json=path, absent_probability=0)
    assert dropped.catalog.names == filed.catalog.names == store.label_names
    for index, episode in enumerate(read_episodes(path)):
        scene = store.scene(index)
        used = scene["actors"] >= 0
        ids = [store.manifest.actor_ids[actor] for actor in scene["actors"][used]]
        made = scene["instances"][used] if "instances" in scene else np.full(used.sum(), -1)
        expected = [f"{i}-{seed}" if seed >= 0 else i for i, seed in zip(ids, made, strict=True)]
        for env in (dropped, filed):
            _, info = env.reset(seed=index, options={"episode": index})
            assert [actor.name for actor in env.objs] == expected == [actor["model_id"] for actor in episode["actors"]]
            present = {store.label_names[n] for n in np.flatnonzero(scene["present"])}
            assert info["target_present"] == (info["target_name"] in present)
            assert info["target_name"] in store.label_names and info["target_name"] in info["instruction"]
            column = store.label_names.index(info["target_name"])
            if env is dropped:
                found = (info["target_visible"], info["target_graspable"])
                assert found == (scene["visible"][column], scene["graspable"][column])
        assert info["target_present"]


def test_executed_picks_validate_the_label(collected: Callable[[str], Collection]) -> None:
    config, store = collected("own")
    result = validate_grasp_labels(GraspValidationConfig(str(store.path), None, 1, 1, config.objects))
    assert result["instances"] >= 1 and result["picked"] > 0
    with pytest.raises(InvalidArgumentError, match="objects"):
        validate_grasp_labels(GraspValidationConfig(str(store.path), None, 3, 1, None))


@pytest.mark.parametrize("name", ["kinds", "distractors"])
def test_scenes_to_learn_from_are_others(name: str, collected: Callable[[str], Collection], tmp_path: Path) -> None:
    collection = collected(name)
    train = collection.collect(tmp_path / "train", split="train", graspable=False)
    assert not train.array("present")[:, train.split_label_indices("ood")].any()
    assert not {*train.scene_ids()} & {*collection.store.scene_ids()}
    seeds = train.array("instances")[train.array("instances") >= 0]
    assert len(seeds) and seeds.max() < collection.config.instances
    if name == "distractors":
        named = {item.name for item in SceneImages.load([train]).named}
        assert named & {*DRAWN} and named <= {*DRAWN, *train.label_names}
        with pytest.raises(InvalidArgumentError):
            TeacherData.open(TeacherTrainConfig("out", scenes=[str(collection.store.path)]))  # it is for evaluation
    else:
        few = collection.collect(tmp_path / "fewshot", split="fewshot", graspable=False)
        assert few.array("present")[:, few.split_label_indices("ood")].any()
        assert not {pose.tobytes() for pose in few.array("poses")} & {
            pose.tobytes() for pose in collection.store.array("poses")
        }


def test_distractors_have_no_label_and_no_instruction(collected: Callable[[str], Collection]) -> None:
    collection = collected("distractors")
    store = collection.store
    env = collection.environment(absent_probability=0.5)
    assert {*store.manifest.distractor_kinds.values()} == {*DRAWN} and len(store.label_names) == 26
    assert (store.array("pixels")[store.array("actors") >= 26] > 0).any()
    with pytest.raises(UnknownObjectError, match="teapot"):
        env.reset(options={"target": "teapot"})
    episode = read_episodes(store.path / "episodes.json.gz")[0]
    others = {"actors": [actor for actor in episode["actors"] if "-" in actor["model_id"]]}
    _, info = env.reset(seed=0, options={"episode": others})
    assert not info["target_present"] and info["target_name"] in store.label_names


def test_the_catalog_of_own_objects_goes_with_them(
    collected: Callable[[str], Collection], mine: Path, tmp_path: Path
) -> None:
    config, store = collected("own")
    assert store.own_catalog == tuple(own_entry(model_id) for model_id in MESHES)
    assert [store.model_ids[n] for n in store.split_label_indices("ood")] == list(UNSEEN)
    assert LICENSE in (store.path / "README.md").read_text()
    assert store.array("present").sum(1).max() <= 9  # of ten one is left out, so that one is absent
    assert {item.name for row in scene_objects(store, {}) for item in row} <= {*store.label_names}
    few = make_own_set(tmp_path / "few", ["tea_mug", "alarm", "bath_duck"])
    small = replace(config, objects=str(few), out=str(tmp_path / "s"), scenes=2, workers=1)
    assert collect(small).store.array("present").sum(1).max() == 2


def test_randomized_scenes_have_their_own_camera(collected: Callable[[str], Collection]) -> None:
    store = collected("randomized").store
    settings = store.manifest.settings
    assert settings["camera"] == {"x": [-0.02, 0.02], "pitch": [-6, 6], "fov": [60, 95]}
    scenes = SceneDataset(store, SceneDataConfig(depth=True, crop_size=64, image_size=64))
    for index in range(SCENES):
        observation = scene_to_observation(scenes, index)
        row = store.scene(index)
        focal = 32 / np.tan(np.deg2rad(CAMERA.draw(view_rng(3, "ood", index)).fov) / 2)
        assert row["hand_intrinsic"][1, 1] == pytest.approx(focal, rel=1e-4)
        np.testing.assert_allclose(observation["hand_intrinsic"], row["hand_intrinsic"], rtol=1e-6)
        cloud = unproject_depth(*(observation[f"hand_{key}"] for key in ("depth", "intrinsic", "cam2world")))
        ids = row["hand_segmentation"][cloud.pixels[:, 0], cloud.pixels[:, 1]]
        assert np.abs(cloud.points[ids == 0, 2]).max() < 0.003  # the table, whose depth is rounded to millimeters
        for actor in np.flatnonzero(np.isfinite(row["rep_pts"]).all((1, 2))):
            nearest = np.linalg.norm(row["rep_pts"][actor][:, None] - cloud.points[ids == actor + 1], axis=2).min(1)
            assert nearest.max() < 0.003


def test_an_object_may_hide_the_table(collected: Callable[[str], Collection], monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = SceneDataset(collected("proxy").store, SceneDataConfig(depth=True, crop_size=48, image_size=48))
    load = scenes.load_images
    seen = scene_to_observation(scenes, 0)
    monkeypatch.setattr(scenes, "load_images", lambda *which: np.maximum(load(*which), which[1] == "segmentation"))
    hidden = scene_to_observation(scenes, 0)
    heights = [
        unproject_depth(*(observation[f"hand_{key}"] for key in ("depth", "intrinsic", "cam2world"))).points[:, 2]
        for observation in (seen, hidden)
    ]
    assert np.abs(heights[0] - heights[1]).max() < 0.05


def test_ranges_change_no_pile(collected: Callable[[str], Collection], tmp_path: Path) -> None:
    collection = collected("randomized")
    usual = collection.collect(tmp_path / "usual", camera=HandCameraConfig(), appearance=AppearanceConfig())
    assert not {"camera", "appearance"} & set(usual.manifest.settings)
    new = set(collection.store.manifest.fields) - set(usual.manifest.fields)
    assert new == {"hand_intrinsic", "hand_extrinsic"}
    np.testing.assert_array_equal(usual.array("poses"), collection.store.array("poses"))
