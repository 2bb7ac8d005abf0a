"""Views of single objects, of the catalog or of one's own, by the simulator (`pickclutter render-object-views`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ClassSplit, ImageClass, ImageDataset
from pickclutter_lang.datasets.images.loaders.dataset_spec import LoadResult
from pickclutter_lang.datasets.images.sources import ArrayImages
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.language.captions import object_caption
from pickclutter_lang.language.descriptions import load_descriptions
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.extra_objects import all_objects
from pickclutter_lang.objects.own_sets import object_of_words


def load(config: ImageDataConfig) -> LoadResult:
    """Load the views in `root` and `views`: a class is an object, its captions are made of its attributes.

    Seen and unseen classes are those of the catalog; of its other objects, every second one is seen.

    :raises DatasetError: when present are no views of objects, or a folder is damaged
    :raises InvalidArgumentError: when the same views are present twice
    :raises UnknownObjectError: for an object that the catalog does not know
    """
    images, ids, objects, left_out, seen = [], [], [], 0, set()
    for folder in (config.root, *config.extra_views):
        if not Path(folder).is_dir():
            raise DatasetError(
                f"expected views of objects in {folder}, but present is no such folder; make them: "
                f"pickclutter render-object-views random_objects=0 views_per_object=80 out={folder}"
            )
        store = ObjectViewDataset.open(folder)
        if store.content_hash in seen:
            raise InvalidArgumentError(f"expected other views in each folder, but those in {folder} are present twice")
        seen.add(store.content_hash)
        models = [_object_of(row) for row in store.objects]
        shown = [(row, models[index]) for row, index in enumerate(store.object_index.tolist())]
        found = [(row, item) for row, item in shown if item is not None]
        left_out += len(store) - len(found)
        images.append(_resized(store.rgb[[row for row, _ in found]], config.image_size))
        objects += [item for _, item in found]
        ids += [f"{item.model_id}/{store.content_hash[:8]}-{row:05d}" for row, item in found]
    if not objects:
        raise DatasetError(f"expected views of objects of the catalog in {config.root}, but present are none")
    order = {item: n for n, item in enumerate(all_objects())}
    classes = sorted(dict.fromkeys(objects), key=lambda item: order.get(item, len(order)))  # one's own come last
    place, scans = {item: n for n, item in enumerate(classes)}, set(all_objects())
    blind = load_descriptions("blind").texts  # the catalog's own sentences on scans had images of them
    texts = {item: blind.get(item.name, "" if item in scans else item.description) for item in classes}
    content = hashlib.sha256("\n".join([*sorted(seen), *ids]).encode()).hexdigest()
    data = ImageDataset(
        config.name,
        tuple(ImageClass(item.model_id, item.name, texts[item], item.category) for item in classes),
        np.array([place[item] for item in objects], dtype=np.int64),
        ArrayImages(ids, np.concatenate(images), content),
        {name: _caption(item, row) for row, (name, item) in enumerate(zip(ids, objects, strict=True))},
        _class_split(classes),
    )
    return LoadResult(data, (f"{left_out} views of objects outside the catalog are left out",) if left_out else ())


def _object_of(row: Mapping[str, Any]) -> CatalogObject | None:
    """Return the object of the catalog, or of one's own, that a row of the views' list is about."""
    if "own" in row:
        return object_of_words(row)
    return all_objects().find(str(row["model_id"])) if "model_id" in row else None


def _resized(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if rgb.shape[1] == side:
        return rgb
    images = [Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR) for image in rgb]
    return np.array([np.asarray(image) for image in images], dtype=np.uint8).reshape(-1, side, side, 3)


def _caption(item: CatalogObject, row: int) -> str:
    return object_caption(attributes_of(item), np.random.default_rng(row)).text


def _class_split(classes: Sequence[CatalogObject]) -> ClassSplit:
    """Return the seen and the unseen objects; whether an object is seen depends on it alone."""
    seen = [item.split == "id" or item.model_id in _extra_objects() for item in classes]
    indices = [tuple(n for n, is_seen in enumerate(seen) if is_seen == wanted) for wanted in (True, False)]
    return indices[0], indices[1]


@lru_cache(maxsize=1)
def _extra_objects() -> frozenset[str]:
    """Return every second of the objects that are neither in Y_id nor in Y_ood."""
    return frozenset([item.model_id for item in all_objects() if item.split == "none"][::2])
