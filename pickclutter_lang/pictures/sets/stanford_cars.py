"""Stanford Cars: `cars_train/*.jpg` with the development kit's labels; as the paper, its training pictures alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.pictures.labelled import ImageClass
from pickclutter_lang.pictures.sets.folders import (
    KnownSet,
    Loaded,
    first_folder,
    from_files,
    from_folders,
    named_folders,
    present,
)
from pickclutter_lang.pictures.sets.matlab import read_mat
from pickclutter_lang.pictures.settings import PictureSettings

KNOWN = KnownSet(
    "Stanford Cars (train)",
    196,
    8144,
    "cars_train/*.jpg and devkit/cars_train_annos.mat, cars_meta.mat",
    "https://ai.stanford.edu/~jkrause/cars/car_dataset.html",
)
LABELS, NAMES = "cars_train_annos.mat", "cars_meta.mat"


def load(settings: PictureSettings) -> Loaded:
    """Load the original archives' layout (torchvision's: in a folder `stanford_cars`) or plain class folders.

    :raises InvalidArgumentError: when the development kit is damaged
    """
    root = first_folder(Path(settings.root), "stanford_cars")
    kit = first_folder(root, "devkit")
    if not (root / "cars_train").is_dir():
        folders, notes = named_folders(root, KNOWN)
        loaded = from_folders(settings, folders, KNOWN)
        return Loaded(loaded.data, (*notes, *loaded.notes))
    names = [str(name) for name in np.atleast_1d(read_mat(kit / NAMES, "class_names"))]
    classes = [ImageClass(re.sub(r"[\s/]+", "_", name), name) for name in names]
    rows = np.atleast_1d(read_mat(kit / LABELS, "annotations"))
    try:
        numbers, files = [int(n) - 1 for n in rows["class"]], [str(name) for name in rows["fname"]]
        owners = [classes[n] for n in numbers]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidArgumentError(f"expected `class` and `fname` of pictures in {kit / LABELS}: {error}") from error
    images = first_folder(root, "cars_train/cars_train", "cars_train")
    labelled = [(images / file, item) for file, item in sorted(zip(files, owners, strict=True), key=lambda row: row[0])]
    found, notes = present(labelled, settings, kit / LABELS)
    if (root / "cars_test").is_dir():
        notes.append(f"the pictures in {root / 'cars_test'} are left out, as the paper does")
    order = {item: n for n, item in enumerate(classes)}
    return from_files(settings, sorted(found, key=lambda row: order[row[1]]), notes, KNOWN)
