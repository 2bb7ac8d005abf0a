"""Predictions of a run as npz files, from which tables, reports and thresholds are computed."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.utils.array_files import read_npz
from pickclutter_lang.utils.io import atomic_write

_PREDICTIONS = {
    "probabilities": ("f", "NC"),
    "targets": ("bf", "NC"),
    "names": ("U", "C"),
    "unseen": ("b", "C"),
    "scenes": ("U", "N"),
}
_EXAMPLES = {"rows": ("iu", "E"), "images": ("u", "ESTX"), "maps": ("f", "ECHW")}


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions atomically."""
    _save(
        path,
        probabilities=predictions.probabilities.numpy(),
        targets=predictions.targets.numpy(),
        names=np.array(predictions.names),
        unseen=predictions.unseen.numpy(),
        scenes=np.array(predictions.scenes),
    )


def load_predictions(path: Path) -> Predictions:
    """Read what `save_predictions` wrote.

    :raises CheckpointError: when the file is missing or damaged
    """
    values = _load(path, _PREDICTIONS)
    return Predictions(
        torch.from_numpy(values["probabilities"]),
        torch.from_numpy(values["targets"]),
        values["names"].tolist(),
        torch.from_numpy(values["unseen"]),
        values["scenes"].tolist(),
    )


def save_examples(path: Path, rows: Sequence[int], images: NDArray[np.uint8], maps: Tensor) -> None:
    """Write images uint8 [E, S, S, 3] and maps [E, C, h, w] of the scenes `rows` of X_ood."""
    _save(path, rows=np.array(rows), images=images, maps=maps.numpy().astype(np.float16))


def load_examples(path: Path) -> tuple[list[int], NDArray[np.uint8], NDArray[np.float32]]:
    """Read what `save_examples` wrote.

    :raises CheckpointError: when the file is missing or damaged
    """
    values = _load(path, _EXAMPLES)
    return values["rows"].tolist(), values["images"], values["maps"].astype(np.float32)


def _save(path: Path, **arrays: NDArray[Any]) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, stream.getvalue())


def _load(path: Path, forms: Mapping[str, tuple[str, str]]) -> dict[str, NDArray[Any]]:
    command = f"pickclutter evaluate-affordance run={path.parent.parent}"
    missing = f"expected predictions at {path}, but there is no such file; make them: {command}"
    return read_npz(path, forms, CheckpointError, f"make it again: {command}", missing)
