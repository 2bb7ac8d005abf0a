"""From settings to pictures and a split: views of objects, lists, texts, captions, a report of what does not match."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from toy_pictures import paint_classes, settings

from pickclutter_lang.errors import (
    InvalidArgumentError,
    StoreError,
    UnknownObjectError,
)
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.objects.further import known_objects
from pickclutter_lang.pictures import open_pictures
from pickclutter_lang.pictures.sets import Loaded, load_set
from pickclutter_lang.scenes.views import write_views

SHARED = Path(__file__).parent.parent.parent / "shared"


def loaded(tmp_path: Path, name: str, **changes: object) -> Loaded:
    return load_set(settings(tmp_path, name=name, **changes))


def found(item: Loaded) -> dict[str, tuple[str, int]]:
    """Folder -> name and number of pictures."""
    counts = np.bincount(item.data.labels, minlength=len(item.data.classes)).tolist()
    return {c.folder: (c.name, count) for c, count in zip(item.data.classes, counts, strict=True)}


def write_objects(folder: Path, ids: list[str], views: int = 6, side: int = 20, seed: int = 0) -> Path:
    """Write noise as views of objects, and of one thing outside the catalogue."""
    words = {"shape": "cup", "category": "cup", "colours": ["red"], "pattern": "plain", "material": "plastic"}
    things = [*({"model_id": name, "object_set": "proxy"} for name in ids), words]
    rgb = np.random.default_rng(seed).integers(0, 256, (views * len(things), side, side, 3), dtype=np.uint8)
    thing = np.tile(np.arange(len(things), dtype=np.int32), views)
    write_views(folder, rgb, np.ones(rgb.shape[:3], dtype=np.bool_), thing, things, {})
    return folder


IDS = ["011_banana", "012_strawberry", "004_sugar_box", "065-b_cups", "008_pudding_box"]


def test_views_of_objects(tmp_path: Path) -> None:
    write_objects(tmp_path / "data", IDS)
    other = write_objects(tmp_path / "more", ["014_lemon", "011_banana"], side=24, seed=1)
    views = loaded(tmp_path, "object_views", views=[str(other)])
    assert {folder: count for folder, (_, count) in found(views).items()} == {
        **dict.fromkeys(IDS, 6),
        "014_lemon": 6,
        "011_banana": 12,
    }
    data = views.data
    assert data.pictures.read([0, 41]).shape == (2, 16, 16, 3) and "12 views of things outside" in views.notes[0]
    assert set(data.captions) == set(data.pictures.ids)
    first = [data.captions[name] for name in data.pictures.ids if name.startswith("011_banana")]
    assert len(set(first)) > 3 and any("banana" in text for text in first)
    for name, item in zip(data.pictures.ids, data.labels, strict=True):
        assert name.startswith(data.classes[item].folder + "/")
    assert data.classes[data.labels[0]].description == paper_catalogue().find("banana").description
    assert loaded(tmp_path, "object_views", views=[str(other)]).data.captions == data.captions


def test_halves_of_the_objects_are_the_catalogues_and_go_by_the_object_alone(tmp_path: Path) -> None:
    names = known_objects().model_ids
    whole = loaded(tmp_path, "object_views", root=str(write_objects(tmp_path / "all", names, views=1))).data
    part = loaded(tmp_path, "object_views", root=str(write_objects(tmp_path / "part", IDS))).data
    halves = []
    for data in (whole, part):
        known, unseen = ({data.classes[n].folder for n in half} for half in data.halves or ((), ()))
        assert not known & unseen and len(known | unseen) == len(data.classes)
        halves.append((known, unseen))
    assert {item.model_id for item in paper_catalogue() if item.split == "id"} <= halves[0][0]
    assert {item.model_id for item in paper_catalogue() if item.split == "ood"} <= halves[0][1]
    assert abs(len(halves[0][0]) - len(halves[0][1])) <= 2
    assert halves[1][0] <= halves[0][0] and halves[1][1] <= halves[0][1]
    _, split, report = open_pictures(settings(tmp_path, name="object_views", root=str(tmp_path / "part")))
    assert (split.known, split.unseen) == part.halves and "object_views: 30 pictures of 5 classes" in report


def test_views_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="pickclutter render-object-views"):
        loaded(tmp_path, "object_views")
    root = write_objects(tmp_path / "data", IDS)
    copy = shutil.copytree(root, tmp_path / "copy")
    with pytest.raises(InvalidArgumentError, match="twice"):
        loaded(tmp_path, "object_views", views=[str(copy)])
    with pytest.raises(StoreError, match="views of objects"):
        loaded(tmp_path, "object_views", root=str(write_objects(tmp_path / "none", [])))
    with pytest.raises(UnknownObjectError, match="999"):
        loaded(tmp_path, "object_views", root=str(write_objects(tmp_path / "odd", ["999_thing"])))


def test_a_data_set_is_opened_with_lists_texts_and_captions(tmp_path: Path) -> None:
    paint_classes(tmp_path / "data", ["001.Tern_a", "002.Gull", "003.Wren"], 6)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train_data.txt").write_text("".join(f"train/001.Tern_a/p{n}.png\n" for n in range(4)))
    (lists / "val_on_train_data.txt").write_text("".join(f"val/001.Tern_a/p{n}.png\n" for n in (4, 5)))
    (lists / "val_data.txt").write_text("".join(f"val/002.Gull/p{n}.png\n" for n in range(6)))
    (lists / "label2text.txt").write_text("001.Tern_a 1 Arctic_Tern\n002.Gull 2 Gull\n")
    (lists / "chatgpt.txt").write_text("White.\nGrey.\n")
    (tmp_path / "c.jsonl").write_text('{"id": "002.Gull/p1.png", "text": "a gull"}')
    asked = settings(tmp_path, name="caltech_birds", lists=str(lists), captions=str(tmp_path / "c.jsonl"))
    data, split, report = open_pictures(asked)
    assert [(item.name, item.description) for item in data.classes[:2]] == [
        ("Arctic Tern", "White."),
        ("Gull", "Grey."),
    ]
    assert (split.known, split.unseen) == ((0,), (1,)) and data.captions == {"002.Gull/p1.png": "a gull"}
    assert "pictures: train 4, id 2, ood 4, fewshot 2" in report and "003.Wren" in report
    small, part, _ = open_pictures(settings(tmp_path, name="caltech_birds", lists=str(lists), max_per_class=1))
    assert len(small.labels) == 4 and len(part.fewshot) == 1


def test_pictures_with_the_same_bytes_in_two_parts_are_reported(tmp_path: Path) -> None:
    root = paint_classes(tmp_path / "data", "abcd", 6)
    _, split, report = open_pictures(settings(tmp_path))
    assert "bytes" not in report
    data = load_set(settings(tmp_path)).data
    trained, evaluated = (data.pictures.ids[rows[0]] for rows in (split.train, split.ood))
    shutil.copy(root / trained, root / evaluated)
    _, _, report = open_pictures(settings(tmp_path))
    assert f"1 pictures of X_id and X_ood have the bytes of one that is trained on, such as {evaluated} and" in report


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"side": 8}, "side"),
        ({"seed": -1}, "seed"),
        ({"shots": 0}, "shots"),
        ({"train_share": 1.0}, "train_share"),
        ({"max_classes": 0}, "max_classes"),
        ({"max_per_class": 0}, "max_per_class"),
        ({"views": ["x"]}, "views"),
        ({"name": "sun397", "classes": "x.json"}, "classes"),
    ],
)
def test_settings_outside_their_range_are_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=said):
        open_pictures(settings(tmp_path, **change))


def test_a_class_with_too_few_pictures_is_named(tmp_path: Path) -> None:
    paint_classes(tmp_path / "data", ["mug", "cup"], 2)
    with pytest.raises(StoreError, match=r"at least 3 pictures of (mug|cup), but got 2"):
        open_pictures(settings(tmp_path))


def test_real_photos(tmp_path: Path) -> None:
    root = SHARED / "data" / "grocery" / "train"
    if not root.is_dir():
        pytest.skip("no real photos")
    data, split, report = open_pictures(settings(tmp_path, root=str(root), shots=5, max_classes=3))
    assert all(item.description and item.category for item in data.classes)
    assert data.pictures.read(split.train[:8]).std() > 20
    assert len(split.known) == len(split.unseen) == 3 and "6 classes" in report
