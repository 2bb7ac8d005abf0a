"""Metadata of a dataset: names and descriptions of classes, and captions of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from pickclutter_lang.datasets.images.class_names import ClassMatcher, humanize
from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.sources import ImageFiles
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.utils.json_files import Written, read_json_lines


class _Needed(TypedDict):
    id: str
    text: Written


class _Caption(_Needed, total=False):
    sha256: str


LABELS, DESCRIPTIONS = "label2text.txt", "chatgpt.txt"


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, without empty ones at its end.

    :raises MissingAssetsError: when there is no such file
    :raises InvalidArgumentError: when it is no text
    """
    try:
        return path.read_text(encoding="utf-8").rstrip().splitlines()
    except FileNotFoundError as error:
        raise MissingAssetsError(f"expected the file {path}, but it is not there") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgumentError(f"expected a text file (UTF-8) at {path}, but: {error}") from error


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
        if len(parts) != 3 or not parts[1].isdigit():
            raise InvalidArgumentError(f"expected `folder index name` in line {number} of {path}, but got {line!r}")
        if parts[0] in names:
            raise InvalidArgumentError(f"expected each class once in {path}, but line {number} repeats {parts[0]}")
        names[parts[0]] = humanize(parts[2])
    sentences = [line.strip() for line in read_lines(described)] if described.is_file() else [""] * len(names)
    if len(sentences) != len(names):
        raise InvalidArgumentError(
            f"expected a description for each label, line by line, but {path} has {len(names)} labels and {described} "
            f"has {len(sentences)} descriptions"
        )
    if described.is_file() and "" in sentences:
        raise InvalidArgumentError(f"expected a description in line {sentences.index('') + 1} of {described}")
    return {name: (names[name], text) for name, text in zip(names, sentences, strict=True)}


def with_texts(data: ImageDataset, texts: Mapping[str, tuple[str, str]]) -> tuple[ImageDataset, tuple[str, ...]]:
    """Name the classes by the texts of a file.

    :param texts: of `read_texts`, matched with the classes by folder or name, however spelt
    :return: the data, and what does not match, to print
    :raises InvalidArgumentError: when two texts are of one class, two classes would share a name, or none matches
    """
    finder, classes, unknown = ClassMatcher(data.classes), list(data.classes), []
    found: dict[int, str] = {}
    for folder, (name, description) in texts.items():
        place = finder.find(folder)
        if place is None:
            unknown.append(folder)
        elif place in found:
            raise InvalidArgumentError(
                f"expected one text for each class of {data.name}, but {found[place]} and {folder} in {LABELS} "
                f"are both {data.classes[place].folder}"
            )
        else:
            found[place], item = folder, classes[place]
            classes[place] = replace(item, name=name, description=description or item.description)
    if not found:
        raise InvalidArgumentError(f"expected texts of the classes of {data.name}, but got those of {unknown[:3]}")
    bare = [item.folder for n, item in enumerate(classes) if n not in found]
    notes = [] if not bare else [f"{len(bare)} classes have no text in {LABELS}, such as {bare[0]}"]
    if unknown:
        notes.append(f"{len(unknown)} classes of {LABELS} are not among the images, such as {unknown[0]}")
    return replace(data, classes=tuple(classes)), tuple(notes)


def with_descriptions(data: ImageDataset, texts: Mapping[str, str]) -> tuple[ImageDataset, tuple[str, ...]]:
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
    notes = (f"{len(bare)} classes are not described, such as {bare[0]}",) if bare else ()
    return replace(data, classes=classes), notes


def with_captions(data: ImageDataset, path: str | Path) -> tuple[ImageDataset, tuple[str, ...]]:
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
    remedy = 'each line must be {"id": ..., "text": ...}'
    for row in read_json_lines(Path(path), _Caption, InvalidArgumentError, remedy):
        if row["id"] in captions:
            raise InvalidArgumentError(f"expected one caption an image, but {path} repeats {row['id']}")
        if row["id"] in hashes and row.get("sha256", now := hashes[row["id"]].hex()) != now:
            raise InvalidArgumentError(
                f"expected captions of these very images in {path}, but {row['id']} is another file now; take its line "
                "away and run pickclutter caption-images again"
            )
        captions[row["id"]] = row["text"].strip()
    matched = {name: captions[name] for name in data.images.ids if name in captions}
    if not matched:
        raise InvalidArgumentError(
            f"expected captions of images such as {data.images.ids[0]} in {path}, but got {list(captions)[:1]}"
        )
    notes = []
    if len(matched) < len(data.images.ids):
        bare = next(name for name in data.images.ids if name not in matched)
        notes.append(f"{len(data.images.ids) - len(matched)} images have no caption, such as {bare}")
    if len(matched) < len(captions):
        other = next(name for name in captions if name not in matched)
        notes.append(f"{len(captions) - len(matched)} captions are of no image, such as {other}")
    return replace(data, captions=matched), tuple(notes)
