"""Labeled images: data sets on disk, their splits, decoding."""

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
