"""Importer of the scenes that the paper's authors published.

Their HDF5 file has one group per scene with `dict_str_base_camera/dict_str_rgb` and `dict_str_depth`, the same under
`dict_str_hand_camera`, and `model_ids`, the objects in the scene. There is no label for which of them are visible or
graspable, so the store that comes out has the label `present` alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.scenes.contact_sheet import write_contact_sheet
from pickclutter_lang.datasets.scenes.dataset_card import write_dataset_card
from pickclutter_lang.datasets.scenes.manifest import (
    MANIFEST_FILE,
    SHARD_FOLDER,
    Manifest,
    ObjectEntry,
    SceneRow,
    image_name,
    read_manifest,
)
from pickclutter_lang.datasets.scenes.shards import open_array, open_hdf5, write_shard
from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, UnknownObjectError
from pickclutter_lang.objects.catalog import Catalog, paper_catalog
from pickclutter_lang.utils.constants import CAMERAS
from pickclutter_lang.utils.io import clean_temp_files, create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.validation import check_path

OBJECT_SET = "published"
_MAX_ARRAY_BYTES = 2**30
_MAX_NAMES_BYTES = 2**16
_MAX_NAME = 64
"""Characters of a model id."""
_COLOR_NOISE = 0.01
"""By how much colors that were interpolated may leave the range from 0 to 1."""
SPLITS = ("train", "id", "ood", "fewshot")


@dataclass
class ImportConfig:
    """Import of published scenes."""

    file: str
    """The published HDF5 file: a group for each scene, with images and model_ids."""
    split: str
    """Split of the scenes: `train`, `id`, `ood` or `fewshot`."""
    out: str
    """Folder of the store."""
    image_size: int = 224
    """Side in pixels to which images are resized."""
    shard_size: int = 50
    """Scenes in a file of the store."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        if self.split not in SPLITS:
            raise InvalidArgumentError(f"expected split out of {', '.join(SPLITS)}, but got {self.split!r}")
        check_path("out", self.out)
        if not 16 <= self.image_size <= 1024 or self.shard_size < 1:
            raise InvalidArgumentError(
                "expected image_size from 16 to 1024 and shard_size of at least 1, "
                f"but got {self.image_size} and {self.shard_size}"
            )


def import_published(
    config: ImportConfig,
    catalog: Catalog | None = None,
    track: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> SceneStore:
    """Make a store of a published file: images resized, depth in millimeters, the label `present`.

    :param catalog: the labels, by default the paper's 26 objects
    :param track: wraps the numbers of the shards, to show progress
    :raises DatasetError: when the file is not there or has another layout, or the folder cannot be written
    :raises UnknownObjectError: for a model id outside the catalog
    """
    config.validate()
    folder = Path(config.out)
    catalog = catalog or paper_catalog()
    with _open(Path(config.file)) as file:
        scenes = _PublishedScenes(file, config, catalog)
        manifest = scenes.manifest()
        with dir_lock(folder):
            create_dir(folder / SHARD_FOLDER)
            clean_temp_files(folder / SHARD_FOLDER)
            if (folder / MANIFEST_FILE).is_file():
                read_manifest(folder).check_compatible(manifest, folder)
            manifest.write(folder)
            entries = []
            for number in track(range(manifest.shard_count)):
                rows = [scenes.row(index) for index in manifest.shard_range(number)]
                entries.append(write_shard(folder, number, rows, manifest.layout))
            manifest.with_shards(entries).write(folder)
    write_dataset_card(folder)
    write_contact_sheet(folder)
    return SceneStore.open(folder)


class _PublishedScenes:
    def __init__(self, file: h5py.File, config: ImportConfig, catalog: Catalog) -> None:
        self._file = file
        self._config = config
        self._catalog = catalog
        try:
            self._names, held = self._first_scene()
        except (KeyError, OSError, RuntimeError) as error:  # of HDF5, whose structures are damaged
            raise DatasetError(f"{config.file} is damaged: {error}") from error
        self._cameras = tuple(name for name in CAMERAS if f"dict_str_{name}_camera" in held)
        if not self._cameras:
            raise DatasetError(
                f"expected dict_str_hand_camera or dict_str_base_camera in the scene {self._names[0]!r} of "
                f"{config.file}, but it holds {held}"
            )

    def _first_scene(self) -> tuple[list[str], list[str]]:
        """Return the names of the scenes, and what the first one holds, which decides about all."""
        names = sorted(self._file, key=_natural)
        if not names:
            raise DatasetError(f"expected one group per scene in {self._config.file}, but it is empty")
        link = self._file.get(names[0], getlink=True)
        first = self._file[names[0]] if isinstance(link, h5py.HardLink) else None
        if not isinstance(first, h5py.Group):
            raise DatasetError(f"expected one group per scene in {self._config.file}, but {names[0]!r} is none")
        return names, sorted(first)

    def manifest(self) -> Manifest:
        """Describe the store; the source is known by its scenes' names and objects."""
        digest = hashlib.sha256()
        for name in self._names:
            digest.update(f"{name}:{','.join(self._model_ids(name))}\n".encode())
        camera = self._cameras[0]
        depth = self._read(self._names[0], camera, "depth")
        return Manifest(
            split=self._config.split,
            seed=None,
            scenes=len(self._names),
            shard_size=self._config.shard_size,
            settings={
                "source": f"{Path(self._config.file).name}-{digest.hexdigest()[:16]}",
                "cameras": list(self._cameras),
                "image_size": self._config.image_size,
                "source_size": depth.shape[0],
                "source_depth": f"{depth.dtype}, read as {'metres' if depth.dtype.kind == 'f' else 'millimetres'}",
            },
            fields=("index", "present", *(image_name(c, k) for c in self._cameras for k in ("rgb", "depth"))),
            object_set=OBJECT_SET,
            object_fingerprint=self._catalog.fingerprint,
            objects=tuple(ObjectEntry(item.model_id, item.name, item.split) for item in self._catalog),
        )

    def row(self, index: int) -> SceneRow:
        """Return one scene as a row of the store."""
        name, size = self._names[index], self._config.image_size
        present = np.zeros(len(self._catalog), bool)
        for model_id in self._model_ids(name):
            try:
                present[self._catalog.index(model_id)] = True
            except UnknownObjectError as error:
                raise UnknownObjectError(f"the scene {name!r} of {self._config.file}: {error}") from error
        row: SceneRow = {"index": np.array(index, np.int64), "present": present}
        for camera in self._cameras:
            row[f"{camera}_rgb"] = resized_rgb(self._read(name, camera, "rgb"), size)
            row[f"{camera}_depth"] = resized_depth(self._read(name, camera, "depth"), size)
        return row

    def _model_ids(self, name: str) -> list[str]:
        path = f"{name}/model_ids"
        values = np.ravel(np.asarray(self._array(path, _MAX_NAMES_BYTES), dtype=object)).tolist()
        names = [value.decode(errors="replace") if isinstance(value, bytes) else value for value in values]
        wrong = [one for one in names if not isinstance(one, str) or len(one) > _MAX_NAME]
        if wrong:
            raise DatasetError(
                f"expected {path} as ids of at most {_MAX_NAME} characters, but got {str(wrong[0])[:80]!r}"
            )
        return names

    def _read(self, name: str, camera: str, kind: str) -> NDArray[Any]:
        path = f"{name}/dict_str_{camera}_camera/dict_str_{kind}"
        values = self._array(path)
        if values.dtype.kind not in "uif":
            raise DatasetError(f"expected {path} with numbers, but got {values.dtype}")
        channels = (3, 4) if kind == "rgb" else (1,)
        flat = kind == "depth" and values.ndim == 2
        if not flat and (values.ndim != 3 or values.shape[2] not in channels):
            raise DatasetError(f"expected {path} as an image with {channels} channels, but got {values.shape}")
        if values.shape[0] != values.shape[1] or not values.size:
            raise DatasetError(f"expected square images, but {path} is {values.shape[1]} x {values.shape[0]}")
        low, high = (-_COLOR_NOISE, 1 + _COLOR_NOISE) if values.dtype.kind == "f" else (0, 255)
        if kind == "rgb" and not (low <= values.min() and values.max() <= high):
            raise DatasetError(
                f"expected {path} as integers from 0 to 255 or as fractions from 0 to 1, but got {values.dtype} from "
                f"{values.min():.4g} to {values.max():.4g}"
            )
        return values

    def _array(self, path: str, max_bytes: int = _MAX_ARRAY_BYTES) -> NDArray[Any]:
        try:
            return np.asarray(open_array(self._file, path, max_bytes)[()])
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


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise DatasetError(f"expected the authors' published HDF5 file at {path}, but there is no file")
    try:
        return open_hdf5(path)
    except OSError as error:
        raise DatasetError(f"expected an HDF5 file, but {path} is none, or is damaged: {error}") from error


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort `traj_10` after `traj_9`."""
    parts = enumerate(re.split(r"([0-9]+)", name))  # digits are every second one
    return [(len(part.lstrip("0")), part.lstrip("0")) if n % 2 else (-1, part) for n, part in parts]
