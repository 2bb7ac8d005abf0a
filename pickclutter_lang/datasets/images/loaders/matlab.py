"""Reading of MATLAB files, in which some datasets have their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError, MissingExtraError


def read_mat(path: Path, key: str) -> Any:
    """Return a variable of a MATLAB file, without dimensions of length 1.

    :raises MissingExtraError: when scipy is not installed
    :raises MissingAssetsError: when there is no such file
    :raises InvalidArgumentError: when it is damaged or has no such variable
    """
    try:
        from scipy.io.matlab import MatReadError, loadmat
    except ImportError as error:
        raise MissingExtraError("scipy", "sim") from error
    try:
        return loadmat(str(path), squeeze_me=True)[key]
    except FileNotFoundError as error:
        raise MissingAssetsError(f"expected the file {path}, but it is not there") from error
    except (MatReadError, OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise InvalidArgumentError(f"expected a MATLAB file with {key!r} at {path}, but: {error}") from error
