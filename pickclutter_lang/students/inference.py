"""Inference: predictions of a student for the scenes of a store, in batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.students.model import Prediction, PromptedStudent

_BATCH_SIZE = 64


@torch.no_grad()
def predict_scenes(
    model: PromptedStudent, scenes: SceneDataset, labels: Sequence[str], rows: Sequence[int] | None = None
) -> Tensor:
    """Return the probabilities [N, C] of labels for every scene, on the CPU; the model is left in eval mode.

    :param rows: indices of N scenes; None: all
    """
    chosen = range(len(scenes)) if rows is None else rows
    batches = (chosen[first : first + _BATCH_SIZE] for first in range(0, len(chosen), _BATCH_SIZE))
    return torch.cat([predict_batch(model, scenes, batch, labels).probabilities.cpu() for batch in batches])


@torch.no_grad()
def predict_batch(
    model: PromptedStudent, scenes: SceneDataset, rows: Sequence[int], labels: Sequence[str]
) -> Prediction:
    """Return the prediction for some scenes; the model is left in eval mode."""
    if model.training:
        model.eval()
    device = next(model.parameters()).device
    return model.predict(scenes.batch(rows).to(device), labels)
