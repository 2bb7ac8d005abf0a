"""The scene store: what is written is read, damage is named, and wrong scenes are refused."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.scene_data import change_field, make_manifest, make_store, random_row, toy_row
from pickclutter_lang.datasets.scenes import SceneRow, SceneStore, read_manifest, verify_store, write_shard
from pickclutter_lang.errors import CorruptShardError, DatasetError, InvalidArgumentError, MismatchError

LABELS = 26


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_store(tmp_path / "store")
    return tmp_path / "store"


@pytest.mark.parametrize(("cameras", "graspable"), [(("hand",), True), (("hand", "base"), False)])
def test_what_is_written_is_read(tmp_path: Path, cameras: tuple[str, ...], graspable: bool) -> None:
    manifest = make_store(tmp_path / "s", make_manifest(cameras=cameras, graspable=graspable))
    store = SceneStore.open(tmp_path / "s")
    assert len(store) == 11 and store.cameras == cameras and store.content_hash == manifest.content_hash
    assert ("graspable" in manifest.fields) == graspable
    for index in (0, 3, 4, 10):
        expected = random_row(manifest, index)
        got = store.scene(index)
        assert set(got) == set(manifest.fields)
        for name, value in expected.items():
            np.testing.assert_array_equal(got[name], value)
            assert got[name].dtype == value.dtype


@pytest.mark.parametrize("index", [5, -1, slice(2, 9), slice(None, None, 3), [7, 0, 7, 10], np.array([4, 3]), []])
def test_rows_by_index(folder: Path, index: Any) -> None:
    store = SceneStore.open(folder)
    everything = np.stack([random_row(store.manifest, n)["hand_rgb"] for n in range(len(store))])
    wanted = np.asarray(index, int) if isinstance(index, list) else index
    np.testing.assert_array_equal(store.images("hand", "rgb", index), everything[wanted])
    if isinstance(index, slice):
        np.testing.assert_array_equal(store.array("poses", index), store.array("poses")[index])


def test_labels_and_columns(folder: Path) -> None:
    store = SceneStore.open(folder)
    labels = store.array("present")
    assert labels.shape == (11, LABELS) and labels.dtype == bool
    for row, actors in zip(labels, store.array("actors"), strict=True):
        assert set(np.flatnonzero(row)) == set(actors[actors >= 0])
    known, unknown = store.split_label_indices("id"), store.split_label_indices("ood")
    assert len(known) == 14 and len(unknown) == 12 and not set(known) & set(unknown)
    assert store.label_names[known[0]] == "master chef can" and store.model_ids[0] == "002_master_chef_can"
    assert store.scene_ids()[3] == "train/0/3"


@pytest.mark.parametrize(
    ("ask", "error", "key"),
    [
        (lambda s: s.array("graspable"), DatasetError, "graspable"),
        (lambda s: s.images("base"), DatasetError, "base_rgb"),
        (lambda s: s.images("side"), DatasetError, "side_rgb"),
        (lambda s: s.scene(11), InvalidArgumentError, "11"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, ask: Callable[[SceneStore], Any], error: type[Exception], key: str
) -> None:
    make_store(tmp_path / "s", make_manifest(graspable=False))
    with pytest.raises(error, match=key):
        ask(SceneStore.open(tmp_path / "s"))


def _image_sum(store: SceneStore, index: int, answers: multiprocessing.Queue[Any]) -> None:
    answers.put(int(store.images(index=index).sum()))


def test_a_forked_process_reads_too(folder: Path) -> None:
    store = SceneStore.open(folder)
    expected = int(store.images(index=2).sum())  # a handle is open before the fork
    context: Any = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_image_sum, args=(store, 2, answers))
    child.start()
    assert answers.get(timeout=60) == expected
    child.join()
    assert pickle.loads(pickle.dumps(store)).scene(2)["index"] == 2


def test_bytes_and_hash_follow_content(tmp_path: Path) -> None:
    first = make_store(tmp_path / "a")
    make_store(tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name
    assert make_store(tmp_path / "c", make_manifest(seed=1)).content_hash != first.content_hash


def _flip_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _other_scene(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["actors"][0, 0] += 1


@pytest.mark.parametrize(
    ("damage", "seen_at_open"), [(os.remove, True), (_cut, True), (_flip_byte, False), (_other_scene, False)]
)
def test_damaged_shards_are_named(folder: Path, damage: Callable[[Path], None], seen_at_open: bool) -> None:
    verify_store(folder)
    for name in ("00000.h5", "00002.h5"):
        damage(folder / "shards" / name)
    with pytest.raises(CorruptShardError, match=r"00000\.h5 .*00002\.h5 "):
        verify_store(folder)
    if seen_at_open:
        with pytest.raises(CorruptShardError, match=r"00000\.h5 .*00002\.h5 "):
            SceneStore.open(folder)
    else:
        with pytest.raises(CorruptShardError, match=r"00002\.h5"):
            SceneStore.open(folder).scene(10)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda m: m.update(schema=2), "schema"),
        (lambda m: m.pop("objects"), "objects"),
        (lambda m: m.update(content_hash="f" * 64), "hash"),
    ],
)
def test_the_manifest_is_checked(folder: Path, change: Callable[[Any], object], key: str) -> None:
    values = json.loads((folder / "manifest.json").read_text())
    change(values)
    (folder / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(DatasetError, match=key):
        SceneStore.open(folder)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"seed": 1}, "seed"),
        ({"size": 32}, r"settings\.image_size"),
        ({"object_split": 1}, "object_split"),
    ],
)
def test_other_settings_are_named(folder: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(MismatchError, match=key):
        read_manifest(folder).check_compatible(make_manifest(**changes), folder)


@pytest.mark.parametrize("spoil", [lambda r: r.pop("poses"), lambda r: r.update(poses=r["poses"][:, :3])])
def test_a_wrong_scene_is_refused(tmp_path: Path, spoil: Callable[[SceneRow], object]) -> None:
    (tmp_path / "shards").mkdir()
    manifest = make_manifest()
    row = toy_row(manifest, 0)
    write_shard(tmp_path, 1, [row], manifest)
    spoil(row)
    with pytest.raises(DatasetError, match="poses"):
        write_shard(tmp_path, 0, [row], manifest)
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["00001.h5"]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    manifest = make_manifest(size=64)
    (tmp_path / "shards").mkdir()
    rows = [random_row(manifest, index) for index in range(4)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DatasetError, match=r"00000\.h5"):
            write_shard(tmp_path, 0, rows, manifest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "shards").iterdir())
    write_shard(tmp_path, 0, rows, manifest)


def test_actors_beyond_the_objects_of_the_manifest_are_named(folder: Path) -> None:
    change_field(folder, "actors", 9999)
    with pytest.raises(CorruptShardError, match="actors"):
        SceneStore.open(folder).scene(0)
