"""Reading of safetensors files that a disk or a person may have changed, as torch's tensors or as NumPy's arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.utils.json_files import read_file

if TYPE_CHECKING:
    from torch import Tensor

_MAX_BYTES = 64 * 2**30
_Tensors = TypeVar("_Tensors")


def read_tensors(path: Path, sha256: str | None, error: type[PickClutterError], remedy: str) -> dict[str, Tensor]:
    """Read a safetensors file.

    :param sha256: of its bytes (hex); None where files of earlier versions have none
    :param remedy: what to do about a damaged file
    :raises PickClutterError: of the type `error`, naming the file and what is wrong with it
    """
    from safetensors.torch import load

    return _read(path, sha256, error, remedy, load)


def read_arrays(path: Path, sha256: str | None, error: type[PickClutterError], remedy: str) -> dict[str, NDArray[Any]]:
    """Read a safetensors file without torch; arguments and errors as of `read_tensors`."""
    from safetensors.numpy import load

    return _read(path, sha256, error, remedy, load)


def read_bytes(path: Path, sha256: str | None, error: type[PickClutterError], remedy: str) -> bytes:
    """Read a file that is compared with its hash; arguments and errors as of `read_tensors`."""
    return _read(path, sha256, error, remedy, lambda data: data)


def _read(
    path: Path, sha256: str | None, error: type[PickClutterError], remedy: str, load: Callable[[bytes], _Tensors]
) -> _Tensors:
    try:
        data = read_file(path, _MAX_BYTES)
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise error(f"{path} is damaged (its sha256 is not the one that was noted when it was written); {remedy}")
        return load(data)
    except FileNotFoundError as reason:
        raise error(f"expected {path}, but there is no such file; {remedy}") from reason
    except OSError as reason:
        raise error(f"cannot read {path}: {reason.strerror}; {remedy}") from reason
    except (SafetensorError, ValueError, KeyError) as reason:
        raise error(f"{path} is damaged ({' '.join(str(reason).split())[:300]}); {remedy}") from reason


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
