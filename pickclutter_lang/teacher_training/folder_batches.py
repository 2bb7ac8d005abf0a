"""A user's own images, a folder for each class, as what a pocket teacher is trained on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pickclutter_lang.datasets.images import ImageClass, ImageFiles
from pickclutter_lang.datasets.images.loaders import image_folder
from pickclutter_lang.datasets.images.loaders.folders import images_in
from pickclutter_lang.datasets.transforms.affine_crops import AffineCrops, color_jitter_batch, crop_images
from pickclutter_lang.language.attribute_prompts import attribute_words, sample_attribute_prompts
from pickclutter_lang.language.captions import Caption, caption_truth, named_object_caption, object_caption
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teacher_training.batch import Batch
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.utils.io import cache_dir

_PROMPTS_PER_TYPE, _MOST_NAMES = 14, 120


@dataclass(frozen=True)
class ClassText:
    """A class of images: its folder, and what may be said of it, the description sentence by sentence."""

    folder: str
    attributes: ObjectAttributes
    sentences: tuple[str, ...] = ()


def read_classes(root: Path, classes: Path | None = None) -> list[ClassText]:
    """Return the classes of a folder of images; names and categories in small letters, as captions have them.

    :param root: holds a folder of images for each class
    :param classes: what they are called, see `pickclutter_lang.datasets.images.loaders.image_folder.read_classes`
    :raises MissingAssetsError: when there are no class folders
    :raises InvalidArgumentError: when the file is damaged, or two classes share a name
    """
    return [_class_text(item) for item in image_folder.read_classes(root, classes)]


def _class_text(item: ImageClass) -> ClassText:
    name, category = item.name.lower(), item.category.lower()
    tags = {f"name:{name}"} | ({f"category:{category}"} if category else set())
    sentences = tuple(s for s in re.split(r"(?<=[.!?])\s+", item.description) if s)
    return ClassText(item.folder, ObjectAttributes(frozenset(tags), name=name, category=category), sentences)


@dataclass(frozen=True)
class FolderImages:
    """Images on disk; `owner` is the place in `classes` of each of `paths`, and `ids` are class folder and name."""

    paths: tuple[Path, ...]
    ids: tuple[str, ...]
    owner: tuple[int, ...]
    classes: tuple[ClassText, ...]

    @classmethod
    def open(cls, folder: str, classes: str | None = None) -> FolderImages:
        """List the images of a folder.

        :raises MissingAssetsError, InvalidArgumentError: as `read_classes`, and when a class has no image
        """
        root = Path(folder)
        found = read_classes(root, Path(classes) if classes else None)
        rows = [(path, n) for n, item in enumerate(found) for path in images_in(root / item.folder)]
        ids = tuple(f"{found[n].folder}/{path.name}" for path, n in rows)
        return cls(tuple(path for path, _ in rows), ids, tuple(n for _, n in rows), tuple(found))

    @property
    def content_hash(self) -> str:
        """Hash (sha256, hex) of the classes, names and bytes of all images."""
        content = self.at(1).content_hash  # of the files, whatever the side
        return hashlib.sha256(f"{self.classes!r}{content}".encode()).hexdigest()

    def at(self, side: int) -> ImageFiles:
        """Return the images as squares of a side in pixels, decoded once and kept in the cache folder."""
        return ImageFiles(self.paths, self.ids, side, cache_dir() / "pictures")


class FolderBatchSampler:
    """Draws the batch of a step from (seed, step) alone; there are no scenes in it, only images of single things."""

    def __init__(self, images: FolderImages, config: TeacherTrainConfig, image_size: int) -> None:
        self.images, self.config, self.image_size = images, config, image_size
        self._squares = images.at(image_size)
        self.named_objects = [item.attributes for item in images.classes]
        self.words = attribute_words(self.named_objects)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.config.seed, step])
        rows = rng.integers(0, len(self.images.paths), self.config.view_batch_size).tolist()
        size, whole, count = int(rng.choice(self.config.crop_sizes)), self.image_size, len(rows)
        windows = AffineCrops(
            (whole - 1) / 2 + rng.uniform(-0.15, 0.15, (count, 2)) * whole,
            whole * rng.uniform(0.5, 1.05, count),
            rng.normal(0, 0.15, count),
            rng.random(count) < 0.5,
        )
        shown = color_jitter_batch(crop_images(self._squares.load(rows), windows, size), rng)
        classes = [self.images.classes[self.images.owner[row]] for row in rows]
        phrases, kinds = self._captions(classes, rng)
        return Batch(
            scenes=torch.zeros(0, 3, whole, whole),
            segmentation=torch.zeros(0, whole, whole, dtype=torch.uint8),
            regions=torch.zeros(0, 2, dtype=torch.int64),
            objects=shown,
            scene_texts=[],
            scene_targets=torch.zeros(0, 0, dtype=torch.bool),
            object_texts=[phrase.text for phrase in phrases],
            object_targets=torch.from_numpy(caption_truth(phrases, [[item.thing] for item in classes])),
            names=0,
            attribute_slices=kinds,
            tags=[tag for phrase in phrases[kinds["name"].start :] for tag in phrase.clauses[0].tags],
        )

    def _captions(
        self, classes: Sequence[ClassText], rng: np.random.Generator
    ) -> tuple[list[Caption], dict[str, slice]]:
        """One for each image, the names of all classes (of many: of those shown and some others), and categories."""
        phrases = []
        for item in classes:
            sentence = str(rng.choice(item.sentences)) if item.sentences else ""
            phrases.append(object_caption(replace(item.attributes, description=sentence), rng))
        shown = list(dict.fromkeys(item.attributes for item in classes))
        others = [thing for thing in self.named_objects if thing not in set(shown)]
        more = max(0, _MOST_NAMES - len(shown))
        asked = [*shown, *(others[n] for n in rng.permutation(len(others))[:more])]
        of_kind = {"name": [named_object_caption(thing, rng) for thing in asked]}
        of_kind |= sample_attribute_prompts(self.words, _PROMPTS_PER_TYPE, rng)
        kinds = {}
        for kind, some in of_kind.items():
            kinds[kind] = slice(len(phrases), len(phrases) + len(some))
            phrases += some
        return phrases, kinds
