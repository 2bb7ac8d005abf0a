"""Reading of npz and safetensors files that a person or a disk may have changed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.utils.json_files import MAX_BYTES, damage_of, read_file

if TYPE_CHECKING:
    from torch import Tensor


def read_npz(
    path: Path, forms: Mapping[str, tuple[str, str]] | None, error: type[PickClutterError], remedy: str, missing: str
) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file.

    :param forms: name of an array -> letters of its dtype's kind (NumPy's, such as `f`), and a letter for each axis:
        axes of the same letter must be equally long. None: all arrays of any form
    :param missing: message where there is no file
    :raises PickClutterError: of the type `error`, naming the file and what is wrong with it
    """
    with damage_of(path, error, remedy, missing):
        with np.load(io.BytesIO(read_file(path, MAX_BYTES)), allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in (archive.files if forms is None else forms)}
        _check_forms(arrays, forms or {})
    return arrays


def _check_forms(arrays: Mapping[str, NDArray[Any]], forms: Mapping[str, tuple[str, str]]) -> None:
    sizes: dict[str, int] = {}
    for name, (kinds, axes) in forms.items():
        array = arrays[name]
        if array.dtype.kind not in kinds or array.ndim != len(axes):
            raise ValueError(
                f"expected {name} with {len(axes)} axes of kind {kinds}, but got {array.dtype} {array.shape}"
            )
        for axis, size in zip(axes, array.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise ValueError(f"expected {name} with {sizes[axis]} {axis}, but got {array.shape}")
    check_finite({name: array for name, array in arrays.items() if name in forms and array.dtype.kind == "f"})


def read_tensors(path: Path, sha256: str | None, error: type[PickClutterError], remedy: str) -> dict[str, Tensor]:
    """Read a safetensors file.

    :param sha256: of its bytes (hex); None: they are not compared
    :param remedy: what to do about a damaged file
    :raises PickClutterError: of the type `error`, naming the file and what is wrong with it
    """
    from safetensors.torch import load

    with damage_of(path, error, remedy):
        return load(read_bytes(path, sha256, error, remedy))


def read_bytes(path: Path, sha256: str | None, error: type[PickClutterError], remedy: str) -> bytes:
    """Read a file that is compared with its hash; arguments and errors as of `read_tensors`."""
    with damage_of(path, error, remedy):
        data = read_file(path, MAX_BYTES)
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise error(f"{path} is damaged (its sha256 is not the one that was noted when it was written); {remedy}")
    return data


def to_half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors in half precision (float16), where numbers above 65504 are infinite; whole numbers stay."""
    return {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}


def to_float(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors in single precision (float32); whole numbers stay."""
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}


def check_finite(tensors: Mapping[str, Tensor | NDArray[Any]]) -> None:
    """Raise ValueError naming a tensor or an array with NaN or infinite numbers."""
    for name, value in tensors.items():
        finite = np.isfinite(value) if isinstance(value, np.ndarray) else value.isfinite()
        if not bool(finite.all()):
            raise ValueError(f"expected finite numbers in {name}, but got NaN or infinite ones")
