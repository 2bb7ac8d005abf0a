"""The lists and texts that the authors published, matched with images on disk; captions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from helpers.image_data import config, labelled
from helpers.paths import SHARED
from pickclutter_lang.datasets.images import (
    ArrayImages,
    ImageClass,
    ImageDataset,
    load_image_dataset,
    read_author_lists,
    read_texts,
)
from pickclutter_lang.datasets.images.metadata import with_captions, with_descriptions, with_texts
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError

OFFICIAL = SHARED / "paper" / "official"


def write_lists(folder: Path, train: list[str], known: list[str], unseen: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, part, rows in (
        ("train_data.txt", "train", train),
        ("val_on_train_data.txt", "val_on_train", known),
        ("val_data.txt", "val", unseen),
    ):
        (folder / name).write_text("\n".join(f"{part}/{row}" for row in rows))  # as theirs, no newline at the end
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
    split, report = read_author_lists(write_lists(tmp_path / "lists", *ON_DISK), birds, seed=0, shots=2)
    assert split.seen == (0, 1) and split.unseen == (2,)
    ids = birds.images.ids
    assert [ids[row] for row in split.id] == [f"{c}/p{n}.png" for c in ("001.Tern_a", "002.Tern_b") for n in (4, 5)]
    assert len(split.fewshot) == 2 and len(split.ood) == 3
    assert {ids[row] for row in (*split.ood, *split.fewshot)} == {f"003.Gull/p{n}.png" for n in range(5)}
    assert report.complete and report.unlisted_classes == ("004.Wren",) and len(report.unlisted) == 7
    assert "7 images are in no list, such as 003.Gull/p5.png" in report.text() and "004.Wren" in report.text()
    draws = {read_author_lists(tmp_path / "lists", birds, seed=seed, shots=2)[0].fewshot for seed in range(8)}
    assert len(draws) > 1 and split.fewshot in draws


def test_absent_files_are_refused_or_reported(tmp_path: Path, birds: ImageDataset) -> None:
    train, known, unseen = ON_DISK
    lists = write_lists(tmp_path / "lists", [*train, "Tern_A/p77.png"], known, [*unseen, "heron/p0.png"])
    with pytest.raises(MissingAssetsError, match=r"(?s)allow_missing.*Tern_A/p77\.png.*heron"):
        read_author_lists(lists, birds, seed=0, shots=2)
    split, report = read_author_lists(lists, birds, seed=0, shots=2, allow_missing=True)
    assert len(split.train) == 8 and split.unseen == (2,)
    assert report.absent == {"train": ("Tern_A/p77.png",), "id": (), "ood": ("heron/p0.png",)}
    assert report.absent_classes == ("heron",) and "8 of 9" in report.text()


@pytest.mark.parametrize(
    ("part", "extra", "error", "message"),
    [
        (1, "Tern_A/p0.png", DatasetError, "train_data.txt and val_on_train_data.txt"),
        (0, "001.tern_a/p0.png", DatasetError, "again in train_data"),
        (2, "Tern_A/p5x.png", DatasetError, "val_on_train_data.txt, but 1"),
        (0, "p9.png", InvalidArgumentError, "line 9 of .*train_data"),
        (0, "004.Wren/p0.png", DatasetError, r"at least 1 .*004\.Wren in val_on_train_data\.txt, but 0"),
        (2, "004.Wren/p0.png", DatasetError, r"at least 3 .*004\.Wren in val_data\.txt, but 1"),
    ],
)
def test_lists_that_leak_or_lack_are_refused(
    tmp_path: Path, birds: ImageDataset, part: int, extra: str, error: type[Exception], message: str
) -> None:
    rows = [[*some, extra] if n == part else some for n, some in enumerate(ON_DISK)]
    with pytest.raises(error, match=message):
        read_author_lists(write_lists(tmp_path / "lists", *rows), birds, seed=0, shots=2)


def test_a_list_that_is_not_there_is_named(tmp_path: Path, birds: ImageDataset) -> None:
    lists = write_lists(tmp_path / "lists", *ON_DISK)
    (lists / "val_data.txt").unlink()
    with pytest.raises(MissingAssetsError, match=r"val_data\.txt"):
        load_image_dataset(config(tmp_path, author_lists=str(lists)))
    with pytest.raises(MissingAssetsError, match=r"label2text\.txt"):
        load_image_dataset(config(tmp_path, author_lists=str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "sizes", "classes"),
    [
        ("CaltechBirds", (4122, 1740, 5926), (100, 100)),
        ("Flower102", (3112, 1303, 3774), (51, 51)),
        ("SUN397", (38663, 16444, 53647), (200, 197)),
        ("StanfordCars", (2874, 1164, 4106), (98, 98)),
    ],
)
def test_the_published_lists_are_read_whole(name: str, sizes: tuple[int, ...], classes: tuple[int, ...]) -> None:
    folder = OFFICIAL / "data" / name
    if not folder.is_dir():
        pytest.skip("no published lists")
    files = ("train_data.txt", "val_on_train_data.txt", "val_data.txt")
    ids = sorted({line.split("/", 1)[1] for file in files for line in (folder / file).read_text().split()})
    folders = sorted({row.split("/")[0] for row in ids})
    place = {item: n for n, item in enumerate(folders)}
    labels = np.array([place[row.split("/")[0]] for row in ids])
    images = ArrayImages(ids, np.zeros((len(ids), 1, 1, 3), np.uint8), "none")
    data = ImageDataset(name, tuple(ImageClass(item, item) for item in folders), labels, images)
    split, report = read_author_lists(folder, data, seed=0)
    assert tuple(report.listed.values()) == sizes and report.complete and not report.unlisted
    assert (len(split.seen), len(split.unseen)) == classes and len(split.fewshot) == 5 * classes[1]
    data, notes = with_texts(data, read_texts(folder))
    assert not notes and all(item.description and "_" not in item.name for item in data.classes)


def write_texts(folder: Path, labels: str, descriptions: str | None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "label2text.txt").write_text(labels)
    if descriptions is not None:
        (folder / "chatgpt.txt").write_text(descriptions)
    return folder


def test_texts_name_and_describe_classes(tmp_path: Path, birds: ImageDataset) -> None:
    labels = "001.Tern_a 1 Tern_a\nGULL 2 Great_Gull\nheron 3 heron\n"
    data, notes = with_texts(birds, read_texts(write_texts(tmp_path / "t", labels, "A bird.\n A big one.\nGrey.")))
    assert [(item.folder, item.name, item.description) for item in data.classes[:3]] == [
        ("001.Tern_a", "Tern a", "A bird."),
        ("002.Tern_b", "002.Tern b", ""),
        ("003.Gull", "Great Gull", "A big one."),
    ]
    assert "2 classes have no text" in notes[0] and "heron" in notes[1]
    assert read_texts(write_texts(tmp_path / "u", labels, None))["GULL"] == ("Great Gull", "")
    with pytest.raises(InvalidArgumentError, match=r"shared: .'a gull'"):
        with_texts(birds, {"001.Tern_a": ("a gull", ""), "003.Gull": ("A gull", "")})
    with pytest.raises(InvalidArgumentError, match="heron"):
        with_texts(birds, {"heron": ("heron", "")})
    with pytest.raises(InvalidArgumentError, match=r"003\.Gull and gull .* are both 003\.Gull"):
        with_texts(birds, {"003.Gull": ("a gull", ""), "gull": ("a bird", "")})
    named, _ = with_texts(data, {"003.Gull": ("a gull", "")})
    assert named.classes[2].description == "A big one."  # a name alone takes nothing away


def test_a_file_of_descriptions_takes_the_place_of_the_sets_own(birds: ImageDataset) -> None:
    name = birds.classes[0].name
    data, notes = with_descriptions(birds, {name: "which cries", "heron": "which is gray"})
    assert [item.description for item in data.classes] == ["which cries"] + [""] * (len(birds.classes) - 1)
    assert notes[0].startswith(f"{len(birds.classes) - 1} classes are not described")
    with pytest.raises(InvalidArgumentError, match="heron"):
        with_descriptions(birds, {"heron": "which is gray"})


@pytest.mark.parametrize(
    ("labels", "descriptions", "message"),
    [
        ("a 1 a\nb 2 b\n", "one\n", "2 labels .* 1 descriptions"),
        ("a 1 a\n", "one\ntwo\n", "1 labels .* 2 descriptions"),
        ("a 1 a\nb 2 b\n", "\ntwo\n", "line 1"),
        ("a 1 a\nb\n", "one\ntwo", "line 2"),
        ("a 1 a\na 2 b\n", "one\ntwo", "repeats a"),
    ],
)
def test_texts_that_do_not_fit_are_refused(tmp_path: Path, labels: str, descriptions: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        read_texts(write_texts(tmp_path / "t", labels, descriptions))


def test_captions_go_by_id(tmp_path: Path, birds: ImageDataset) -> None:
    path = tmp_path / "captions.jsonl"
    rows = [{"id": "003.Gull/p1.png", "text": " a gray gull "}, {"id": "x/y.png", "text": "nobody"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data, notes = with_captions(birds, path)
    assert data.captions == {"003.Gull/p1.png": "a gray gull"}
    assert "23 images have no caption" in notes[0] and "x/y.png" in notes[1]


def test_a_caption_of_a_file_that_was_replaced_is_refused(tmp_path: Path, birds: ImageDataset) -> None:
    path, name = tmp_path / "captions.jsonl", "003.Gull/p1.png"
    own = birds.images.file_hashes[list(birds.images.ids).index(name)].hex()  # type: ignore[attr-defined]
    path.write_text(json.dumps({"id": name, "text": "a gull", "sha256": own}) + "\n")
    assert with_captions(birds, path)[0].captions == {name: "a gull"}
    path.write_text(json.dumps({"id": name, "text": "a gull", "sha256": "0" * 64}) + "\n")
    with pytest.raises(InvalidArgumentError, match=f"but {name} is another file now"):
        with_captions(birds, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": "003.Gull/p1.png", "text": "a"}\n' * 2, "repeats 003.Gull/p1.png"),
        ('{"id": "x/y.png", "text": "a"}', "x/y.png"),
        ('{"id": "003.Gull/p1.png"}', "line 1"),
        ("a gull", "line 1"),
    ],
)
def test_captions_that_do_not_fit_are_refused(tmp_path: Path, birds: ImageDataset, text: str, message: str) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text(text)
    with pytest.raises(InvalidArgumentError, match=message):
        with_captions(birds, path)
