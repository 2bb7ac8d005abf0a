"""Scene stores as datasets for the student: images and labels, cropped, augmented and preprocessed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.scenes.manifest import CAMERA_MATRICES
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, crop_and_flip
from pickclutter_lang.datasets.transforms.crops import (
    AffineCrops,
    crop_images,
    crop_masks,
    crops_around,
    preprocess_images,
    random_color_jitter,
)
from pickclutter_lang.datasets.transforms.resampling import bounding_square
from pickclutter_lang.errors import DatasetError, MismatchError
from pickclutter_lang.kinds import find_kinds
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.utils.reading import Text, read_json
from pickclutter_lang.utils.typing import FloatArray

UNLABELED = "unlabeled"
"""Name of the scenes without labels."""
_SPLITS: tuple[Literal["id", "ood"], ...] = ("id", "ood")
_AT_ONCE = 64
_MIN_PIXELS = 30
_DEPTH_SCENES = 256
_SHIFT, _LARGER, _SMALLER = 0.08, 0.25, 0.2  # shares of the side; logarithms of the factors
_BYTES_PER_PIXEL = {"rgb": 3, "depth": 2, "segmentation": 1}


class SceneDataset:
    """The scenes of one store: images [K, S, S] made on demand, labels [N, C].

    Channels are red, green, blue in 0..1 and, with `depth`, meters (0 = nothing, at most 2), camera after camera.
    """

    def __init__(self, store: SceneStore, config: SceneDataConfig, subset: Sequence[str] | None = None) -> None:
        """Read the labels and, where they fit into `config.max_cache_bytes`, the images.

        :param subset: ids of the scenes that are used, in this order; None: all
        :raises DatasetError: when the store lacks a camera, the label or a scene of `subset`, or is too small to crop
        """
        self.store = store
        self._subset = subset
        rows = range(len(store)) if subset is None else _rows_of_subset(subset, store.scene_ids(), store.path)
        self._rows = np.array(rows, int)
        self.config = config
        self.crop_size = config.crop_size or store.image_size
        if self.crop_size > store.image_size:
            raise DatasetError(
                f"expected images of at least data.crop_size={self.crop_size} pixels, but the store at {store.path} "
                f"has {store.image_size}; collect larger images or choose a smaller crop_size"
            )
        self.labels = torch.from_numpy(store.array(config.target_label)[self._rows])
        self.label_names = store.label_names
        self._cache: dict[tuple[str, str], NDArray[np.generic]] = {}
        self._load_into_cache(*config.camera_spec.keys)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def scene_ids(self) -> list[str]:
        """Ids of the scenes, in order."""
        ids = self.store.scene_ids()
        return [ids[row] for row in self._rows]

    @property
    def content_hash(self) -> str:
        """Hash of the images and labels of all scenes, in order."""
        return _content_hash(self.store, self._subset)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which objects are in each scene, [N, C]."""
        return np.asarray(self.store.array("present")[self._rows])

    @property
    def present_names(self) -> list[str]:
        """Names of the labels whose object is in some scene."""
        return [self.label_names[column] for column in np.flatnonzero(self.present.any(axis=0))]

    def take_labels(self, named: Mapping[str, Sequence[str]], place: str) -> None:
        """Take names in place of the labels that are stored.

        :param named: row of the scene in the store, as `pickclutter label` calls it, -> names
        :param place: of them, for the message
        :raises DatasetError: when a scene is not in it, or no name is a label
        """
        missing = [scene_row_name(row) for row in self._rows if scene_row_name(row) not in named]
        if missing:
            raise DatasetError(
                f"expected names of all {len(self)} few-shot scenes in {place}, but {len(missing)} have none, such as "
                f"{missing[0]}; run pickclutter label again, with max_looks={len(self.store)}"
            )
        rows = [[name in named[scene_row_name(row)] for name in self.label_names] for row in self._rows]
        self.labels = torch.tensor(rows, dtype=self.labels.dtype)
        if not self.labels.any():
            others = sorted({name for some in named.values() for name in some})
            raise DatasetError(
                f"expected labels in {place}, such as {self.label_names[0]}, but got {', '.join(others)[:120]!r}; run "
                "pickclutter label with names= of the labels"
            )

    def scenes_by_content(self) -> dict[str, str]:
        """Return the id of each scene by the hash of its hand-camera image and its objects."""
        ids = self.scene_ids
        found = {}
        for first in range(0, len(self), _AT_ONCE):
            rows = range(first, min(first + _AT_ONCE, len(self)))
            for row, image in zip(rows, self.load_images("hand", "rgb", rows), strict=True):
                found[hashlib.sha256(image.tobytes() + self.present[row].tobytes()).hexdigest()] = ids[row]
        return found

    def _load_into_cache(self, *keys: tuple[str, str]) -> None:
        """Read images into memory where they and what is there already fit into the limit of the configuration."""
        missing = [key for key in keys if key not in self._cache]
        bytes_per_pixel = sum(_BYTES_PER_PIXEL[kind] for _, kind in (*self._cache, *missing))
        if missing and len(self) * self.store.image_size**2 * bytes_per_pixel <= self.config.max_cache_bytes:
            self._cache |= {key: self.load_images(*key, range(len(self))) for key in missing}

    def load_images(self, camera: str, kind: str, rows: Sequence[int]) -> NDArray[np.generic]:
        """Return images as stored, [n, side, side(, 3)]."""
        if (camera, kind) in self._cache:
            return self._cache[camera, kind][list(rows)]
        return self.store.images(camera, kind, [int(self._rows[row]) for row in rows])

    def batch(
        self, rows: Sequence[int], params: Sequence[AugmentationParams] | None = None, image_size: int | None = None
    ) -> Tensor:
        """Return images for the student.

        :param rows: indices of n scenes
        :param params: how each of them is augmented; None: not at all
        :param image_size: side S; by default that of the configuration
        :return: float32 [n, K, S, S], channels last in memory
        """
        stored = {key: self.load_images(*key, rows) for key in self.config.camera_spec.keys}
        return preprocess_images(stored, self.crop_size, image_size or self.config.image_size, params)

    def hand_images(self, rows: Sequence[int], params: AugmentationParams | None = None) -> NDArray[np.uint8]:
        """Return the crops of the hand camera's RGB images, uint8 [n, crop_size, crop_size, 3], not resized."""
        images = self.load_images("hand", "rgb", rows)
        crops = [crop_and_flip(image, self.crop_size, params or AugmentationParams()) for image in images]
        return np.stack(crops).astype(np.uint8, copy=False)

    def segmentation(
        self, rows: Sequence[int], params: Sequence[AugmentationParams] | None = None
    ) -> NDArray[np.uint8]:
        """Return the hand camera's segmentation, cropped as the images of `batch`, uint8 [n, crop_size, crop_size].

        :raises DatasetError: when the store holds none
        """
        chosen = params if params is not None else [AugmentationParams()] * len(rows)
        self._load_into_cache(("hand", "segmentation"))
        stored = self.load_images("hand", "segmentation", rows)
        crops = [crop_and_flip(image, self.crop_size, one) for image, one in zip(stored, chosen, strict=True)]
        return np.stack(crops).astype(np.uint8, copy=False)

    def instance_ids(self, rows: Sequence[int], label_indices: Sequence[int]) -> NDArray[np.uint8]:
        """Return the values that the objects of C labels have in the segmentation of n scenes.

        :return: uint8 [n, C]; 0 for an object that is not there
        :raises DatasetError: when the store does not say which objects are in a scene
        """
        matches = self._actors[list(rows)][:, None, :] == np.array(label_indices)[:, None]
        return np.where(matches.any(axis=2), matches.argmax(axis=2) + 1, 0).astype(np.uint8)

    def camera_matrices(self, row: int) -> tuple[FloatArray, FloatArray] | None:
        """Return the OpenCV matrices of a scene's hand camera: to pixels [3, 3], and from the world [3, 4].

        :return: None where the store has none, since its camera is ManiSkill2's
        """
        if CAMERA_MATRICES[0] not in self.store.manifest.fields:
            return None
        at = int(self._rows[row])
        intrinsics, extrinsics = (self.store.array(name, range(at, at + 1))[0] for name in CAMERA_MATRICES)
        return intrinsics.astype(np.float64), extrinsics.astype(np.float64)

    @cached_property
    def _actors(self) -> NDArray[np.int16]:
        """Label indices of the actors of each scene, int16 [N, MAX_ACTORS], -1 where there is none."""
        return np.asarray(self.store.array("actors")[self._rows])


def scene_row_name(row: int) -> str:
    """Return how labels of a large model call the scene in a row of a store."""
    return f"{row:06d}"


def data_provenance(config: SceneDataConfig) -> dict[str, dict[str, Any]]:
    """Return number and content hash of the scenes of each store, without their images.

    :raises DatasetError: when a store or a subset is missing or damaged
    """
    provenance = {}
    subsets = config.scene_subsets or {}
    for name, path in _all_stores(config).items():
        store = SceneStore.open(path)
        ids = _read_subset(subsets[name]) if name in subsets else None
        content = _content_hash(store, ids)
        if name == "fewshot" and config.few_shot_labels is not None:
            labels = json.dumps(_read_labels(config.few_shot_labels), sort_keys=True)
            content = hashlib.sha256(f"{content} {labels}".encode()).hexdigest()
        provenance[name] = {"scenes": len(store) if ids is None else len(ids), "content": content}
    return provenance


def _all_stores(config: SceneDataConfig) -> dict[str, str]:
    """Return name -> folder of each store, that of unlabeled scenes included."""
    return config.stores | ({} if config.unlabeled is None else {UNLABELED: config.unlabeled})


def _content_hash(store: SceneStore, ids: Sequence[str] | None) -> str:
    if ids is None:
        return store.content_hash
    return hashlib.sha256("\n".join([store.content_hash, *ids]).encode()).hexdigest()


def load_scene_datasets(config: SceneDataConfig) -> dict[str, SceneDataset]:
    """Open the stores `train`, `id`, `ood`, `fewshot`, and `unlabeled` if there is one; check that they go together.

    :raises DatasetError: when a store is missing or unfit, or two of them share a scene
    :raises MismatchError: when their labels or image sizes differ, when none of the labels is of Y_id or none of Y_ood,
        or when `train`, `id` or `unlabeled` holds objects of Y_ood; for unlabeled instances that are for evaluation
    """
    paths = _all_stores(config)
    subsets = {name: _read_subset(path) for name, path in (config.scene_subsets or {}).items() if name in paths}
    # No label of unlabeled scenes is a target: the one that every store has spares them the others.
    of_store = {name: replace(config, target_label="present") if name == UNLABELED else config for name in paths}
    sets = {
        name: SceneDataset(SceneStore.open(path), of_store[name], subsets.get(name)) for name, path in paths.items()
    }
    if config.few_shot_labels is not None:
        sets["fewshot"].take_labels(_read_labels(config.few_shot_labels), config.few_shot_labels)
    if config.unlabeled is not None:
        check_unlabeled(sets["train"].store, sets[UNLABELED], config.unlabeled)
    _check_disjoint({f"{name} ({paths[name]})": scenes.scenes_by_content() for name, scenes in sets.items()})
    for name in config.stores:
        check_labels(sets["train"].store, sets[name].store)
    columns = {split: sets["train"].store.split_label_indices(split) for split in _SPLITS}
    for split in _SPLITS:
        if not columns[split]:
            raise MismatchError(
                f"expected seen and unseen objects in {paths['train']}, but none of its labels is of Y_{split}; say "
                f"`split: {'seen' if split == 'id' else 'unseen'}` in catalog.yaml, or collect with object_split=1"
            )
    for name in ("train", "id"):
        if count := int(sets[name].present[:, columns["ood"]].any(axis=1).sum()):
            raise MismatchError(
                f"expected only objects of Y_id in {paths[name]}, but {count} scenes hold objects of Y_ood; "
                f"collect it with split={name}"
            )
    return sets


def _read_labels(path: str) -> dict[str, list[str]]:
    """Read what a large model named in each scene of a store.

    :raises DatasetError: when there is no such file, or it is another one
    """
    remedy = "write it again: pickclutter label looks=STORE"
    return read_json(Path(path), dict[str, list[Text]], DatasetError, remedy)


def _read_subset(path: str) -> list[str]:
    """Read a subset of a store: a JSON list of ids of scenes such as `"ood/0/17"` (split, seed, index).

    :raises DatasetError: when there is no such file, or it is no list of different texts
    """
    remedy = 'it must be a JSON list of different scene ids, such as ["ood/0/0", "ood/0/1"]'
    ids: list[str] = read_json(Path(path), list[str], DatasetError, remedy)
    if not ids or len(set(ids)) < len(ids):
        raise DatasetError(f"expected different scene ids in {path}, but got {len(ids)} with {len(set(ids))}; {remedy}")
    return ids


def _rows_of_subset(ids: Sequence[str], stored: Sequence[str], place: Path) -> list[int]:
    """Return the rows of a store whose scene ids are `stored`, in the order of a subset.

    :param place: of the store, for the message
    :raises DatasetError: naming an id that is not in the store
    """
    rows = {name: row for row, name in enumerate(stored)}
    if missing := [name for name in ids if name not in rows]:
        raise DatasetError(f"expected {missing[0]} in the store at {place}; name the store that holds these scenes")
    return [rows[name] for name in ids]


def _check_disjoint(stores: Mapping[str, Mapping[str, str]]) -> None:
    """Check that no two stores have a scene in common.

    :param stores: name -> what is equal for equal scenes, such as a hash of their content -> id of the scene
    :raises DatasetError: naming a shared scene
    """
    owner: dict[str, str] = {}
    for name, scenes in stores.items():
        shared = [content for content in scenes if content in owner]
        if shared:
            raise DatasetError(
                f"{owner[shared[0]]} and {name} share {len(shared)} scenes, such as {scenes[shared[0]]}; do not "
                "evaluate on what was trained on: give each its own scenes in data.scene_subsets, or another seed"
            )
        owner |= dict.fromkeys(scenes, name)


def depth_statistics(scenes: SceneDataset) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation [cameras] of the depth in meters over the first scenes, where one is seen."""
    images = scenes.batch(range(min(_DEPTH_SCENES, len(scenes))))
    depths = [images[:, channel] for channel in range(3, images.shape[1], 4)]
    seen = [depth[depth > 0] if int((depth > 0).sum()) > 1 else torch.zeros(2) for depth in depths]
    return torch.stack([d.mean() for d in seen]), torch.stack([d.std() for d in seen])


def label_coverage(
    scenes: SceneDataset,
    rows: Sequence[int],
    params: Sequence[AugmentationParams],
    label_indices: Sequence[int],
    cells: tuple[int, int],
) -> Tensor:
    """Return how much of each cell of a feature map the objects of some labels cover, after augmentation.

    :param label_indices: C labels; the other arguments as in `region_coverage`
    :return: [n, C, h * w] in 0..1
    :raises DatasetError: when the store holds no segmentation of the hand camera, or not which objects are in a scene
    """
    segmentation = torch.from_numpy(scenes.segmentation(rows, params))
    instance_ids = torch.from_numpy(scenes.instance_ids(rows, label_indices))
    coverage = torch.zeros(*instance_ids.shape, cells[0] * cells[1])
    images, labels = instance_ids.nonzero(as_tuple=True)
    masks = (segmentation[images] == instance_ids[images, labels][:, None, None]).float()
    coverage[images, labels] = functional.adaptive_avg_pool2d(masks[:, None], cells).flatten(1)
    return coverage


class ObjectCropDataset:
    """The objects in the scenes of a store of which enough pixels are visible, with their labels."""

    def __init__(self, scenes: SceneDataset, label_indices: Sequence[int]) -> None:
        """Find the objects.

        :param label_indices: labels; objects of others are left out
        :raises DatasetError: when the store holds no segmentation of the hand camera, or not which objects are in a
            scene
        """
        self._scenes = scenes
        scenes.segmentation([0])  # from then on in memory, where they fit
        rows: list[int] = []
        instance_ids: list[int] = []
        labels: list[int] = []
        squares: list[tuple[float, float, float]] = []
        for first in range(0, len(scenes), _AT_ONCE):
            chosen = range(first, min(first + _AT_ONCE, len(scenes)))
            segmentation = self._images("segmentation", chosen)
            ids_of = scenes.instance_ids(chosen, label_indices)
            for row, image, ids in zip(chosen, segmentation, ids_of, strict=True):
                pixels = np.bincount(image.ravel(), minlength=256)
                for label in np.flatnonzero((ids > 0) & (pixels[ids] >= _MIN_PIXELS)).tolist():
                    rows.append(row)
                    instance_ids.append(int(ids[label]))
                    labels.append(label)
                    squares.append(bounding_square(image == ids[label]))
        self._rows, self._instance_ids = np.array(rows, int), np.array(instance_ids, np.uint8)
        self._squares = np.array(squares, float).reshape(-1, 3)
        self.labels = torch.tensor(labels, dtype=torch.int64)
        """The label of each object [M], a position in `label_indices`."""

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, objects: Sequence[int], size: int, rng: np.random.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return crops [n, 3, S, S] in 0..1 of objects and their masks, [n, S, S] of 0 and 1.

        :param size: side S
        :param rng: rotates, mirrors, shifts, resizes and color-jitters them; None: as they are
        """
        chosen = np.array(objects, int)
        crops = crops_around(self._squares[chosen])
        if rng is not None:
            crops = _augmented(crops, rng)
        rows = self._rows[chosen].tolist()
        images = crop_images(self._images("rgb", rows), crops, size)
        segmentation = crop_masks(self._images("segmentation", rows), crops, size)
        masks = (segmentation == torch.from_numpy(self._instance_ids[chosen])[:, None, None]).float()
        return (images if rng is None else random_color_jitter(images, rng)), masks

    def _images(self, kind: str, rows: Sequence[int]) -> NDArray[np.uint8]:
        return self._scenes.load_images("hand", kind, rows).astype(np.uint8, copy=False)


def _augmented(crops: AffineCrops, rng: np.random.Generator) -> AffineCrops:
    count = len(crops.size)
    side = crops.size * np.exp(rng.uniform(-_SMALLER, _LARGER, count))
    center = crops.center + rng.uniform(-_SHIFT, _SHIFT, (count, 2)) * side[:, None]
    return AffineCrops(center, side, rng.uniform(-np.pi, np.pi, count), rng.random(count) < 0.5)


def check_labels(train: SceneStore, other: SceneStore) -> None:
    """Check that two stores have the same labels, the same of them unseen, and images of one size.

    :raises MismatchError: naming what differs
    """
    _check_image_size(train, other)
    for what, one, two in (
        ("labels", train.model_ids, other.model_ids),
        ("unseen objects", train.split_label_indices("ood"), other.split_label_indices("ood")),
    ):
        if one != two:
            raise MismatchError(
                f"expected the {what} of {train.path} in {other.path} too, but they differ (object_split="
                f"{train.manifest.object_split} / {other.manifest.object_split}); collect both with the same objects "
                "and the same object_split"
            )


def _check_image_size(train: SceneStore, other: SceneStore) -> None:
    if other.image_size != train.image_size:  # a crop would show another part, and no hash find an equal scene
        raise MismatchError(
            f"expected images of {train.image_size} pixels in {other.path}, as in {train.path}, but they have "
            f"{other.image_size}; collect or import them with image_size={train.image_size}"
        )


def check_unlabeled(train: SceneStore, unlabeled: SceneDataset, path: str) -> None:
    """Raise MismatchError for unlabeled scenes that do not fit, or show an unseen object or one for evaluation."""
    store = unlabeled.store
    _check_image_size(train, store)
    if "instances" in store.manifest.fields and (store.array("instances") >= MAX_INSTANCES).any():
        raise MismatchError(
            f"expected instances of kinds that are not for evaluation in the unlabeled scenes of {path}, but some are; "
            "collect them with split=train"
        )
    words: dict[str, Sequence[str]] = {name: store.synonyms_of([name]) for name in unlabeled.present_names}
    distractors = store.manifest.distractor_kinds.values()
    labels = words if store.manifest.has_instances else ()
    for kind in find_kinds([*distractors, *labels]) if distractors or labels else ():
        words[kind.name] = (*kind.synonyms, *kind.hypernyms)  # a wine bottle is a bottle
    unseen = {train.label_names[column] for column in train.split_label_indices("ood")}
    known = unseen.union(train.synonyms_of(unseen))
    found = [name for name, others in words.items() if name in known or unseen & {*others}]
    if found:
        raise MismatchError(
            f"expected no unseen object in the unlabeled scenes of {path}, but {', '.join(found)} are there; collect "
            "them with split=train and the same object_split, or with kinds=[...] that no unseen name means"
        )
