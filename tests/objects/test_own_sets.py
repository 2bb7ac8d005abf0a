"""Folders of one's own as object sets, alone, mixed, and without a catalog."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.own_objects import MESHES, UNSEEN, make_own_set, own_entry
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, PickClutterError
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, check_unique, entry_of, write_catalog
from pickclutter_lang.objects.extra_objects import all_objects, select_objects
from pickclutter_lang.objects.object_sets import (
    ObjectSet,
    check_object_split,
    check_objects,
    load_object_set,
    own_sources,
)
from pickclutter_lang.objects.own_sets import OwnSet, own_split_of

_HEAD = "version: 1\nobjects:"


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_own_set(tmp_path_factory.mktemp("own") / "mine")


def unseen_of(objects: object) -> set[str]:
    assert isinstance(objects, OwnSet)
    return {item.model_id for item in objects.catalog if item.split == "ood"}


def test_a_folder_is_an_object_set_by_its_catalog(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = load_object_set(str(mine))
    assert (objects.name, objects.catalog.model_ids) == ("mine", list(MESHES)) and unseen_of(objects) == {*UNSEEN}
    assert all(0.01 < max(item.size) < 0.4 for item in objects.catalog)
    assert objects.model_dir("alarm") == mine / "models" / "alarm"
    assert list(objects.model_db(["alarm", "tea_mug"])) == ["alarm", "tea_mug"]
    monkeypatch.chdir(mine.parent)
    for source in ("mine", "./mine", Path("mine"), ["mine"]):
        assert load_object_set(source).fingerprint == objects.fingerprint


def test_a_number_draws_other_unseen_objects(mine: Path) -> None:
    drawn = {number: unseen_of(load_object_set(str(mine), object_split=number)) for number in range(6)}
    assert drawn[0] == {*UNSEEN} and all(len(ids) == len(UNSEEN) for ids in drawn.values())
    assert len({frozenset(ids) for ids in drawn.values()}) > 3
    assert unseen_of(load_object_set(str(mine), object_split=5)) == drawn[5]
    entries = {entry.id: entry.split for entry in load_object_set(str(mine), object_split=5).entries}  # type: ignore[attr-defined]
    assert {model_id for model_id, split in entries.items() if split == "unseen"} == drawn[5]
    with pytest.raises(InvalidArgumentError, match="expected object_split to lie between 0 and 999, but got 1000"):
        check_object_split(str(mine), 1000)


def test_the_split_is_found_by_the_unseen_names(mine: Path) -> None:
    catalog = load_object_set(str(mine)).catalog
    drawn = load_object_set(str(mine), object_split=432).catalog
    names = [item.name for item in drawn if item.split == "ood"]
    found = own_split_of(catalog, names)
    assert load_object_set(str(mine), object_split=found).catalog.fingerprint == drawn.fingerprint
    assert own_split_of(catalog, [name.replace("_", " ") for name in UNSEEN]) == 0
    assert own_split_of(catalog, ["banana"]) == 0 == own_split_of(catalog, [])


def test_objects_of_no_pile_are_never_drawn(mine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("models", "info_pick_v0.json"):
        (folder / name).symlink_to(mine / name)
    entries = [replace(own_entry(i), split="seen" if n < 5 else "none") for n, i in enumerate(MESHES)]
    write_catalog(folder / CATALOG_FILE, entries)
    assert unseen_of(load_object_set(str(folder))) == set()
    for number in range(1, 9):  # two of five, as 12 of 26
        drawn = load_object_set(str(folder), object_split=number)
        assert len(unseen_of(drawn)) == 2 and unseen_of(drawn) <= set(list(MESHES)[:5])


def test_without_a_catalog_all_are_seen_and_named_by_their_ids(tmp_path: Path) -> None:
    folder = make_own_set(tmp_path / "bare", ["tea_mug", "alarm"], catalog=False)
    objects = load_object_set(str(folder))
    assert objects.catalog.names == ["tea mug", "alarm"] and unseen_of(objects) == set()
    (folder / "info_pick_v0.json").write_text(json.dumps({"Tea Mug": {"bbox": {"min": [0, 0, 0], "max": [1, 1, 1]}}}))
    with pytest.raises(DatasetError, match=r"info_pick_v0\.json: object 1 \('Tea Mug'\): id: expected lower-case"):
        load_object_set(str(folder))


def test_sets_are_mixed(mine: Path) -> None:
    mixed = load_object_set(["proxy", str(mine)])
    assert mixed.name == "proxy+mine" and mixed.catalog.model_ids == [*paper_catalog().model_ids, *MESHES]
    assert unseen_of(mixed) == {*UNSEEN, *(item.model_id for item in paper_catalog() if item.split == "ood")}
    assert mixed.model_dir("alarm") == mine / "models" / "alarm" and mixed.model_dir("062_dice").parent.parent != mine
    assert set(mixed.model_db(["alarm", "062_dice"])) == {"alarm", "062_dice"}
    assert isinstance(mixed, OwnSet)
    assert {entry.license for entry in mixed.entries} == {"MIT", "CC0 1.0"}
    assert len(unseen_of(load_object_set(["proxy", str(mine)], object_split=3))) == 16


def test_the_set_of_the_package_alone_is_that_of_before(procedural: ObjectSet) -> None:
    for source in ("proxy", ["proxy"]):
        found = load_object_set(source)
        assert type(found) is ObjectSet and found.fingerprint == procedural.fingerprint
    assert own_sources(["proxy"]) == () and own_sources(["proxy", "x"]) == ("proxy", "x")


def _break(folder: Path, name: str, text: str | None) -> None:
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: _break(folder, "info_pick_v0.json", None), "expected info_pick_v0.json with the sizes"),
        (lambda folder: _break(folder, "info_pick_v0.json", "{}"), "lacks tea_mug (info_pick_v0.json)"),
        (lambda folder: _break(folder, "models/alarm/textured.obj", None), "models/alarm/textured.obj; import the"),
        (lambda folder: _break(folder, CATALOG_FILE, f"{_HEAD} [{{id: alarm, name: a, size: 3}}]"), "but got size"),
        (lambda folder: _break(folder, CATALOG_FILE, f"{_HEAD} [{{id: clock, name: a}}]"), "lacks clock"),
    ],
)  # fmt: skip
def test_a_broken_folder_is_an_error_of_one_line(tmp_path: Path, change: object, message: str) -> None:
    folder = make_own_set(tmp_path / "mine", ["tea_mug", "alarm"])
    change(folder)  # type: ignore[operator]
    with pytest.raises(PickClutterError) as raised:
        check_objects(str(folder), None)
    assert message in str(raised.value) and str(folder) in str(raised.value) and "\n" not in str(raised.value)


def test_what_does_not_go_together_names_the_sets(mine: Path, tmp_path: Path) -> None:
    other = make_own_set(tmp_path / "other", ["alarm"])
    with pytest.raises(InvalidArgumentError, match=r"common id, but .*mine and .*other both have 'alarm'"):
        load_object_set([str(mine), str(other)])
    (other / "models" / "alarm").rename(other / "models" / "bell")
    (other / "info_pick_v0.json").write_text((other / "info_pick_v0.json").read_text().replace("alarm", "bell"))
    write_catalog(other / CATALOG_FILE, [replace(own_entry("alarm"), id="bell")])
    with pytest.raises(InvalidArgumentError, match=r"common name, but .*mine and .*other both have 'alarm'"):
        load_object_set([str(mine), str(other)])


def test_a_name_that_is_a_synonym_elsewhere_is_the_object_s_own(tmp_path: Path) -> None:
    """The package calls its phillips screwdriver a screwdriver too; beside an own one it does not."""
    folder = make_own_set(tmp_path / "own", ["alarm"])
    write_catalog(folder / CATALOG_FILE, [replace(own_entry("alarm"), name="screwdriver")])
    mixed = load_object_set(["proxy", str(folder)])
    assert isinstance(mixed, OwnSet)
    assert "screwdriver" in paper_catalog().find("phillips screwdriver").synonyms
    assert "screwdriver" not in mixed.catalog.find("phillips screwdriver").synonyms
    check_unique(mixed.entries)  # as a store of it is read
    assert [entry.synonyms for entry in mixed.entries] == [item.synonyms for item in mixed.catalog]


def test_a_name_that_is_another_object_s_id_is_refused(tmp_path: Path) -> None:
    folder = make_own_set(tmp_path / "own", ["alarm", "tea_mug"])
    clock = replace(own_entry("alarm"), name="clock")
    with pytest.raises(DatasetError, match="another name of tea_mug, but 'alarm' is the id of another object"):
        write_catalog(folder / CATALOG_FILE, [clock, replace(own_entry("tea_mug"), name="alarm")])
    write_catalog(folder / CATALOG_FILE, [clock, own_entry("tea_mug")])
    other = make_own_set(tmp_path / "other", ["beer_can"])
    write_catalog(other / CATALOG_FILE, [replace(own_entry("beer_can"), name="alarm")])
    with pytest.raises(InvalidArgumentError, match=r"beer_can of .*other has .* 'alarm', which is an id of .*own"):
        load_object_set([str(folder), str(other)])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("prxy", r"one of proxy, ycb, kinds, or a folder of objects \(info_pick.*'prxy', .*; did you mean proxy\?"),
        ("", "expected objects to be one of"),
        ([], "expected objects to be one of"),
        (3, "expected objects to be one of"),
        (["proxy", 3], "expected objects to be one of"),
        (["proxy", "kinds"], "different sets in objects, and none of them kinds"),
        (["proxy", "proxy"], "different sets in objects"),
    ],
)  # fmt: skip
def test_what_is_no_set_is_refused(source: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        check_objects(source, None)  # type: ignore[arg-type]


def test_settings_that_own_objects_do_not_have(mine: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="expected no objects_root"):
        check_objects(str(mine), "/tmp")
    with pytest.raises(InvalidArgumentError, match="expected kinds for objects=kinds alone"):
        check_objects(str(mine), None, ["mug"])


def test_all_scans_of_ycb_with_the_further_ones_unseen(ycb_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ycb60"
    folder.mkdir()
    for name in ("models", "info_pick_v0.json"):
        (folder / name).symlink_to(ycb_root / name)
    assert len(load_object_set(str(folder)).catalog.indices("id")) == 60  # without a catalog all are seen
    seen = set(select_objects("paper").model_ids)
    entries = [replace(entry_of(i), split="seen" if i.model_id in seen else "unseen") for i in all_objects()]
    write_catalog(folder / CATALOG_FILE, entries)
    catalog = load_object_set(str(folder)).catalog
    assert (len(catalog.indices("id")), len(catalog.indices("ood"))) == (26, 34)
    assert catalog.find("orange cup").synonyms and catalog.find("orange cup").split == "ood"
    mixed = load_object_set(["ycb", str(_further(folder, tmp_path))], ycb_root)
    assert len(mixed.catalog) == 60 and len(mixed.catalog.indices("ood")) == 12 + 34


def _further(folder: Path, tmp_path: Path) -> Path:
    """A folder with the 34 scans beyond the paper's alone."""
    further = tmp_path / "further"
    further.mkdir()
    for name in ("models", "info_pick_v0.json"):
        (further / name).symlink_to(folder / name)
    items = [item for item in all_objects() if item.split == "none"]
    write_catalog(further / CATALOG_FILE, [replace(entry_of(item), split="unseen") for item in items])
    return further
