"""Shards: HDF5 files with the scenes of one range of indices, equal to the byte for equal content."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.scenes.manifest import SHARD_FOLDER, Manifest, ShardEntry
from pickclutter_lang.errors import CorruptShardError
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.reading import read_file

MAX_COMPRESSION = 1100
"""Arrays are at most so many times as large as their file: gzip saves no more."""
REPAIR_HINT = (
    "run the command that made this store again, with the same settings: collect-scenes keeps whole shards and makes "
    "damaged ones anew"
)
_CHECKED: set[tuple[str, int, int, str]] = set()
"""Shards that this process found whole: path, size, time of change, sha256."""


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading; HDF5 would wait for a pipe in its place.

    :raises OSError: when it is missing, no regular file or no HDF5 file
    """
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no regular file")
    return h5py.File(path, "r", locking=False)  # what is read never changes, and a read-only disk has no locks


def open_array(file: h5py.Group, path: str, max_bytes: int) -> h5py.Dataset:
    """Return an array of a file, still unread.

    :param path: names of groups and of the array, with slashes
    :param max_bytes: of its values
    :raises ValueError: when it is missing or no array of numbers, lies in another file, or declares more bytes
    """
    try:
        found = file[path]
        size = found.nbytes if isinstance(found, h5py.Dataset) else None
    except (KeyError, OSError, RuntimeError, TypeError) as error:
        raise ValueError(f"cannot open {path}: {error}") from error
    if size is None or found.external or found.is_virtual or found.file != file.file:
        raise ValueError(f"expected the array {path} in this file, but it is a group or lies in another one")
    if size > max_bytes:
        raise ValueError(f"expected {path} with at most {max_bytes} bytes, but it declares {size}")
    return found


def write_shard(
    folder: Path, number: int, rows: Sequence[Mapping[str, NDArray[Any]]], manifest: Manifest
) -> ShardEntry:
    """Write the scenes of one shard to `folder/shards/`, atomically.

    What a killed writer left there is the caller's to remove, once for all shards.

    :param folder: of the store; `shards` must be there
    :raises DatasetError: for a scene that does not fit the manifest, or a disk that does not take the file
    """
    arrays = manifest.stack(rows)
    data = hdf5_bytes(arrays, [form.name for form in manifest.forms if form.is_image])
    name = f"{number:05d}.h5"
    atomic_write(folder / SHARD_FOLDER / name, data, remove_stale=False)
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


def hdf5_bytes(arrays: Mapping[str, NDArray[Any]], compressed: Collection[str]) -> bytes:
    """Return an HDF5 file, made in memory, so that a full disk meets a plain write and not the HDF5 library.

    :param compressed: arrays that are compressed, one chunk for each entry of their first axis
    """
    with h5py.File("arrays", "w", driver="core", backing_store=False) as file:
        for name, values in arrays.items():
            # gzip 1 costs 0.4 ms per scene at 128 px; it is read by every HDF5 program, unlike lzf.
            packing = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "chunks": (1, *values.shape[1:])}
            options = packing if name in compressed else {}
            file.create_dataset(name, data=values, track_times=False, **options)
        file.flush()
        return bytes(file.id.get_file_image())


def open_shard(folder: Path, entry: ShardEntry, manifest: Manifest) -> h5py.File:
    """Open a shard for reading.

    Its bytes and form are checked at the first time, then remembered for this process by path, size and time of change.

    :raises CorruptShardError: when it is missing, or not what the manifest says
    """
    path = folder / SHARD_FOLDER / entry.file
    try:
        found = path.stat()
        key = (str(path), found.st_size, found.st_mtime_ns, entry.sha256)
        damage = None if key in _CHECKED else bytes_damage(path, entry)
        if not damage:
            file = open_hdf5(path)
            if key not in _CHECKED:
                _check_form(file, entry, manifest)
            _CHECKED.add(key)
            return file
    except (OSError, ValueError) as error:
        damage = str(error)
    raise CorruptShardError(f"cannot read the shard {path}: {damage}; {REPAIR_HINT}")


def size_damage(path: Path, entry: ShardEntry) -> str | None:
    """Compare the size of a shard with its entry; return what is wrong with it, or None."""
    found = path.stat().st_size if path.is_file() else None
    return None if found == entry.bytes else "missing" if found is None else f"{found} bytes instead of {entry.bytes}"


def bytes_damage(path: Path, entry: ShardEntry) -> str | None:
    """Compare the bytes of a shard with its entry; return what is wrong with them, or None."""
    if damage := size_damage(path, entry):
        return damage
    try:
        data = read_file(path, entry.bytes)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if hashlib.sha256(data).hexdigest() == entry.sha256 else "its sha256 is not that of the manifest"


def _check_form(file: h5py.File, entry: ShardEntry, manifest: Manifest) -> None:
    """Raise ValueError unless a shard has the arrays of the manifest, with their dtypes and shapes."""
    for form in manifest.forms:
        item = open_array(file, form.name, entry.bytes * MAX_COMPRESSION)
        shape = (entry.rows, *form.shape)
        if item.dtype != form.dtype or item.shape != shape:
            raise ValueError(f"{form.name} is {item.dtype} {list(item.shape)} instead of {form.dtype} {list(shape)}")
