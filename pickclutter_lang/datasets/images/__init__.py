"""Labeled images: datasets on disk, their splits, decoding."""

from typing import TYPE_CHECKING

from pickclutter_lang.utils.plugins import lazy_exports

if TYPE_CHECKING:
    from pickclutter_lang.datasets.images.config import ImageDataConfig
    from pickclutter_lang.datasets.images.dataset import ArrayImages, ImageClass, ImageDataset, ImageFiles, ImageSource
    from pickclutter_lang.datasets.images.loading import load_image_dataset
    from pickclutter_lang.datasets.images.splits import Split

__all__ = [
    "ArrayImages",
    "ImageClass",
    "ImageDataConfig",
    "ImageDataset",
    "ImageFiles",
    "ImageSource",
    "Split",
    "load_image_dataset",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "config": ("ImageDataConfig",),
        "dataset": ("ArrayImages", "ImageClass", "ImageDataset", "ImageFiles", "ImageSource"),
        "loading": ("load_image_dataset",),
        "splits": ("Split",),
    },
)
