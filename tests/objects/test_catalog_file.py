"""`catalog.yaml`: what is written is read back, and what is wrong is named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.objects.catalog_file import (
    CatalogEntry,
    entry_of,
    read_catalog,
    write_catalog,
)

MUG = CatalogEntry(
    "blue_mug", "blue mug", "unseen", ("cup of the lab",), "cup", ("blue", "white"), "cylindrical", "ceramic",
    "drinking", "a blue mug with a: colon, 'quotes' and ünïcode", "CC BY 4.0", "https://example.org/mug",
)  # fmt: skip


def catalog(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "catalog.yaml"
    path.write_text(text)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    entries = (MUG, CatalogEntry("bolt-2", "bolt"))
    write_catalog(tmp_path / "catalog.yaml", entries)
    assert read_catalog(tmp_path / "catalog.yaml") == entries
    assert "license" not in (tmp_path / "catalog.yaml").read_text().partition("bolt-2")[2]  # empty: left out
    item = entries[0].catalog_object((0.1, 0.2, 0.3), 2.0)
    assert (item.split, item.size, item.scale, item.colors) == ("ood", (0.1, 0.2, 0.3), 2.0, ("blue", "white"))
    assert entry_of(item, MUG.license, MUG.source) == MUG


ROW = "version: 1\nobjects:\n- id: bolt\n  name: bolt\n- id: nut\n  "


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("objects: []\nversion: 1\n", "objects"),
        ("version: 2\nobjects: [{id: a, name: a}]\n", "version"),
        ("version: 1\nobjects: [bolt]\n", "object"),
        (ROW + "name: bolt", "name"),
        ("version: 1\nobjects: [{id: a, name: a}, {id: a, name: b}]", "id"),
        (ROW + "name: nut\n  split: ood", "split"),
        (ROW + "name: nut\n  synonyms: [bolt]", "synonyms"),
        (ROW + 'name: "nut\\u202e"', "name"),
        (ROW + 'name: "hex\\nnut"', "name"),
        (ROW + "name: nut\n  licence: MIT", "license"),
        ("version: 1\nobjects: [{id: ../nut, name: nut}]", "id"),
        ("version: 1\nobjects: !!python/object:os.system {}", r"catalog\.yaml"),
        ("version: [1\n", r"catalog\.yaml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(DatasetError, match=key):
        read_catalog(catalog(tmp_path, text))


def test_nothing_is_written_that_could_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="id"):
        write_catalog(tmp_path / "catalog.yaml", [MUG, MUG])
    assert list(tmp_path.iterdir()) == []
