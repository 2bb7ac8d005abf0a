from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.published_scenes import write_published
from pickclutter_lang.datasets.scenes import SceneStore, verify_store
from pickclutter_lang.datasets.scenes.config import ImportConfig
from pickclutter_lang.datasets.scenes.importer import import_published, resized_depth
from pickclutter_lang.errors import DatasetError, MismatchError, UnknownObjectError


def config(tmp_path: Path, **changes: Any) -> Any:
    values = {"file": str(tmp_path / "test.h5"), "split": "ood", "out": str(tmp_path / "store"), "image_size": 32}
    return ImportConfig(**{**values, "shard_size": 2, **changes})


@pytest.mark.parametrize(
    ("depth_dtype", "unit", "size"), [("f4", "metres", 24), ("u2", "millimetres", 32), ("i4", "millimetres", 512)]
)
def test_published_scenes_become_a_store(tmp_path: Path, depth_dtype: str, unit: str, size: int) -> None:
    write_published(tmp_path / "test.h5", depth_dtype, size)
    store = import_published(config(tmp_path))
    assert verify_store(store.path).content_hash == store.content_hash
    assert len(store) == 3 and store.cameras == ("hand", "base")
    assert store.scene_ids()[0].startswith("ood/test.h5-") and len(set(store.scene_ids())) == 3
    with pytest.raises(DatasetError, match="visible"):
        store.array("visible")
    for index, names in enumerate((["banana", "apple"], ["dice"], ["cracker box", "banana", "rubik's cube"])):
        found = np.flatnonzero(store.array("present")[index])
        assert {store.label_names[column] for column in found} == set(names)
        assert (store.images("base", "rgb", index) == 10 * (index + 1)).all()
    depth = store.images("hand", "depth")
    assert depth.shape == (3, 32, 32) and (depth[..., :16] == 500).all() and (depth[..., 16:] == 750).all()
    assert unit in store.manifest.settings["source_depth"]


def test_importing_again(tmp_path: Path) -> None:
    write_published(tmp_path / "test.h5")
    first = import_published(config(tmp_path)).content_hash
    assert import_published(config(tmp_path)).content_hash == first
    with pytest.raises(MismatchError, match="image_size"):
        import_published(config(tmp_path, image_size=64))
    assert SceneStore.open(tmp_path / "store").content_hash == first


RGB = "traj_2/dict_str_hand_camera/dict_str_rgb"


def _drop(name: str) -> Any:
    def spoil(file: Any) -> Any:
        del file[name]

    return spoil


def _replace(name: str, value: Any) -> Any:
    def spoil(file: Any) -> Any:
        del file[name]
        file[name] = value

    return spoil


@pytest.mark.parametrize(
    ("spoil", "error", "key"),
    [
        (_drop("traj_2/model_ids"), DatasetError, "traj_2/model_ids"),
        (_drop("traj_10/dict_str_hand_camera/dict_str_rgb"), DatasetError, "traj_10/dict_str_hand_camera/dict_str_rgb"),
        (_replace("traj_2/model_ids", [b"099_teapot"]), UnknownObjectError, "'traj_2'.*099_teapot"),
        (_replace(RGB, np.zeros((4, 6, 3), "u1")), DatasetError, RGB),
        (_replace(RGB, np.full((4, 4, 3), np.nan)), DatasetError, RGB),
        (_replace(RGB, np.zeros((0, 0, 3), "u1")), DatasetError, RGB),
        (_replace(RGB, np.zeros((48, 48, 3), bool)), DatasetError, RGB),
        (_replace(RGB.replace("rgb", "depth"), np.zeros((20, 20))), DatasetError, "depth"),
        (_drop("traj_2/dict_str_base_camera"), DatasetError, "the same in all"),
        (_replace("traj_2", 1), DatasetError, "traj_2"),
    ],
)
def test_other_layouts_are_named(tmp_path: Path, spoil: Any, error: type[Exception], key: str) -> None:
    with h5py.File(write_published(tmp_path / "test.h5"), "r+") as file:
        spoil(file)
    with pytest.raises(error, match=key):
        import_published(config(tmp_path))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test.h5").write_bytes(b"text")
    with pytest.raises(DatasetError, match=r"test\.h5"):
        import_published(config(tmp_path))
    assert not (tmp_path / "store").exists()


def test_depth_never_mixes_two_surfaces() -> None:
    depth = np.where(np.arange(512) < 200, 0.4, 0.9)[None].repeat(512, 0)
    assert set(np.unique(resized_depth(depth, 37))) == {400, 900}
    assert resized_depth(np.array([[np.nan, np.inf], [70.0, -1.0]]), 2).tolist() == [[0, 0], [65535, 0]]
