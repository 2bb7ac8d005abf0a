"""Parts of a store that are joined: equal to one collection, and everything that may be wrong with parts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers.own_objects import MESHES, own_entry
from helpers.scene_rows import make_manifest, make_store
from pickclutter_lang.datasets.scenes import verify_store
from pickclutter_lang.datasets.scenes.merge import merge_parts
from pickclutter_lang.errors import CorruptShardError, DatasetError, MismatchError
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, catalog_bytes
from pickclutter_lang.utils.parts import Part

SCENES = {"scenes": 23, "shard_size": 4}  # 6 shards


def make_part(parts: Path, number: int, count: int, **changes: Any) -> Path:
    part = Part(number, count)
    make_store(parts / part.folder_name, make_manifest(**{**SCENES, **changes}), part)
    return parts / part.folder_name


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    for number in range(1, 5):
        make_part(tmp_path / "parts", number, 4)
    return tmp_path / "parts"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_merged_store_is_that_of_one_collection(parts: Path, tmp_path: Path) -> None:
    whole = make_store(tmp_path / "whole", make_manifest(**SCENES))
    before = content(parts)
    merged = merge_parts(parts, tmp_path / "merged")
    assert merged.content_hash == whole.content_hash == verify_store(tmp_path / "merged").content_hash
    for name, data in content(tmp_path / "whole").items():
        assert (tmp_path / "merged" / name).read_bytes() == data
    assert {"card.md", "contact_sheet.png", "episodes.json.gz"} <= content(tmp_path / "merged").keys()
    assert content(parts) == before
    shutil.rmtree(parts)
    assert verify_store(tmp_path / "merged")


def test_a_merge_completes_what_is_there(parts: Path, tmp_path: Path) -> None:
    out = tmp_path / "merged"
    expected = merge_parts(parts, out).content_hash
    (out / "manifest.json").unlink()
    (out / "shards" / "00001.h5").unlink()
    (out / "shards" / "00004.h5").unlink()
    (out / "shards" / "00004.h5").write_bytes(b"half")
    kept = (out / "shards" / "00000.h5").stat().st_ino
    assert merge_parts(parts, out).content_hash == expected and verify_store(out)
    assert (out / "shards" / "00000.h5").stat().st_ino == kept


def test_stores_of_own_objects_keep_their_catalog(tmp_path: Path) -> None:
    entries = tuple(own_entry(name) for name in MESHES)
    for number in (1, 2):
        folder = make_part(tmp_path / "parts", number, 2, entries=entries)
        (folder / CATALOG_FILE).write_bytes(catalog_bytes(entries))
    store = merge_parts(tmp_path / "parts", tmp_path / "merged")
    assert store.own_catalog == entries


def refused(kind: type[DatasetError], parts: Path, text: str) -> None:
    out = parts.parent / "merged"
    with pytest.raises(kind, match=text) as caught:
        merge_parts(parts, out)
    assert "\n" not in str(caught.value)
    assert not (out / "manifest.json").exists()


@pytest.mark.parametrize(("lost", "again"), [((2,), "part=2/4"), ((1, 4), "part=1/4, part=4/4")])
def test_missing_parts_are_named(parts: Path, lost: tuple[int, ...], again: str) -> None:
    for number in lost:
        shutil.rmtree(parts / f"{number}_of_4")
    refused(DatasetError, parts, rf"expected 6 shards .* in none \(.*run their collection again with {again}, which")


def test_an_incomplete_part_is_named(parts: Path) -> None:
    shutil.rmtree(parts / "4_of_4")
    make_store(parts / "4_of_4", make_manifest(**SCENES), Part(6, 6))
    refused(DatasetError, parts, r"1 are in none \(00004\.h5\); .* with part=4/4, ")


def test_no_parts_at_all(tmp_path: Path) -> None:
    refused(DatasetError, tmp_path / "nowhere", "expected parts of a scene store in .*nowhere, but there are none")


def test_overlapping_parts_are_named(parts: Path) -> None:
    make_part(parts, 2, 2)
    names = r"00003\.h5 is in .*2_of_2 and in .*3_of_4"
    refused(DatasetError, parts, names)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"seed": 1}, "seed is "), ({"scenes": 24}, "scenes is "), ({"versions": {"sapien": "2"}}, "sapien is ")],
)
def test_foreign_parts_are_named(parts: Path, changes: dict[str, Any], words: str) -> None:
    shutil.rmtree(parts / "3_of_4")
    make_part(parts, 3, 4, **changes)
    refused(MismatchError, parts, re.escape("3_of_4 was ") + ".*" + words)


def test_a_damaged_shard_is_named(parts: Path) -> None:
    path = parts / "2_of_4" / "shards" / "00001.h5"
    path.write_bytes(path.read_bytes()[:-1])
    refused(CorruptShardError, parts, r"2_of_4/shards/00001\.h5 is damaged: .* of its part again")


def test_a_store_of_other_versions_is_not_overwritten(parts: Path, tmp_path: Path) -> None:
    make_store(tmp_path / "merged", make_manifest(**SCENES, versions={"sapien": "9"}))
    before = content(tmp_path / "merged")
    with pytest.raises(MismatchError, match="versions"):
        merge_parts(parts, tmp_path / "merged")
    assert content(tmp_path / "merged") == before


def test_the_store_may_lie_beside_its_parts(parts: Path) -> None:
    first = merge_parts(parts, parts / "all").content_hash
    assert merge_parts(parts, parts / "all").content_hash == first


def test_another_store_is_not_overwritten(parts: Path, tmp_path: Path) -> None:
    make_store(tmp_path / "merged", make_manifest(seed=5))
    before = content(tmp_path / "merged")
    with pytest.raises(MismatchError, match="seed is 5 there, 0 now"):
        merge_parts(parts, tmp_path / "merged")
    assert content(tmp_path / "merged") == before
