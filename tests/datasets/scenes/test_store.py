from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.scene_rows import make_manifest, make_store, random_row
from pickclutter_lang.datasets.scenes import SceneStore, read_manifest, verify_store, write_shard
from pickclutter_lang.errors import CorruptShardError, DatasetError, InvalidArgumentError, MismatchError
from pickclutter_lang.utils.io import atomic_write, clean_temp_files, create_dir


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_store(tmp_path / "store")
    return tmp_path / "store"


@pytest.mark.parametrize("cameras", [("hand",), ("hand", "base")])
@pytest.mark.parametrize("graspable", [True, False])
def test_what_is_written_is_read(tmp_path: Path, cameras: Any, graspable: bool) -> None:
    manifest = make_store(tmp_path / "s", make_manifest(cameras=cameras, graspable=graspable))
    store = SceneStore.open(tmp_path / "s")
    assert len(store) == 11 and store.cameras == cameras and store.content_hash == manifest.content_hash
    for index in (0, 3, 4, 10):
        expected, got = random_row(manifest, index), store.scene(index)
        assert set(got) == set(manifest.fields)
        for name, value in expected.items():
            np.testing.assert_array_equal(got[name], value)
            assert got[name].dtype == value.dtype
    assert ("graspable" in manifest.fields) == graspable


@pytest.mark.parametrize("index", [5, -1, slice(2, 9), slice(None, None, 3), [7, 0, 7, 10], np.array([4, 3])])
def test_images_by_index(folder: Path, index: Any) -> None:
    store = SceneStore.open(folder)
    everything = np.stack([random_row(store.manifest, n)["hand_rgb"] for n in range(len(store))])
    np.testing.assert_array_equal(store.images("hand", "rgb", index), everything[index])


def test_images_are_not_all_loaded(folder: Path) -> None:
    store = SceneStore.open(folder)
    for path in sorted((folder / "shards").iterdir())[1:]:
        path.unlink()
    assert store.images(index=[0, 3]).shape == (2, 16, 16, 3)
    with pytest.raises(CorruptShardError, match=r"00001\.h5.*missing"):
        store.images(index=4)


def test_a_store_of_many_shards_is_opened_without_reading_them_and_by_index_one_is_read(tmp_path: Path) -> None:
    manifest = make_store(tmp_path / "s", make_manifest(scenes=120, shard_size=1))
    for path in (tmp_path / "s" / "shards").iterdir():
        if path.name != "00077.h5":
            path.write_bytes(bytes(path.stat().st_size))
    store = SceneStore.open(tmp_path / "s")
    np.testing.assert_array_equal(store.images("hand", "rgb", 77), random_row(manifest, 77)["hand_rgb"])
    with pytest.raises(CorruptShardError, match=r"00076\.h5"):
        store.images("hand", "rgb", 76)


@pytest.mark.parametrize("wanted", [slice(3, 9), range(8, 3, -2), slice(4, 4), slice(None)])
def test_some_rows_of_a_field(folder: Path, wanted: Any) -> None:
    store = SceneStore.open(folder)
    np.testing.assert_array_equal(store.array("poses", wanted), store.array("poses")[wanted])


def test_labels_and_columns(folder: Path) -> None:
    store = SceneStore.open(folder)
    labels = store.labels("present")
    assert labels.shape == (11, 26) and labels.dtype == bool
    for row, actors in zip(labels, store.array("actors"), strict=True):
        assert set(np.flatnonzero(row)) == set(actors[actors >= 0])
    known, unknown = store.split_label_indices("id"), store.split_label_indices("ood")
    assert len(known) == 14 and len(unknown) == 12 and not set(known) & set(unknown)
    assert store.label_names[known[0]] == "master chef can" and store.model_ids[0] == "002_master_chef_can"
    assert store.scene_ids()[3] == "train/0/3"


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda s: s.labels("graspable"), DatasetError, "does not hold 'graspable'; it holds"),
        (lambda s: s.images("base"), DatasetError, "does not hold 'base_rgb'"),
        (lambda s: s.images("side"), InvalidArgumentError, "expected a camera out of hand, base"),
        (lambda s: s.scene(11), InvalidArgumentError, "from 0 to 10"),
        (lambda s: s.split_label_indices("train"), InvalidArgumentError, "expected 'id' or 'ood'"),
    ],
)
def test_wrong_questions(tmp_path: Path, ask: Any, error: type[Exception], words: str) -> None:
    make_store(tmp_path / "s", make_manifest(graspable=False))
    with pytest.raises(error, match=words):
        ask(SceneStore.open(tmp_path / "s"))


def _image_sum(store: SceneStore, index: int, answers: multiprocessing.Queue[Any]) -> None:
    answers.put(int(store.images(index=index).sum()))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_read_too(folder: Path, method: str) -> None:
    store = SceneStore.open(folder)
    expected = int(store.images(index=2).sum())  # a handle is open before the fork
    context: Any = multiprocessing.get_context(method)
    answers = context.Queue()
    child = context.Process(target=_image_sum, args=(store, 2, answers))
    child.start()
    assert answers.get(timeout=60) == expected
    child.join()
    assert pickle.loads(pickle.dumps(store)).scene(2)["index"] == 2


def test_bytes_are_the_same_later(tmp_path: Path) -> None:
    make_store(tmp_path / "a")
    time.sleep(1.1)  # HDF5 would note the time to the second
    make_store(tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.*"):
        other = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert path.read_bytes() == other.read_bytes(), path.name


def test_content_hash_follows_content(tmp_path: Path) -> None:
    hashes = {make_store(tmp_path / str(seed), make_manifest(seed=seed)).content_hash for seed in range(3)}
    assert len(hashes) == 3


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
    ("damage", "seen_at_open", "words"),
    [
        (os.remove, True, "missing"),
        (_cut, True, "bytes instead of"),
        (_flip_byte, False, "sha256"),
        (_other_scene, False, "sha256"),
    ],
)
def test_damage_is_named(folder: Path, damage: Any, seen_at_open: Any, words: str) -> None:
    verify_store(folder)
    for name in ("00000.h5", "00002.h5"):
        damage(folder / "shards" / name)
    pattern = rf"2 of 3 shards.*00000\.h5 \(.*{words}.*00002\.h5 \(.*{words}"
    with pytest.raises(CorruptShardError, match=pattern):
        verify_store(folder)
    if seen_at_open:
        with pytest.raises(CorruptShardError, match=pattern):
            SceneStore.open(folder)


def test_a_shard_that_is_no_hdf5_file(folder: Path) -> None:
    path = folder / "shards" / "00001.h5"
    path.write_bytes(b"x" * path.stat().st_size)
    store = SceneStore.open(folder)
    assert store.scene(0)["index"] == 0
    with pytest.raises(CorruptShardError, match=r"00001\.h5.*not those of the manifest"):
        store.scene(5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(schema=2), "expected schema 1.*got 2"),
        (lambda m: m.pop("objects"), "is damaged"),
        (lambda m: m.update(content_hash="", shards=m["shards"][:2]), "has 2 of 3 shards"),
    ],
)
def test_manifest_is_checked(folder: Path, change: Any, words: str) -> None:
    values = json.loads((folder / "manifest.json").read_text())
    change(values)
    (folder / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(DatasetError, match=words):
        SceneStore.open(folder)


def test_half_a_manifest_and_none(folder: Path, tmp_path: Path) -> None:
    (folder / "manifest.json").write_text('{"schema": 1,')
    with pytest.raises(DatasetError, match="is damaged"):
        SceneStore.open(folder)
    with pytest.raises(DatasetError, match=r"expected a scene store at .*pickclutter collect-scenes"):
        SceneStore.open(tmp_path / "nowhere")


def test_content_hash_of_the_manifest_is_checked(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace(read_manifest(folder).content_hash, "f" * 64))
    with pytest.raises(DatasetError, match="another content hash"):
        verify_store(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, "seed is 0 there, 1 now"),
        ({"size": 32}, r"settings\.image_size is 16 there, 32 now"),
        ({"split": "ood"}, "split is 'train' there, 'ood' now"),
        ({"scenes": 12}, "scenes is 11 there, 12 now"),
    ],
)
def test_other_settings_are_named(folder: Path, changes: Any, words: str) -> None:
    with pytest.raises(MismatchError, match=words):
        read_manifest(folder).check_compatible(make_manifest(**changes), folder)


def test_objects_in_another_order_are_named(folder: Path) -> None:
    there = read_manifest(folder)
    first, second, *rest = there.objects
    with pytest.raises(MismatchError) as caught:
        there.check_compatible(replace(there, objects=(second, first, *rest)), folder)
    names = [first.name, second.name]
    assert f"objects is {names} there, {names[::-1]} now" in str(caught.value)


def _too_many(row: Any) -> Any:
    row["actors"][:2] = 3


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda r: r.pop("poses"), "poses is missing"),
        (lambda r: r.update(poses=r["poses"][:, :3]), r"scene 0: expected poses as float32 \[10, 7\]"),
        (lambda r: r.update(scales=r["scales"].astype(float)), "expected scales as float32"),
        (lambda r: r["poses"].fill(np.nan), "expected finite poses"),
        (_too_many, "expected distinct actors"),
        (lambda r: r["present"].fill(True), "does not match `actors`"),
        (lambda r: r["graspable"].fill(True), "graspable, but not visible"),
    ],
)
def test_a_wrong_scene_is_refused(tmp_path: Path, spoil: Any, words: str) -> None:
    manifest = make_manifest()
    (tmp_path / "shards").mkdir()
    row = random_row(manifest, 0)
    spoil(row)
    with pytest.raises(DatasetError, match=words):
        write_shard(tmp_path, 0, [row], manifest.layout)
    assert not list((tmp_path / "shards").iterdir())


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    manifest = make_manifest(size=64)
    (tmp_path / "shards").mkdir()
    rows = [random_row(manifest, index) for index in range(4)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DatasetError, match=r"cannot write .*00000\.h5 .*MB\)"):
            write_shard(tmp_path, 0, rows, manifest.layout)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "shards").iterdir())
    write_shard(tmp_path, 0, rows, manifest.layout)


def test_folders(tmp_path: Path) -> None:
    create_dir(tmp_path / "new")
    create_dir(tmp_path / "new")
    create_dir(tmp_path / "not" / "there")
    assert (tmp_path / "not" / "there").is_dir()
    atomic_write(tmp_path / "new" / "file", b"1")
    with pytest.raises(DatasetError, match="cannot create the folder"):
        create_dir(tmp_path / "new" / "file")
    (tmp_path / "new" / ".left.123.tmp").touch()
    clean_temp_files(tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_the_store_needs_neither_torch_nor_simulator() -> None:
    code = (
        "import sys, pickclutter_lang.datasets.scenes\n"
        "print([name for name in ('torch', 'sapien', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
