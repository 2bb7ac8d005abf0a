"""Caltech-UCSD Birds 200-2011: `CUB_200_2011/images/<class>/`, with `classes.txt` beside `images`."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.pictures.sets.folders import KnownSet, Loaded, first_folder, from_folders, named_folders
from pickclutter_lang.pictures.settings import PictureSettings

KNOWN = KnownSet(
    "CUB-200-2011",
    200,
    11788,
    "CUB_200_2011/images/<class>/*.jpg",
    "https://www.vision.caltech.edu/datasets/cub_200_2011 or https://data.caltech.edu/records/65de6-vp158",
)


def load(settings: PictureSettings) -> Loaded:
    """Load the original archive's layout, its folder `images`, or plain class folders."""
    images = first_folder(Path(settings.root), "CUB_200_2011/images", "images")
    folders, notes = named_folders(images, KNOWN, images.parent / "classes.txt")
    loaded = from_folders(settings, folders, KNOWN)
    return Loaded(loaded.data, (*notes, *loaded.notes))
