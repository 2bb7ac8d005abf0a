"""Importer of the scenes that the paper's authors published.

Their HDF5 file has one group per scene with `dict_str_base_camera/dict_str_rgb` and `dict_str_depth`, the same under
`dict_str_hand_camera`, and `model_ids`, the objects in the scene. There is no label for which of them are visible or
graspable, so the store that comes out has only the label `present`.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.scenes.config import ImportConfig
from pickclutter_lang.datasets.scenes.description import describe_store
from pickclutter_lang.datasets.scenes.manifest import (
    MANIFEST_FILE,
    SHARD_FOLDER,
    Manifest,
    ObjectEntry,
    SceneRow,
    read_manifest,
)
from pickclutter_lang.datasets.scenes.shards import open_array, open_hdf5, write_shard
from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import DatasetError, UnknownObjectError
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.utils.constants import CAMERAS
from pickclutter_lang.utils.io import clean_temp_files, create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.progress import track

_MAX_BYTES = 2**30
_COLOR_NOISE = 0.01
"""By how much colors that were interpolated may leave the range from 0 to 1."""


def import_published(config: ImportConfig) -> SceneStore:
    """Make a store of a published file: images resized, depth in millimeters, the label `present`.

    :raises DatasetError: when the file is not there or has another layout, or the folder cannot be written
    :raises UnknownObjectError: for a model id outside the catalog
    """
    config.validate()
    folder = Path(config.out)
    try:
        file = open_hdf5(Path(config.file))
    except OSError as error:
        raise DatasetError(f"expected the authors' published HDF5 file, but {config.file} is none: {error}") from error
    with file:
        scenes = _PublishedScenes(file, config)
        manifest = scenes.manifest()
        with dir_lock(folder):
            create_dir(folder / SHARD_FOLDER)
            clean_temp_files(folder / SHARD_FOLDER)
            if (folder / MANIFEST_FILE).is_file():
                read_manifest(folder).check_compatible(manifest, folder)
            manifest.write(folder)
            entries = []
            for number in track(range(manifest.shard_count), "shards"):
                rows = [scenes.row(index) for index in manifest.shard_range(number)]
                entries.append(write_shard(folder, number, rows, manifest))
            manifest.with_shards(entries).write(folder)
    describe_store(folder)
    return SceneStore.open(folder)


class _PublishedScenes:
    """The scenes of an open file, in the order of their numbers; the first one decides which cameras there are."""

    def __init__(self, file: h5py.File, config: ImportConfig) -> None:
        self._file, self._config, self._catalog = file, config, paper_catalog()
        self._names = sorted(file, key=_natural)
        self._sides: dict[str, int] = {}
        found = {tuple(c for c in CAMERAS if f"{name}/dict_str_{c}_camera" in file) for name in self._names}
        if len(found) != 1 or not any(found):
            raise DatasetError(
                f"expected a group per scene with dict_str_hand_camera or dict_str_base_camera in {config.file}, the "
                f"same in all, but got {self._names[:3]} with {sorted(found)[:3]}"
            )
        self._cameras = [*found.pop()]

    def manifest(self) -> Manifest:
        """Describe the store; the source is known by its scenes' names and objects."""
        digest = hashlib.sha256()
        for name in self._names:
            digest.update(f"{name}:{','.join(self._model_ids(name))}\n".encode())
        depth = self._image(self._names[0], self._cameras[0], "depth")
        return Manifest(
            split=self._config.split,
            seed=None,
            scenes=len(self._names),
            shard_size=self._config.shard_size,
            settings={
                "source": f"{Path(self._config.file).name}-{digest.hexdigest()[:16]}",
                "cameras": self._cameras,
                "image_size": self._config.image_size,
                "source_size": depth.shape[0],
                "source_depth": f"{depth.dtype}, read as {'metres' if depth.dtype.kind == 'f' else 'millimetres'}",
            },
            fields=("index", "present", *(f"{c}_{k}" for c in self._cameras for k in ("rgb", "depth"))),
            object_set="published",
            object_fingerprint=self._catalog.fingerprint,
            objects=tuple(ObjectEntry(item.model_id, item.name, item.split) for item in self._catalog),
        )

    def row(self, index: int) -> SceneRow:
        """Return one scene as a row of the store."""
        name = self._names[index]
        size = self._config.image_size
        present = np.zeros(len(self._catalog), bool)
        try:
            present[[self._catalog.index(model_id) for model_id in self._model_ids(name)]] = True
        except UnknownObjectError as error:
            raise UnknownObjectError(f"the scene {name!r} of {self._config.file}: {error}") from error
        row: SceneRow = {"index": np.array(index, np.int64), "present": present}
        for camera in self._cameras:
            row[f"{camera}_rgb"] = resized_rgb(self._image(name, camera, "rgb"), size)
            row[f"{camera}_depth"] = resized_depth(self._image(name, camera, "depth"), size)
        return row

    def _model_ids(self, name: str) -> list[str]:
        values = np.ravel(np.asarray(self._array(f"{name}/model_ids"), dtype=object)).tolist()
        return [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in values]

    def _image(self, name: str, camera: str, kind: str) -> NDArray[Any]:
        """Return an image [H, H, 3 or 4] of integers from 0 to 255 or fractions, or a depth image [H, H(, 1)]."""
        path = f"{name}/dict_str_{camera}_camera/dict_str_{kind}"
        values = self._array(path)
        side = self._sides.setdefault(camera, len(values) if values.ndim else 0)
        shapes = [(side, side, 3), (side, side, 4)] if kind == "rgb" else [(side, side), (side, side, 1)]
        low, high = (-_COLOR_NOISE, 1 + _COLOR_NOISE) if values.dtype.kind == "f" else (0, 255)
        fits = values.size and values.shape in shapes and values.dtype.kind in "uif"
        if not fits or (kind == "rgb" and not low <= values.min() <= values.max() <= high):
            raise DatasetError(
                f"expected {path} as a square image like the others of its camera: depth, or colors from 0 to 255 "
                f"or from 0 to 1, but got {values.dtype} {list(values.shape)}"
            )
        return values

    def _array(self, path: str) -> NDArray[Any]:
        try:
            return np.asarray(open_array(self._file, path, _MAX_BYTES)[()])
        except (OSError, ValueError) as error:
            raise DatasetError(f"{self._config.file} is of another form: {error}") from error


def resized_rgb(values: NDArray[Any], size: int) -> NDArray[np.uint8]:
    """Resize color [H, H, 3 or 4] to uint8 [S, S, 3]; floats are read as 0 to 1."""
    if values.dtype.kind == "f":
        values = np.clip(np.rint(values * 255), 0, 255)
    image = Image.fromarray(np.ascontiguousarray(values[..., :3].astype(np.uint8)))
    method = Image.Resampling.BOX if size < len(values) else Image.Resampling.BICUBIC
    return np.asarray(image.resize((size, size), method))


def resized_depth(values: NDArray[Any], size: int) -> NDArray[np.uint16]:
    """Resize depth [H, H(, 1)] to uint16 millimeters [S, S]; floats are read as meters, integers as millimeters.

    The nearest pixel is taken, since averaging across an edge gives a depth at which there is no surface.
    """
    flat = values.reshape(values.shape[:2])
    if flat.dtype.kind == "f":
        finite = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
        flat = np.rint(np.clip(finite, 0, 66) * 1000)  # of 16 bits, as below: 1e308 m would overflow
    nearest = (np.arange(size) * 2 + 1) * len(flat) // (2 * size)
    return np.asarray(np.clip(flat[np.ix_(nearest, nearest)], 0, 65535), np.uint16)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort `traj_10` after `traj_9`."""
    parts = enumerate(re.split(r"([0-9]+)", name))  # digits are every second one
    return [(len(part.lstrip("0")), part.lstrip("0")) if n % 2 else (-1, part) for n, part in parts]
