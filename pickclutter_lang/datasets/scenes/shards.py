"""Shards: HDF5 files with the scenes of one range of indices, equal to the byte for equal content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.manifest import SHARD_FOLDER, ShardEntry
from pickclutter_lang.datasets.scenes.schema import SceneRow, ShardSchema
from pickclutter_lang.errors import CorruptShardError
from pickclutter_lang.utils.io import atomic_write


def write_shard(
    folder: Path, number: int, rows: Sequence[Mapping[str, NDArray[Any]]], layout: ShardSchema
) -> ShardEntry:
    """Write the scenes of one shard to `folder/shards/`, atomically.

    :param folder: of the store; `shards` must be there
    :raises DatasetError: for a scene that does not fit the layout, or a disk that does not take the file
    """
    arrays = layout.stack(rows)
    data = _encode(arrays, layout)
    name = f"{number:05d}.h5"
    atomic_write(folder / SHARD_FOLDER / name, data)
    digest = hashlib.sha256(data).hexdigest()
    return ShardEntry(name, int(arrays["index"][0]), len(rows), len(data), digest, content_hash(arrays))


def content_hash(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the sha256 (hex) of names, dtypes, shapes and values, independent of the file format."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(values.data)
    return digest.hexdigest()


def _encode(arrays: SceneRow, layout: ShardSchema) -> bytes:
    """Make the HDF5 file in memory, so that a full disk meets a plain write and not the HDF5 library."""
    with h5py.File("shard", "w", driver="core", backing_store=False) as file:
        for field in layout.fields:
            # gzip 1 costs 0.4 ms per scene at 128 px; it is read by every HDF5 program, unlike lzf.
            packing = {
                "compression": "gzip",
                "compression_opts": 1,
                "shuffle": True,
                "chunks": (1, *field.shape),
            }
            file.create_dataset(
                field.name, data=arrays[field.name], track_times=False, **(packing if field.is_image else {})
            )
        file.flush()
        return bytes(file.id.get_file_image())


def open_shard(path: Path) -> h5py.File:
    """Open a shard for reading.

    :raises CorruptShardError: when it is missing or no HDF5 file
    """
    try:
        return h5py.File(path, "r", locking=False)  # shards never change, and a read-only disk has no locks
    except OSError as error:
        reason = "it is missing" if not path.exists() else "it is not a complete HDF5 file"
        raise CorruptShardError(f"cannot read the shard {path}: {reason}; {REPAIR_HINT}") from error


def check_shard(folder: Path, entry: ShardEntry, layout: ShardSchema) -> str | None:
    """Compare a shard with its entry in the manifest; return what is wrong with it, or None."""
    path = folder / SHARD_FOLDER / entry.file
    if not path.is_file():
        return "missing"
    data = path.read_bytes()
    if len(data) != entry.bytes:
        return f"{len(data)} bytes instead of {entry.bytes}"
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        return "its bytes are not those of the manifest (sha256)"
    with open_shard(path) as file:
        if set(file) != set(layout.names):
            return f"holds {sorted(file)} instead of {sorted(layout.names)}"
        arrays = {name: file[name][...] for name in file}
    if content_hash(arrays) != entry.content:
        return "its content is not that of the manifest"
    indices = range(entry.first, entry.first + entry.rows)
    return None if arrays["index"].tolist() == list(indices) else f"holds other scenes than {indices}"


REPAIR_HINT = "run the collection again with the same settings, which replaces damaged shards"
