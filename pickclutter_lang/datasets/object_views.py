"""Rendered views of single objects on disk: images with masks, and the attributes of each object.

A folder with `views.h5` (`rgb` uint8 [M, S, S, 3], `mask` bool [M, S, S], `thing` int32 [M], the object of each view)
and `views.json`: the objects (`things`), how the views were made (`settings`), and the sha256 of the images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.shards import MAX_COMPRESSION, hdf5_bytes, open_array, open_hdf5
from pickclutter_lang.errors import CorruptShardError, DatasetError
from pickclutter_lang.utils.io import atomic_write, create_dir, write_json
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.reading import Sha256, read_json

SCHEMA = 1
_MAKE = "pickclutter render-object-views out="
_IMAGES_FILE, _INFO_FILE = "views.h5", "views.json"


class _Info(TypedDict):
    """Content of `views.json`."""

    schema: int
    settings: dict[str, Any]
    things: list[dict[str, Any]]
    content_hash: Sha256


@dataclass(frozen=True)
class ObjectViewDataset:
    """Views of objects, in memory: `rgb` [M, S, S, 3], `mask` [M, S, S], and `object_index` [M] into `objects`.

    `objects` holds one dictionary an object: `{"model_id": ...}` for one of the catalog, or the words of an instance of
    a kind (`Kind.words`) or of an object of one's own (`words_of_entry`). `config` is how the views were made;
    `content_hash` is the sha256 (hex) of the images.
    """

    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    object_index: NDArray[np.int32]
    objects: tuple[Mapping[str, Any], ...]
    config: Mapping[str, Any]
    content_hash: str

    @classmethod
    def open(cls, folder: str | Path) -> ObjectViewDataset:
        """Read a folder of views.

        :raises DatasetError: when there are no views, or they have another schema
        :raises CorruptShardError: when the images are not those that `views.json` names
        """
        root = Path(folder)
        again = f"render these views again: {_MAKE}"
        missing = f"expected views at {root}; make some: {_MAKE}{root}"
        info = read_json(root / _INFO_FILE, _Info, CorruptShardError, again, missing)
        if info["schema"] != SCHEMA:
            raise DatasetError(f"expected schema {SCHEMA} in {root / _INFO_FILE}, but got {info['schema']!r}")
        try:
            with open_hdf5(root / _IMAGES_FILE) as file:
                room = (root / _IMAGES_FILE).stat().st_size * MAX_COMPRESSION
                rgb, mask, index = (open_array(file, name, room)[...] for name in ("rgb", "mask", "thing"))
            if not (len(rgb) == len(mask) == len(index) and set(index.tolist()) <= {*range(len(info["things"]))}):
                raise ValueError("expected a mask and an object of each view")
        except (OSError, ValueError) as error:
            raise CorruptShardError(f"cannot read the views in {root} ({error}); {again}") from error
        if _content_hash(rgb, mask, index) != info["content_hash"]:
            raise CorruptShardError(f"the images in {root} are not those of {_INFO_FILE}; {again}")
        return cls(rgb, mask, index, tuple(info["things"]), info["settings"], info["content_hash"])

    def __len__(self) -> int:
        return len(self.object_index)


def write_object_views(
    folder: Path,
    rgb: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    object_index: NDArray[np.int32],
    objects: Sequence[Mapping[str, Any]],
    config: Mapping[str, Any],
) -> str:
    """Write views and return their content hash; arguments as in `ObjectViewDataset`.

    :raises DatasetError: when the folder cannot be written
    :raises LockedError: when another process is writing into it
    """
    create_dir(folder)
    arrays = {"rgb": rgb, "mask": mask, "thing": object_index.astype(np.int32)}
    digest = _content_hash(*arrays.values())
    info = {"schema": SCHEMA, "settings": dict(config), "things": list(objects), "content_hash": digest}
    with dir_lock(folder):
        (folder / _INFO_FILE).unlink(missing_ok=True)
        atomic_write(folder / _IMAGES_FILE, hdf5_bytes(arrays, ("rgb", "mask")))
        write_json(folder / _INFO_FILE, info)
    return digest


def _content_hash(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for values in arrays:
        digest.update(f"{values.dtype.str} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
