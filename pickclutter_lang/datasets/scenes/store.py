"""Reading a scene store: lazily, from any number of processes, and with every damage named."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.manifest import (
    SHARD_FOLDER,
    ArrayForm,
    Manifest,
    SceneRow,
    read_manifest,
)
from pickclutter_lang.datasets.scenes.shards import REPAIR_HINT, bytes_damage, open_shard, size_damage
from pickclutter_lang.errors import CorruptShardError, DatasetError, InvalidArgumentError
from pickclutter_lang.objects.catalog import all_objects
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, parse_catalog
from pickclutter_lang.utils.constants import CAMERAS
from pickclutter_lang.utils.reading import read_bytes

Index = int | slice | Sequence[int] | NDArray[np.integer[Any]]
_OPEN_SHARDS = 128


class SceneStore:
    """A folder of scenes; make one with `SceneStore.open`. It can be pickled and used after a fork."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._handles: OrderedDict[int, h5py.File] = OrderedDict()
        self._owner = os.getpid()

    @classmethod
    def open(cls, path: str | Path) -> SceneStore:
        """Open a store and check its manifest, that it is complete, and that its shards are there in full size.

        The content of a shard is checked when it is first read, which may raise CorruptShardError.

        :raises DatasetError: when there is no store, or it is not complete, or it has another schema
        :raises CorruptShardError: naming the shards that are missing or of another size
        """
        folder = Path(path)
        manifest = _complete_manifest(folder)
        shards = folder / SHARD_FOLDER
        _raise_damage(folder, {entry.file: size_damage(shards / entry.file, entry) for entry in manifest.shards})
        return cls(folder, manifest)

    def __len__(self) -> int:
        return self.manifest.scenes

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "manifest": self.manifest}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @property
    def content_hash(self) -> str:
        """Hash (sha256, hex) of the content of all scenes; equal for any number of workers and any resume."""
        return self.manifest.content_hash

    @property
    def image_size(self) -> int:
        """Side of the images in pixels."""
        return int(self.manifest.settings["image_size"])

    @property
    def cameras(self) -> tuple[str, ...]:
        """Cameras with images in this store."""
        return tuple(self.manifest.settings["cameras"])

    @property
    def label_names(self) -> list[str]:
        """Display names of the labels, in order."""
        return [item.name for item in self.manifest.objects]

    @property
    def model_ids(self) -> list[str]:
        """Ids of the labels, in order."""
        return [item.model_id for item in self.manifest.objects]

    def split_label_indices(self, split: Literal["id", "ood"]) -> list[int]:
        """Return the indices of the labels of Y_id or Y_ood."""
        if split not in ("id", "ood"):
            raise InvalidArgumentError(f"expected 'id' or 'ood', but got {split!r}")
        return [n for n, item in enumerate(self.manifest.objects) if item.split == split]

    @cached_property
    def own_catalog(self) -> tuple[CatalogEntry, ...] | None:
        """The labels with their words, licenses and sources, of a store of one's own objects; None of another store.

        :raises DatasetError: when its `catalog.yaml` is missing, or not the one of the collection
        """
        if not self.manifest.has_catalog:
            return None
        path = self.path / CATALOG_FILE
        remedy = "restore it, or collect these scenes again"
        return parse_catalog(read_bytes(path, self.manifest.settings["catalog"], DatasetError, remedy), path)

    def synonyms_of(self, names: Collection[str]) -> list[str]:
        """Return the synonyms of labels: those of the store's own catalog, of kinds, or of the package's objects."""
        from pickclutter_lang.kinds import find_kinds

        of_package = find_kinds(sorted(names)) if self.manifest.has_instances else all_objects()
        items = of_package if self.own_catalog is None else self.own_catalog
        return [word for item in items if item.name in names for word in item.synonyms]

    def scene_ids(self) -> list[str]:
        """Return an id for each scene: `<split>/<seed>/<index>`."""
        head = self.manifest
        origin = head.settings["source"] if head.seed is None else head.seed
        return [f"{head.split}/{origin}/{index}" for index in range(head.scenes)]

    def array(self, name: str, index: slice | range = slice(None)) -> NDArray[Any]:
        """Return a field of all scenes, or of some, [N, ...]: a label, [N, C], by its name.

        For images prefer `images` with an index.

        :raises DatasetError: when this store does not hold the field
        """
        return self._read(name, self._indices(index))

    def images(self, camera: str = "hand", kind: str = "rgb", index: Index = slice(None)) -> NDArray[Any]:
        """Return images of some scenes; only these are read.

        :param kind: `rgb` (uint8), `depth` (uint16, millimeters, 0 = nothing) or `segmentation` (uint8)
        :param index: one scene, a slice, or a list of scenes in any order
        :return: [S, S(, 3)] for one scene, otherwise [n, S, S(, 3)]
        """
        wanted = self._indices(index)
        images = self._read(f"{camera}_{kind}", wanted)
        return images.squeeze(0) if isinstance(index, (int, np.integer)) else images

    def scene(self, index: int) -> SceneRow:
        """Return every field of one scene, without the leading axis."""
        wanted = self._indices(index)
        return {name: self._read(name, wanted)[0] for name in self.manifest.fields}

    def _indices(self, index: Index) -> NDArray[np.int64]:
        scenes = len(self)
        if isinstance(index, slice):
            return np.arange(scenes)[index]
        wanted = np.atleast_1d(np.asarray(index, dtype=np.int64))
        if wanted.ndim != 1 or (wanted.size and not (-scenes <= wanted.min() and wanted.max() < scenes)):
            raise InvalidArgumentError(f"expected scene indices from 0 to {scenes - 1}, but got {index!r}")
        return wanted % scenes

    def _read(self, name: str, wanted: NDArray[np.int64]) -> NDArray[Any]:
        if name not in self.manifest.fields:
            camera = name.partition("_")[0]
            remedy = f"; collect it with cameras=[{camera}]" if camera in CAMERAS else ""
            remedy = "; collect it with graspable=true, or take target_label=visible" if name == "graspable" else remedy
            raise DatasetError(
                f"the store at {self.path} does not hold {name!r}; it holds {', '.join(self.manifest.fields)}{remedy}"
            )
        form = self.manifest.form(name)
        values = np.empty((len(wanted), *form.shape), form.dtype)
        numbers, rows = np.divmod(wanted, self.manifest.shard_size)
        order = np.argsort(numbers, kind="stable")
        found, starts = np.unique(numbers[order], return_index=True)
        for number, positions in zip(found.tolist(), np.split(order, starts)[1:], strict=True):
            values[positions] = self._read_rows(number, form, rows[positions])
        if name == "actors" and (values >= len(self.manifest.actor_ids)).any():
            raise CorruptShardError(f"expected actors of {self.path} to be objects of its manifest; {REPAIR_HINT}")
        return values

    def _read_rows(self, number: int, form: ArrayForm, rows: NDArray[np.int64]) -> NDArray[Any]:
        try:
            data = self._shard(number)[form.name]
            if len(rows) == 1 or (form.is_image and len(rows) <= len(data) // 2):
                return np.stack([data[row] for row in rows.tolist()])
            picked: NDArray[Any] = data[...][rows]
            return picked
        except (OSError, KeyError, ValueError) as error:
            file = self.manifest.shards[number].file
            raise CorruptShardError(
                f"cannot read {form.name} from the shard {self.path / SHARD_FOLDER / file} ({error}); {REPAIR_HINT}"
            ) from error

    def _shard(self, number: int) -> h5py.File:
        """Return an open shard; HDF5 handles must not be shared with a process that was forked."""
        if self._owner != os.getpid():
            self._handles, self._owner = OrderedDict(), os.getpid()
        if number not in self._handles:
            self._handles[number] = open_shard(self.path, self.manifest.shards[number], self.manifest)
            if len(self._handles) > _OPEN_SHARDS:
                self._handles.popitem(last=False)[1].close()
        self._handles.move_to_end(number)
        return self._handles[number]


def verify_store(path: str | Path) -> Manifest:
    """Read every shard of a complete store and compare its bytes with the manifest.

    :raises DatasetError: when there is no complete store, or its manifest is damaged
    :raises CorruptShardError: naming each damaged or missing shard
    """
    folder = Path(path)
    manifest = _complete_manifest(folder)
    _raise_damage(
        folder, {entry.file: bytes_damage(folder / SHARD_FOLDER / entry.file, entry) for entry in manifest.shards}
    )
    return manifest


def _complete_manifest(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    if not manifest.complete:
        raise DatasetError(
            f"the store at {folder} has {len(manifest.shards)} of {manifest.shard_count} shards; "
            "run its collection again with the same settings to complete it"
        )
    return manifest


def _raise_damage(folder: Path, damage: dict[str, str | None]) -> None:
    if found := [f"{name} ({reason})" for name, reason in damage.items() if reason]:
        raise CorruptShardError(
            f"{len(found)} of {len(damage)} shards in {folder / SHARD_FOLDER} are damaged: {', '.join(found)}; "
            f"{REPAIR_HINT}"
        )
