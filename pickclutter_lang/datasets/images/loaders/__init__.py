"""Loaders of the supported datasets, by name; a custom loader is `module:attribute`, a function like theirs."""

from __future__ import annotations

from collections.abc import Callable

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.loaders import (
    caltech_birds,
    flower102,
    food101,
    image_folder,
    rendered_views,
    stanford_cars,
    sun397,
    tiered_imagenet,
)
from pickclutter_lang.datasets.images.loaders.dataset_spec import LoadResult
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.plugins import checked_result, is_plugin, resolve

Loader = Callable[[ImageDataConfig], LoadResult]

SETS: dict[str, Loader] = {
    "caltech_birds": caltech_birds.load,
    "flower102": flower102.load,
    "food101": food101.load,
    "image_folder": image_folder.load,
    "object_views": rendered_views.load,
    "stanford_cars": stanford_cars.load,
    "sun397": sun397.load,
    "tiered_imagenet": tiered_imagenet.load,
}


def load_set(config: ImageDataConfig) -> LoadResult:
    """Return the dataset that settings name.

    :raises InvalidArgumentError: for a name that is none, and what the set's own `load` raises
    """
    if is_plugin(config.name):
        return checked_result(resolve(config.name, "data.name")(config), LoadResult, config.name, "data.name")
    if config.name not in SETS:
        raise InvalidArgumentError(
            f"expected data.name to be one of {', '.join(SETS)}, or a function of your own as module:attribute, but "
            f"got {config.name!r}"
        )
    return SETS[config.name](config)


__all__ = ["SETS", "LoadResult", "Loader", "load_set"]
