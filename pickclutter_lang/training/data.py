"""The pictures and labels of scene stores as the student sees them, and the teacher's features of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError, StoreError, StoreMismatchError
from pickclutter_lang.scenes import SceneStore
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.training.augment import Draw, cut, flip_variants
from pickclutter_lang.training.config import DataSettings
from pickclutter_lang.training.pictures import show_pictures
from pickclutter_lang.training.splits import check_disjoint, read_split, rows_of

_TEACHER_BATCH = 64
Scalar = TypeVar("Scalar", bound=np.generic)
_BYTES = {"rgb": 3, "depth": 2, "segmentation": 1}  # of a pixel


class SceneSet:
    """The scenes of one store: pictures [K, S, S] made on demand, labels [N, C].

    Channels are red, green, blue in 0..1 and, with `depth`, metres (0 = nothing, at most 2), camera after camera.
    """

    def __init__(self, store: SceneStore, settings: DataSettings, split: Sequence[str] | None = None) -> None:
        """Read the labels and, where they fit `settings.memory_limit` bytes, the pictures.

        :param split: ids of the scenes that are used, in this order; None: all
        :raises StoreError: when the store lacks a camera, the label, a scene of the split, or is smaller than the view
            asked for
        """
        self.store = store
        self._rows = None if split is None else np.array(rows_of(split, store.scene_ids(), store.path))
        self.settings = settings
        self.view = settings.view or store.image_size
        if self.view > store.image_size:
            raise StoreError(
                f"expected pictures of at least data.view={self.view} pixels, but the store at {store.path} has "
                f"{store.image_size}; collect larger pictures or choose a smaller view"
            )
        self.labels = torch.from_numpy(self._chosen(store.labels(settings.label)))
        self.names = store.catalogue_names
        kinds = ("rgb", "depth") if settings.depth else ("rgb",)
        self._kinds = [(camera, kind) for camera in settings.cameras for kind in kinds]
        self._kept: dict[tuple[str, str], NDArray[np.generic]] = {}
        self._keep(self._kinds)

    def __len__(self) -> int:
        return len(self.store) if self._rows is None else len(self._rows)

    @property
    def scene_ids(self) -> list[str]:
        """Ids of the scenes, in order."""
        ids = self.store.scene_ids()
        return ids if self._rows is None else [ids[row] for row in self._rows]

    @property
    def content(self) -> str:
        """Hash of the pictures and labels of all scenes, in order."""
        return _content(self.store, None if self._rows is None else self.scene_ids)

    def present(self, split: Literal["id", "ood"]) -> NDArray[np.bool_]:
        """Return which objects of Y_id or Y_ood are in each scene, [N, columns of the split]."""
        return self._chosen(self.store.labels("present")[:, self.store.split_columns(split)])

    def _chosen(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return the rows of the split out of all rows of the store."""
        return values if self._rows is None else values[self._rows]

    def _keep(self, keys: Sequence[tuple[str, str]]) -> None:
        """Read pictures into memory where they fit into the limit of the settings."""
        size = len(self) * self.store.image_size**2 * sum(_BYTES[kind] for _, kind in keys)
        if size <= self.settings.memory_limit:
            self._kept |= {key: self._chosen(self.store.images(*key)) for key in keys if key not in self._kept}

    def pictures(self, camera: str, kind: str, rows: Sequence[int]) -> NDArray[np.generic]:
        """Return pictures as stored, [n, side, side(, 3)]."""
        if (camera, kind) in self._kept:
            return self._kept[camera, kind][list(rows)]
        stored = list(rows) if self._rows is None else self._rows[list(rows)].tolist()
        return self.store.images(camera, kind, stored)

    def batch(self, rows: Sequence[int], draws: Sequence[Draw] | None = None, image_size: int | None = None) -> Tensor:
        """Return pictures for the student.

        :param rows: indices of n scenes
        :param draws: what is done to each of them; nothing where left out
        :param image_size: side S; by default that of the settings
        :return: float32 [n, K, S, S], channels last in memory
        """
        stored = {key: self.pictures(*key, rows) for key in self._kinds}
        return show_pictures(stored, self.view, image_size or self.settings.image_size, draws)

    def hand_pictures(self, rows: Sequence[int], draw: Draw | None = None) -> NDArray[np.uint8]:
        """Return the hand camera's RGB view, uint8 [n, view, view, 3], in its stored resolution."""
        pictures = self.pictures("hand", "rgb", rows)
        return np.stack([cut(picture, self.view, draw or Draw()) for picture in pictures]).astype(np.uint8, copy=False)

    def segments(self, rows: Sequence[int], draws: Sequence[Draw] | None = None) -> NDArray[np.uint8]:
        """Return the hand camera's segmentation as `batch` shows the pictures, uint8 [n, view, view].

        :raises StoreError: when the store holds none
        """
        chosen = draws if draws is not None else [Draw()] * len(rows)
        self._keep([("hand", "segmentation")])
        stored = self.pictures("hand", "segmentation", rows)
        cuts = [cut(picture, self.view, draw) for picture, draw in zip(stored, chosen, strict=True)]
        return np.stack(cuts).astype(np.uint8, copy=False)

    def slots(self, rows: Sequence[int], columns: Sequence[int]) -> NDArray[np.uint8]:
        """Return the values that the objects of C label columns have in the segmentation of n scenes.

        :return: uint8 [n, C]; 0 for an object that is not there
        :raises StoreError: when the store does not say which objects are in a scene
        """
        places = self._actors[list(rows)][:, None, :] == np.array(columns)[:, None]
        return np.where(places.any(axis=2), places.argmax(axis=2) + 1, 0).astype(np.uint8)

    @cached_property
    def _actors(self) -> NDArray[np.int16]:
        """Label columns of the objects of each scene, int16 [N, slots], -1 where there is none."""
        return self._chosen(self.store.array("actors"))


def data_card(settings: DataSettings) -> dict[str, dict[str, Any]]:
    """Return number and content hash of the scenes of each store, without their pictures.

    :raises StoreError: when a store or a split is missing or damaged
    """
    card = {}
    for name in ("train", "id", "ood", "fewshot"):
        store = SceneStore.open(getattr(settings, name))
        ids = read_split(settings.splits[name]) if name in settings.splits else None
        card[name] = {"scenes": len(store) if ids is None else len(ids), "content": _content(store, ids)}
    return card


def _content(store: SceneStore, ids: Sequence[str] | None) -> str:
    if ids is None:
        return store.content_hash
    return hashlib.sha256("\n".join([store.content_hash, *ids]).encode()).hexdigest()


def open_scenes(settings: DataSettings) -> dict[str, SceneSet]:
    """Open the four stores `train`, `id`, `ood`, `fewshot` and check that they go together.

    :raises StoreError: when a store is missing or unfit, or two of them share a scene
    :raises StoreMismatchError: when their label columns differ, or `train` or `id` holds objects of Y_ood
    """
    paths = {name: getattr(settings, name) for name in ("train", "id", "ood", "fewshot")}
    splits = {name: read_split(path) for name, path in settings.splits.items()}
    sets = {name: SceneSet(SceneStore.open(path), settings, splits.get(name)) for name, path in paths.items()}
    check_disjoint({f"{name} ({paths[name]})": scenes.scene_ids for name, scenes in sets.items()})
    for name in sets:
        if sets[name].store.model_ids != sets["train"].store.model_ids:
            raise StoreMismatchError(
                f"expected the label columns of {paths['train']} in {paths[name]} too, but they differ; "
                "collect both with the same objects"
            )
    for name in ("train", "id"):
        held_out = sets[name].present("ood")
        if held_out.any():
            raise StoreMismatchError(
                f"expected only objects of Y_id in {paths[name]}, but {int(held_out.any(1).sum())} scenes hold "
                f"objects of Y_ood; collect it with split={name}"
            )
    return sets


def teacher_features(teacher: Teacher, scenes: SceneSet, cache: FeatureCache) -> Tensor:
    """Return the teacher's features of every flip of the hand camera's picture.

    The student's picture and the teacher's have the same flip: flips move objects, so features of the picture as it
    was would ask the student for a wrong arrangement. Small shifts and changes of light are what the
    student's feature should not depend on, so the teacher sees the picture without them.

    :return: float32 [N, V, D], V as in `flip_variants`
    """
    parts = []
    for draw in flip_variants(scenes.settings.augmentation.flips):
        view = f"hand_rgb view={scenes.view} horizontal={draw.horizontal} vertical={draw.vertical}"

        def batches(draw: Draw = draw) -> Iterator[NDArray[np.uint8]]:
            for first in range(0, len(scenes), _TEACHER_BATCH):
                yield scenes.hand_pictures(range(first, min(first + _TEACHER_BATCH, len(scenes))), draw)

        parts.append(cache.get_or_compute(teacher, batches, len(scenes), scenes.content, view))
    return torch.stack(parts, dim=1)


def shuffled_batches(count: int, size: int, key: Sequence[int]) -> list[list[int]]:
    """Return the batches of one epoch in an order drawn from `key`.

    A rest that fills no batch is left out of this epoch; another order leaves out others in the next.

    :raises InvalidArgumentError: when there are fewer than two scenes
    """
    if count < 2:
        raise InvalidArgumentError(f"expected at least 2 scenes to train on, but got {count}")
    size = min(size, count)
    order = np.random.default_rng(list(key)).permutation(count)
    return [order[first : first + size].tolist() for first in range(0, count - size + 1, size)]


def balanced_batches(
    few: int, many: int, size: int, passes: int, key: Sequence[int]
) -> list[tuple[list[int], list[int]]]:
    """Return the batches (few-shot rows, training rows) of a fine-tuning epoch.

    Few-shot scenes fill half of a batch, or less where all of them fit or in the last one; training scenes fill the
    rest, as far as there are so many.

    :param passes: how often an epoch goes over the few-shot scenes
    :raises InvalidArgumentError: when the training scenes do not fill their part of one batch
    """
    half = min(size // 2, few)
    rest = size - half
    if few < 1 or many < rest:
        raise InvalidArgumentError(
            f"expected at least 1 few-shot and {rest} training pictures for batches of {size}, but got {few} and {many}"
        )
    rng = np.random.default_rng(list(key))
    batches = []
    for _ in range(passes):
        order = rng.permutation(few)
        for first in range(0, few, half):
            own = order[first : first + half]
            batches.append((own.tolist(), rng.choice(many, min(size - len(own), many), replace=False).tolist()))
    return batches
