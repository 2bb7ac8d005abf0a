"""Helpers of the loaders: class folders, the images in them, and the files that a data set must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.images.author_splits import FOLDERS
from pickclutter_lang.datasets.images.class_names import humanize
from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageClass, ImageDataset
from pickclutter_lang.datasets.images.metadata import read_lines
from pickclutter_lang.datasets.images.sources import ImageFiles
from pickclutter_lang.errors import MissingAssetsError

LabelledFile = tuple[Path, ImageClass]
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


@dataclass(frozen=True)
class LoadResult:
    """A data set, and what people should know of how it lies on disk, a line each."""

    data: ImageDataset
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetSpec:
    """A published data set: numbers of classes and images, what its folder holds, and where to get it."""

    title: str
    classes: int
    image_dir: int
    layout: str
    source: str

    def missing(self, root: Path) -> MissingAssetsError:
        """Return the error for a folder that does not hold the data set."""
        return MissingAssetsError(
            f"expected {self.title} in {root} ({self.layout}, a folder of images for each class, or such folders in "
            f"the authors' {', '.join(FOLDERS.values())}), but it is not there; get it from {self.source} (several "
            "official links are dead: copies lie where others keep them)"
        )

    def notes(self, classes: int, images: int) -> list[str]:
        """Return what is said of numbers that are not those of the whole data set."""
        if (classes, images) == (self.classes, self.image_dir):
            return []
        return [
            f"{self.title} has {self.classes} classes and {self.image_dir} images, but here are {classes} and "
            f"{images}; the whole is at {self.source}"
        ]


def is_image(path: Path) -> bool:
    """Return whether a file's name is that of an image."""
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".")


def images_in(folder: Path) -> list[Path]:
    """Return the images of a class folder, in order.

    :raises MissingAssetsError: when there are none
    """
    images = sorted(path for path in folder.iterdir() if is_image(path))
    if not images:
        raise MissingAssetsError(f"expected images ({', '.join(ENDINGS)}) in {folder}, but there are none")
    return images


def subfolders(root: Path) -> list[str]:
    """Return the names of the folders in a folder, in order, without hidden ones; none where there is no folder."""
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def nested_folders(root: Path) -> bool:
    """Return whether a folder is in the authors' layout, `train/<class>`, `val_on_train/<class>`, `val/<class>`.

    :raises MissingAssetsError: when one of the three is not there
    """
    lacking = [folder for folder in FOLDERS.values() if not (root / folder).is_dir()]
    if len(lacking) == 1:
        raise MissingAssetsError(f"expected the authors' {', '.join(FOLDERS.values())} in {root}, but no {lacking[0]}")
    return not lacking


def stray_images(root: Path) -> list[str]:
    """Return a line on images that lie in no class folder, where there are any."""
    stray = sorted(path.name for path in root.iterdir() if path.is_file() and is_image(path))
    return [f"{len(stray)} images in {root} lie in no class folder, such as {stray[0]}"] if stray else []


def first_folder(root: Path, *places: str) -> Path:
    """Return the first of some places below a root that is a folder; the root itself where none is."""
    return next((root / place for place in places if (root / place).is_dir()), root)


def from_folders(
    config: ImageDataConfig, folders: Mapping[Path, ImageClass], known: DatasetSpec | None = None
) -> LoadResult:
    """Load class folders; files in them that are no images by their ending are noted.

    :param folders: the class whose images lie in each
    :raises MissingAssetsError: for a folder without images
    """
    files: list[LabelledFile] = []
    left_out: list[Path] = []
    for folder, item in folders.items():
        files += [(path, item) for path in images_in(folder)]
        left_out += sorted(p for p in folder.iterdir() if not is_image(p) and not p.name.startswith("."))
    notes = [f"{len(left_out)} entries of class folders are no images, such as {left_out[0]}"] if left_out else []
    return from_files(config, files, notes, known)


def from_files(
    config: ImageDataConfig,
    files: Sequence[LabelledFile],
    notes: Sequence[str] = (),
    known: DatasetSpec | None = None,
) -> LoadResult:
    """Load files with their classes, in this order; classes are in the order of their first image.

    :raises InvalidArgumentError: when two classes share a name, or two images an id
    :raises MissingAssetsError: for a file that is not there
    """
    place = {item: n for n, item in enumerate(dict.fromkeys(item for _, item in files))}
    images = ImageFiles(
        [path for path, _ in files],
        [f"{item.folder}/{path.name}" for path, item in files],
        config.image_size,
        Path(config.cache),
    )
    labels = np.array([place[item] for _, item in files], dtype=np.int64)
    counted = known.notes(len(place), len(files)) if known else []
    return LoadResult(ImageDataset(config.name, tuple(place), labels, images), (*notes, *counted))


def named_folders(
    root: Path, known: DatasetSpec, listed: Path | None = None
) -> tuple[dict[Path, ImageClass], list[str]]:
    """Return the class folders of a known data set, each called as its folder, in a folder or in the authors' parts.

    :param listed: a file of the data set whose lines end with a class folder
    :return: the folders, and for people what that file names and is not there, and what is no part of the data
    :raises MissingAssetsError: when there are no class folders
    """
    parts = [root / part for part in FOLDERS.values()] if nested_folders(root) else [root]
    folders = sorted((part / name for part in parts for name in subfolders(part)), key=lambda folder: folder.name)
    if not any(is_image(path) for folder in folders for path in folder.iterdir()):
        raise known.missing(root)
    notes = [note for part in parts for note in stray_images(part)]
    beside = sorted(set(subfolders(root)) - {part.name for part in parts}) if len(parts) > 1 else []
    if beside:
        notes.append(f"{len(beside)} folders beside {', '.join(FOLDERS.values())} are left out, such as {beside[0]}")
    wanted = [line.split()[-1] for line in read_lines(listed) if line.strip()] if listed and listed.is_file() else []
    absent = [name for name in wanted if name not in {folder.name for folder in folders}]
    notes += [f"{len(absent)} classes of {listed} have no folder, such as {absent[0]}"] if absent else []
    return {folder: ImageClass(folder.name, humanize(folder.name)) for folder in folders}, notes


def existing_files(
    files: Sequence[LabelledFile], config: ImageDataConfig, where: Path
) -> tuple[list[LabelledFile], list[str]]:
    """Return which of the files that a file of labels names are there.

    :param where: the file of labels
    :return: the files, and what is not there, for people
    :raises MissingAssetsError: when some are not there, unless that is allowed, or none is
    """
    found = [(path, item) for path, item in files if path.is_file()]
    absent = [path for path, _ in files if not path.is_file()]
    if absent and (not found or not config.allow_missing):
        raise MissingAssetsError(
            f"expected the {len(files)} images that {where} names, but {len(absent)} are not there, such as "
            f"{absent[0]}; complete them, or go on without with data.allow_missing=true"
        )
    lying = {path for folder in {path.parent for path, _ in found} for path in folder.iterdir() if is_image(path)}
    bare = sorted(lying - {path for path, _ in found})
    notes = [f"{len(absent)} images that {where} names are not there, such as {absent[0]}"] if absent else []
    return found, [*notes, *([f"{len(bare)} images are not in {where}, such as {bare[0]}"] if bare else [])]
