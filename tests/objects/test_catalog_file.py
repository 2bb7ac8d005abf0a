"""`catalog.yaml`: what is written is read back, and what is wrong is named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pickclutter_lang.errors import DatasetError, MissingAssetsError
from pickclutter_lang.objects.catalog_file import (
    CatalogEntry,
    catalog_bytes,
    credits_of,
    entry_of,
    read_catalog,
    write_catalog,
)
from pickclutter_lang.objects.extra_objects import all_objects

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
    item = entries[0].catalog_object((0.1, 0.2, 0.3), 2.0, 500.0)
    assert (item.split, item.size, item.density, item.colors) == ("ood", (0.1, 0.2, 0.3), 500.0, ("blue", "white"))
    assert entry_of(item, MUG.license, MUG.source) == MUG


def test_a_catalog_by_hand_needs_ids_and_names_alone(tmp_path: Path) -> None:
    text = "version: 1\nobjects:\n- {id: bolt, name: bolt}\n- id: nut\n  name: hex nut\n  split: none\n"
    assert read_catalog(catalog(tmp_path, text)) == (
        CatalogEntry("bolt", "bolt"),
        CatalogEntry("nut", "hex nut", "none"),
    )


def test_all_objects_of_ycb_are_a_catalog(tmp_path: Path) -> None:
    write_catalog(tmp_path / "c.yaml", [entry_of(item) for item in all_objects()])
    pairs = zip(read_catalog(tmp_path / "c.yaml"), all_objects(), strict=True)
    assert all(entry.catalog_object(item.size, item.scale, item.density) == item for entry, item in pairs)


ROW = "version: 1\nobjects:\n- id: bolt\n  name: bolt\n- id: nut\n  "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected object, but got null"),
        ("- bolt\n", "expected object, but got array"),
        ("objects: []\nversion: 1\n", "objects: expected array of length >= 1"),
        ("version: 2\nobjects: [{id: a, name: a}]\n", "expected version 1, but got 2"),
        ("objects: [{id: a, name: a}]\n", "expected the key version, but it is missing"),
        ("version: 1\nobjects: [bolt]\n", "object 1: expected keys and values (id: ..., name: ...), but got str"),
        (ROW + "name: bolt", "expected each name once, but objects 1 (bolt) and 2 (nut) have 'bolt'"),
        ("version: 1\nobjects: [{id: a, name: a}, {id: a, name: b}]", "each id once, but objects 1 (a) and 2 (a)"),
        (ROW + "name: nut\n  split: ood", "object 2 ('nut'): split: invalid enum value 'ood'"),
        (ROW + "name: nut\n  synonyms: [bolt]", "expected other synonyms of nut, but 'bolt' is the name of bolt"),
        (ROW + "name: nut\n  synonyms: bolt", "object 2 ('nut'): synonyms: expected array, but got str"),
        (ROW + 'name: "hex\\nnut"', "object 2 ('nut'): name: expected one line of text"),
        (ROW + 'name: ""', "object 2 ('nut'): name: expected str of length >= 1"),
        (ROW + "name: Hex nut", "expected names in lower case with single spaces, but got 'Hex nut': 'hex nut'?"),
        (ROW + f"name: {'n' * 81}", "expected a name of at most 80 characters, but got 81"),
        (ROW + "name: nut\n  licence: MIT", "but got licence; did you mean license?"),
        (ROW + "colors: [red]", "object 2 ('nut'): expected the key name, but it is missing"),
        (ROW + "name: no", "object 2 ('nut'): name: expected str, but got bool; put the text in quotes"),
        ("version: 1\nobjects: [{id: My Nut, name: nut}]", "object 1 ('My Nut'): id: expected lower-case letters"),
        ("version: 1\nobjects: [{id: ../nut, name: nut}]", "id: expected lower-case letters, digits, _ and -"),
        ("version: 1\nobjects: &a [*a]", "it has an alias (*)"),
        ("version: 1\nversion: 1\nobjects: []", "the key 'version' is there twice (line 1)"),
        ("version: 1\nobjects: !!python/object:os.system {}", "could not determine a constructor"),
        ("version: [1\n", "(line 2)"),
        ("version: \x00", "special characters are not allowed"),
        ("[" * 5000, "it is no YAML of plain values"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = catalog(tmp_path, text)
    with pytest.raises(DatasetError) as raised:
        read_catalog(path)
    assert message in str(raised.value) and str(path) in str(raised.value)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 600


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetsError, match="no such file"):
        read_catalog(tmp_path / "catalog.yaml")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DatasetError, match="no regular file"):
        read_catalog(tmp_path / "folder")
    (tmp_path / "large").write_bytes(b"#" * (5 * 2**20))
    with pytest.raises(DatasetError, match="it has 5 MB, and may have 4 MB"):
        read_catalog(tmp_path / "large")


def test_nothing_is_written_that_could_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="each id once"):
        write_catalog(tmp_path / "catalog.yaml", [MUG, MUG])
    assert list(tmp_path.iterdir()) == []


def test_credits_name_every_license_with_its_objects() -> None:
    entries = [MUG, CatalogEntry("bolt", "bolt"), CatalogEntry("nut", "nut", license="MIT", source="a | b")]
    assert credits_of(entries).splitlines()[2:] == [
        "| CC BY 4.0 | https://example.org/mug | blue mug |",
        "| not noted | not noted | bolt |",
        r"| MIT | a \| b | nut |",
    ]
    assert credits_of(entries[1:2]) == "" == credits_of([])


def test_equal_entries_give_equal_bytes() -> None:
    assert catalog_bytes([MUG]) == catalog_bytes((MUG,)) and b"\xc3\xbc" in catalog_bytes([MUG])
