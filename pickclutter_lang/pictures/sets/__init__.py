"""The data sets by name. A further one is a file here with a `load`, and its line below."""

from __future__ import annotations

from collections.abc import Callable

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.pictures.sets import (
    caltech_birds,
    flower102,
    food101,
    image_folder,
    object_views,
    stanford_cars,
    sun397,
    tiered_imagenet,
)
from pickclutter_lang.pictures.sets.folders import Loaded
from pickclutter_lang.pictures.settings import PictureSettings

Loader = Callable[[PictureSettings], Loaded]

SETS: dict[str, Loader] = {
    "caltech_birds": caltech_birds.load,
    "flower102": flower102.load,
    "food101": food101.load,
    "image_folder": image_folder.load,
    "object_views": object_views.load,
    "stanford_cars": stanford_cars.load,
    "sun397": sun397.load,
    "tiered_imagenet": tiered_imagenet.load,
}


def load_set(settings: PictureSettings) -> Loaded:
    """Return the data set that settings name.

    :raises InvalidArgumentError: for a name that is none, and what the set's own `load` raises
    """
    if settings.name not in SETS:
        raise InvalidArgumentError(f"expected name to be one of {', '.join(SETS)}, but got {settings.name!r}")
    return SETS[settings.name](settings)


__all__ = ["SETS", "Loaded", "Loader", "load_set"]
