"""Labeled images: datasets on disk, their splits, decoding."""

from typing import TYPE_CHECKING

from pickclutter_lang.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from pickclutter_lang.datasets.images.author_splits import SplitReport, read_author_lists
    from pickclutter_lang.datasets.images.config import ImageDataConfig
    from pickclutter_lang.datasets.images.dataset import ImageClass, ImageDataset
    from pickclutter_lang.datasets.images.loading import load_image_dataset
    from pickclutter_lang.datasets.images.metadata import read_texts
    from pickclutter_lang.datasets.images.sources import ArrayImages, ImageFiles, ImageSource
    from pickclutter_lang.datasets.images.splits import Split, seeded_split, subsample

__all__ = [
    "ArrayImages",
    "ImageClass",
    "ImageDataConfig",
    "ImageDataset",
    "ImageFiles",
    "ImageSource",
    "Split",
    "SplitReport",
    "load_image_dataset",
    "read_author_lists",
    "read_texts",
    "seeded_split",
    "subsample",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "author_splits": ("SplitReport", "read_author_lists"),
        "config": ("ImageDataConfig",),
        "dataset": ("ImageClass", "ImageDataset"),
        "loading": ("load_image_dataset",),
        "metadata": ("read_texts",),
        "sources": ("ArrayImages", "ImageFiles", "ImageSource"),
        "splits": ("Split", "seeded_split", "subsample"),
    },
)
