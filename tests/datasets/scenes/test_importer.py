from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.published_scenes import write_published
from pickclutter_lang.datasets.scenes import SceneStore, verify_store
from pickclutter_lang.datasets.scenes.importer import ImportConfig, import_published, resized_depth, resized_rgb
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MismatchError, UnknownObjectError


def config(tmp_path: Path, **changes: Any) -> Any:
    values = {"file": str(tmp_path / "test.h5"), "split": "ood", "out": str(tmp_path / "store"), "image_size": 32}
    return ImportConfig(**{**values, "shard_size": 2, **changes})


@pytest.mark.parametrize(("depth_dtype", "unit"), [("f4", "metres"), ("u2", "millimetres"), ("i4", "millimetres")])
@pytest.mark.parametrize("size", [24, 32, 512])
def test_published_scenes_become_a_store(tmp_path: Path, depth_dtype: str, unit: Any, size: int) -> None:
    write_published(tmp_path / "test.h5", depth_dtype, size)
    store = import_published(config(tmp_path))
    assert verify_store(store.path).content_hash == store.content_hash
    assert len(store) == 3 and store.cameras == ("hand", "base")
    for index, names in enumerate((["banana", "apple"], ["dice"], ["cracker box", "banana", "rubik's cube"])):
        found = np.flatnonzero(store.labels("present")[index])
        assert {store.label_names[column] for column in found} == set(names)
        assert (store.images("base", "rgb", index) == 10 * (index + 1)).all()
    depth = store.images("hand", "depth")
    assert depth.shape == (3, 32, 32) and (depth[..., :16] == 500).all() and (depth[..., 16:] == 750).all()
    assert unit in store.manifest.settings["source_depth"]
    assert f"read as {unit}" in (store.path / "card.md").read_text()
    assert (store.path / "contact_sheet.png").exists()


@pytest.mark.parametrize("label", ["visible", "graspable"])
def test_labels_that_nobody_knows_are_not_there(tmp_path: Path, label: str) -> None:
    write_published(tmp_path / "test.h5")
    store = import_published(config(tmp_path))
    with pytest.raises(DatasetError, match=f"does not hold '{label}'; it holds index, present, hand_rgb"):
        store.labels(label)


def test_ids_differ_from_those_of_made_scenes(tmp_path: Path) -> None:
    write_published(tmp_path / "test.h5")
    store = import_published(config(tmp_path))
    assert store.scene_ids()[0].startswith("ood/test.h5-") and len(set(store.scene_ids())) == 3


def test_one_camera_alone(tmp_path: Path) -> None:
    write_published(tmp_path / "test.h5", cameras=("base",))
    store = import_published(config(tmp_path))
    assert store.cameras == ("base",) and store.images("base", index=1).shape == (32, 32, 3)


def test_importing_again(tmp_path: Path) -> None:
    write_published(tmp_path / "test.h5")
    first = import_published(config(tmp_path)).content_hash
    assert import_published(config(tmp_path)).content_hash == first
    with pytest.raises(MismatchError, match="image_size is 32 there, 64 now"):
        import_published(config(tmp_path, image_size=64))
    assert SceneStore.open(tmp_path / "store").content_hash == first


RGB = "traj_2/dict_str_hand_camera/dict_str_rgb"


def _rename(name: str, new: str) -> Any:
    return lambda file: file.move(name, new)


def _declare(name: str, shape: tuple[int, ...]) -> Any:
    def spoil(file: Any) -> Any:
        del file[name]
        file.create_dataset(name, shape, "u1", chunks=(100, 100, 3), compression="gzip")

    return spoil


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
    ("spoil", "error", "words"),
    [
        (_drop("traj_2/model_ids"), DatasetError, "expected the array traj_2.model_ids"),
        (_drop("traj_10/dict_str_hand_camera/dict_str_rgb"), DatasetError, "traj_10/dict_str_hand_camera/dict_str_rgb"),
        (_replace("traj_2/model_ids", [b"099_teapot"]), UnknownObjectError, "'traj_2'.*099_teapot"),
        (_replace("traj_2/dict_str_hand_camera/dict_str_rgb", np.zeros((4, 6, 3), "u1")), DatasetError, "square"),
        (_replace("traj_2/dict_str_hand_camera/dict_str_rgb", np.zeros((4, 4), "u1")), DatasetError, "channels"),
        (_drop("traj_0/dict_str_hand_camera"), DatasetError, "traj_2|not there|dict_str_hand_camera"),
        (_replace("traj_0", 1), DatasetError, "'traj_0' is none"),
        (_replace("traj_2", 1), DatasetError, "expected a group with traj_2/model_ids"),
        (_replace(RGB, np.full((4, 4, 3), b"a")), DatasetError, "with numbers, but got |S1"),
        (_replace(RGB, np.full((4, 4, 3), np.nan)), DatasetError, "but got float64 from nan to nan"),
        (_replace(RGB, np.zeros((0, 0, 3), "u1")), DatasetError, "square images"),
        (_replace(RGB, h5py.SoftLink(f"/{RGB}")), DatasetError, "got a link to elsewhere"),
        (_replace(RGB, h5py.ExternalLink("/etc/passwd", "/")), DatasetError, "got a link to elsewhere"),
        (_declare(RGB, (180_000, 180_000, 3)), DatasetError, "but it declares 97200000000"),
        (_rename("traj_2", "traj_" + "9" * 10_000), None, ""),
        (_rename("traj_2", "traj_²"), None, ""),
    ],
)
def test_other_layouts_are_named(tmp_path: Path, spoil: Any, error: Any, words: str) -> None:
    with h5py.File(write_published(tmp_path / "test.h5"), "r+") as file:
        spoil(file)
    if "traj_2|" in words:
        store = import_published(config(tmp_path))  # the first scene decides which cameras there are
        assert store.cameras == ("base",)
        return
    if error is None:  # such names are taken
        assert len(import_published(config(tmp_path)))
        return
    with pytest.raises(error, match=words):
        import_published(config(tmp_path))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no file"):
        import_published(config(tmp_path))
    (tmp_path / "test.h5").write_bytes(b"text")
    with pytest.raises(DatasetError, match="expected an HDF5 file"):
        import_published(config(tmp_path))
    h5py.File(tmp_path / "test.h5", "w").close()
    with pytest.raises(DatasetError, match="it is empty"):
        import_published(config(tmp_path))
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("changes", "words"), [({"split": "test"}, "got 'test'"), ({"image_size": -1}, "-1"), ({"shard_size": 0}, "0")]
)
def test_settings_out_of_range(tmp_path: Path, changes: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        config(tmp_path, **changes).validate()


def test_depth_never_mixes_two_surfaces() -> None:
    depth = np.where(np.arange(512) < 200, 0.4, 0.9)[None].repeat(512, 0)
    assert set(np.unique(resized_depth(depth, 37))) == {400, 900}
    assert resized_depth(np.array([[np.nan, np.inf], [70.0, -1.0]]), 2).tolist() == [[0, 0], [65535, 0]]


def test_colour_formats() -> None:
    floats = np.full((8, 8, 4), 0.5, np.float32)
    assert resized_rgb(floats, 4).shape == (4, 4, 3) and (resized_rgb(floats, 4) == 128).all()
    assert resized_rgb(np.zeros((8, 8, 3), np.uint8), 16).shape == (16, 16, 3)
