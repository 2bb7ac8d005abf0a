"""Opening of arrays in HDF5 files that may be damaged or hostile."""

from __future__ import annotations

from pathlib import Path

import h5py

MAX_COMPRESSION = 1100
"""Arrays are at most so many times as large as their file: gzip saves no more."""


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
    :raises ValueError: when it is missing or no array, lies elsewhere (links, external files), or declares more bytes
    """
    found = file
    for name in path.split("/"):
        if not isinstance(found, h5py.Group):
            raise ValueError(f"expected a group with {path}, but got an array")
        try:
            kind = found.id.links.get_info(name.encode()).type
        except (KeyError, RuntimeError) as error:
            raise ValueError(f"expected the array {path}, but it is not there") from error
        if kind != h5py.h5l.TYPE_HARD:
            raise ValueError(f"expected the array {path}, but got a link to elsewhere")
        try:
            found = found[name]
        except (OSError, KeyError, RuntimeError) as error:
            raise ValueError(f"cannot open {path}: {error}") from error
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"expected the array {path}, but got a group")
    if found.external or found.is_virtual:
        raise ValueError(f"expected the array {path} in this file, but it lies in another one")
    try:
        declared = found.nbytes
    except TypeError as error:  # a type of HDF5 that NumPy does not have
        raise ValueError(f"expected {path} as numbers, but {error}") from error
    if declared > max_bytes:
        raise ValueError(f"expected {path} with at most {max_bytes} bytes, but it declares {declared}")
    return found
