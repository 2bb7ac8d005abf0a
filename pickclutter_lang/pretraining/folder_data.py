"""A user's own pictures, a folder for each class, as what a pocket teacher is trained on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pickclutter_lang.files import cache_folder
from pickclutter_lang.language.attributes import attribute_words, draw_questions
from pickclutter_lang.language.captions import Phrase, match, named_object_phrase, object_phrase
from pickclutter_lang.language.things import Thing
from pickclutter_lang.pictures import FilePictures, ImageClass
from pickclutter_lang.pictures.sets import image_folder
from pickclutter_lang.pictures.sets.folders import pictures_in
from pickclutter_lang.pretraining.batch import Batch
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.training.windows import Windows, cut_rgb, relight

_WORDS_A_KIND, _MOST_NAMES = 14, 120


@dataclass(frozen=True)
class PictureClass:
    """A class of pictures: its folder, and what may be said of it, the description sentence by sentence."""

    folder: str
    thing: Thing
    sentences: tuple[str, ...] = ()


def read_classes(root: Path, classes: Path | None = None) -> list[PictureClass]:
    """Return the classes of a folder of pictures; names and categories in small letters, as captions have them.

    :param root: holds a folder of pictures for each class
    :param classes: what they are called, see `pickclutter_lang.pictures.sets.image_folder.read_classes`
    :raises MissingAssetsError: when there are no class folders
    :raises InvalidArgumentError: when the file is damaged, or two classes share a name
    """
    return [_picture_class(item) for item in image_folder.read_classes(root, classes)]


def _picture_class(item: ImageClass) -> PictureClass:
    name, category = item.name.lower(), item.category.lower()
    tags = {f"name:{name}"} | ({f"category:{category}"} if category else set())
    sentences = tuple(s for s in re.split(r"(?<=[.!?])\s+", item.description) if s)
    return PictureClass(item.folder, Thing(frozenset(tags), name=name, category=category), sentences)


@dataclass(frozen=True)
class FolderPictures:
    """Pictures on disk; `owner` is the place in `classes` of each of `paths`, and `ids` are class folder and name."""

    paths: tuple[Path, ...]
    ids: tuple[str, ...]
    owner: tuple[int, ...]
    classes: tuple[PictureClass, ...]

    @classmethod
    def open(cls, folder: str, classes: str | None = None) -> FolderPictures:
        """List the pictures of a folder.

        :raises MissingAssetsError, InvalidArgumentError: as `read_classes`, and when a class has no picture
        """
        root = Path(folder)
        found = read_classes(root, Path(classes) if classes else None)
        rows = [(path, n) for n, item in enumerate(found) for path in pictures_in(root / item.folder)]
        ids = tuple(f"{found[n].folder}/{path.name}" for path, n in rows)
        return cls(tuple(path for path, _ in rows), ids, tuple(n for _, n in rows), tuple(found))

    @property
    def content_hash(self) -> str:
        """Hash (sha256, hex) of the classes, names and bytes of all pictures."""
        content = self.at(1).content  # of the files, whatever the side
        return hashlib.sha256(f"{self.classes!r}{content}".encode()).hexdigest()

    def at(self, side: int) -> FilePictures:
        """Return the pictures as squares of a side in pixels, decoded once and kept in the cache folder."""
        return FilePictures(self.paths, self.ids, side, cache_folder() / "pictures")


class FolderData:
    """Draws the batch of a step from (seed, step) alone; there are no scenes in it, only pictures of single things."""

    def __init__(self, pictures: FolderPictures, settings: TeacherTrainSettings, image_size: int) -> None:
        self.pictures, self.settings, self.image_size = pictures, settings, image_size
        self._squares = pictures.at(image_size)
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
        shown = relight(cut_rgb(self._squares.read(rows), windows, size), rng)
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
