"""Caltech-UCSD Birds 200-2011: `CUB_200_2011/images/<class>/`, with `classes.txt` next to `images`."""

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
    "CUB-200-2011",
    200,
    11788,
    "CUB_200_2011/images/<class>/*.jpg",
    "https://www.vision.caltech.edu/datasets/cub_200_2011 or https://data.caltech.edu/records/65de6-vp158",
)


def load(config: ImageDataConfig) -> LoadResult:
    """Load the original archive's layout, its folder `images`, or plain class folders."""
    images = first_folder(Path(config.root), "CUB_200_2011/images", "images")
    folders, notes = named_folders(images, SPEC, images.parent / "classes.txt")
    loaded = from_folders(config, folders, SPEC)
    return LoadResult(loaded.data, (*notes, *loaded.notes))
