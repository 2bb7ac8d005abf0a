"""Loads a dataset of images with its split, texts and captions, and reports what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageDataset, ImageFiles
from pickclutter_lang.datasets.images.loaders import load_set
from pickclutter_lang.datasets.images.splits import (
    FOLDERS,
    LISTS,
    SUBSETS,
    ClassMatcher,
    Split,
    folder_split,
    humanize,
    listed_split,
    read_lines,
    seeded_split,
    subsample,
)
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.language.descriptions import read_descriptions
from pickclutter_lang.utils.json_files import Written, read_json_lines

LABELS, DESCRIPTIONS = "label2text.txt", "chatgpt.txt"
"""The authors' files of class names and of descriptions."""


class _Needed(TypedDict):
    id: str
    text: Written


class _Caption(_Needed, total=False):
    sha256: str


def load_image_dataset(config: ImageDataConfig) -> tuple[ImageDataset, Split, str]:
    """Load a dataset and split it.

    :return: the images, the split, and a report to print: counts, and what does not match
    :raises InvalidArgumentError, MissingAssetsError, DatasetError: as the set's loader, `listed_split`, `read_texts`,
        `with_descriptions`, `with_captions` and `seeded_split`
    """
    config.validate()
    loaded = load_set(config)
    data, notes = loaded.data, list(loaded.notes)
    if config.author_lists and (Path(config.author_lists) / LABELS).is_file():
        data, more = with_texts(data, read_texts(config.author_lists))
        notes += more
    if config.descriptions:
        data, more = with_descriptions(data, read_descriptions(config.descriptions).texts)
        notes += more
    if config.captions:
        data, more = with_captions(data, config.captions)
        notes += more
    split, more = _split(data, config)
    data, split = subsample(data, split, config.max_classes, config.max_per_class)
    split.check(data.labels)
    notes += [*more, *_duplicates(data, split)]
    counts = ", ".join(f"{part} {len(getattr(split, part))}" for part in SUBSETS)
    first = (
        f"{data.name}: {len(data.images.ids)} images of {len(data.classes)} classes; {len(split.seen)} classes known, "
        f"{len(split.unseen)} unseen; images: {counts}"
    )
    return data, split, "\n".join([first, *(f"- {note}" for note in notes)])


def read_texts(folder: str | Path) -> dict[str, tuple[str, str]]:
    """Read what the authors published of the classes: `label2text.txt` and, where it is there, `chatgpt.txt`.

    :param folder: holds the files; a line of the first is `folder index name`, and of the other the description of the
        class on the same line of the first
    :return: name and description ("" without a second file) of each class folder
    :raises MissingAssetsError: when there is no `label2text.txt`
    :raises InvalidArgumentError: for a line of another form, a repeated folder, or other than one description per label
    """
    path, described = Path(folder) / LABELS, Path(folder) / DESCRIPTIONS
    names: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), 1):
        parts = line.split(maxsplit=2)
        if len(parts) != 3 or not parts[1].isdigit() or parts[0] in names:
            raise InvalidArgumentError(
                f"expected `folder index name` of another class in line {number} of {path}, but got {line!r}"
            )
        names[parts[0]] = humanize(parts[2])
    sentences = [line.strip() for line in read_lines(described)] if described.is_file() else [""] * len(names)
    if len(sentences) != len(names) or (described.is_file() and "" in sentences):
        raise InvalidArgumentError(
            f"expected a description in {described} for each of the {len(names)} lines of {path}, but got "
            f"{len(sentences) - sentences.count('')}"
        )
    return {name: (names[name], text) for name, text in zip(names, sentences, strict=True)}


def with_texts(data: ImageDataset, texts: Mapping[str, tuple[str, str]]) -> tuple[ImageDataset, list[str]]:
    """Name the classes by the texts of a file.

    :param texts: of `read_texts`, matched with the classes by folder or name, however spelt
    :return: the data, and what does not match, to print
    :raises InvalidArgumentError: when two texts are of one class, two classes would share a name, or none matches
    """
    matcher, classes, unknown = ClassMatcher(data.classes), list(data.classes), []
    named: dict[int, str] = {}
    for folder, (name, description) in texts.items():
        place = matcher.find(folder)
        if place is None:
            unknown.append(folder)
        elif place in named:
            raise InvalidArgumentError(
                f"expected one text for each class of {data.name}, but {named[place]} and {folder} in {LABELS} "
                f"are both {data.classes[place].folder}"
            )
        else:
            named[place], item = folder, classes[place]
            classes[place] = replace(item, name=name, description=description or item.description)
    if not named:
        raise InvalidArgumentError(f"expected texts of the classes of {data.name}, but got those of {unknown[:3]}")
    bare = [item.folder for n, item in enumerate(classes) if n not in named]
    notes = _note(bare, f"classes have no text in {LABELS}")
    return replace(data, classes=tuple(classes)), notes + _note(unknown, f"classes of {LABELS} have no image")


def with_descriptions(data: ImageDataset, texts: Mapping[str, str]) -> tuple[ImageDataset, list[str]]:
    """Give classes the descriptions of a file, by their names.

    :return: the data, in which no other class is described, and what does not match, to print
    :raises InvalidArgumentError: when none matches
    """
    bare = [item.name for item in data.classes if item.name not in texts]
    if len(bare) == len(data.classes):
        raise InvalidArgumentError(
            f"expected descriptions of the classes of {data.name}, such as {bare[0]!r}, but got those of "
            f"{list(texts)[:3]}"
        )
    classes = tuple(replace(item, description=texts.get(item.name, "")) for item in data.classes)
    return replace(data, classes=classes), _note(bare, "classes are not described")


def with_captions(data: ImageDataset, path: str | Path) -> tuple[ImageDataset, list[str]]:
    """Give images the captions of a file of JSON lines, `{"id": ..., "text": ..., "sha256": ...}`.

    The last, where a line has it, is that of the image file.

    :return: the data with these captions alone, and what does not match, to print
    :raises MissingAssetsError: when there is no such file
    :raises InvalidArgumentError: for a line of another form, a repeated id, the caption of a file that was replaced, or
        when no image is named
    """
    captions: dict[str, str] = {}
    images = data.images
    hashes = dict(zip(images.ids, images.file_hashes, strict=True)) if isinstance(images, ImageFiles) else {}
    if not Path(path).exists():
        raise MissingAssetsError(f"expected the file {path}, but it is not there")
    for row in read_json_lines(
        Path(path), _Caption, InvalidArgumentError, 'each line must be {"id": ..., "text": ...}'
    ):
        if row["id"] in captions:
            raise InvalidArgumentError(f"expected one caption an image, but {path} repeats {row['id']}")
        if row["id"] in hashes and row.get("sha256", now := hashes[row["id"]].hex()) != now:
            raise InvalidArgumentError(
                f"expected captions of these very images in {path}, but {row['id']} is another file now; take its line "
                "away and run pickclutter caption-images again"
            )
        captions[row["id"]] = row["text"].strip()
    matched = {name: captions[name] for name in images.ids if name in captions}
    if not matched:
        raise InvalidArgumentError(
            f"expected captions of images such as {images.ids[0]} in {path}, but got {list(captions)[:1]}"
        )
    notes = _note([name for name in images.ids if name not in matched], "images have no caption")
    return replace(data, captions=matched), notes + _note([*(captions.keys() - matched)], "captions are of no image")


def _split(data: ImageDataset, config: ImageDataConfig) -> tuple[Split, list[str]]:
    folder = config.author_lists
    if folder and any((Path(folder) / name).is_file() for name in LISTS.values()):
        return listed_split(
            folder, data, seed=config.seed, shots=config.shots, allow_missing=config.allow_missing
        )  # fmt: skip
    if folder and not (Path(folder) / LABELS).is_file():
        raise MissingAssetsError(f"expected {', '.join((*LISTS.values(), LABELS))} in {folder}")
    by_folders = folder_split(data, seed=config.seed, shots=config.shots)
    if by_folders is not None:
        return by_folders, [f"split by the folders {', '.join(FOLDERS.values())}"]
    names = [item.name for item in data.classes]
    split = seeded_split(
        data.labels, len(names), seed=config.seed, shots=config.shots, halves=data.class_split, names=names
    )
    return split, [f"no lists in {folder}: split by seed {config.seed}"] if folder else []


def _duplicates(data: ImageDataset, split: Split) -> list[str]:
    """Return a line on evaluated images that have the bytes of a trained or few-shot one, where there are any."""
    if not isinstance(data.images, ImageFiles):
        return []
    hashes = data.images.file_hashes
    trained = {hashes[row] for row in (*split.train, *split.fewshot)}
    equal = [data.images.ids[row] for row in (*split.id, *split.ood) if hashes[row] in trained]
    return _note(equal, "images of X_id and X_ood have the bytes of one that is trained on")


def _note(items: list[str], what: str) -> list[str]:
    return [f"{len(items)} {what}, such as {items[0]}"] if items else []
