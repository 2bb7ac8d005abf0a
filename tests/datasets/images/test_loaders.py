"""The datasets in the layouts in which people hold them, as tiny trees of real files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.image_data import config, paint, paint_classes
from helpers.paths import SHARED
from pickclutter_lang.datasets.images import load_image_dataset
from pickclutter_lang.datasets.images.loaders import SETS, LoadResult, load_set
from pickclutter_lang.datasets.images.loaders.flower102 import NAMES
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError, MissingExtraError

PUBLISHED = sorted(set(SETS) - {"image_folder", "object_views"})


def loaded(tmp_path: Path, name: str, **changes: object) -> LoadResult:
    return load_set(config(tmp_path, name=name, **changes))


def found(item: LoadResult) -> dict[str, tuple[str, int]]:
    """Folder -> name and number of images."""
    counts = np.bincount(item.data.labels, minlength=len(item.data.classes)).tolist()
    return {c.folder: (c.name, count) for c, count in zip(item.data.classes, counts, strict=True)}


@pytest.mark.parametrize("place", ["data", "data/images", "data/CUB_200_2011/images"])
def test_birds(tmp_path: Path, place: str) -> None:
    paint_classes(tmp_path / place, ["001.Black_footed_Albatross", "004.Groove_billed_Ani"], 3)
    if place != "data":
        text = "1 001.Black_footed_Albatross\n2 002.Laysan_Albatross\n4 004.Groove_billed_Ani\n"
        (tmp_path / place).parent.joinpath("classes.txt").write_text(text)
    birds = loaded(tmp_path, "caltech_birds")
    assert found(birds) == {
        "001.Black_footed_Albatross": ("Black footed Albatross", 3),
        "004.Groove_billed_Ani": ("Groove billed Ani", 3),
    }
    assert birds.data.images.ids[3] == "004.Groove_billed_Ani/p0.png"
    assert "200 classes and 11788 images, but here are 2 and 6" in birds.notes[-1] and "http" in birds.notes[-1]
    assert ("002.Laysan_Albatross" in birds.notes[0]) == (place != "data")


@pytest.mark.parametrize("place", ["data", "data/images", "data/food-101/images"])
def test_food(tmp_path: Path, place: str) -> None:
    images = paint_classes(tmp_path / place, ["apple_pie", "waffles"], 2)
    (images.parent / "meta").mkdir()
    (images.parent / "meta" / "classes.txt").write_text("apple_pie\nbaklava\nwaffles\n")
    food = loaded(tmp_path, "food101")
    assert found(food) == {"apple_pie": ("apple pie", 2), "waffles": ("waffles", 2)}
    assert "baklava" in food.notes[0]


@pytest.mark.parametrize("place", ["data", "data/SUN397"])
@pytest.mark.parametrize("folders", [("a/abbey", "a/apse/indoor", "b/bar"), ("abbey", "apse_indoor", "bar")])
def test_scenes_with_folders_of_letters_and_variants(tmp_path: Path, place: str, folders: tuple[str, ...]) -> None:
    root = paint_classes(tmp_path / place, folders, 2)
    (root / "ClassName.txt").write_text("/a/abbey\n")
    sun = loaded(tmp_path, "sun397")
    assert found(sun) == {"abbey": ("abbey", 2), "apse_indoor": ("apse indoor", 2), "bar": ("bar", 2)}
    assert sun.data.images.ids[2] == "apse_indoor/p0.png"
    (root / "c" / "cabin").mkdir(parents=True)
    with pytest.raises(MissingAssetsError, match="cabin"):
        loaded(tmp_path, "sun397")


def mat(path: Path, **variables: object) -> None:
    savemat = pytest.importorskip("scipy.io").savemat
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, variables)


CARS = ["AM General Hummer SUV 2000", "Ram C/V Cargo Van Minivan 2012", "Volvo XC90 SUV 2007"]


def write_cars(root: Path, kit: str, images: str) -> Path:
    """Write five cars; the second class has no image."""
    names = np.empty((1, len(CARS)), dtype=object)
    names[0, :] = CARS
    mat(root / kit / "cars_meta.mat", class_names=names)
    kinds = [("bbox_x1", object), ("class", object), ("fname", object)]
    rows = np.empty((1, 5), dtype=kinds)
    for n, label in enumerate((3, 1, 3, 1, 1)):
        rows[0, n] = (np.uint8(5), np.uint8(label), f"{n + 1:05d}.jpg")
        paint(root / images / f"{n + 1:05d}.jpg", n)
    mat(root / kit / "cars_train_annos.mat", annotations=rows)
    return root


@pytest.mark.parametrize(
    ("place", "kit", "images"),
    [
        ("data/stanford_cars", "devkit", "cars_train"),
        ("data", "devkit", "cars_train"),
        ("data", ".", "cars_train/cars_train"),
    ],
)
def test_cars(tmp_path: Path, place: str, kit: str, images: str) -> None:
    root = write_cars(tmp_path / place, kit, images)
    paint(root / images / "99999.jpg")
    paint(root / "cars_test" / "00001.jpg")
    cars = loaded(tmp_path, "stanford_cars")
    assert "99999.jpg" in cars.notes[0] and "cars_test" in cars.notes[1] and "8144" in cars.notes[2]
    assert found(cars) == {"AM_General_Hummer_SUV_2000": (CARS[0], 3), "Volvo_XC90_SUV_2007": (CARS[2], 2)}
    assert cars.data.images.ids[0] == "AM_General_Hummer_SUV_2000/00002.jpg"
    assert np.array_equal(
        cars.data.images.load([3])[0],
        np.asarray(Image.open(root / images / "00001.jpg").resize((16, 16), Image.Resampling.BILINEAR)),
    )
    (root / images / "00004.jpg").unlink()
    with pytest.raises(MissingAssetsError, match=r"1 are not there, such as .*00004\.jpg"):
        loaded(tmp_path, "stanford_cars")
    few = loaded(tmp_path, "stanford_cars", allow_missing=True)
    assert len(few.data.labels) == 4 and "00004.jpg" in few.notes[0]
    (root / kit / "cars_train_annos.mat").write_bytes(b"no matrix")
    with pytest.raises(InvalidArgumentError, match=r"cars_train_annos\.mat"):
        loaded(tmp_path, "stanford_cars")
    (root / kit / "cars_train_annos.mat").unlink()
    with pytest.raises(MissingAssetsError, match=r"cars_train_annos\.mat"):
        loaded(tmp_path, "stanford_cars")


@pytest.mark.parametrize("place", ["data/flowers-102", "data"])
def test_flowers(tmp_path: Path, place: str) -> None:
    labels = [77, 1, 102, 77]
    mat(tmp_path / place / "imagelabels.mat", labels=np.array([labels], dtype=np.uint8))
    for n in range(4):
        paint(tmp_path / place / "jpg" / f"image_{n + 1:05d}.jpg", n)
    flowers = loaded(tmp_path, "flower102")
    assert found(flowers) == {
        "pink_primrose": ("pink primrose", 1),
        "passion_flower": ("passion flower", 2),
        "blackberry_lily": ("blackberry lily", 1),
    }
    assert flowers.data.images.ids[1:3] == ("passion_flower/image_00001.jpg", "passion_flower/image_00004.jpg")
    mat(tmp_path / place / "imagelabels.mat", labels=np.array([[103, 1, 1, 1]]))
    with pytest.raises(InvalidArgumentError, match="1 to 102"):
        loaded(tmp_path, "flower102")


def test_flowers_have_their_names_and_numbered_folders(tmp_path: Path) -> None:
    assert len(set(NAMES)) == 102 and NAMES[76] == "passion flower" and NAMES[-1] == "blackberry lily"
    paint_classes(tmp_path / "data", ["1", "77"], 2)
    assert list(found(loaded(tmp_path, "flower102"))) == ["pink_primrose", "passion_flower"]
    official = SHARED / "paper" / "official" / "data" / "Flower102" / "label2text.txt"
    if official.is_file():
        from pickclutter_lang.datasets.images.class_names import normalize_name

        rows = [line.split() for line in official.read_text().splitlines()]
        assert [normalize_name(row[0]) for row in rows] == [normalize_name(name) for name in NAMES]


@pytest.mark.parametrize("place", ["data", "data/train"])
def test_tiered_imagenet(tmp_path: Path, place: str) -> None:
    wnids = ["n01530575", "n02012849", "n03126707"]
    paint_classes(tmp_path / place, wnids, 3)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.csv").write_text("n01530575,n01524359\nn02012849,n01503061\nn09999999,n0\n")
    (lists / "label2text.txt").write_text("n01530575 1 brambling\nn02012849 2 crane\nn03126707 3 crane\n")
    bare = loaded(tmp_path, "tiered_imagenet")
    assert list(found(bare)) == wnids and "label2text" in bare.notes[0]
    data, split, report = load_image_dataset(config(tmp_path, name="tiered_imagenet", author_lists=str(lists)))
    assert sorted(item.name for item in data.classes) == ["brambling", "crane"]  # of two cranes the chosen one
    assert len(split.seen) == 1 and "n09999999" in report and "split by seed 0" in report


def test_a_full_imagenet_needs_the_choice(tmp_path: Path) -> None:
    image = paint(tmp_path / "x.png").read_bytes()
    for n in range(352):
        (tmp_path / "data" / f"n{n:08d}").mkdir(parents=True)
        (tmp_path / "data" / f"n{n:08d}" / "x.png").write_bytes(image)
    with pytest.raises(InvalidArgumentError, match=r"351 .* 352; put the train\.csv"):
        loaded(tmp_path, "tiered_imagenet")


@pytest.mark.parametrize("name", PUBLISHED)
def test_plain_class_folders_will_do_and_a_missing_set_names_its_source(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingAssetsError, match=r"(?s)http.*dead"):
        loaded(tmp_path, name)
    paint_classes(tmp_path / "data", ["first_class", "second_class"], 4)
    assert [count for _, count in found(loaded(tmp_path, name)).values()] == [4, 4]
    (tmp_path / "data" / "third_class").mkdir()
    with pytest.raises(MissingAssetsError, match="third_class"):
        loaded(tmp_path, name)


AUTHORS = {
    "train": [f"known_class/p{n}.png" for n in range(3)],
    "val_on_train": ["known_class/p3.png"],
    "val": [f"unseen_class/p{n}.png" for n in range(6)],
}


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_authors_layout_is_the_authors_split(tmp_path: Path, name: str, listed: bool) -> None:
    (tmp_path / "lists").mkdir()
    for part, own in AUTHORS.items():
        for file in own:
            paint(tmp_path / "data" / part / file)
        (tmp_path / "lists" / f"{part}_data.txt").write_text("".join(f"{part}/{file}\n" for file in own))
    (tmp_path / "data" / "test").mkdir()
    paint(tmp_path / "data" / "train" / "stray.png")
    given = config(tmp_path, name=name, author_lists=str(tmp_path / "lists") if listed else None)
    data, split, report = load_image_dataset(given)
    assert found(load_set(given)) == {"known_class": ("known class", 4), "unseen_class": ("unseen class", 6)}
    ids = np.array(data.images.ids)
    assert [data.classes[n].folder for n in split.seen] == ["known_class"]
    assert sorted(ids[[*split.train]]) == AUTHORS["train"] and list(ids[[*split.id]]) == AUTHORS["val_on_train"]
    assert sorted(ids[[*split.ood, *split.fewshot]]) == AUTHORS["val"]
    assert "stray.png" in report and "ignored, such as test" in report
    assert ("split by the folders train, val_on_train, val" in report) is not listed


def test_authors_folders_that_cannot_be_theirs_are_refused(tmp_path: Path) -> None:
    for part, own in AUTHORS.items():
        for file in own:
            paint(tmp_path / "data" / part / file)
    (tmp_path / "data" / "train_data.txt").write_text("train/known_class/p0.png\n")
    assert "name that folder as data.author_lists" in load_image_dataset(config(tmp_path, name="food101"))[2]
    paint(tmp_path / "data" / "val" / "known_class" / "p9.png")
    with pytest.raises(DatasetError, match=r"classes of val neither in train .* known class"):
        load_image_dataset(config(tmp_path, name="food101"))
    paint(tmp_path / "data" / "val_on_train" / "known_class" / "p0.png")
    with pytest.raises(InvalidArgumentError, match="known_class/p0"):
        loaded(tmp_path, "food101")
    (tmp_path / "data" / "val_on_train").rename(tmp_path / "elsewhere")
    for name in set(PUBLISHED) - {"tiered_imagenet"}:  # ImageNet has a val of its own
        with pytest.raises(MissingAssetsError, match="no val_on_train"):
            loaded(tmp_path, name)


def test_scipy_is_asked_for_by_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(tmp_path / "data" / "jpg" / "image_00001.jpg")
    monkeypatch.setitem(sys.modules, "scipy.io.matlab", None)
    with pytest.raises(MissingExtraError, match="sim"):
        loaded(tmp_path, "flower102")


def test_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="sun397"):
        loaded(tmp_path, "imagenet")


def test_a_folder_with_a_file_of_names(tmp_path: Path) -> None:
    root = paint_classes(tmp_path / "data", ["Red-Beet", "Lime", "kiwi_fruit"], 2)
    (root / "Lime" / "notes.txt").write_text("sour")
    (root / "Lime" / ".hidden.png").write_text("")
    paint(root / "stray.png")
    rows = [
        {"folder": "Red-Beet", "name": "Beetroot", "coarse": "vegetable", "description": " A ball. "},
        {"folder": "Lime", "name": None, "category": "fruit"},
        {"folder": "Durian"},
    ]
    (tmp_path / "classes.json").write_text(json.dumps({"classes": rows}))
    folder = loaded(tmp_path, "image_folder")
    assert [(c.folder, c.name, c.description, c.category) for c in folder.data.classes] == [
        ("Lime", "Lime", "", "fruit"),
        ("Red-Beet", "Beetroot", "A ball.", "vegetable"),
        ("kiwi_fruit", "kiwi fruit", "", ""),
    ]
    notes = "\n".join(folder.notes)
    assert all(name in notes for name in ("notes.txt", "stray.png", "Durian", "kiwi_fruit")) and ".hidden" not in notes
    (tmp_path / "own.json").write_text(json.dumps([{"folder": "Lime", "name": "green lime"}]))
    own = loaded(tmp_path, "image_folder", classes=str(tmp_path / "own.json"))
    assert found(own)["Lime"] == ("green lime", 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"name": "x"}]', "folder"),
        ('[{"folder": "a", "name": "Mug"}, {"folder": "b", "name": "mug"}]', "mug"),
        ('[{"folder": "a"}, {"folder": "a"}]', "twice"),
        ('[{"folder": "a", "name": ""}]', "name: expected str of length >= 1"),
        ('[{"folder": "a", "name": " "}]', "the name of the class in 'a' to be one line of 1 to 1000 characters"),
        ('[{"folder": "a", "name": 3}]', "name: expected str . null, but got int"),
        ("{", "classes.json"),
    ],
)
def test_a_wrong_file_of_names_is_refused(tmp_path: Path, text: str, message: str) -> None:
    paint_classes(tmp_path / "data", "ab", 1)
    (tmp_path / "data" / "classes.json").write_text(text)
    with pytest.raises(InvalidArgumentError, match=message):
        loaded(tmp_path, "image_folder")
