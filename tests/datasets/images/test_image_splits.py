"""Splits of images without leaks: by the authors' lists or folders, or by a seed; classes with different names."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.image_data import labelled
from helpers.paths import SHARED
from pickclutter_lang.datasets.images.dataset import ArrayImages, ImageClass, ImageDataset
from pickclutter_lang.datasets.images.loading import with_texts
from pickclutter_lang.datasets.images.splits import (
    Split,
    listed_split,
    normalize_name,
    seeded_split,
)
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError

OFFICIAL = SHARED / "paper" / "official" / "data"
RIGHT = Split((0, 1), (2, 3), train=(0, 12), id=(1, 13), ood=(24, 36), fewshot=(25, 37))


def numbered(classes: int) -> ImageDataset:
    """Twelve images of each class, without content."""
    labels = np.repeat(np.arange(classes), 12)
    images = ArrayImages([*map(str, range(len(labels)))], np.zeros((len(labels), 1, 1, 3), np.uint8), "none")
    return ImageDataset("numbers", tuple(ImageClass(str(n), str(n)) for n in range(classes)), labels, images)


def test_a_seeded_split_has_the_papers_rule() -> None:
    data = numbered(7)
    split = seeded_split(data, 3, 5)
    split.check(data.labels)
    assert len(split.seen) == 4 and sorted((*split.seen, *split.unseen)) == list(range(7))
    assert Counter(data.labels[list(split.train)].tolist()) == dict.fromkeys(split.seen, 8)
    assert Counter(data.labels[list(split.fewshot)].tolist()) == dict.fromkeys(split.unseen, 5)
    assert sorted((*split.train, *split.id, *split.ood, *split.fewshot)) == list(range(len(data.labels)))
    assert split == seeded_split(data, 3, 5) != seeded_split(data, 4, 5)
    assert seeded_split(replace(data, class_split=((1, 2), (0, 6))), 3, 5).unseen == (0, 6)
    with pytest.raises(DatasetError):
        seeded_split(data, 0, 12)
    with pytest.raises(DatasetError):
        seeded_split(replace(data, class_split=((0, 1), ())), 0, 5)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"unseen": (1, 2)}, "unseen"),
        ({"id": (0, 13)}, "id"),
        ({"fewshot": (24, 37)}, "fewshot"),
        ({"train": (0,)}, "train"),
        ({"ood": (24, 36, 0)}, "ood"),
    ],
)
def test_nothing_is_in_two_places(change: dict[str, tuple[int, ...]], named: str) -> None:
    RIGHT.check(numbered(4).labels)
    with pytest.raises(DatasetError, match=named):
        replace(RIGHT, **change).check(numbered(4).labels)


def test_spellings_of_a_class_are_one() -> None:
    for spelt, other in (
        ("001.Black_footed_Albatross", "black footed albatross"),
        ("a/apse/indoor", "apse_indoor"),
        ("Ram C/V Cargo Van Minivan 2012", "Ram_C_V_Cargo_Van_Minivan_2012"),
        ("Bugatti Veyron 16.4 Coupe 2009", "Bugatti_Veyron_16.4_Coupe_2009"),
        ("colt's foot", "colt_s_foot"),
    ):
        assert normalize_name(spelt) == normalize_name(other)


def write_lists(folder: Path, train: list[str], known: list[str], unseen: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in (("train", train), ("val_on_train", known), ("val", unseen)):
        text = "\n".join(f"{name}/{row}" for row in rows)  # as theirs, no newline at the end
        (folder / f"{name}_data.txt").write_text(text)
    return folder


@pytest.fixture
def birds(tmp_path: Path) -> ImageDataset:
    return labelled(tmp_path, ["001.Tern_a", "002.Tern_b", "003.Gull", "004.Wren"], 6)


def rows_of(folder: str, numbers: range) -> list[str]:
    return [f"{folder}/p{n}.png" for n in numbers]


ON_DISK = (
    [*rows_of("Tern_A", range(4)), *rows_of("002.Tern_b", range(4))],
    [*rows_of("Tern_A", range(4, 6)), *rows_of("002.Tern_b", range(4, 6))],
    rows_of("gull", range(5)),
)


def test_lists_are_matched_by_class_and_file(tmp_path: Path, birds: ImageDataset) -> None:
    split = listed_split(write_lists(tmp_path / "lists", *ON_DISK), birds, 0, 2)
    assert split.seen == (0, 1) and split.unseen == (2,)
    ids = birds.images.ids
    assert [ids[row] for row in split.id] == [f"{c}/p{n}.png" for c in ("001.Tern_a", "002.Tern_b") for n in (4, 5)]
    assert len(split.fewshot) == 2 and len(split.ood) == 3
    assert {ids[row] for row in (*split.ood, *split.fewshot)} == {f"003.Gull/p{n}.png" for n in range(5)}
    draws = {listed_split(tmp_path / "lists", birds, seed, 2).fewshot for seed in range(8)}
    assert len(draws) > 1 and split.fewshot in draws


@pytest.mark.parametrize(
    ("part", "extra", "error"),
    [
        (1, "Tern_A/p0.png", DatasetError),  # in two lists
        (0, "001.tern_a/p0.png", DatasetError),  # twice in one
        (2, "004.Wren/p0.png", DatasetError),  # too few
        (0, "p9.png", InvalidArgumentError),
        (0, "Tern_A/p77.png", MissingAssetsError),
        (2, "heron/p0.png", MissingAssetsError),
    ],
)
def test_lists_that_leak_or_lack_are_refused(
    tmp_path: Path, birds: ImageDataset, part: int, extra: str, error: type[Exception]
) -> None:
    rows = [[*some, extra] if n == part else some for n, some in enumerate(ON_DISK)]
    with pytest.raises(error):
        listed_split(write_lists(tmp_path / "lists", *rows), birds, 0, 2).check(birds.labels)


@pytest.mark.parametrize(
    ("name", "sizes", "classes"),
    [
        ("CaltechBirds", (4122, 1740, 5926), (100, 100)),
        ("Flower102", (3112, 1303, 3774), (51, 51)),
        ("SUN397", (38663, 16444, 53647), (200, 197)),
        ("StanfordCars", (2874, 1164, 4106), (98, 98)),
    ],
)
def test_the_published_lists_are_read_whole(name: str, sizes: tuple[int, int, int], classes: tuple[int, int]) -> None:
    folder = OFFICIAL / name
    if not folder.is_dir():
        pytest.skip("no published lists")
    files = ("train_data.txt", "val_on_train_data.txt", "val_data.txt")
    ids = sorted({line.split("/", 1)[1] for file in files for line in (folder / file).read_text().split()})
    folders = sorted({row.split("/")[0] for row in ids})
    place = {item: n for n, item in enumerate(folders)}
    labels = np.array([place[row.split("/")[0]] for row in ids])
    images = ArrayImages(ids, np.zeros((len(ids), 1, 1, 3), np.uint8), "none")
    data = ImageDataset(name, tuple(ImageClass(item, item) for item in folders), labels, images)
    split = listed_split(folder, data, 0, 5)
    assert (len(split.train), len(split.id), len(split.ood) + len(split.fewshot)) == sizes
    assert (len(split.seen), len(split.unseen)) == classes and len(split.fewshot) == 5 * classes[1]
    data = with_texts(data, folder)
    assert not data.notes and all(item.description and "_" not in item.name for item in data.classes)
