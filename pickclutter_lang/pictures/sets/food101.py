"""Food-101: `food-101/images/<class>/`, with `meta/classes.txt`, which is torchvision's layout too."""

from __future__ import annotations

from pathlib import Path

from pickclutter_lang.pictures.sets.folders import KnownSet, Loaded, first_folder, from_folders, named_folders
from pickclutter_lang.pictures.settings import PictureSettings

KNOWN = KnownSet(
    "Food-101",
    101,
    101000,
    "food-101/images/<class>/*.jpg",
    "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101",
)


def load(settings: PictureSettings) -> Loaded:
    """Load the original archive's layout, its folder `images`, or plain class folders."""
    images = first_folder(Path(settings.root), "food-101/images", "images")
    folders, notes = named_folders(images, KNOWN, images.parent / "meta" / "classes.txt")
    loaded = from_folders(settings, folders, KNOWN)
    return Loaded(loaded.data, (*notes, *loaded.notes))
