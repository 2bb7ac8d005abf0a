"""The renders that a pocket teacher is trained on, in memory: scenes with masks, and views of single objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.squares import bounding_square
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_from_dict, attributes_of
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.extra_objects import all_objects, select_objects
from pickclutter_lang.utils.constants import ROBOT_SEGMENT

# An object is visible from this fraction of the image's pixels on: 20 pixels of 160 x 160.
MIN_VISIBLE_FRACTION = 0.0008


def excluded_ids(exclude: str) -> frozenset[str]:
    """Return the ids of the objects that a teacher must not see (`ood`: those of Y_ood; `none`: none)."""
    return frozenset(item.model_id for item in paper_catalog() if item.split == exclude)


@dataclass(frozen=True)
class SceneImages:
    """Scenes in memory: `rgb` [N, S, S, 3], `segmentation` [N, S, S], and the objects [N][instance id - 1]."""

    rgb: NDArray[np.uint8]
    segmentation: NDArray[np.uint8]
    objects: list[list[ObjectAttributes]]

    @classmethod
    def load(cls, folders: Sequence[str], excluded: frozenset[str] = frozenset()) -> SceneImages:
        """Read the wrist camera's images of stores of one image size.

        :param excluded: ids of objects that must not be in any scene
        :raises InvalidArgumentError: when the stores' images differ in size, or an excluded object is in a scene
        """
        stores = [SceneStore.open(folder) for folder in folders]
        sizes = {store.image_size for store in stores}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"expected scene stores of one image_size, but got {sorted(sizes)}")
        objects = []
        for folder, store in zip(folders, stores, strict=True):
            actors = store.array("actors")
            present_excluded = {store.model_ids[a] for a in np.unique(actors[actors >= 0])} & excluded
            if present_excluded:
                raise InvalidArgumentError(
                    f"expected scenes without {', '.join(sorted(present_excluded))}, but they are in {folder}; "
                    f"this teacher must not see them: collect scenes with split=train"
                )
            attributes = [attributes_of(all_objects().find(model_id)) for model_id in store.model_ids]
            objects += [[attributes[a] for a in row if a >= 0] for row in actors]
        rgb = np.concatenate([store.images("hand", "rgb") for store in stores])
        segmentation = np.concatenate([store.images("hand", "segmentation") for store in stores])
        return cls(rgb, np.where(segmentation == ROBOT_SEGMENT, 0, segmentation).astype(np.uint8), objects)


@dataclass(frozen=True)
class ObjectViews:
    """Views in memory: `rgb` [M, S, S, 3] and the object of each."""

    rgb: NDArray[np.uint8]
    objects: list[ObjectAttributes]

    @classmethod
    def load(cls, folders: Sequence[str], excluded: frozenset[str] = frozenset()) -> ObjectViews:
        """Read folders of views of one image size.

        :param excluded: ids of objects whose views are left out
        :raises InvalidArgumentError: when their images differ in size, or show objects that no teacher may see
        """
        stores = [ObjectViewDataset.open(folder) for folder in folders]
        sizes = {store.rgb.shape[1] for store in stores}
        if len(sizes) != 1:
            raise InvalidArgumentError(f"expected views of one size, but got {sorted(sizes)}")
        kept_out = frozenset(select_objects("kept_out").model_ids)
        images, objects = [], []
        for folder, store in zip(folders, stores, strict=True):
            ids = [row.get("model_id") for row in store.objects]
            if kept_out & set(ids):
                raise InvalidArgumentError(
                    f"expected views to train on, but those in {folder} show objects that are never trained on"
                )
            rows = [n for n, object_number in enumerate(store.object_index) if ids[object_number] not in excluded]
            attributes = [object_of_row(row) for row in store.objects]
            images.append(store.rgb[rows])
            objects += [attributes[store.object_index[n]] for n in rows]
        return cls(np.concatenate(images), objects)


def object_of_row(row: Mapping[str, Any]) -> ObjectAttributes:
    """Return the attributes of an object of an `ObjectViewDataset`."""
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
