"""Folders of one's own as object sets, alone, mixed, and without a catalog."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from helpers.own_objects import MESHES, UNSEEN, make_own_set, own_entry
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError, PickClutterError
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, check_unique, write_catalog
from pickclutter_lang.objects.object_sets import (
    ObjectSet,
    check_object_split,
    check_objects,
    load_object_set,
    own_split_of,
)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_own_set(tmp_path_factory.mktemp("own") / "mine")


def unseen_of(objects: ObjectSet) -> set[str]:
    return {item.model_id for item in objects.catalog if item.split == "ood"}


def test_a_folder_is_an_object_set_by_its_catalog(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = load_object_set(str(mine))
    assert (objects.name, objects.catalog.model_ids) == ("mine", list(MESHES)) and unseen_of(objects) == {*UNSEEN}
    assert all(0.01 < max(item.size) < 0.4 for item in objects.catalog)
    assert objects.model_dir("alarm") == mine / "models" / "alarm"
    assert list(objects.model_db(["alarm", "tea_mug"])) == ["alarm", "tea_mug"]
    monkeypatch.chdir(mine.parent)
    for source in ("mine", Path("mine"), ["mine"]):
        assert load_object_set(source).fingerprint == objects.fingerprint


def test_a_number_draws_other_unseen_objects(mine: Path) -> None:
    sets = {number: load_object_set(str(mine), object_split=number) for number in range(6)}
    drawn = {number: unseen_of(objects) for number, objects in sets.items()}
    assert drawn[0] == {*UNSEEN} and all(len(ids) == len(UNSEEN) for ids in drawn.values())
    assert len({frozenset(ids) for ids in drawn.values()}) > 3
    assert {entry.id for entry in sets[5].own_catalog or () if entry.split == "unseen"} == drawn[5]
    with pytest.raises(InvalidArgumentError, match="object_split"):
        check_object_split(str(mine), 1000)
    names = [item.name for item in sets[5].catalog if item.split == "ood"]
    found = own_split_of(sets[0].catalog, names)
    assert unseen_of(load_object_set(str(mine), object_split=found)) == drawn[5]
    assert own_split_of(sets[0].catalog, ["banana"]) == 0 == own_split_of(sets[0].catalog, [])


def test_sets_are_mixed(mine: Path, tmp_path: Path) -> None:
    mixed = load_object_set(["proxy", str(mine)])
    assert mixed.name == "proxy+mine" and mixed.catalog.model_ids == [*paper_catalog().model_ids, *MESHES]
    assert unseen_of(mixed) == {*UNSEEN, *unseen_of(load_object_set("proxy"))}
    assert mixed.model_dir("alarm") == mine / "models" / "alarm" and mixed.model_dir("062_dice").parent.parent != mine
    assert set(mixed.model_db(["alarm", "062_dice"])) == {"alarm", "062_dice"}
    assert {entry.license for entry in mixed.own_catalog or ()} == {"MIT", "CC0 1.0"}
    assert len(unseen_of(load_object_set(["proxy", str(mine)], object_split=3))) == 16
    folder = make_own_set(tmp_path / "own", ["alarm"])  # a name that is a synonym elsewhere is the object's own
    write_catalog(folder / CATALOG_FILE, [replace(own_entry("alarm"), name="screwdriver")])
    mixed = load_object_set(["proxy", str(folder)])
    assert "screwdriver" in paper_catalog().find("phillips screwdriver").synonyms
    assert "screwdriver" not in mixed.catalog.find("phillips screwdriver").synonyms
    check_unique(mixed.own_catalog or ())  # as a store of it is read
    assert [entry.synonyms for entry in mixed.own_catalog or ()] == [item.synonyms for item in mixed.catalog]


@pytest.mark.parametrize(
    ("name", "text", "error", "key"),
    [
        ("info_pick_v0.json", "{}", MissingAssetsError, "tea_mug"),
        ("models/alarm/textured.obj", None, MissingAssetsError, "models/alarm/textured.obj"),
        (CATALOG_FILE, "version: 1\nobjects: [{id: alarm, name: a, size: 3}]", DatasetError, "size"),
        (CATALOG_FILE, "version: 1\nobjects: [{id: clock, name: a}]", MissingAssetsError, "clock"),
    ],
)
def test_a_broken_folder_names_what_is_wrong(
    tmp_path: Path, name: str, text: str | None, error: type[PickClutterError], key: str
) -> None:
    folder = make_own_set(tmp_path / "mine", ["tea_mug", "alarm"])
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(error, match=key):
        check_objects(str(folder), None)


def test_what_does_not_go_together_names_the_sets(mine: Path, tmp_path: Path) -> None:
    other = make_own_set(tmp_path / "other", ["alarm"])
    with pytest.raises(InvalidArgumentError, match="alarm"):
        load_object_set([str(mine), str(other)])
    (other / "models" / "alarm").rename(other / "models" / "bell")
    (other / "info_pick_v0.json").write_text((other / "info_pick_v0.json").read_text().replace("alarm", "bell"))
    write_catalog(other / CATALOG_FILE, [replace(own_entry("alarm"), id="bell")])
    with pytest.raises(InvalidArgumentError, match="alarm"):
        load_object_set([str(mine), str(other)])


@pytest.mark.parametrize("source", ["prxy", 3, ["proxy", "kinds"], ["proxy", "proxy"]])
def test_what_is_no_set_is_refused(source: object) -> None:
    with pytest.raises(InvalidArgumentError, match="objects"):
        check_objects(source, None)  # type: ignore[arg-type]
