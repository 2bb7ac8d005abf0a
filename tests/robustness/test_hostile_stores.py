"""Shards that the manifest vouches for, but whose form or values are wrong: no way of reading takes them.

Every row is tried on what trains and evaluates (`SceneStore`), on `verify-scenes`, and on what `collect-scenes` keeps.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.image_data import toy_views
from helpers.scene_rows import make_store
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore, read_manifest, shards, verify_store
from pickclutter_lang.datasets.scenes.manifest import ShardEntry
from pickclutter_lang.errors import CorruptShardError, DatasetError

Change = Callable[[h5py.File], object]


def replaced(name: str, data: object, **more: object) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, data=data, **more)

    return change


def of_hdf5_time(file: h5py.File) -> None:
    """Replace an array by one of a type that NumPy does not have."""
    del file["hand_rgb"]
    h5py.h5d.create(file.id, b"hand_rgb", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((4,)))


def altered(name: str, change: Callable[[NDArray[Any]], object]) -> Change:
    def apply(file: h5py.File) -> None:
        values = file[name][...]
        change(values)
        file[name][...] = values

    return apply


def linked(name: str, link: object) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = link

    return change


def grouped(file: h5py.File) -> None:
    del file["hand_rgb"]
    file.create_group("hand_rgb")


def virtual(file: h5py.File) -> None:
    del file["hand_rgb"]
    layout = h5py.VirtualLayout((4, 16, 16, 3), np.uint8)
    layout[:] = h5py.VirtualSource("other.h5", "rgb", (4, 16, 16, 3))
    file.create_virtual_dataset("hand_rgb", layout)


def external(file: h5py.File) -> None:
    del file["hand_rgb"]
    file.create_dataset("hand_rgb", (4, 16, 16, 3), np.uint8, external=[("/etc/passwd", 0, 4 * 16 * 16 * 3)])


def huge(file: h5py.File) -> None:
    del file["hand_rgb"]
    file.create_dataset("hand_rgb", (200_000, 176, 176, 3), np.uint8, chunks=(1, 176, 176, 3), compression="gzip")


def bad_flags(file: h5py.File) -> None:
    raw = file["present"][...].view(np.uint8) * 7
    file["present"].id.write(h5py.h5s.ALL, h5py.h5s.ALL, raw, mtype=file["present"].id.get_type())


HAND = (4, 16, 16)
TABLE: dict[str, tuple[Change, str]] = {
    "rgb as float64": (replaced("hand_rgb", np.zeros((*HAND, 3))), "hand_rgb is float64"),
    "depth as float32 with NaN": (replaced("hand_depth", np.full(HAND, np.nan, np.float32)), "hand_depth is float32"),
    "rgb of another side": (replaced("hand_rgb", np.zeros((4, 32, 32, 3), np.uint8)), r"\[4, 32, 32, 3\] instead of"),
    "rgb with four channels": (replaced("hand_rgb", np.zeros((*HAND, 4), np.uint8)), r"16, 4\] instead of"),
    "rgb of HDF5's times": (of_hdf5_time, "hand_rgb as numbers"),
    "rgb a number": (replaced("hand_rgb", np.uint8(1)), r"hand_rgb is uint8 \[\] instead of"),
    "fewer rows": (replaced("hand_rgb", np.zeros((3, 16, 16, 3), np.uint8)), r"\[3, 16, 16, 3\] instead of"),
    "labels as text": (replaced("present", np.full((4, 26), b"yes")), "present is |S3"),
    "labels of 7": (replaced("present", np.full((4, 26), 7)), "present is int64"),
    "labels of 7 that say they are bool": (bad_flags, "expected present to be false or true"),
    "labels of three columns": (replaced("present", np.zeros((4, 3), bool)), r"bool \[4, 3\] instead of"),
    "actors out of range": (altered("actors", lambda a: a[:1, :1].fill(999)), "expected actors below 26"),
    "an actor twice": (altered("actors", lambda a: a[:1, 1:2].fill(a[0, 0])), "expected distinct actors"),
    "graspable but not visible": (altered("graspable", lambda a: a.fill(True)), "graspable, but not visible"),
    "present without an actor": (altered("present", lambda a: a.fill(True)), "does not match `actors`"),
    "poses of NaN": (altered("poses", lambda a: a.fill(np.nan)), "expected finite poses"),
    "infinite scales": (altered("scales", lambda a: a.fill(np.inf)), "expected finite scales"),
    "other scenes": (altered("index", lambda a: a.fill(3)), "holds other scenes than 0 to 3"),
    "a group in place of images": (grouped, "expected the array hand_rgb, but got a group"),
    "a soft link in a loop": (linked("hand_rgb", h5py.SoftLink("/hand_rgb")), "got a link to elsewhere"),
    "an external link": (linked("hand_rgb", h5py.ExternalLink("/etc/passwd", "/")), "got a link to elsewhere"),
    "external storage": (external, "it lies in another one"),
    "a virtual array": (virtual, "it lies in another one"),
    "18 GB declared": (huge, "with at most .* bytes, but it declares 18585600000"),
    "one more array": (lambda file: file.create_dataset("more", data=1), "holds .*more.* instead of"),
    "one less": (lambda file: file.__delitem__("poses"), "instead of"),
}


def rewrite(folder: Path, change: Change) -> None:
    """Change the first shard, and give the manifest its new size and sha256."""
    path = folder / "shards" / "00000.h5"
    with h5py.File(path, "r+") as file:
        change(file)
    vouch(folder, path)


def vouch(folder: Path, path: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    data = path.read_bytes()
    manifest["shards"][0] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", TABLE)
def test_no_reader_takes_it(name: str, tmp_path: Path) -> None:
    make_store(tmp_path / "s")
    change, message = TABLE[name]
    rewrite(tmp_path / "s", change)
    with pytest.raises(CorruptShardError, match=f"00000.h5.*{message}.*collect-scenes keeps whole shards") as caught:
        SceneStore.open(tmp_path / "s").images()
    assert "\n" not in str(caught.value)
    with pytest.raises(CorruptShardError, match=f"1 of 3 shards.*00000.h5.*{message}"):
        verify_store(tmp_path / "s")
    manifest = read_manifest(tmp_path / "s")
    assert shards.check_shard(tmp_path / "s", manifest.shards[0], manifest.layout) is not None


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_anywhere_is_found_by_the_first_read(seed: int, tmp_path: Path) -> None:
    make_store(tmp_path / "s")
    store = SceneStore.open(tmp_path / "s")
    path = tmp_path / "s" / "shards" / "00001.h5"
    data = bytearray(path.read_bytes())
    place = int(np.random.default_rng(seed).integers(len(data)))
    data[place] ^= 1 << seed
    path.write_bytes(data)
    with pytest.raises(CorruptShardError, match=r"00001\.h5: its bytes are not those of the manifest"):
        store.labels("present")
    assert store.scene(0)["index"] == 0


def test_a_whole_shard_is_hashed_once_until_its_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_store(tmp_path / "s")
    hashed: list[str] = []
    check = shards.bytes_damage

    def counted(path: Path, entry: ShardEntry) -> str | None:
        hashed.append(path.name)
        return check(path, entry)

    monkeypatch.setattr(shards, "bytes_damage", counted)
    for _ in range(3):
        SceneStore.open(tmp_path / "s").labels("present")
    assert hashed == ["00000.h5", "00001.h5", "00002.h5"]
    os.utime(tmp_path / "s" / "shards" / "00001.h5", ns=(1, 1))
    SceneStore.open(tmp_path / "s").labels("present")
    assert hashed[3:] == ["00001.h5"]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
def test_what_is_no_regular_file_is_refused_without_a_wait(make: Callable[[Path], None], tmp_path: Path) -> None:
    make_store(tmp_path / "s")
    store, path = SceneStore.open(tmp_path / "s"), tmp_path / "s" / "shards" / "00000.h5"
    path.unlink()
    make(path)
    with pytest.raises(CorruptShardError, match=r"missing|no regular file"):
        store.labels("present")
    with pytest.raises(CorruptShardError, match=r"00000\.h5"):
        SceneStore.open(tmp_path / "s")
    toy_views(tmp_path / "views", objects=2, views=2)
    (tmp_path / "views" / "views.h5").unlink()
    make(tmp_path / "views" / "views.h5")
    with pytest.raises(DatasetError, match="no regular file"):
        ObjectViewDataset.open(tmp_path / "views")


VIEWS: dict[str, tuple[Change, str]] = {
    "rgb of three axes": (replaced("rgb", np.zeros((4, 8, 8), np.uint8)), "expected rgb as uint8"),
    "an object out of range": (altered("thing", lambda a: a.fill(9)), "expected views of objects from 0 to 1"),
    "masks of another length": (replaced("mask", np.zeros((2, 8, 8), bool)), "expected mask as bool"),
    "a group in place of images": (lambda f: (f.__delitem__("rgb"), f.create_group("rgb")), "but got a group"),
    "an external link": (linked("mask", h5py.ExternalLink("/etc/passwd", "/")), "got a link to elsewhere"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_checked_too(name: str, tmp_path: Path) -> None:
    toy_views(tmp_path / "views", objects=2, views=2)
    change, message = VIEWS[name]
    with h5py.File(tmp_path / "views" / "views.h5", "r+") as file:
        change(file)
    with pytest.raises(CorruptShardError, match=message):
        ObjectViewDataset.open(tmp_path / "views")
