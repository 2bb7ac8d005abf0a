"""SUN397: `SUN397/<letter>/<class>[/<variant>]/`, which is torchvision's layout too."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pickclutter_lang.pictures.labelled import ImageClass
from pickclutter_lang.pictures.names import readable
from pickclutter_lang.pictures.sets.folders import (
    KnownSet,
    Loaded,
    first_folder,
    from_folders,
    in_parts,
    is_picture,
    named_folders,
    stray_pictures,
)
from pickclutter_lang.pictures.settings import PictureSettings

KNOWN = KnownSet(
    "SUN397",
    397,
    108754,
    "SUN397/<letter>/<class>/*.jpg",
    "https://vision.princeton.edu/projects/2010/SUN",
)


def load(settings: PictureSettings) -> Loaded:
    """Load the original archive's layout or class folders; `a/apse/indoor` is the class folder `apse_indoor`."""
    root = first_folder(Path(settings.root), "SUN397")
    if in_parts(root):
        folders, notes = named_folders(root, KNOWN)
    else:
        folders, notes = _walked(root), stray_pictures(root) if root.is_dir() else []
    loaded = from_folders(settings, folders, KNOWN)
    return Loaded(loaded.data, (*notes, *loaded.notes))


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
        if not inner or any(is_picture(Path(name)) for name in files):
            folder = re.sub(r"^\w/", "", inside).replace("/", "_")
            folders[Path(place)] = ImageClass(folder, readable(folder))
    if not folders:
        raise KNOWN.missing(root)
    return folders
