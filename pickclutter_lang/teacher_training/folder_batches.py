"""Training batches from a user's own images, one folder for each class."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pickclutter_lang.datasets.images import loaders
from pickclutter_lang.datasets.images.dataset import ImageClass, ImageFiles
from pickclutter_lang.datasets.transforms.crops import AffineCrops, crop_images, random_color_jitter
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.captions import (
    attribute_words,
    caption_truth,
    named_object_caption,
    object_caption,
)
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.trainable_teacher import Batch, competing_captions
from pickclutter_lang.utils.io import cache_dir

_MAX_NAMES = 120


@dataclass(frozen=True)
class ClassText:
    """A class of images: its folder, the attributes for captions, and the sentences of its description."""

    folder: str
    attributes: ObjectAttributes
    sentences: tuple[str, ...] = ()


def read_classes(root: Path, classes: Path | None = None) -> list[ClassText]:
    """Return the classes of a folder of images; names and categories in lower case, as in captions.

    :param root: holds a folder of images for each class
    :param classes: JSON file with their names and descriptions, see `loaders.read_classes`
    :raises MissingAssetsError: when there are no class folders
    :raises InvalidArgumentError: when the file is damaged, or two classes share a name
    """
    return [_class_text(item) for item in loaders.read_classes(root, classes)]


def _class_text(item: ImageClass) -> ClassText:
    name, category = item.name.lower(), item.category.lower()
    tags = {f"name:{name}"} | ({f"category:{category}"} if category else set())
    sentences = tuple(s for s in re.split(r"(?<=[.!?])\s+", item.description) if s)
    return ClassText(item.folder, ObjectAttributes(frozenset(tags), name=name, category=category), sentences)


@dataclass(frozen=True)
class FolderImages:
    """Images on disk: for each of `paths` its id (class folder and file name) and its class, an index of `classes`."""

    paths: tuple[Path, ...]
    ids: tuple[str, ...]
    class_index: tuple[int, ...]
    classes: tuple[ClassText, ...]

    @classmethod
    def open(cls, folder: str, classes: str | None = None, half: str | None = None) -> FolderImages:
        """List the images of a folder.

        :param classes: see `read_classes`; by default `classes.json` in the folder or next to it, where it is there
        :param half: see `loaders.images_in`
        :raises MissingAssetsError, InvalidArgumentError: as `read_classes`, and when a class has no image
        """
        root = Path(folder)
        class_texts = read_classes(root, Path(classes) if classes else loaders.default_classes(root))
        rows = [(path, n) for n, item in enumerate(class_texts) for path in loaders.images_in(root / item.folder, half)]
        ids = tuple(f"{class_texts[n].folder}/{path.name}" for path, n in rows)
        return cls(tuple(path for path, _ in rows), ids, tuple(n for _, n in rows), tuple(class_texts))

    @classmethod
    def trained_on(cls, config: TeacherTrainConfig) -> FolderImages:
        """List the images that a teacher is trained on; see `open`.

        :raises InvalidArgumentError: for a single class, too
        """
        images = cls.open(str(config.images), config.classes, config.images_half)
        if len(images.classes) < 2:
            raise InvalidArgumentError(
                f"expected images of two classes or more in {config.images}, but got {images.classes[0].folder!a} "
                "alone; a teacher learns names by telling classes apart"
            )
        return images

    @property
    def content_hash(self) -> str:
        """Hash (sha256, hex) of the classes, names and bytes of all images."""
        # Tags follow from name and category; as a set they have no order.
        texts = [[c.folder, c.attributes.name, c.attributes.category, *c.sentences] for c in self.classes]
        content = self.at(1).content_hash  # of the files, at any size
        return hashlib.sha256(json.dumps([texts, content]).encode()).hexdigest()

    def at(self, size_px: int) -> ImageFiles:
        """Return the images as squares of a size in pixels, decoded once into the cache folder."""
        return ImageFiles(self.paths, self.ids, size_px, cache_dir() / "images")


class FolderBatchSampler:
    """Samples the batch of a step from (seed, step) alone: images of single objects, no scenes."""

    def __init__(self, images: FolderImages, config: TeacherTrainConfig, image_size: int) -> None:
        self.images, self.config, self.image_size = images, config, image_size
        self._squares = images.at(image_size)
        self.named_objects = [item.attributes for item in images.classes]
        self.words = attribute_words(self.named_objects)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.config.seed, step])
        rows = rng.integers(0, len(self.images.paths), self.config.view_batch_size).tolist()
        size, full_size, count = int(rng.choice(self.config.crop_sizes)), self.image_size, len(rows)
        crops = AffineCrops(
            (full_size - 1) / 2 + rng.uniform(-0.15, 0.15, (count, 2)) * full_size,
            full_size * rng.uniform(0.5, 1.05, count),
            rng.normal(0, 0.15, count),
            rng.random(count) < 0.5,
        )
        objects = random_color_jitter(crop_images(self._squares.load(rows), crops, size), rng)
        classes = [self.images.classes[self.images.class_index[row]] for row in rows]
        captions = []
        for item in classes:
            sentence = str(rng.choice(item.sentences)) if item.sentences else ""
            captions.append(object_caption(replace(item.attributes, description=sentence), rng))
        shown = list(dict.fromkeys(item.attributes for item in classes))
        rest = [item for item in self.named_objects if item not in set(shown)]
        others = rng.permutation(len(rest))[: max(0, _MAX_NAMES - len(shown))]
        names = [named_object_caption(item, rng) for item in (*shown, *(rest[n] for n in others))]
        captions, columns = competing_captions(captions, names, self.words, rng)
        targets = torch.from_numpy(caption_truth(captions, [[item.attributes] for item in classes]))
        return Batch(None, objects, captions, targets, columns)
