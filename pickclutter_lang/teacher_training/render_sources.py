"""The renders that a pocket teacher is trained on, in memory: scenes with masks, and views of single objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.resampling import bounding_square
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_from_dict, attributes_of
from pickclutter_lang.objects.catalog import all_objects, paper_catalog, select_objects
from pickclutter_lang.objects.catalog_file import object_of_words
from pickclutter_lang.objects.kinds import find_kinds
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.teacher_training.compositions import (
    Composition,
    compositions,
    held_out_compositions,
    shown_compositions,
    untold,
)
from pickclutter_lang.utils.constants import ROBOT_SEGMENT
from pickclutter_lang.utils.progress import track

# An object is visible from this fraction of the image's pixels on: 20 pixels of 160 x 160.
MIN_VISIBLE_FRACTION = 0.0008


def excluded_ids(exclude: str) -> frozenset[str]:
    """Return the ids of the objects that a teacher must not see (`ood`: those of Y_ood; `none`: none)."""
    return frozenset(item.model_id for item in paper_catalog() if item.split == exclude)


@dataclass(frozen=True)
class SceneImages:
    """Scenes in memory: `rgb` [N, S, S, 3], `segmentation` [N, S, S], and the objects [N][instance id - 1].

    `named` are the objects whose presence and absence captions assert, one of each name.
    """

    rgb: NDArray[np.uint8]
    segmentation: NDArray[np.uint8]
    objects: list[list[ObjectAttributes]]
    named: list[ObjectAttributes]

    @classmethod
    def load(
        cls,
        folders: Sequence[str],
        excluded: frozenset[str] = frozenset(),
        instances: Mapping[tuple[str, int], ObjectAttributes] | None = None,
        held_out: frozenset[Composition] = frozenset(),
    ) -> SceneImages:
        """Read the hand camera's images of stores of one image size.

        :param excluded: ids of objects that must not be in any scene
        :param instances: attributes of instances of kinds that are known already; others are made, which takes longer
        :param held_out: names with a main color or a material; scenes that show one are left out
        :raises InvalidArgumentError: when the stores' images differ in size, an excluded object is in a scene, or an
            instance that is for evaluation alone
        """
        stores = [SceneStore.open(folder) for folder in folders]
        sizes = {store.image_size for store in stores}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"expected scene stores of one image_size, but got {sorted(sizes)}")
        objects = []
        for folder, store in zip(folders, stores, strict=True):
            actors = store.array("actors")
            if "instances" in store.manifest.fields:
                check_training_instances(store.array("instances").ravel().tolist(), folder)
            present_excluded = {store.manifest.actor_ids[a] for a in np.unique(actors[actors >= 0])} & excluded
            if present_excluded:
                raise InvalidArgumentError(
                    f"expected scenes without {', '.join(sorted(present_excluded))}, but they are in {folder}; "
                    f"this teacher must not see them: collect scenes with split=train"
                )
            of_store = scene_objects(store, instances or {})
            objects += [[untold(item, held_out) for item in row] for row in of_store]
        kept = [n for n, row in enumerate(objects) if not any(held_out & compositions(item) for item in row)]
        if not kept:
            raise InvalidArgumentError("expected a scene without a held-out composition, but there is none")
        rgb = np.concatenate([store.images("hand", "rgb") for store in stores])
        segmentation = np.concatenate([store.images("hand", "segmentation") for store in stores])
        if len(kept) < len(objects):
            rgb, segmentation, objects = rgb[kept], segmentation[kept], [objects[n] for n in kept]
        named = {item.name: item for row in objects for item in row}
        paper = [attributes_of(item) for item in paper_catalog() if item.model_id not in excluded]
        named = named if set(named) - {item.name for item in paper} else {item.name: item for item in paper}
        segmentation = np.where(segmentation == ROBOT_SEGMENT, 0, segmentation).astype(np.uint8)
        return cls(rgb, segmentation, objects, list(named.values()))


def scene_objects(
    store: SceneStore, instances: Mapping[tuple[str, int], ObjectAttributes]
) -> list[list[ObjectAttributes]]:
    """Return the objects [N][instance id - 1] of the scenes of a store, distractors included."""
    actors = store.array("actors")
    seeds = store.array("instances") if "instances" in store.manifest.fields else np.full_like(actors, -1)
    names = [*store.label_names, *store.manifest.distractor_kinds.values()]
    keys = [
        [(names[a], int(seed)) for a, seed in zip(*row, strict=True) if a >= 0]
        for row in zip(actors, seeds, strict=True)
    ]
    known = dict(instances) | _labels_without_instances(store)
    for key in track(sorted({key for row in keys for key in row} - known.keys()), "words of instances", transient=True):
        known[key] = instance_attributes(*key)
    return [[known[key] for key in row] for row in keys]


def _labels_without_instances(store: SceneStore) -> dict[tuple[str, int], ObjectAttributes]:
    """Return the attributes of labels by name and -1; nothing where the labels are kinds."""
    if store.manifest.has_instances:
        return {}
    own = store.own_catalog
    items = [all_objects().find(i) for i in store.model_ids] if own is None else [e.catalog_object() for e in own]
    return {(name, -1): attributes_of(item) for name, item in zip(store.label_names, items, strict=True)}


def instance_attributes(name: str, seed: int) -> ObjectAttributes:
    """Return the attributes of an instance of a kind."""
    kind = find_kinds([name])[0]
    return attributes_from_dict(kind.words(seed, kind.instance(seed)))


def check_training_instances(seeds: Iterable[int], where: str) -> None:
    """Raise `InvalidArgumentError` for instances of kinds that are for evaluation alone."""
    held_out = [seed for seed in seeds if seed >= MAX_INSTANCES]
    if held_out:
        raise InvalidArgumentError(
            f"expected instances of kinds with seeds below {MAX_INSTANCES} to train on, but {where} has {held_out[0]}, "
            f"which is for evaluation alone"
        )


@dataclass(frozen=True)
class ObjectViews:
    """Views in memory: `rgb` [M, S, S, 3], `mask` [M, S, S], the object of each; `instances` of kinds by their seed.

    `held_out` are the compositions whose views were left out.
    """

    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    objects: list[ObjectAttributes]
    instances: dict[tuple[str, int], ObjectAttributes]
    held_out: frozenset[Composition] = frozenset()

    @classmethod
    def load(
        cls, folders: Sequence[str], excluded: frozenset[str] = frozenset(), hold_out: bool = False
    ) -> ObjectViews:
        """Read folders of views of one image size.

        :param excluded: ids of objects whose views are left out
        :param hold_out: leave out views of `held_out_compositions`
        :raises InvalidArgumentError: when their images differ in size, or show objects or instances that no teacher may
            see
        """
        stores = [ObjectViewDataset.open(folder) for folder in folders]
        sizes = {store.rgb.shape[1] for store in stores}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"expected views of one size, but got {sorted(sizes)}")
        held_out = held_out_compositions(shown_compositions(stores)) if hold_out else frozenset()
        kept_out = frozenset(select_objects("kept_out").model_ids)
        images, masks, objects = [], [], []
        instances: dict[tuple[str, int], ObjectAttributes] = {}
        for folder, store in zip(folders, stores, strict=True):
            ids = [row.get("model_id") for row in store.objects]
            if kept_out & set(ids):
                raise InvalidArgumentError(
                    f"expected views to train on, but those in {folder} show objects that are never trained on"
                )
            attributes = [object_of_row(row) for row in store.objects]
            shown = [i not in excluded and not held_out & compositions(a) for i, a in zip(ids, attributes, strict=True)]
            rows = [n for n, object_number in enumerate(store.object_index) if shown[object_number]]
            keys = {(str(row["kind"]), int(row["seed"])): n for n, row in enumerate(store.objects) if "kind" in row}
            check_training_instances((seed for _, seed in keys), folder)
            instances |= {key: attributes[n] for key, n in keys.items()}
            images.append(store.rgb[rows])
            masks.append(store.mask[rows])
            objects += [untold(attributes[store.object_index[n]], held_out) for n in rows]
        return cls(np.concatenate(images), np.concatenate(masks), objects, instances, held_out)


def object_of_row(row: Mapping[str, Any]) -> ObjectAttributes:
    """Return the attributes of an object of an `ObjectViewDataset`."""
    if "own" in row:
        return attributes_of(object_of_words(row))
    if "model_id" in row:
        return attributes_of(all_objects().find(str(row["model_id"])))
    return attributes_from_dict(row)


def visible_instances(segmentation: NDArray[np.uint8]) -> list[int]:
    """Return the instance ids of the visible objects in a segmentation [S, S]."""
    counts = np.bincount(segmentation.ravel(), minlength=2)
    return [n for n in range(1, len(counts)) if counts[n] >= MIN_VISIBLE_FRACTION * segmentation.size]


def object_window(segmentation: NDArray[np.uint8], instance_id: int) -> tuple[NDArray[np.float64], float]:
    """Return center (x, y) and side, in pixels, of the smallest upright square around an object.

    :param instance_id: value of the object in `segmentation` [S, S]
    """
    *center, side = bounding_square(segmentation == instance_id)
    return np.array(center), side
