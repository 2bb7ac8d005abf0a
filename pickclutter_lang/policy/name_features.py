"""Text features of names in a file, with which a student takes new names where neither torch nor the teacher is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import save

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import Sha256, Text, check_json, parse_json
from pickclutter_lang.utils.tensor_files import check_finite, read_arrays

_AGAIN = "make it again: pickclutter encode-names policy=... names=[...] out=..."


class NameFeatures(NamedTuple):
    """Names, and the features of their positive and their negative prompts, each [C, D].

    `policy` is the sha256 of the text features of the folder whose student they are for.
    """

    names: tuple[str, ...]
    positive: NDArray[np.float32]
    negative: NDArray[np.float32]
    policy: str


def save_name_features(path: Path, features: NameFeatures) -> None:
    """Write a file that `read_name_features` reads.

    :raises DatasetError: when it cannot be written
    """
    metadata = {"names": json.dumps(features.names), "policy": features.policy}
    atomic_write(path, save({"positive": features.positive, "negative": features.negative}, metadata))


def read_name_features(path: Path) -> NameFeatures:
    """Read a file of `pickclutter encode-names`.

    :raises CheckpointError: when it is missing or damaged
    """
    arrays = read_arrays(path, None, CheckpointError, _AGAIN)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        names = parse_json(metadata["names"].encode(), tuple[Text, ...])
        return _checked(arrays, names, check_json(metadata["policy"], Sha256))
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); {_AGAIN}") from error


def read_stored_features(path: Path, sha256: str, names: Sequence[str]) -> NameFeatures:
    """Read the text features of a policy folder.

    :param sha256: of the file, as the folder notes it
    :param names: of the folder
    :raises CheckpointError: when the file is missing or damaged
    """
    again = "export it again"
    arrays = read_arrays(path, sha256, CheckpointError, again)
    try:
        return _checked(arrays, tuple(names), sha256)
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); {again}") from error


def _checked(arrays: dict[str, NDArray[np.float32]], names: tuple[str, ...], policy: str) -> NameFeatures:
    check_finite(arrays)
    positive, negative = (arrays[key].astype(np.float32) for key in ("positive", "negative"))
    if positive.ndim != 2 or positive.shape != negative.shape or len(positive) != len(names):
        raise ValueError(
            f"expected text features of {len(names)} names, but got {list(positive.shape)} and {list(negative.shape)}"
        )
    return NameFeatures(names, positive, negative, policy)
