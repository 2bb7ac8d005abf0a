"""The 26 objects of the paper, and object sets on disk."""

import json
from pathlib import Path

import pytest

from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.objects.catalog import (
    Catalog,
    CatalogObject,
    object_split_of,
    paper_catalog,
    unseen_objects,
)
from pickclutter_lang.objects.object_sets import load_object_set, read_object_set


def test_the_split_is_that_of_the_paper() -> None:
    catalog = paper_catalog()
    assert (len(catalog), len(catalog.indices("id")), len(catalog.indices("ood"))) == (26, 14, 12)
    expected = {catalog[n].model_id for n in catalog.indices("id")}
    assert {"011_banana", "062_dice", "048_hammer"} <= expected
    assert not {"003_cracker_box", "077_rubiks_cube", "031_spoon"} & expected
    assert catalog.model_ids == sorted(catalog.model_ids)
    for item in catalog:
        assert item.description and item.category and item.colors and item.material and item.function
        assert all(0.01 < extent < 0.4 for extent in item.size)


def test_each_object_split_has_another_12_unseen_objects_and_every_object_is_unseen_in_one() -> None:
    unseen = [unseen_objects(number) for number in range(5)]
    assert [len(ids) for ids in unseen] == [12] * 5 and len({*unseen}) == 5
    assert frozenset.union(*unseen) == {*paper_catalog().model_ids}
    for number, ids in enumerate(unseen):
        other = paper_catalog().with_unseen(ids)
        assert len(other.indices("id")) == 14
        assert other.with_unseen(unseen[0]).fingerprint == paper_catalog().fingerprint
        assert object_split_of(ids) == number
    assert object_split_of(["065-a_cups"]) == 0


def test_objects_are_found_by_name_and_id() -> None:
    for word in ("banana", " Banana ", "011_banana"):
        assert paper_catalog().find(word).model_id == "011_banana"
    with pytest.raises(UnknownObjectError, match="banana"):
        paper_catalog().index("banan")


def test_names_are_unique_and_the_fingerprint_follows_the_content() -> None:
    repeated = [CatalogObject(i, "mug", "none", (0.1, 0.1, 0.1)) for i in ("a", "b")]
    with pytest.raises(InvalidArgumentError, match="unique"):
        Catalog(repeated)

    first = Catalog([CatalogObject("a", "mug", "none", (0.1, 0.1, 0.1))])
    second = Catalog([CatalogObject("a", "mug", "none", (0.1, 0.1, 0.2))])
    assert first.fingerprint != second.fingerprint


def _write_set(root: Path, model_id: str) -> None:
    folder = root / "models" / model_id
    folder.mkdir(parents=True)
    (folder / "collision.obj").write_text("o a\n")
    (folder / "textured.obj").write_text("o a\n")
    row = {"bbox": {"min": [-0.1, -0.1, -0.2], "max": [0.1, 0.1, 0.2]}, "scales": [0.5], "density": 300}
    (root / "info_pick_v0.json").write_text(json.dumps({model_id: row}))


def test_objects_outside_the_paper_are_read_with_their_sizes(tmp_path: Path) -> None:
    _write_set(tmp_path, "065-a_cups")
    objects = read_object_set("mine", tmp_path, ["065-a_cups"])
    item = objects.catalog[0]
    assert (item.name, item.split, item.size, item.scale, item.density) == ("cups a", "none", (0.2, 0.2, 0.4), 0.5, 300)


def test_the_fingerprint_of_a_set_follows_its_meshes(tmp_path: Path) -> None:
    _write_set(tmp_path, "065-a_cups")
    fingerprint = read_object_set("mine", tmp_path, ["065-a_cups"]).fingerprint
    (tmp_path / "models" / "065-a_cups" / "textured.obj").write_text("o b\n")
    changed = read_object_set("mine", tmp_path, ["065-a_cups"]).fingerprint
    textures = tmp_path / "models" / "065-a_cups" / "textures"
    textures.mkdir()
    assert read_object_set("mine", tmp_path, ["065-a_cups"]).fingerprint == changed != fingerprint
    (textures / "skin.png").write_bytes(b"skin")
    assert read_object_set("mine", tmp_path, ["065-a_cups"]).fingerprint != changed


def test_the_real_objects_have_the_sizes_of_the_catalog(ycb_root: Path) -> None:
    for item, expected in zip(load_object_set("ycb", ycb_root).catalog, paper_catalog(), strict=True):
        assert item.size == pytest.approx(expected.size, abs=0.002)
        assert item.scale == expected.scale
