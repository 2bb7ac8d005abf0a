"""A user's own pictures, a folder for each class, as what a pocket teacher is trained on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.language.attributes import attribute_words, draw_questions
from pickclutter_lang.language.captions import Phrase, match, named_object_phrase, object_phrase
from pickclutter_lang.language.things import Thing
from pickclutter_lang.pretraining.batch import Batch
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.training.windows import Windows, cut_rgb, relight

_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_WORDS_A_KIND, _MOST_NAMES = 14, 120


@dataclass(frozen=True)
class PictureClass:
    """A class of pictures: its folder, and what may be said of it, the description sentence by sentence."""

    folder: str
    thing: Thing
    sentences: tuple[str, ...] = ()


def read_classes(root: Path, classes: Path | None = None) -> list[PictureClass]:
    """Return the classes of a folder of pictures, in the order of their folders.

    :param root: holds a folder of pictures for each class
    :param classes: a JSON list of `{"folder": ..., "name": ..., "category": ..., "description": ...}` (or an object
        with such a list as `classes`; `coarse` is read as `category`); all but `folder` may be left out. By default
        each class is called as its folder
    :raises MissingAssetsError: when there are no class folders
    :raises InvalidArgumentError: when the file is not such a list, or two classes share a name
    """
    folders = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    if not folders:
        raise MissingAssetsError(f"expected a folder of pictures for each class in {root}, but there is none")
    rows = {row["folder"]: row for row in _rows(classes)} if classes else {}
    found = []
    for folder in folders:
        row = rows.get(folder, {})
        name = str(row.get("name") or re.sub(r"[-_]+", " ", folder)).lower()
        category = str(row.get("category") or row.get("coarse") or "").lower()
        tags = {f"name:{name}"} | ({f"category:{category}"} if category else set())
        sentences = tuple(s for s in re.split(r"(?<=[.!?])\s+", str(row.get("description") or "").strip()) if s)
        found.append(PictureClass(folder, Thing(frozenset(tags), name=name, category=category), sentences))
    names = [item.thing.name for item in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidArgumentError(f"expected a name of its own for each class, but these are shared: {twice}")
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text())
        rows = content["classes"] if isinstance(content, dict) else content
        if not all(isinstance(row, dict) and "folder" in row for row in rows):
            raise TypeError("a row without `folder`")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidArgumentError(
            f"expected a JSON list of classes with `folder` and `name` in {path}, but: {error}"
        ) from error
    return list(rows)


@dataclass(frozen=True)
class FolderPictures:
    """Pictures on disk, decoded when they are asked for; `owner` is the place in `classes` of each of `paths`."""

    paths: tuple[Path, ...]
    owner: tuple[int, ...]
    classes: tuple[PictureClass, ...]

    @classmethod
    def open(cls, folder: str, classes: str | None = None) -> FolderPictures:
        """List the pictures of a folder.

        :raises MissingAssetsError, InvalidArgumentError: as `read_classes`, and when a class has no picture
        """
        root = Path(folder)
        found = read_classes(root, Path(classes) if classes else None)
        paths, owner = [], []
        for number, item in enumerate(found):
            pictures = sorted(p for p in (root / item.folder).iterdir() if p.suffix.lower() in _ENDINGS)
            if not pictures:
                raise MissingAssetsError(f"expected pictures ({', '.join(_ENDINGS)}) in {root / item.folder}")
            paths += pictures
            owner += [number] * len(pictures)
        return cls(tuple(paths), tuple(owner), tuple(found))

    @property
    def content_hash(self) -> str:
        """Hash (sha256, hex) of the classes, names and bytes of all pictures."""
        digest = hashlib.sha256(repr(self.classes).encode())
        for path in self.paths:
            digest.update(f"{path.parent.name}/{path.name}\n".encode() + path.read_bytes())
        return digest.hexdigest()

    def read(self, rows: Sequence[int], size: int) -> NDArray[np.uint8]:
        """Return pictures [N, size, size, 3], squeezed to squares as the teacher's preprocessing does.

        :raises InvalidArgumentError: naming a file that is not a picture
        """
        pictures = []
        for row in rows:
            try:
                with Image.open(self.paths[row]) as picture:
                    pictures.append(np.asarray(picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)))
            except (OSError, UnidentifiedImageError) as error:
                raise InvalidArgumentError(f"expected a picture at {self.paths[row]}, but: {error}") from error
        return np.stack(pictures)


class FolderData:
    """Draws the batch of a step from (seed, step) alone; there are no scenes in it, only pictures of single things."""

    def __init__(self, pictures: FolderPictures, settings: TeacherTrainSettings, image_size: int) -> None:
        self.pictures, self.settings, self.image_size = pictures, settings, image_size
        self._decoded: dict[int, NDArray[np.uint8]] = {}
        self.nameable = [item.thing for item in pictures.classes]
        self.words = attribute_words(self.nameable)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.settings.seed, step])
        rows = rng.integers(0, len(self.pictures.paths), self.settings.view_batch).tolist()
        size, whole, count = int(rng.choice(self.settings.object_sizes)), self.image_size, len(rows)
        windows = Windows(
            (whole - 1) / 2 + rng.uniform(-0.15, 0.15, (count, 2)) * whole,
            whole * rng.uniform(0.5, 1.05, count),
            rng.normal(0, 0.15, count),
            rng.random(count) < 0.5,
        )
        shown = relight(cut_rgb(self._read(rows), windows, size), rng)
        classes = [self.pictures.classes[self.pictures.owner[row]] for row in rows]
        phrases, kinds = self._phrases(classes, rng)
        return Batch(
            scenes=torch.zeros(0, 3, whole, whole),
            segmentation=torch.zeros(0, whole, whole, dtype=torch.uint8),
            regions=torch.zeros(0, 2, dtype=torch.int64),
            objects=shown,
            scene_texts=[],
            scene_truth=torch.zeros(0, 0, dtype=torch.bool),
            object_texts=[phrase.text for phrase in phrases],
            object_truth=torch.from_numpy(match(phrases, [[item.thing] for item in classes])),
            names=0,
            kinds=kinds,
            tags=[tag for phrase in phrases[kinds["name"].start :] for tag in phrase.clauses[0].tags],
        )

    def _read(self, rows: Sequence[int]) -> NDArray[np.uint8]:
        """Return pictures [N, S, S, 3], each decoded once and then kept."""
        new = [row for row in dict.fromkeys(rows) if row not in self._decoded]
        if new:
            self._decoded.update(zip(new, self.pictures.read(new, self.image_size), strict=True))
        return np.stack([self._decoded[row] for row in rows])

    def _phrases(
        self, classes: Sequence[PictureClass], rng: np.random.Generator
    ) -> tuple[list[Phrase], dict[str, slice]]:
        """One for each picture, the names of all classes (of many: of those shown and some others), and categories."""
        phrases = []
        for item in classes:
            sentence = str(rng.choice(item.sentences)) if item.sentences else ""
            phrases.append(object_phrase(replace(item.thing, description=sentence), rng))
        shown = list(dict.fromkeys(item.thing for item in classes))
        others = [thing for thing in self.nameable if thing not in set(shown)]
        more = max(0, _MOST_NAMES - len(shown))
        asked = [*shown, *(others[n] for n in rng.permutation(len(others))[:more])]
        of_kind = {"name": [named_object_phrase(thing, rng) for thing in asked]}
        of_kind |= draw_questions(self.words, _WORDS_A_KIND, rng)
        kinds = {}
        for kind, some in of_kind.items():
            kinds[kind] = slice(len(phrases), len(phrases) + len(some))
            phrases += some
        return phrases, kinds
