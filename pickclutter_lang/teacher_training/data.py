"""The data of a pocket teacher: what it is trained on, and what is held out for the figures of its model card."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageClass, ImageDataset
from pickclutter_lang.datasets.images.loaders import load_set
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.objects.catalog import paper_catalog, select_objects
from pickclutter_lang.objects.object_sets import MAX_INSTANCES, sources_of
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teachers.pocket import POCKET_CONFIG
from pickclutter_lang.teachers.training_images import listed_images
from pickclutter_lang.utils.io import cache_dir

IMAGE_SIZE: int = POCKET_CONFIG["preprocess_cfg"]["size"]
"""Side in pixels of the images of a pocket teacher."""


@dataclass(frozen=True)
class TeacherData:
    """The data that a configuration names, each folder opened once, in its order."""

    scenes: list[SceneStore]
    views: list[ObjectViewDataset]
    images: ImageDataset | None
    unseen_scenes: list[SceneStore]
    unseen_views: list[ObjectViewDataset]
    unseen_images: ImageDataset | None

    @classmethod
    def open(cls, config: TeacherTrainConfig) -> TeacherData:
        """Open the data, and check that a teacher may be trained on it and evaluated on what is held out.

        :raises DatasetError, MissingAssetsError: for a folder that cannot be read
        :raises InvalidArgumentError: for scenes, or views, of several sizes, and images of a single class; when scenes,
            views, or the bytes of an image, are in both parts; for objects that no teacher is trained on, and instances
            of kinds for evaluation, or the other way round
        """
        images = open_images(config.images, config.classes, config.images_half) if config.images else None
        unseen_images = open_images(config.unseen_images, config.classes) if config.unseen_images else None
        data = cls(
            [SceneStore.open(folder) for folder in config.scenes],
            [ObjectViewDataset.open(folder) for folder in config.views],
            images,
            [SceneStore.open(folder) for folder in config.unseen_scenes],
            [ObjectViewDataset.open(folder) for folder in config.unseen_views],
            unseen_images,
        )
        data._check_objects(config.exclude_split)
        data._check_held_out(config.pretrained)
        return data

    @property
    def object_sets(self) -> set[str]:
        """The object sets that are trained on, `kinds` for distractors too."""
        views = {name for store in self.views for name in sources_of(store.config["objects"])}
        scenes = {name for store in self.scenes for name in store.manifest.object_set.split("+")}
        return views | scenes | ({"kinds"} if any(store.manifest.distractor_kinds for store in self.scenes) else set())

    def signature(self, config: TeacherTrainConfig) -> dict[str, Any]:
        """Return what a resumed run must agree with: settings that decide the weights, hashes of the data."""
        return {
            **config.choices(),
            "save_every": min(config.save_every, config.steps),
            "scenes": [store.content_hash for store in self.scenes],
            "views": [store.content_hash for store in self.views],
            "images": None if self.images is None else images_hash(self.images),
        }

    def _check_objects(self, exclude_split: str) -> None:
        """Check what is trained on: sizes, classes, objects."""
        sizes = {store.image_size for store in self.scenes}, {store.rgb.shape[1] for store in self.views}
        if max(map(len, sizes)) > 1:
            raise InvalidArgumentError(f"expected all scenes, and all views, of one size in pixels, but got {sizes}")
        if self.images and len(self.images.classes) < 2:
            raise InvalidArgumentError(
                f"expected images of two classes or more, but got {self.images.classes[0].folder!a} only; a teacher "
                "learns names by telling classes apart"
            )
        if {row.get("model_id") for store in self.views for row in store.objects} & {
            *select_objects("kept_out").model_ids
        }:
            raise InvalidArgumentError("expected views to train on, but some show objects that are never trained on")
        if exclude_split != "none" and "kinds" in self.object_sets:
            raise InvalidArgumentError(
                f"expected exclude_split=none with kinds, but got {exclude_split}: it leaves out objects of proxy "
                "and ycb; render only the other kinds, kinds=[...]"
            )
        seeds = {
            "scenes": [
                int(store.array("instances").max()) for store in self.scenes if "instances" in store.manifest.fields
            ],
            "views": [row["seed"] for store in self.views for row in store.objects if "kind" in row],
            "unseen_views": [row["seed"] for store in self.unseen_views for row in store.objects if "kind" in row],
        }
        for key, of_key in seeds.items():
            if any((seed < MAX_INSTANCES) == (key == "unseen_views") for seed in of_key):
                raise InvalidArgumentError(
                    f"expected instances of kinds with seeds from {MAX_INSTANCES} on in unseen_views, and below it in "
                    f"views and scenes, but {key} have others; render them with first_seed=, or with split=teacher"
                )

    def _check_held_out(self, pretrained: str | None) -> None:
        """Check that nothing of what is held out is trained on."""
        for store in self.unseen_scenes:
            if store.manifest.object_set == "kinds" or store.manifest.has_catalog:
                raise InvalidArgumentError(
                    f"expected unseen_scenes of proxy or ycb, whose 26 names the metrics are of, but {store.path} has "
                    f"{store.manifest.object_set}"
                )
        _refuse_shared("scenes", _scene_ids(self.scenes), _scene_ids(self.unseen_scenes))
        hashes, unseen_hashes = ([one.content_hash for one in stores] for stores in (self.views, self.unseen_views))
        _refuse_shared("views", hashes, unseen_hashes)
        if self.images and self.unseen_images:
            unseen = self.unseen_images.images
            _refuse_shared("images", self.images.images.file_hashes, unseen.file_hashes)
            if pretrained and (shared := listed_images(unseen, pretrained)):
                raise InvalidArgumentError(
                    f"expected unseen_images that the teacher in pretrained={pretrained} was not trained on, but it "
                    f"was on {shared[0]}"
                )


def open_images(folder: str, classes: str | None = None, half: str | None = None) -> ImageDataset:
    """List the images of a folder with a folder for each class; see `ImageDataConfig`."""
    cache = str(cache_dir() / "images")
    return load_set(ImageDataConfig("image_folder", folder, classes, half, image_size=IMAGE_SIZE, cache=cache))


def images_hash(data: ImageDataset) -> str:
    """Return a hash (sha256, hex) of the classes, names and bytes of all images."""
    classes = [(item.folder, class_attributes(item), class_sentences(item)) for item in data.classes]
    texts = [[folder, known.name, known.category, *sentences] for folder, known, sentences in classes]
    return hashlib.sha256(json.dumps([texts, data.images.content_hash]).encode()).hexdigest()


def class_attributes(item: ImageClass) -> ObjectAttributes:
    """Return what captions say of a class: its name and category in lower case."""
    name, category = item.name.lower(), item.category.lower()
    tags = {f"name:{name}"} | ({f"category:{category}"} if category else set())
    return ObjectAttributes(frozenset(tags), name=name, category=category)


def class_sentences(item: ImageClass) -> list[str]:
    """Return the sentences of the description of a class."""
    return [sentence for sentence in re.split(r"(?<=[.!?])\s+", item.description) if sentence]


def excluded_ids(exclude: str) -> frozenset[str]:
    """Return the ids of the objects that a teacher must not see (`ood`: those of Y_ood; `none`: none)."""
    return frozenset(item.model_id for item in paper_catalog() if item.split == exclude)


def _scene_ids(stores: Iterable[SceneStore]) -> list[str]:
    """Return an id for each scene, unique across object sets."""
    return [f"{store.manifest.object_set}/{scene}" for store in stores for scene in store.scene_ids()]


def _refuse_shared(data: str, trained: Iterable[object], held_out: Iterable[object]) -> None:
    shared = set(trained) & set(held_out)
    if shared:
        raise InvalidArgumentError(
            f"expected held-out {data} that are not trained on, but {len(shared)} of unseen_{data} are; make them with "
            "another seed, or leave them out of one of the two"
        )
