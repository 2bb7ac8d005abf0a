"""The datasets in the layouts in which people hold them, as tiny trees of real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers.image_data import config, paint, paint_classes
from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.loaders import PUBLISHED, load_set
from pickclutter_lang.datasets.images.loading import load_image_dataset
from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.errors import (
    InvalidArgumentError,
    MissingAssetsError,
)
from pickclutter_lang.language.descriptions import read_descriptions
from pickclutter_lang.objects.catalog import paper_catalog

CARS = ["AM General Hummer SUV 2000", "Ram C/V Cargo Van Minivan 2012", "Volvo XC90 SUV 2007"]
AUTHORS = {
    "train": [f"known_class/p{n}.png" for n in range(3)],
    "val_on_train": ["known_class/p3.png"],
    "val": [f"unseen_class/p{n}.png" for n in range(6)],
}
IDS = ["011_banana", "012_strawberry", "004_sugar_box", "065-b_cups", "008_pudding_box"]


def loaded(tmp_path: Path, name: str, **changes: object) -> ImageDataset:
    return load_set(config(tmp_path, name=name, **changes))


def classes_of(data: ImageDataset) -> dict[str, tuple[str, int]]:
    """Folder -> name and number of images."""
    counts = np.bincount(data.labels, minlength=len(data.classes)).tolist()
    return {c.folder: (c.name, count) for c, count in zip(data.classes, counts, strict=True)}


@pytest.mark.parametrize("place", ["data", "data/CUB_200_2011/images"])
def test_birds(tmp_path: Path, place: str) -> None:
    paint_classes(tmp_path / place, ["001.Black_footed_Albatross", "004.Groove_billed_Ani"], 3)
    birds = loaded(tmp_path, "caltech_birds")
    assert classes_of(birds) == {
        "001.Black_footed_Albatross": ("Black footed Albatross", 3),
        "004.Groove_billed_Ani": ("Groove billed Ani", 3),
    }
    assert birds.images.ids[3] == "004.Groove_billed_Ani/p0.png"
    assert "200 classes" in birds.notes[-1]


@pytest.mark.parametrize("place", ["data", "data/food-101/images"])
def test_food(tmp_path: Path, place: str) -> None:
    paint_classes(tmp_path / place, ["apple_pie", "waffles"], 2)
    assert classes_of(loaded(tmp_path, "food101")) == {"apple_pie": ("apple pie", 2), "waffles": ("waffles", 2)}


@pytest.mark.parametrize("folders", [("a/abbey", "a/apse/indoor", "b/bar"), ("abbey", "apse_indoor", "bar")])
def test_scenes_with_folders_of_letters_and_variants(tmp_path: Path, folders: tuple[str, ...]) -> None:
    root = paint_classes(tmp_path / "data" / "SUN397", folders, 2)
    (root / "ClassName.txt").write_text("/a/abbey\n")
    sun = loaded(tmp_path, "sun397")
    assert classes_of(sun) == {"abbey": ("abbey", 2), "apse_indoor": ("apse indoor", 2), "bar": ("bar", 2)}
    assert sun.images.ids[2] == "apse_indoor/p0.png"


def mat(path: Path, **variables: object) -> None:
    savemat = pytest.importorskip("scipy.io").savemat
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, variables)


def write_cars(root: Path, kit: str, images: str) -> Path:
    """Write five cars; the second class has no image."""
    names = np.empty((1, len(CARS)), dtype=object)
    names[0, :] = CARS
    mat(root / kit / "cars_meta.mat", class_names=names)
    rows = np.empty((1, 5), dtype=[("bbox_x1", object), ("class", object), ("fname", object)])
    for n, label in enumerate((3, 1, 3, 1, 1)):
        rows[0, n] = (np.uint8(5), np.uint8(label), f"{n + 1:05d}.jpg")
        paint(root / images / f"{n + 1:05d}.jpg", n)
    mat(root / kit / "cars_train_annos.mat", annotations=rows)
    return root


@pytest.mark.parametrize(
    ("place", "kit", "images"),
    [
        ("data/stanford_cars", "devkit", "cars_train"),
        ("data", ".", "cars_train/cars_train"),
    ],
)
def test_cars(tmp_path: Path, place: str, kit: str, images: str) -> None:
    root = write_cars(tmp_path / place, kit, images)
    paint(root / "cars_test" / "00001.jpg")
    cars = loaded(tmp_path, "stanford_cars")
    assert classes_of(cars) == {"AM_General_Hummer_SUV_2000": (CARS[0], 3), "Volvo_XC90_SUV_2007": (CARS[2], 2)}
    assert cars.images.ids[0] == "AM_General_Hummer_SUV_2000/00002.jpg"
    with Image.open(root / images / "00001.jpg") as image:
        expected = np.asarray(image.resize((16, 16), Image.Resampling.BILINEAR))
    assert np.array_equal(cars.images.load([3])[0], expected)
    (root / images / "00004.jpg").unlink()
    with pytest.raises(MissingAssetsError, match=r"00004\.jpg"):
        loaded(tmp_path, "stanford_cars")
    (root / kit / "cars_train_annos.mat").write_bytes(b"no matrix")
    with pytest.raises(InvalidArgumentError, match=r"cars_train_annos\.mat"):
        loaded(tmp_path, "stanford_cars")


def test_flowers(tmp_path: Path) -> None:
    place = "data/flowers-102"
    mat(tmp_path / place / "imagelabels.mat", labels=np.array([[77, 1, 102, 77]], dtype=np.uint8))
    for n in range(4):
        paint(tmp_path / place / "jpg" / f"image_{n + 1:05d}.jpg", n)
    flowers = loaded(tmp_path, "flower102")
    assert classes_of(flowers) == {
        "pink_primrose": ("pink primrose", 1),
        "passion_flower": ("passion flower", 2),
        "blackberry_lily": ("blackberry lily", 1),
    }
    assert flowers.images.ids[1:3] == ("passion_flower/image_00001.jpg", "passion_flower/image_00004.jpg")
    mat(tmp_path / place / "imagelabels.mat", labels=np.array([[103, 1, 1, 1]]))
    with pytest.raises(InvalidArgumentError, match=r"imagelabels\.mat"):
        loaded(tmp_path, "flower102")


def test_tiered_imagenet(tmp_path: Path) -> None:
    wnids = ["n01530575", "n02012849", "n03126707"]
    paint_classes(tmp_path / "data" / "train", wnids, 3)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.csv").write_text("n01530575,n01524359\nn02012849,n01503061\nn09999999,n0\n")
    (lists / "label2text.txt").write_text("n01530575 1 brambling\nn02012849 2 crane\nn03126707 3 crane\n")
    assert list(classes_of(loaded(tmp_path, "tiered_imagenet"))) == wnids
    data, split, _ = load_image_dataset(config(tmp_path, name="tiered_imagenet", author_lists=str(lists)))
    assert sorted(item.name for item in data.classes) == ["brambling", "crane"]  # of two cranes the chosen one
    assert len(split.seen) == 1


@pytest.mark.parametrize("name", PUBLISHED)
def test_plain_class_folders_will_do_and_a_missing_set_names_its_source(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingAssetsError):
        loaded(tmp_path, name)
    paint_classes(tmp_path / "data", ["first_class", "second_class"], 4)
    assert [count for _, count in classes_of(loaded(tmp_path, name)).values()] == [4, 4]
    (tmp_path / "data" / "third_class").mkdir()
    with pytest.raises(MissingAssetsError, match="third_class"):
        loaded(tmp_path, name)


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_authors_layout_is_the_authors_split(tmp_path: Path, name: str, listed: bool) -> None:
    (tmp_path / "lists").mkdir()
    for part, own in AUTHORS.items():
        for file in own:
            paint(tmp_path / "data" / part / file)
        (tmp_path / "lists" / f"{part}_data.txt").write_text("".join(f"{part}/{file}\n" for file in own))
    (tmp_path / "data" / "test").mkdir()
    given = config(tmp_path, name=name, author_lists=str(tmp_path / "lists") if listed else None)
    data, split, _ = load_image_dataset(given)
    assert classes_of(load_set(given)) == {"known_class": ("known class", 4), "unseen_class": ("unseen class", 6)}
    ids = np.array(data.images.ids)
    assert [data.classes[n].folder for n in split.seen] == ["known_class"]
    assert sorted(ids[[*split.train]]) == AUTHORS["train"] and list(ids[[*split.id]]) == AUTHORS["val_on_train"]
    assert sorted(ids[[*split.ood, *split.fewshot]]) == AUTHORS["val"]


def test_a_folder_with_a_file_of_names(tmp_path: Path) -> None:
    root = paint_classes(tmp_path / "data", ["Red-Beet", "Lime", "kiwi_fruit"], 2)
    (root / "Lime" / "notes.txt").write_text("sour")
    (root / "Lime" / ".hidden.png").write_text("")
    rows = [
        {"folder": "Red-Beet", "name": "Beetroot", "coarse": "vegetable", "description": " A ball. "},
        {"folder": "Lime", "name": None, "category": "fruit"},
        {"folder": "Durian"},
    ]
    (tmp_path / "classes.json").write_text(json.dumps({"classes": rows}))
    folder = loaded(tmp_path, "image_folder")
    assert [(c.folder, c.name, c.description, c.category) for c in folder.classes] == [
        ("Lime", "Lime", "", "fruit"),
        ("Red-Beet", "Beetroot", "A ball.", "vegetable"),
        ("kiwi_fruit", "kiwi fruit", "", ""),
    ]
    assert "Durian" in folder.notes[0]
    (tmp_path / "own.json").write_text(json.dumps([{"folder": "Lime", "name": "green lime"}]))
    own = loaded(tmp_path, "image_folder", classes=str(tmp_path / "own.json"))
    assert classes_of(own)["Lime"] == ("green lime", 2)
    (root / "Mango").symlink_to(tmp_path / "gone")
    with pytest.raises(MissingAssetsError, match="Mango"):
        loaded(tmp_path, "image_folder")


def write_objects(folder: Path, ids: list[str], views: int = 6, side: int = 20, seed: int = 0) -> Path:
    """Write noise as views of objects, and of one object outside the catalog."""
    objects: list[dict[str, Any]] = [*({"model_id": name, "object_set": "proxy"} for name in ids), {"kind": "mug"}]
    rgb = np.random.default_rng(seed).integers(0, 256, (views * len(objects), side, side, 3), dtype=np.uint8)
    object_index = np.tile(np.arange(len(objects), dtype=np.int32), views)
    write_object_views(folder, rgb, np.ones(rgb.shape[:3], dtype=np.bool_), object_index, objects, {})
    return folder


def test_views_of_objects(tmp_path: Path) -> None:
    write_objects(tmp_path / "data", IDS)
    other = write_objects(tmp_path / "more", ["014_lemon", "011_banana"], side=24, seed=1)
    data = loaded(tmp_path, "object_views", extra_views=[str(other)])
    counts = {folder: count for folder, (_, count) in classes_of(data).items()}
    assert counts == {**dict.fromkeys(IDS, 6), "014_lemon": 6, "011_banana": 12}
    assert data.images.load([0, 41]).shape == (2, 16, 16, 3) and "12 views" in data.notes[0]
    assert set(data.captions) == set(data.images.ids)
    first = [data.captions[name] for name in data.images.ids if name.startswith("011_banana")]
    assert len(set(first)) > 3 and any("banana" in text for text in first)
    for name, item in zip(data.images.ids, data.labels, strict=True):
        assert name.startswith(data.classes[item].folder + "/")
    blind = read_descriptions("blind").texts  # the catalog's own sentences had the scans at hand
    assert data.classes[data.labels[0]].description == blind["banana"] != paper_catalog().find("banana").description
    with pytest.raises(InvalidArgumentError):
        loaded(tmp_path, "object_views", extra_views=[str(tmp_path / "data")])
