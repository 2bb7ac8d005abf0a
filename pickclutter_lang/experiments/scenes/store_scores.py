"""Scores of names on the scenes of a store: by a student's network, or from a saved table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.results.scores import Cell, Place, Scores
from pickclutter_lang.students.student import MultiLabelStudent, predict_scenes

_SPLITS = ("id", "ood")


def predict_store(model: MultiLabelStudent, scenes: SceneDataset, names: Mapping[str, bool]) -> Predictions:
    """Return a network's scores of names on all scenes, with their labels.

    :param names: name -> whether it is unseen; a name that the store has no label of is in none of its scenes
    """
    return with_labels(scenes, names, predict_scenes(model, scenes, list(names)))


def with_labels(
    scenes: SceneDataset, names: Mapping[str, bool], scores: Tensor, rows: Sequence[int] | None = None
) -> Predictions:
    """Return scores [N, C] of names with what is true; see `predict_store`."""
    chosen = [*range(len(scenes))] if rows is None else list(rows)
    targets = torch.zeros(scores.shape, dtype=torch.bool)
    for column, name in enumerate(names):
        if name in scenes.label_names:
            targets[:, column] = scenes.labels[chosen, scenes.label_names.index(name)].bool()
    ids = scenes.scene_ids
    return Predictions(scores, targets, list(names), torch.tensor(list(names.values())), [ids[row] for row in chosen])


def cell_of(predictions: Predictions, thresholds: float | Tensor, source: str) -> Cell:
    """Return predictions on a store as a cell of a table.

    :param thresholds: one, or one for each label [C]
    :param source: content hash of the store
    """
    return Cell(
        tuple(predictions.scenes),
        tuple(predictions.names),
        predictions.probabilities.float().numpy(),
        predictions.targets.bool().numpy(),
        (predictions.probabilities > thresholds).numpy(),
        source,
    )


def cells_of(
    predictions: Predictions, stage: str, store: str, thresholds: float | Tensor, source: str
) -> Iterator[tuple[Place, Cell]]:
    """Yield `cell_of` of predictions in two parts, `id_on_<store>` and `ood_on_<store>`."""
    whole = cell_of(predictions, thresholds, source)
    for split in _SPLITS:
        if labels := predictions.of_splits((split,)).names:
            yield (stage, f"{split}_on_{store}"), whole.of_labels(labels)


def predictions_of(scores: Scores, stage: str, store: str) -> Predictions | None:
    """Return the predictions of a stage on a store from a run's scores; None where there are none."""
    places = [(split, f"{split}_on_{store}") for split in _SPLITS if (stage, f"{split}_on_{store}") in scores.places]
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
