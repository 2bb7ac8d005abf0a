"""Splits of images without leaks, and classes with different names."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.image_data import labelled
from pickclutter_lang.datasets.images import ArrayImages, ImageClass, ImageDataset, Split, seeded_split, subsample
from pickclutter_lang.datasets.images.class_names import ClassMatcher, normalize_name
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError

LABELS = np.repeat(np.arange(7), 12)


def test_a_seeded_split_has_the_papers_rule() -> None:
    split = seeded_split(LABELS, 7, seed=3)
    assert len(split.seen) == 4 and sorted((*split.seen, *split.unseen)) == list(range(7))
    assert Counter(LABELS[list(split.train)].tolist()) == dict.fromkeys(split.seen, 8)
    assert Counter(LABELS[list(split.fewshot)].tolist()) == dict.fromkeys(split.unseen, 5)
    assert sorted((*split.train, *split.id, *split.ood, *split.fewshot)) == list(range(len(LABELS)))
    assert split == seeded_split(LABELS, 7, seed=3) != seeded_split(LABELS, 7, seed=4)
    assert seeded_split(LABELS, 7, seed=3, halves=((1, 2), (0, 6))).unseen == (0, 6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shots": 12}, "at least 13 images of class"),
        ({"shots": 12, "names": list("abcdefg")}, "at least 13 images of [a-g],"),
        ({"halves": ((0, 1), ())}, "2 and 0"),
        ({"halves": ((0, 1), (1, 2))}, "both"),
    ],
)
def test_a_split_that_cannot_be_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        seeded_split(LABELS, 7, seed=0, **given)  # type: ignore[arg-type]


RIGHT = Split((0, 1), (2, 3), train=(0, 12), id=(1, 13), ood=(24, 36), fewshot=(25, 37))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unseen": (1, 2)}, "both"),
        ({"id": (0, 13)}, "train and id share 1"),
        ({"fewshot": (24, 37)}, "ood and fewshot share 1"),
        ({"ood": (24, 24, 36)}, "each entry of ood once"),
        ({"id": (1, 14, 26)}, r"other classes than its own: \[2\]"),
        ({"train": (0,)}, r"train has no image of the classes \[1\]"),
        ({"fewshot": (25,)}, r"fewshot has no image of the classes \[3\]"),
        ({"fewshot": (25, 26, 37)}, "as many few-shot"),
        ({"ood": (24, 36, 500)}, "below 84"),
    ],
)
def test_nothing_is_in_two_places(change: dict[str, tuple[int, ...]], message: str) -> None:
    RIGHT.check(LABELS)
    with pytest.raises(DatasetError, match=message):
        replace(RIGHT, **change).check(LABELS)


def test_a_small_version_has_the_first_of_each(tmp_path: Path) -> None:
    data = labelled(tmp_path, "abcdef", 8)
    split = seeded_split(data.labels, 6, seed=1, shots=2)
    data = replace(data, captions={name: name for name in data.images.ids[::2]})
    small, part = subsample(data, split, 2, 1)
    assert [item.folder for item in small.classes] == sorted(
        data.classes[n].folder for n in (*split.seen[:2], *split.unseen[:2])
    )
    part.check(small.labels)
    assert [len(getattr(part, name)) for name in ("train", "id", "ood", "fewshot")] == [2, 2, 2, 2]
    for name in ("train", "fewshot"):
        rows, kept = getattr(split, name), getattr(part, name)
        first = {data.images.ids[row].split("/")[0]: row for row in reversed(rows)}
        for row in kept:
            old = first[small.images.ids[row].split("/")[0]]
            assert small.images.ids[row] == data.images.ids[old]
            assert np.array_equal(small.images.load([row]), data.images.load([old]))
            assert small.classes[small.labels[row]] == data.classes[data.labels[old]]
    assert set(small.captions) <= set(small.images.ids) and small.captions
    assert subsample(data, split, None, None) == (data, split)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"classes": (ImageClass("a", "Mug"), ImageClass("b", "mug"))}, InvalidArgumentError, "mug"),
        ({"classes": (ImageClass("a", "mug"), ImageClass("a", "cup"))}, InvalidArgumentError, "folder"),
        ({"labels": np.array([0, 0])}, MissingAssetsError, "none of b"),
        ({"labels": np.array([0, 2])}, InvalidArgumentError, "number of classes"),
        ({"labels": np.array([0, 1, 1])}, InvalidArgumentError, "each of 2"),
    ],
)
def test_data_that_do_not_fit_are_named(change: dict[str, object], error: type[Exception], message: str) -> None:
    images = ArrayImages(["a/0", "b/0"], np.zeros((2, 4, 4, 3), np.uint8), "none")
    classes = (ImageClass("a", "mug"), ImageClass("b", "cup"))
    right = ImageDataset("toy", classes, np.array([0, 1]), images)
    with pytest.raises(error, match=message):
        replace(right, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spelt", "other"),
    [
        ("001.Black_footed_Albatross", "black footed albatross"),
        ("a/abbey", "abbey"),
        ("a/apse/indoor", "apse_indoor"),
        ("Ram C/V Cargo Van Minivan 2012", "Ram_C_V_Cargo_Van_Minivan_2012"),
        ("Bugatti Veyron 16.4 Coupe 2009", "Bugatti_Veyron_16.4_Coupe_2009"),
        ("colt's foot", "colt_s_foot"),
        ("cyclamen_", "cyclamen"),
    ],
)
def test_spellings_of_a_class_are_one(spelt: str, other: str) -> None:
    assert normalize_name(spelt) == normalize_name(other)


def test_a_class_is_found_by_folder_before_name() -> None:
    finder = ClassMatcher([ImageClass("n01", "Crane"), ImageClass("n02", "x-1"), ImageClass("n03", "x 1")])
    assert [finder.find(name) for name in ("n01", "crane", "N02", "x_1", "heron")] == [0, 0, 1, None, None]
