"""Food-101: `food-101/images/<class>/`, with `meta/classes.txt`, which is torchvision's layout too."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.loaders.dataset_spec import (
    DatasetSpec,
    LoadResult,
    first_folder,
    from_folders,
    named_folders,
)

SPEC = DatasetSpec(
    "Food-101",
    101,
    101000,
    "food-101/images/<class>/*.jpg",
    "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101",
)


def load(config: ImageDataConfig) -> LoadResult:
    """Load the original archive's layout, its folder `images`, or plain class folders."""
    images = first_folder(Path(config.root), "food-101/images", "images")
    folders, notes = named_folders(images, SPEC, images.parent / "meta" / "classes.txt")
    loaded = from_folders(config, folders, SPEC)
    return LoadResult(loaded.data, (*notes, *loaded.notes))
