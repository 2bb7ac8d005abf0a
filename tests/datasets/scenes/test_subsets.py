"""Splits: JSON lists of scene ids."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.scene_images import load_scene_datasets
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.scenes.config import ImportConfig
from pickclutter_lang.datasets.scenes.importer import import_published
from pickclutter_lang.errors import DatasetError, MismatchError


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return make_toys(tmp_path_factory.mktemp("toys"))


def publish(path: Path, store: SceneStore) -> Path:
    """Write the scenes of a store in the layout of the authors' files."""
    with h5py.File(path, "w") as file:
        for index in range(len(store)):
            row = store.scene(index)
            group = file.create_group(f"traj_{index}")
            group["model_ids"] = np.array([store.model_ids[n] for n in np.flatnonzero(row["present"])], dtype="S")
            images = group.create_group("dict_str_hand_camera")
            images["dict_str_rgb"], images["dict_str_depth"] = row["hand_rgb"], row["hand_depth"]
    return path


def write(path: Path, ids: Any) -> str:
    path.write_text(json.dumps(ids))
    return str(path)


@pytest.mark.parametrize("limit", [0, 10**9])
def test_a_split_chooses_scenes_in_its_order(toys: list[str], tmp_path: Path, limit: int) -> None:
    cfg = config(*toys, f"data.max_cache_bytes={limit}").data
    whole = load_scene_datasets(cfg)["ood"]
    ids = [whole.scene_ids[row] for row in (7, 0, 3)]
    cfg.scene_subsets = {"ood": write(tmp_path / "ood.json", ids)}
    chosen = load_scene_datasets(cfg)["ood"]
    assert len(chosen) == 3 and chosen.scene_ids == ids and chosen.content_hash != whole.content_hash
    assert torch.equal(chosen.labels, whole.labels[[7, 0, 3]])
    assert torch.equal(chosen.batch([0, 2]), whole.batch([7, 3]))
    np.testing.assert_array_equal(chosen.segmentation([1]), whole.segmentation([0]))
    np.testing.assert_array_equal(chosen.present, whole.present[[7, 0, 3]])


def test_two_splits_of_one_store_may_not_share_a_scene(toys: list[str], tmp_path: Path) -> None:
    cfg = config(*toys).data
    ids = SceneStore.open(cfg.ood).scene_ids()
    cfg.fewshot = cfg.ood
    cfg.scene_subsets = {"ood": write(tmp_path / "a.json", ids[:6]), "fewshot": write(tmp_path / "b.json", ids[6:])}
    assert [len(scenes) for scenes in load_scene_datasets(cfg).values()] == [24, 8, 6, 4]
    write(tmp_path / "b.json", ids[5:])
    with pytest.raises(DatasetError, match=ids[5]):
        load_scene_datasets(cfg)


def imported(folder: Path, file: Path, split: str) -> str:
    return str(import_published(ImportConfig(str(file), split, str(folder / split), image_size=32)).path)


def test_one_file_imported_twice_is_one_set_of_scenes(toys: list[str], tmp_path: Path) -> None:
    """The authors publish no few-shot scenes: whoever imports their file for both would evaluate on what it trains."""
    file = publish(tmp_path / "val.h5", SceneStore.open(config(*toys).data.ood))
    paths = {split: imported(tmp_path, file, split) for split in ("ood", "fewshot")}
    run = [*toys, "data.target_label=present"]
    both = [*run, *(f"data.{split}={path}" for split, path in paths.items())]
    with pytest.raises(DatasetError, match="scene_subsets"):
        load_scene_datasets(config(*both).data)
    ids = SceneStore.open(paths["ood"]).scene_ids()
    few = write(tmp_path / "few.json", ids[:4])
    rest = write(tmp_path / "rest.json", ids[4:])
    once = [f"data.ood={paths['ood']}", f"data.fewshot={paths['ood']}"]
    sets = load_scene_datasets(config(*run, *once, f"data.scene_subsets={{fewshot: {few}, ood: {rest}}}").data)
    assert len(sets["fewshot"]) == 4 and len(sets["ood"]) == 6
    large = str(import_published(ImportConfig(str(file), "ood", str(tmp_path / "large"), image_size=48)).path)
    with pytest.raises(MismatchError, match="48"):
        load_scene_datasets(config(*run, f"data.ood={large}").data)


@pytest.mark.parametrize("content", ['["ood/0/0", "ood/0/99"]', '["ood/0/0", "ood/0/0"]', "[]", "nonsense", None])
def test_a_list_of_other_scenes_is_refused(toys: list[str], tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "split.json"
    if content is not None:
        path.write_text(content)
    cfg = config(*toys).data
    cfg.scene_subsets = {"ood": str(path)}
    with pytest.raises(DatasetError, match=r"ood/0/99" if content and "99" in content else r"split\.json"):
        load_scene_datasets(cfg)
