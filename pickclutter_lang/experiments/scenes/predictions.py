"""Predictions of a run on scenes as cells of its table of scores, and the images and maps of some example scenes."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.results.scores import Cell, Place, Scores
from pickclutter_lang.utils.array_files import read_npz
from pickclutter_lang.utils.io import atomic_write

EXAMPLES_FILE = "examples.npz"
_EXAMPLES = {"scenes": ("U", "E"), "labels": ("U", "C"), "images": ("u", "ESTX"), "maps": ("f", "ECHW")}


@dataclass(frozen=True)
class Examples:
    """Ids [E] of scenes of X_ood, their images uint8 [E, S, S, 3], and maps [E, C, h, w] of the labels [C]."""

    scenes: Sequence[str]
    labels: Sequence[str]
    images: NDArray[np.uint8]
    maps: NDArray[np.float32]

    def save(self, folder: Path) -> None:
        """Write them into the folder of a run, atomically."""
        stream = io.BytesIO()
        names = {"scenes": np.array(self.scenes), "labels": np.array(self.labels)}
        np.savez_compressed(stream, **names, images=self.images, maps=self.maps.astype(np.float16))
        atomic_write(folder / EXAMPLES_FILE, stream.getvalue())

    @classmethod
    def load(cls, folder: Path) -> Examples:
        """Read what `save` wrote.

        :raises CheckpointError: when the file is missing or damaged
        """
        path = folder / EXAMPLES_FILE
        remedy = f"make it again: pickclutter evaluate-affordance run={folder}"
        missing = f"expected example scenes at {path}, but there is no such file; {remedy}"
        values = read_npz(path, _EXAMPLES, CheckpointError, remedy, missing)
        return cls(
            values["scenes"].tolist(), values["labels"].tolist(), values["images"], values["maps"].astype(np.float32)
        )


def cells_of(
    predictions: Predictions, stage: str, store: str, thresholds: float | Tensor, source: str
) -> dict[Place, Cell]:
    """Return predictions on a store as cells `id_on_<store>` and `ood_on_<store>`.

    :param thresholds: one, or one for each label [C]
    :param source: content hash of the store
    """
    decided = predictions.probabilities > thresholds
    cells = {}
    for split, columns in (("id", ~predictions.unseen), ("ood", predictions.unseen)):
        labels = [name for name, chosen in zip(predictions.names, columns.tolist(), strict=True) if chosen]
        scores = predictions.probabilities[:, columns].float().numpy()
        targets, predicted = predictions.targets.bool()[:, columns].numpy(), decided[:, columns].numpy()
        if labels:
            place = stage, f"{split}_on_{store}"
            cells[place] = Cell(tuple(predictions.scenes), tuple(labels), scores, targets, predicted, source)
    return cells


def predictions_of(
    scores: Scores, stage: str, store: str, splits: Collection[str] = ("id", "ood")
) -> Predictions | None:
    """Return the predictions of a stage on a store from a run's scores; None where there are none."""
    places = [(split, f"{split}_on_{store}") for split in splits if (stage, f"{split}_on_{store}") in scores.places]
    cells = [(split, scores.cell(stage, cell)) for split, cell in places]
    if not cells:
        return None
    return Predictions(
        torch.from_numpy(np.concatenate([cell.scores for _, cell in cells], axis=1)),
        torch.from_numpy(np.concatenate([cell.targets for _, cell in cells], axis=1)),
        [label for _, cell in cells for label in cell.labels],
        torch.tensor([split == "ood" for split, cell in cells for _ in cell.labels]),
        [*cells[0][1].items],
    )
