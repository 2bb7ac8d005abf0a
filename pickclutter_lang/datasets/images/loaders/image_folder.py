"""A folder of images for each class (torchvision's `ImageFolder`), with a file of names and descriptions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageClass, check_class_names
from pickclutter_lang.datasets.images.loaders.dataset_spec import LoadResult, from_folders, stray_images, subfolders
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.utils.json_files import Line, Prose, Text, read_json

CLASSES = "classes.json"


class _Named(TypedDict):
    folder: Text


class _Row(_Named, total=False):
    name: Text | None
    category: Line | None
    coarse: Line | None
    description: Prose | None


class _File(TypedDict):
    classes: list[_Row]


_CONTENT: Any = list[_Row] | _File


def load(config: ImageDataConfig) -> LoadResult:
    """Load the class folders of a folder.

    :raises MissingAssetsError: when there are none, or one has no image
    :raises InvalidArgumentError: as `read_classes`
    """
    root = Path(config.root)
    names = Path(config.classes) if config.classes else default_classes(root)
    classes = read_classes(root, names)
    loaded = from_folders(config, {root / item.folder: item for item in classes})
    return LoadResult(loaded.data, (*stray_images(root), *(_unmatched(classes, names) if names else ()), *loaded.notes))


def default_classes(root: Path) -> Path | None:
    """Return the file of names in a folder or next to it, where there is one."""
    return next((place / CLASSES for place in (root, root.parent) if (place / CLASSES).is_file()), None)


def read_classes(root: Path, classes: Path | None = None) -> list[ImageClass]:
    """Return the classes of a folder of images, in the order of their folders.

    :param root: holds a folder of images for each class
    :param classes: a JSON list of `{"folder": ..., "name": ..., "category": ..., "description": ...}` (or an object
        with such a list as `classes`; `coarse` is read as `category`); all but `folder` may be left out. By default
        each class has the name of its folder
    :raises MissingAssetsError: when there are no class folders
    :raises InvalidArgumentError: when the file is not such a list, or two classes share a name
    """
    folders = subfolders(root)
    if not folders:
        raise MissingAssetsError(f"expected a folder of images for each class in {root}, but there is none")
    rows = {row["folder"]: row for row in _rows(classes)} if classes else {}
    found = []
    for folder in folders:
        row = rows.get(folder, _Row(folder=folder))
        name = str(row.get("name") or re.sub(r"[-_]+", " ", folder))
        category, description = str(row.get("category") or row.get("coarse") or ""), str(row.get("description") or "")
        found.append(ImageClass(folder, name, description.strip(), category))
    check_class_names(found)
    return found


def _rows(path: Path) -> list[_Row]:
    advice = "if that is another file, name the right one as data.classes"
    content: list[_Row] | _File = read_json(path, _CONTENT, InvalidArgumentError, advice)
    rows = content if isinstance(content, list) else content["classes"]
    folders = [row["folder"] for row in rows]
    if len(set(folders)) < len(folders):
        raise InvalidArgumentError(f"expected each folder once in {path}, but one is there twice; {advice}")
    return rows


def _unmatched(classes: Sequence[ImageClass], names: Path) -> list[str]:
    """Return notes on classes that only the file of names or only the folders have."""
    there, listed = {item.folder for item in classes}, {row["folder"] for row in _rows(names)}
    lines = []
    for what, missing in (("have no folder of images", listed - there), ("are not in the file", there - listed)):
        if missing:
            lines.append(f"{len(missing)} classes of {names} {what}, such as {sorted(missing)[0]}")
    return lines
