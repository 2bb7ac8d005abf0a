"""Loads a dataset of images with its split, texts and captions, and reports what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.loaders import load_set
from pickclutter_lang.datasets.images.splits import (
    LISTS,
    SUBSETS,
    Split,
    folder_split,
    humanize,
    listed_split,
    match_classes,
    read_lines,
    seeded_split,
)
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.language.descriptions import read_descriptions
from pickclutter_lang.utils.reading import Written, read_json_lines

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
    :raises InvalidArgumentError, MissingAssetsError, DatasetError: as the set's loader, the split, `with_texts`,
        `with_descriptions` and `with_captions`
    """
    config.validate()
    data = load_set(config)
    if config.author_lists and (Path(config.author_lists) / LABELS).is_file():
        data = with_texts(data, Path(config.author_lists))
    if config.descriptions:
        data = with_descriptions(data, read_descriptions(config.descriptions).texts)
    if config.captions:
        data = with_captions(data, Path(config.captions))
    split = _split(data, config)
    split.check(data.labels)
    used = {row for subset in SUBSETS for row in getattr(split, subset)}
    unused = [name for row, name in enumerate(data.images.ids) if row not in used]
    notes = [*data.notes, *_note(unused, "images are in no list"), *_duplicates(data, split)]
    counts = ", ".join(f"{part} {len(getattr(split, part))}" for part in SUBSETS)
    first = (
        f"{data.name}: {len(data.images.ids)} images of {len(data.classes)} classes; {len(split.seen)} classes known, "
        f"{len(split.unseen)} unseen; images: {counts}"
    )
    return data, split, "\n".join([first, *(f"- {note}" for note in notes)])


def with_texts(data: ImageDataset, folder: Path) -> ImageDataset:
    """Name and describe the classes by the files of the authors.

    A line of `label2text.txt` is `folder index name`; the same line of `chatgpt.txt`, which may be missing, describes
    that class. Folders are matched with the classes by folder or name, however spelt.

    :raises InvalidArgumentError: for a line of another form, other than one description for each label, two texts of
        one class, two classes that would share a name, or when none matches
    """
    path, described = folder / LABELS, folder / DESCRIPTIONS
    rows = [line.split(maxsplit=2) for line in read_lines(path)]
    sentences = [line.strip() for line in read_lines(described)] if described.is_file() else [""] * len(rows)
    if any(len(row) != 3 for row in rows) or len(sentences) != len(rows):
        raise InvalidArgumentError(
            f"expected `folder index name` in each of the {len(rows)} lines of {path}, and as many descriptions in "
            f"{described}, but got {len(sentences)}"
        )
    place = match_classes([row[0] for row in rows], data.classes)
    classes = list(data.classes)
    named = [place[row[0]] for row in rows if row[0] in place]
    if not named or len(set(named)) < len(named):
        raise InvalidArgumentError(f"expected one text for each class of {data.name} in {path}, but got {len(named)}")
    for (name, _, text), sentence in zip(rows, sentences, strict=True):
        if name in place:
            item = classes[place[name]]
            classes[place[name]] = replace(item, name=humanize(text), description=sentence or item.description)
    bare = [item.folder for n, item in enumerate(classes) if n not in named]
    notes = _note(bare, f"classes have no text in {LABELS}")
    notes += _note([row[0] for row in rows if row[0] not in place], f"classes of {LABELS} have no image")
    return replace(data, classes=tuple(classes), notes=(*data.notes, *notes))


def with_descriptions(data: ImageDataset, texts: Mapping[str, str]) -> ImageDataset:
    """Give classes the descriptions of a file, by their names; no other class is then described.

    :raises InvalidArgumentError: when none matches
    """
    bare = [item.name for item in data.classes if item.name not in texts]
    if len(bare) == len(data.classes):
        raise InvalidArgumentError(
            f"expected descriptions of the classes of {data.name}, such as {bare[0]!r}, but got those of "
            f"{list(texts)[:3]}"
        )
    classes = tuple(replace(item, description=texts.get(item.name, "")) for item in data.classes)
    return replace(data, classes=classes, notes=(*data.notes, *_note(bare, "classes are not described")))


def with_captions(data: ImageDataset, path: Path) -> ImageDataset:
    """Give images the captions of a file of JSON lines, `{"id": ..., "text": ..., "sha256": ...}`, and no others.

    The last, where a line has it, is that of the image file.

    :raises InvalidArgumentError: when there is no such file, for a line of another form, a repeated id, the caption of
        a file that was replaced, or when no image is named
    """
    images = data.images
    rows = read_json_lines(path, _Caption, InvalidArgumentError, 'each line must be {"id": ..., "text": ...}')
    captions = {row["id"]: row["text"].strip() for row in rows}
    if len(captions) < len(rows):
        raise InvalidArgumentError(f"expected one caption an image, but {path} repeats some")
    now = {name: value.hex() for name, value in zip(images.ids, images.file_hashes, strict=False)}
    replaced = [row["id"] for row in rows if row["id"] in now and row.get("sha256", now[row["id"]]) != now[row["id"]]]
    if replaced:
        raise InvalidArgumentError(
            f"expected captions of these very images in {path}, but {replaced[0]} is another file now; take its line "
            "away and run pickclutter caption-images again"
        )
    matched = {name: captions[name] for name in images.ids if name in captions}
    if not matched:
        raise InvalidArgumentError(
            f"expected captions of images such as {images.ids[0]} in {path}, but got {list(captions)[:1]}"
        )
    notes = _note([name for name in images.ids if name not in matched], "images have no caption")
    notes += _note([*(captions.keys() - matched)], "captions are of no image")
    return replace(data, captions=matched, notes=(*data.notes, *notes))


def _split(data: ImageDataset, config: ImageDataConfig) -> Split:
    if config.author_lists:
        folder = Path(config.author_lists)
        if any((folder / name).is_file() for name in LISTS.values()):
            return listed_split(folder, data, config.seed, config.shots)
        if not (folder / LABELS).is_file():
            raise MissingAssetsError(f"expected {', '.join((*LISTS.values(), LABELS))} in {folder}")
    by_folders = folder_split(data, config.seed, config.shots)
    return by_folders or seeded_split(data, config.seed, config.shots)


def _duplicates(data: ImageDataset, split: Split) -> list[str]:
    """Return a line on evaluated images that have the bytes of a trained or few-shot one, where there are any."""
    hashes = data.images.file_hashes
    if not hashes:
        return []
    trained = {hashes[row] for row in (*split.train, *split.fewshot)}
    equal = [data.images.ids[row] for row in (*split.id, *split.ood) if hashes[row] in trained]
    return _note(equal, "images of X_id and X_ood have the bytes of one that is trained on")


def _note(items: Sequence[str], what: str) -> list[str]:
    return [f"{len(items)} {what}, such as {items[0]}"] if items else []
