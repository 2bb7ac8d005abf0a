"""Splits: JSON lists of scene ids."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.forkserver import run_python
from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.scene_images import SceneDataset, load_scene_datasets
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.scenes.importer import ImportConfig, import_published
from pickclutter_lang.errors import DatasetError, MismatchError
from pickclutter_lang.teachers import FeatureCache, load_teacher
from pickclutter_lang.teachers.scene_features import teacher_features


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return make_toys(tmp_path_factory.mktemp("toys"))


def publish(path: Path, store: SceneStore) -> Path:
    """Write the scenes of a store in the layout of the authors' files."""
    with h5py.File(path, "w") as file:
        for index in range(len(store)):
            row, group = store.scene(index), file.create_group(f"traj_{index}")
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
    np.testing.assert_array_equal(chosen.presence("ood"), whole.presence("ood")[[7, 0, 3]])


def test_the_scenes_of_a_split_alone_are_read_into_memory(toys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    plain = SceneStore._read

    def noted(store: SceneStore, name: str, wanted: NDArray[np.int64]) -> NDArray[Any]:
        if name in ("hand_rgb", "hand_segmentation"):
            read.append(len(wanted))
        return plain(store, name, wanted)

    monkeypatch.setattr(SceneStore, "_read", noted)
    rgb = 2 * 3 * 32**2  # bytes of two scenes
    for limit, expected in ((rgb, [2, 1, 1]), (rgb + 2 * 32**2, [2, 2])):
        cfg = config(*toys, f"data.max_cache_bytes={limit}").data
        store = SceneStore.open(cfg.ood)
        ids = [store.scene_ids()[row] for row in (7, 0)]
        whole = store.images("hand", "segmentation")
        read.clear()
        part = SceneDataset(store, cfg, ids)
        for _ in range(2):
            np.testing.assert_array_equal(part.segmentation([1]), whole[[0]])
        assert read == expected


def test_features_of_a_split_are_not_those_of_the_store(toys: list[str], tmp_path: Path) -> None:
    cfg = config(*toys)
    store, cache = SceneStore.open(cfg.data.id), FeatureCache(tmp_path)
    teacher = load_teacher("pocket", cfg.teacher.checkpoint)
    whole = SceneDataset(store, cfg.data)
    part = SceneDataset(store, cfg.data, [whole.scene_ids[5], whole.scene_ids[2]])
    features = teacher_features(teacher, whole, cache)
    torch.testing.assert_close(teacher_features(teacher, part, cache), features[[5, 2]])


def test_two_splits_of_one_store_may_not_share_a_scene(toys: list[str], tmp_path: Path) -> None:
    cfg = config(*toys).data
    ids = SceneStore.open(cfg.ood).scene_ids()
    cfg.fewshot = cfg.ood
    cfg.scene_subsets = {"ood": write(tmp_path / "a.json", ids[:6]), "fewshot": write(tmp_path / "b.json", ids[6:])}
    assert [len(scenes) for scenes in load_scene_datasets(cfg).values()] == [24, 8, 6, 4]
    write(tmp_path / "b.json", ids[5:])
    with pytest.raises(DatasetError, match=ids[5]):
        load_scene_datasets(cfg)


def imported(folder: Path, file: Path, split: str, size: int = 32) -> str:
    return str(import_published(ImportConfig(str(file), split, str(folder / split), image_size=size)).path)


def test_one_file_imported_twice_is_one_set_of_scenes(tmp_path: Path) -> None:
    """The authors publish no few-shot scenes: whoever imports their file for both would evaluate on what it trains."""
    toys = make_toys(tmp_path / "toys")
    file = publish(tmp_path / "val.h5", SceneStore.open(tmp_path / "toys" / "scenes" / "ood"))
    paths = {split: imported(tmp_path, file, split) for split in ("ood", "fewshot")}
    run = [*toys, "data.target_label=present"]
    both = [*run, *(f"data.{split}={path}" for split, path in paths.items())]
    with pytest.raises(DatasetError, match=r"ood .* fewshot .*scene_subsets"):
        load_scene_datasets(config(*both).data)
    ids = SceneStore.open(paths["ood"]).scene_ids()
    few, rest = write(tmp_path / "few.json", ids[:4]), write(tmp_path / "rest.json", ids[4:])
    once = [f"data.ood={paths['ood']}", f"data.fewshot={paths['ood']}"]
    sets = load_scene_datasets(config(*run, *once, f"data.scene_subsets={{fewshot: {few}, ood: {rest}}}").data)
    assert len(sets["fewshot"]) == 4 and len(sets["ood"]) == 6


def test_stores_of_different_image_sizes_are_refused(tmp_path: Path) -> None:
    """One file imported at two sizes has no equal images."""
    toys = make_toys(tmp_path / "toys")
    file = publish(tmp_path / "val.h5", SceneStore.open(tmp_path / "toys" / "scenes" / "ood"))
    large = imported(tmp_path, file, "ood", 48)
    with pytest.raises(MismatchError, match="48"):
        load_scene_datasets(config(*toys, "data.target_label=present", f"data.ood={large}").data)


def test_the_command_takes_subsets_as_documented(toys: list[str], tmp_path: Path) -> None:
    few = write(tmp_path / "few.json", ["fewshot/0/1", "fewshot/0/4"])
    small = [
        "distill.epochs=1",
        "few_shot.epochs=1",
        f"out={tmp_path / 'run'}",
        f"data.scene_subsets={{fewshot: {few}}}",
    ]
    done = run_python(["-m", "pickclutter_lang.commands", "train-affordance", *toys, *small])
    assert done.returncode == 0, done.stderr
    data = json.loads((tmp_path / "run" / "result.json").read_text())["data"]
    assert (data["fewshot"]["scenes"], data["ood"]["scenes"]) == (2, 10)


@pytest.mark.parametrize(
    "content", ['["ood/0/0", "ood/0/99"]', '["ood/0/0", "ood/0/0"]', "[]", '{"a": 1}', "[1, 2]", "nonsense", None]
)
def test_a_list_of_other_scenes_is_refused(toys: list[str], tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "split.json"
    if content is not None:
        path.write_text(content)
    cfg = config(*toys).data
    cfg.scene_subsets = {"ood": str(path)}
    with pytest.raises(DatasetError, match=r"ood/0/99" if content and "99" in content else r"split\.json"):
        load_scene_datasets(cfg)
