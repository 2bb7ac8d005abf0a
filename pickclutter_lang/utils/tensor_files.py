"""Reading of safetensors files that a disk or a person may have changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.utils.json_files import read_file

_MAX_BYTES = 64 * 2**30


def read_tensors(path: Path, sha256: str | None, error: type[PickClutterError], remedy: str) -> dict[str, Tensor]:
    """Read a safetensors file.

    :param sha256: of its bytes (hex); None where files of earlier versions have none
    :param remedy: what to do about a damaged file
    :raises PickClutterError: of the type `error`, naming the file and what is wrong with it
    """
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


def check_finite(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError naming a tensor with NaN or infinite numbers."""
    for name, value in tensors.items():
        if not bool(value.isfinite().all()):
            raise ValueError(f"expected finite numbers in {name}, but got NaN or infinite ones")
