"""What every loader uses: its result, the description of a published dataset, and how class folders are read."""

from __future__ import annotations

import hashlib
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

LabeledFile = tuple[Path, ImageClass]
IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


@dataclass(frozen=True)
class LoadResult:
    """A dataset, and notes to print, one line each, such as files that are missing or unlisted."""

    data: ImageDataset
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetSpec:
    """A published dataset: numbers of classes and images, the layout of its folder, and where to get it."""

    title: str
    num_classes: int
    num_images: int
    layout: str
    source: str

    def missing(self, root: Path) -> MissingAssetsError:
        """Return the error for a folder that does not hold the dataset."""
        return MissingAssetsError(
            f"expected {self.title} in {root} ({self.layout}, a folder of images for each class, or such folders in "
            f"the authors' {', '.join(FOLDERS.values())}), but it is not there; get it from {self.source} (several "
            "official links are dead: look for a mirror)"
        )

    def notes(self, num_classes: int, num_images: int) -> list[str]:
        """Return a note where the numbers of classes and images are not those of the full dataset."""
        if (num_classes, num_images) == (self.num_classes, self.num_images):
            return []
        return [
            f"{self.title} has {self.num_classes} classes and {self.num_images} images, but here are {num_classes} and "
            f"{num_images}; the full dataset is at {self.source}"
        ]


def is_image(path: Path) -> bool:
    """Return whether a file has the extension of an image and is not hidden."""
    return path.suffix.lower() in IMAGE_EXTENSIONS and not path.name.startswith(".")


def images_in(folder: Path, half: str | None = None) -> list[Path]:
    """Return the images of a class folder, in order.

    :param half: one of `HALVES`, of the images in the order of the hashes (sha256) of their names. Both halves
        together are all images, and the first has one more where their number is odd
    :raises MissingAssetsError: when there are none
    """
    images = sorted(path for path in folder.iterdir() if is_image(path))
    if half is not None:
        by_hash = sorted(images, key=lambda path: hashlib.sha256(path.name.encode()).digest())
        middle = (len(images) + 1) // 2
        images = sorted(by_hash[:middle] if half == "first" else by_hash[middle:])
    if not images:
        part = f"the {half} half of " if half else ""
        raise MissingAssetsError(
            f"expected images ({', '.join(IMAGE_EXTENSIONS)}) in {part}{folder}, but there are none"
        )
    return images


def subfolders(root: Path) -> list[str]:
    """Return the names of the folders in a folder, in order, without hidden ones; none where there is no folder.

    :raises MissingAssetsError: for a link that leads nowhere, which may be a class
    """
    if not root.is_dir():
        return []
    shown = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    broken = [path.name for path in shown if not path.exists()]
    if broken:
        raise MissingAssetsError(
            f"expected links in {root} to lead to a folder, but {broken[0]!a} leads nowhere; mend it, or remove it"
        )
    return [path.name for path in shown if path.is_dir()]


def nested_folders(root: Path) -> bool:
    """Return whether a folder is in the authors' layout, `train/<class>`, `val_on_train/<class>`, `val/<class>`.

    :raises MissingAssetsError: when one of the three is not there
    """
    lacking = [folder for folder in FOLDERS.values() if not (root / folder).is_dir()]
    if len(lacking) == 1:
        raise MissingAssetsError(f"expected the authors' {', '.join(FOLDERS.values())} in {root}, but no {lacking[0]}")
    return not lacking


def stray_images(root: Path) -> list[str]:
    """Return a note on images outside of any class folder, if there are any."""
    stray = sorted(path.name for path in root.iterdir() if path.is_file() and is_image(path))
    return [f"{len(stray)} images in {root} are in no class folder, such as {stray[0]}"] if stray else []


def first_folder(root: Path, *candidates: str) -> Path:
    """Return the first candidate below a root that is a folder; the root itself where none is."""
    return next((root / name for name in candidates if (root / name).is_dir()), root)


def from_folders(
    config: ImageDataConfig, folders: Mapping[Path, ImageClass], spec: DatasetSpec | None = None
) -> LoadResult:
    """Load class folders; files without the extension of an image are noted.

    :param folders: the class whose images lie in each
    :raises MissingAssetsError: for a folder without images
    """
    files: list[LabeledFile] = []
    others: list[Path] = []
    for folder, item in folders.items():
        files += [(path, item) for path in images_in(folder, config.half)]
        others += sorted(p for p in folder.iterdir() if not is_image(p) and not p.name.startswith("."))
    notes = [f"{len(others)} entries of class folders are no images, such as {others[0]}"] if others else []
    return from_files(config, files, notes, spec)


def from_files(
    config: ImageDataConfig,
    files: Sequence[LabeledFile],
    notes: Sequence[str] = (),
    spec: DatasetSpec | None = None,
) -> LoadResult:
    """Load files with their classes, in this order; classes are in the order of their first image.

    :raises InvalidArgumentError: when two classes share a name, or two images an id
    :raises MissingAssetsError: for a file that is not there
    """
    class_index = {item: n for n, item in enumerate(dict.fromkeys(item for _, item in files))}
    images = ImageFiles(
        [path for path, _ in files],
        [f"{item.folder}/{path.name}" for path, item in files],
        config.image_size,
        Path(config.cache),
    )
    labels = np.array([class_index[item] for _, item in files], dtype=np.int64)
    counted = spec.notes(len(class_index), len(files)) if spec else []
    return LoadResult(ImageDataset(config.name, tuple(class_index), labels, images), (*notes, *counted))


def named_folders(
    root: Path, spec: DatasetSpec, listed: Path | None = None
) -> tuple[dict[Path, ImageClass], list[str]]:
    """Return the class folders of a published dataset, in its folder or in the authors' parts.

    A class is named after its folder.

    :param listed: a file of the dataset whose lines end with a class folder
    :return: the folders, and notes on listed folders that are missing and on entries that are not used
    :raises MissingAssetsError: when there are no class folders
    """
    parts = [root / part for part in FOLDERS.values()] if nested_folders(root) else [root]
    folders = sorted((part / name for part in parts for name in subfolders(part)), key=lambda folder: folder.name)
    if not any(is_image(path) for folder in folders for path in folder.iterdir()):
        raise spec.missing(root)
    notes = [note for part in parts for note in stray_images(part)]
    extra_folders = sorted(set(subfolders(root)) - {part.name for part in parts}) if len(parts) > 1 else []
    if extra_folders:
        notes.append(
            f"{len(extra_folders)} folders next to {', '.join(FOLDERS.values())} are ignored, "
            f"such as {extra_folders[0]}"
        )
    lines = read_lines(listed) if listed and listed.is_file() else []
    required = [line.split()[-1] for line in lines if line.strip()]
    absent = [name for name in required if name not in {folder.name for folder in folders}]
    notes += [f"{len(absent)} classes of {listed} have no folder, such as {absent[0]}"] if absent else []
    return {folder: ImageClass(folder.name, humanize(folder.name)) for folder in folders}, notes


def existing_files(
    files: Sequence[LabeledFile], config: ImageDataConfig, where: Path
) -> tuple[list[LabeledFile], list[str]]:
    """Return the files of a label file that exist.

    :param where: the label file
    :return: the files, and notes on those that are missing or unlisted
    :raises MissingAssetsError: when some are not there, unless that is allowed, or none is
    """
    found = [(path, item) for path, item in files if path.is_file()]
    absent = [path for path, _ in files if not path.is_file()]
    if absent and (not found or not config.allow_missing):
        raise MissingAssetsError(
            f"expected the {len(files)} images that {where} names, but {len(absent)} are not there, such as "
            f"{absent[0]}; complete them, or skip them with data.allow_missing=true"
        )
    on_disk = {path for folder in {path.parent for path, _ in found} for path in folder.iterdir() if is_image(path)}
    unlisted = sorted(on_disk - {path for path, _ in found})
    notes = [f"{len(absent)} images that {where} names are not there, such as {absent[0]}"] if absent else []
    notes += [f"{len(unlisted)} images are not in {where}, such as {unlisted[0]}"] if unlisted else []
    return found, notes
