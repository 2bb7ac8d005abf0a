"""SUN397: `SUN397/<letter>/<class>[/<variant>]/`, which is torchvision's layout too."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pickclutter_lang.datasets.images.class_names import humanize
from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageClass
from pickclutter_lang.datasets.images.loaders.dataset_spec import (
    DatasetSpec,
    LoadResult,
    first_folder,
    from_folders,
    is_image,
    named_folders,
    nested_folders,
    stray_images,
)

SPEC = DatasetSpec(
    "SUN397",
    397,
    108754,
    "SUN397/<letter>/<class>/*.jpg",
    "https://vision.princeton.edu/projects/2010/SUN",
)


def load(config: ImageDataConfig) -> LoadResult:
    """Load the original archive's layout or class folders; `a/apse/indoor` is the class folder `apse_indoor`."""
    root = first_folder(Path(config.root), "SUN397")
    if nested_folders(root):
        folders, notes = named_folders(root, SPEC)
    else:
        folders, notes = _walked(root), stray_images(root) if root.is_dir() else []
    loaded = from_folders(config, folders, SPEC)
    return LoadResult(loaded.data, (*notes, *loaded.notes))


def _walked(root: Path) -> dict[Path, ImageClass]:
    """Return the class folders, in folders of letters or not.

    :raises MissingAssetsError: when there are none
    """
    folders = {}
    for place, inner, files in sorted(os.walk(root)):
        inside = Path(place).relative_to(root).as_posix()
        if inside == "." or any(part.startswith(".") for part in Path(inside).parts):
            continue
        # A folder without folders is a class even when it is empty, so that `from_folders` can refuse it.
        if not inner or any(is_image(Path(name)) for name in files):
            folder = re.sub(r"^\w/", "", inside).replace("/", "_")
            folders[Path(place)] = ImageClass(folder, humanize(folder))
    if not folders:
        raise SPEC.missing(root)
    return folders
