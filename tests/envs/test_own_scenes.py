"""Scenes, episodes and views of one's own objects, from folders alone and mixed with a set of the package."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.environments import OWN, gym
from helpers.own_objects import LICENSE, MESHES, SOURCE, UNSEEN, make_own_set, own_entry
from pickclutter_lang.datasets.images.loaders import load_set
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.envs.config import CollectConfig, GraspValidationConfig, ObjectSheetConfig, ObjectViewConfig
from pickclutter_lang.envs.generation.collect import collect
from pickclutter_lang.envs.generation.object_renderer import render_object_views, write_object_sheet
from pickclutter_lang.envs.grasp_validation import validate_grasp_labels
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, write_catalog
from pickclutter_lang.teacher_training.render_sources import object_of_row, scene_objects

pytestmark = [pytest.mark.sim, pytest.mark.slow]
SCENES = 4


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_own_set(tmp_path_factory.mktemp("own") / "mine")


@pytest.fixture(scope="module")
def collected(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[CollectConfig, SceneStore]:
    out = tmp_path_factory.mktemp("scenes") / "ood"
    config = CollectConfig(
        split="ood", scenes=SCENES, seed=3, objects=str(mine), out=str(out), image_size=48, shard_size=2, workers=2
    )
    return config, collect(config).store


def test_the_store_has_the_catalog_of_its_objects(collected: tuple[CollectConfig, SceneStore]) -> None:
    _, store = collected
    assert store.own_catalog == tuple(own_entry(model_id) for model_id in MESHES)
    assert [store.model_ids[n] for n in store.split_label_indices("ood")] == list(UNSEEN)
    assert (store.manifest.object_set, store.object_split) == ("mine", 0)
    card = (store.path / "card.md").read_text()
    assert f"| {LICENSE} | {SOURCE} | tea mug, race car" in card and "10 labels: 6 in Y_id, 4 in Y_ood" in card
    present = store.labels("present")
    assert present.sum(1).min() >= 4 and present.sum(1).max() <= 9  # of ten one is left out
    assert {item.name for row in scene_objects(store, {}) for item in row} <= {*store.label_names}


def test_the_splits_are_those_of_the_catalog_or_drawn(
    collected: tuple[CollectConfig, SceneStore], tmp_path: Path
) -> None:
    config, _ = collected
    train = collect(replace(config, split="train", out=str(tmp_path / "train"), scenes=2)).store
    assert not train.labels("present")[:, train.split_label_indices("ood")].any()
    drawn = collect(replace(config, object_split=7, out=str(tmp_path / "drawn"), scenes=1)).store
    assert drawn.object_split == 7 and drawn.manifest.objects != train.manifest.objects
    with pytest.raises(MismatchError, match="object_split is 7 there, 0 now"):
        collect(replace(config, out=str(tmp_path / "drawn"), scenes=1))


def test_a_collection_continues_and_tells_other_objects(
    collected: tuple[CollectConfig, SceneStore], tmp_path: Path
) -> None:
    config, store = collected
    (store.path / "shards" / "00001.h5").unlink()
    (store.path / CATALOG_FILE).unlink()
    again = collect(config)
    assert (again.made, again.kept) == (1, 1) and again.store.content_hash == store.content_hash
    assert again.store.own_catalog is not None
    other = make_own_set(tmp_path / "mine")
    write_catalog(other / CATALOG_FILE, [replace(own_entry(i), license="MIT") for i in MESHES])
    with pytest.raises(MismatchError, match=re.escape("(catalog.yaml has changed, or a mesh)")):
        collect(replace(config, objects=str(other)))


def test_a_small_set_has_small_piles_and_one_without_seen_objects_is_refused(mine: Path, tmp_path: Path) -> None:
    few = make_own_set(tmp_path / "few", ["tea_mug", "alarm", "bath_duck"])
    config = CollectConfig(split="ood", scenes=3, objects=str(few), out=str(tmp_path / "s"), image_size=48, workers=1)
    assert collect(config).store.labels("present").sum(1).max() == 2
    write_catalog(few / CATALOG_FILE, [replace(own_entry(i), split="unseen") for i in ("tea_mug", "alarm")])
    with pytest.raises(InvalidArgumentError, match="objects of Y_id for split=train, but there are none in few"):
        collect(replace(config, split="train", out=str(tmp_path / "none")))


def test_the_environment_has_the_piles_and_names_of_the_store(
    collected: tuple[CollectConfig, SceneStore], mine: Path
) -> None:
    _, store = collected
    env: Any = gym.make(OWN, objects=str(mine), pile_seed=3, obs_mode="state", absent_probability=0.5)
    names = set()
    for index in range(SCENES):
        _, info = env.reset(seed=index, options={"episode": index})
        pile = [actor["model_id"] for actor in env.unwrapped.episode["actors"]]
        assert {*pile} == {store.model_ids[n] for n in np.flatnonzero(store.labels("present")[index])}
        assert info["target_name"] in store.label_names and info["target_name"] in info["instruction"]
        names.add(info["target_name"])
    assert len(names) > 1
    _, info = env.reset(options={"target": "bath duck"})
    assert info["target_name"] == "bath duck"
    env.close()
    with pytest.raises(InvalidArgumentError, match="expected objects of PickClutterLang/Own-v0, but got none"):
        gym.make(OWN)


def test_sets_are_mixed_in_scenes_episodes_and_picks(mine: Path, tmp_path: Path) -> None:
    sources = ["proxy", str(mine)]
    config = CollectConfig(
        split="ood", scenes=3, objects=sources, out=str(tmp_path / "mixed"), image_size=48, workers=1
    )
    store = collect(config).store
    present = store.labels("present").any(0)
    assert len(store.label_names) == 36 and present[:26].any() and present[26:].any()
    assert store.own_catalog is not None and {entry.license for entry in store.own_catalog} == {"MIT", LICENSE}
    env: Any = gym.make(OWN, objects=sources, obs_mode="state")
    env.reset(seed=0, options={"episode": 0})
    assert {a["model_id"] for a in env.unwrapped.episode["actors"]} == {
        store.model_ids[n] for n in np.flatnonzero(store.labels("present")[0])
    }
    env.close()
    with pytest.raises(InvalidArgumentError, match=r"the sets of the store, proxy\+mine, but got none"):
        validate_grasp_labels(GraspValidationConfig(str(store.path), instances=3, workers=1))
    found = validate_grasp_labels(GraspValidationConfig(str(store.path), instances=3, workers=1, objects=sources))
    assert found["instances"] >= 3


def test_views_carry_the_words_of_their_objects(mine: Path, tmp_path: Path) -> None:
    config = ObjectViewConfig(str(tmp_path / "views"), str(mine), views_per_object=2, random_objects=0, size=32)
    render_object_views(config)
    views = ObjectViewDataset.open(tmp_path / "views")
    assert [object_of_row(row).name for row in views.objects] == [own_entry(i).name for i in MESHES]
    assert object_of_row(views.objects[0]).category == "lab thing"
    from pickclutter_lang.datasets.images.config import ImageDataConfig

    data = load_set(ImageDataConfig(name="object_views", root=str(tmp_path / "views"), image_size=32)).data
    assert [item.name for item in data.classes] == [own_entry(i).name for i in MESHES]
    assert len(data.classes) == 10 and [len(part) for part in data.class_split or ()] == [6, 4]


def test_the_sheet_shows_a_folder(mine: Path, tmp_path: Path) -> None:
    assert write_object_sheet(ObjectSheetConfig(str(tmp_path / "s.png"), str(mine), size=32)) == 10
    with pytest.raises(InvalidArgumentError, match="sets of the same ids side by side, but proxy has no alarm"):
        write_object_sheet(ObjectSheetConfig(str(tmp_path / "s.png"), [str(mine), "proxy"], size=32))
