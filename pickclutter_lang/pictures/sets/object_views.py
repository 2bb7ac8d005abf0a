"""Views of single objects of the catalogue that the simulator rendered (`pickclutter render-object-views`)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError, StoreError
from pickclutter_lang.language.captions import object_phrase
from pickclutter_lang.language.things import thing_of
from pickclutter_lang.objects.catalogue import CatalogueObject
from pickclutter_lang.objects.further import known_objects
from pickclutter_lang.pictures.labelled import Halves, ImageClass, LabelledPictures
from pickclutter_lang.pictures.pictures import ArrayPictures
from pickclutter_lang.pictures.sets.folders import Loaded
from pickclutter_lang.pictures.settings import PictureSettings
from pickclutter_lang.scenes.views import ViewStore


def load(settings: PictureSettings) -> Loaded:
    """Load the views in `root` and `views`: a class is an object, its captions are what the simulator knows of it.

    The halves are the catalogue's where it has them; of its other objects, every second one is known.

    :raises StoreError: when there are no views of objects, or a folder is damaged
    :raises InvalidArgumentError: when the same views are there twice
    :raises UnknownObjectError: for an object that the catalogue does not know
    """
    pictures, ids, objects, left_out, seen = [], [], [], 0, set()
    for folder in (settings.root, *settings.views):
        if not Path(folder).is_dir():
            raise StoreError(
                f"expected views of objects in {folder}, but there is no such folder; make them: python "
                f"pickclutter render-object-views things=0 object_views=80 out={folder}"
            )
        store = ViewStore.open(folder)
        if store.content_hash in seen:
            raise InvalidArgumentError(f"expected other views in each folder, but those in {folder} are there twice")
        seen.add(store.content_hash)
        models = [str(row["model_id"]) if "model_id" in row else None for row in store.things]
        rows = [row for row in range(len(store)) if models[store.thing[row]]]
        left_out += len(store) - len(rows)
        pictures.append(_squeezed(store.rgb[rows], settings.side))
        objects += [known_objects().find(str(models[store.thing[row]])) for row in rows]
        ids += [f"{models[store.thing[row]]}/{store.content_hash[:8]}-{row:05d}" for row in rows]
    if not objects:
        raise StoreError(f"expected views of objects of the catalogue in {settings.root}, but there are none")
    there = set(objects)
    shown = [item for item in known_objects() if item in there]
    place = {item: n for n, item in enumerate(shown)}
    content = hashlib.sha256("\n".join([*sorted(seen), *ids]).encode()).hexdigest()
    data = LabelledPictures(
        settings.name,
        tuple(ImageClass(item.model_id, item.name, item.description, item.category) for item in shown),
        np.array([place[item] for item in objects], dtype=np.int64),
        ArrayPictures(ids, np.concatenate(pictures), content),
        {name: _caption(item, row) for row, (name, item) in enumerate(zip(ids, objects, strict=True))},
        _halves(shown),
    )
    return Loaded(data, (f"{left_out} views of things outside the catalogue are left out",) if left_out else ())


def _squeezed(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if rgb.shape[1] == side:
        return rgb
    pictures = [Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR) for picture in rgb]
    return np.array([np.asarray(picture) for picture in pictures], dtype=np.uint8).reshape(-1, side, side, 3)


def _caption(item: CatalogueObject, row: int) -> str:
    return object_phrase(thing_of(item), np.random.default_rng(row)).text


def _halves(shown: Sequence[CatalogueObject]) -> Halves:
    """Return the known and the unseen of the objects that are there; an object's half depends on it alone."""
    known = [item.split == "id" or item.model_id in _known_further() for item in shown]
    places = [tuple(n for n, is_known in enumerate(known) if is_known == wanted) for wanted in (True, False)]
    return places[0], places[1]


@lru_cache(maxsize=1)
def _known_further() -> frozenset[str]:
    """Return every second of the objects that the catalogue puts in no half."""
    return frozenset([item.model_id for item in known_objects() if item.split == "none"][::2])
