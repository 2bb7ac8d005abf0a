"""Reading of npz files that a person or a disk may have changed."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.utils.json_files import read_file

_npy: Any = np.lib.format
_MAX_BYTES = 4 * 2**30
"""Largest file of arrays, and most bytes of its arrays in memory."""


def read_npz(
    path: Path, forms: Mapping[str, tuple[str, str]] | None, error: type[PickClutterError], remedy: str, missing: str
) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file.

    :param forms: name of an array -> letters of its dtype's kind (NumPy's, such as `f`), and a letter for each axis:
        axes of the same letter must be equally long. None: all arrays of any form
    :param missing: message where there is no file
    :raises PickClutterError: of the type `error`, naming the file and what is wrong with it
    """
    try:
        with zipfile.ZipFile(io.BytesIO(read_file(path, _MAX_BYTES))) as archive:
            if sum(item.file_size for item in archive.infolist()) > _MAX_BYTES:
                raise ValueError(f"expected at most {_MAX_BYTES / 1e9:.0f} GB of arrays, but it declares more")
            names = forms if forms is not None else [name.removesuffix(".npy") for name in archive.namelist()]
            arrays = {name: _read_array(archive.read(f"{name}.npy")) for name in names}
        _check_forms(arrays, forms or {})
    except (FileNotFoundError, NotADirectoryError) as reason:
        raise error(missing) from reason
    except OSError as reason:
        raise error(f"cannot read {path}: {reason.strerror}; {remedy}") from reason
    except (ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as reason:
        raise error(f"{path} is damaged ({' '.join(str(reason).split())[:300]}); {remedy}") from reason
    return arrays


def _read_array(data: bytes) -> NDArray[Any]:
    stream = io.BytesIO(data)
    version = _npy.read_magic(stream)
    header = _npy.read_array_header_1_0 if version == (1, 0) else _npy.read_array_header_2_0
    shape, _, dtype = header(stream)
    declared, there = int(np.prod([dtype.itemsize, *shape], dtype=object)), len(data) - stream.tell()
    if declared != there:
        raise ValueError(f"an array declares {declared} bytes, but has {there}")
    array: NDArray[Any] = _npy.read_array(io.BytesIO(data), allow_pickle=False)
    return array


def _check_forms(arrays: Mapping[str, NDArray[Any]], forms: Mapping[str, tuple[str, str]]) -> None:
    sizes: dict[str, int] = {}
    for name, (kinds, axes) in forms.items():
        found = arrays[name]
        if found.dtype.kind not in kinds or found.ndim != len(axes):
            raise ValueError(
                f"expected {name} with {len(axes)} axes of kind {kinds}, but got {found.dtype} {found.shape}"
            )
        for axis, size in zip(axes, found.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise ValueError(f"expected {name} with {sizes[axis]} {axis}, but got {found.shape}")
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise ValueError(f"expected finite numbers in {name}, but got NaN or infinite ones")
