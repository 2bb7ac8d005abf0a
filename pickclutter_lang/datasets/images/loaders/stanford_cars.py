"""Stanford Cars: `cars_train/*.jpg` with the development kit's labels; as the paper, its training images alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageClass
from pickclutter_lang.datasets.images.loaders.dataset_spec import (
    DatasetSpec,
    LoadResult,
    existing_files,
    first_folder,
    from_files,
    from_folders,
    named_folders,
)
from pickclutter_lang.datasets.images.loaders.matlab import read_mat
from pickclutter_lang.errors import InvalidArgumentError

SPEC = DatasetSpec(
    "Stanford Cars (train)",
    196,
    8144,
    "cars_train/*.jpg and devkit/cars_train_annos.mat, cars_meta.mat",
    "https://ai.stanford.edu/~jkrause/cars/car_dataset.html",
)
LABELS, NAMES = "cars_train_annos.mat", "cars_meta.mat"


def load(config: ImageDataConfig) -> LoadResult:
    """Load the original archives' layout (torchvision's: in a folder `stanford_cars`) or plain class folders.

    :raises InvalidArgumentError: when the development kit is damaged
    """
    root = first_folder(Path(config.root), "stanford_cars")
    kit = first_folder(root, "devkit")
    if not (root / "cars_train").is_dir():
        folders, notes = named_folders(root, SPEC)
        loaded = from_folders(config, folders, SPEC)
        return LoadResult(loaded.data, (*notes, *loaded.notes))
    names = [str(name) for name in np.atleast_1d(read_mat(kit / NAMES, "class_names"))]
    classes = [ImageClass(re.sub(r"[\s/]+", "_", name), name) for name in names]
    rows = np.atleast_1d(read_mat(kit / LABELS, "annotations"))
    try:
        numbers, files = [int(n) - 1 for n in rows["class"]], [str(name) for name in rows["fname"]]
        owners = [classes[n] for n in numbers]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidArgumentError(f"expected `class` and `fname` of images in {kit / LABELS}: {error}") from error
    images = first_folder(root, "cars_train/cars_train", "cars_train")
    labeled = [(images / file, item) for file, item in sorted(zip(files, owners, strict=True), key=lambda row: row[0])]
    found, notes = existing_files(labeled, config, kit / LABELS)
    if (root / "cars_test").is_dir():
        notes.append(f"the images in {root / 'cars_test'} are left out, as the paper does")
    order = {item: n for n, item in enumerate(classes)}
    return from_files(config, sorted(found, key=lambda row: order[row[1]]), notes, SPEC)
