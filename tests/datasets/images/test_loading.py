"""From settings to images and a split: views of objects, lists, texts, captions, a report of what does not match."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.image_data import config, paint_classes
from helpers.paths import SHARED
from pickclutter_lang.datasets.images import load_image_dataset
from pickclutter_lang.datasets.images.loaders import LoadResult, load_set
from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError, UnknownObjectError
from pickclutter_lang.language.descriptions import load_descriptions
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.extra_objects import all_objects


def loaded(tmp_path: Path, name: str, **changes: object) -> LoadResult:
    return load_set(config(tmp_path, name=name, **changes))


def found(item: LoadResult) -> dict[str, tuple[str, int]]:
    """Folder -> name and number of images."""
    counts = np.bincount(item.data.labels, minlength=len(item.data.classes)).tolist()
    return {c.folder: (c.name, count) for c, count in zip(item.data.classes, counts, strict=True)}


def write_objects(folder: Path, ids: list[str], views: int = 6, side: int = 20, seed: int = 0) -> Path:
    """Write noise as views of objects, and of one object outside the catalog."""
    words = {"shape": "cup", "category": "cup", "colours": ["red"], "pattern": "plain", "material": "plastic"}
    objects: list[dict[str, Any]] = [*({"model_id": name, "object_set": "proxy"} for name in ids), words]
    rgb = np.random.default_rng(seed).integers(0, 256, (views * len(objects), side, side, 3), dtype=np.uint8)
    object_index = np.tile(np.arange(len(objects), dtype=np.int32), views)
    write_object_views(folder, rgb, np.ones(rgb.shape[:3], dtype=np.bool_), object_index, objects, {})
    return folder


IDS = ["011_banana", "012_strawberry", "004_sugar_box", "065-b_cups", "008_pudding_box"]


@pytest.mark.parametrize("folder", ["a\nb", "a\x1b[31m", "x" * 10 + "\x7f"])
def test_a_class_whose_folder_is_no_line_needs_a_name(folder: str, tmp_path: Path) -> None:
    root = paint_classes(tmp_path / "data", [folder, "b"], 4)
    with pytest.raises(InvalidArgumentError, match=r"expected the name of the class in 'a|x.*one line") as caught:
        loaded(tmp_path, "image_folder")
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)
    assert (root / folder).is_dir()


def test_a_class_that_is_a_broken_link_is_named(tmp_path: Path) -> None:
    root = paint_classes(tmp_path / "data", ["a", "b"], 4)
    (root / "c").symlink_to(tmp_path / "gone")
    with pytest.raises(MissingAssetsError, match="'c' leads nowhere; mend it, or remove it"):
        loaded(tmp_path, "image_folder")
    (root / "c").unlink()
    (root / "c").symlink_to(root / "a")
    assert found(loaded(tmp_path, "image_folder"))["c"] == ("c", 4)


def test_views_of_objects(tmp_path: Path) -> None:
    write_objects(tmp_path / "data", IDS)
    other = write_objects(tmp_path / "more", ["014_lemon", "011_banana"], side=24, seed=1)
    views = loaded(tmp_path, "object_views", extra_views=[str(other)])
    assert {folder: count for folder, (_, count) in found(views).items()} == {
        **dict.fromkeys(IDS, 6),
        "014_lemon": 6,
        "011_banana": 12,
    }
    data = views.data
    assert data.images.load([0, 41]).shape == (2, 16, 16, 3) and "12 views of objects outside" in views.notes[0]
    assert set(data.captions) == set(data.images.ids)
    first = [data.captions[name] for name in data.images.ids if name.startswith("011_banana")]
    assert len(set(first)) > 3 and any("banana" in text for text in first)
    for name, item in zip(data.images.ids, data.labels, strict=True):
        assert name.startswith(data.classes[item].folder + "/")
    blind = load_descriptions("blind").texts  # the catalog's own sentences had the scans at hand
    assert data.classes[data.labels[0]].description == blind["banana"] != paper_catalog().find("banana").description
    assert loaded(tmp_path, "object_views", extra_views=[str(other)]).data.captions == data.captions


def test_halves_of_the_objects_are_the_catalogues_and_go_by_the_object_alone(tmp_path: Path) -> None:
    names = all_objects().model_ids
    whole = loaded(tmp_path, "object_views", root=str(write_objects(tmp_path / "all", names, views=1))).data
    part = loaded(tmp_path, "object_views", root=str(write_objects(tmp_path / "part", IDS))).data
    halves = []
    for data in (whole, part):
        known, unseen = ({data.classes[n].folder for n in half} for half in data.class_split or ((), ()))
        assert not known & unseen and len(known | unseen) == len(data.classes)
        halves.append((known, unseen))
    assert {item.model_id for item in paper_catalog() if item.split == "id"} <= halves[0][0]
    assert {item.model_id for item in paper_catalog() if item.split == "ood"} <= halves[0][1]
    assert abs(len(halves[0][0]) - len(halves[0][1])) <= 2
    assert halves[1][0] <= halves[0][0] and halves[1][1] <= halves[0][1]
    _, split, report = load_image_dataset(config(tmp_path, name="object_views", root=str(tmp_path / "part")))
    assert (split.seen, split.unseen) == part.class_split and "object_views: 30 images of 5 classes" in report


def test_views_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="pickclutter render-object-views"):
        loaded(tmp_path, "object_views")
    root = write_objects(tmp_path / "data", IDS)
    copy = shutil.copytree(root, tmp_path / "copy")
    with pytest.raises(InvalidArgumentError, match="twice"):
        loaded(tmp_path, "object_views", extra_views=[str(copy)])
    with pytest.raises(DatasetError, match="views of objects"):
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
    asked = config(tmp_path, name="caltech_birds", author_lists=str(lists), captions=str(tmp_path / "c.jsonl"))
    data, split, report = load_image_dataset(asked)
    assert [(item.name, item.description) for item in data.classes[:2]] == [
        ("Arctic Tern", "White."),
        ("Gull", "Grey."),
    ]
    assert (split.seen, split.unseen) == ((0,), (1,)) and data.captions == {"002.Gull/p1.png": "a gull"}
    assert "images: train 4, id 2, ood 4, fewshot 2" in report and "003.Wren" in report
    small, part, _ = load_image_dataset(
        config(tmp_path, name="caltech_birds", author_lists=str(lists), max_per_class=1)
    )
    assert len(small.labels) == 4 and len(part.fewshot) == 1


def test_images_with_the_same_bytes_in_two_parts_are_reported(tmp_path: Path) -> None:
    root = paint_classes(tmp_path / "data", "abcd", 6)
    _, split, report = load_image_dataset(config(tmp_path))
    assert "bytes" not in report
    data = load_set(config(tmp_path)).data
    trained, evaluated = (data.images.ids[rows[0]] for rows in (split.train, split.ood))
    shutil.copy(root / trained, root / evaluated)
    _, _, report = load_image_dataset(config(tmp_path))
    assert f"1 images of X_id and X_ood have the bytes of one that is trained on, such as {evaluated} and" in report


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": 8}, "image_size"),
        ({"seed": -1}, "seed"),
        ({"shots": 0}, "shots"),
        ({"train_fraction": 1.0}, "train_fraction"),
        ({"max_classes": 0}, "max_classes"),
        ({"max_per_class": 0}, "max_per_class"),
        ({"extra_views": ["x"]}, "extra_views"),
        ({"name": "sun397", "classes": "x.json"}, "classes"),
    ],
)
def test_settings_outside_their_range_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        load_image_dataset(config(tmp_path, **change))


def test_a_class_with_too_few_images_is_named(tmp_path: Path) -> None:
    paint_classes(tmp_path / "data", ["mug", "cup"], 2)
    with pytest.raises(DatasetError, match=r"at least 3 images of (mug|cup), but got 2"):
        load_image_dataset(config(tmp_path))


def test_real_photos(tmp_path: Path) -> None:
    root = SHARED / "data" / "grocery" / "train"
    if not root.is_dir():
        pytest.skip("no real photos")
    data, split, report = load_image_dataset(config(tmp_path, root=str(root), shots=5, max_classes=3))
    assert all(item.description and item.category for item in data.classes)
    assert data.images.load(split.train[:8]).std() > 20
    assert len(split.seen) == len(split.unseen) == 3 and "6 classes" in report
