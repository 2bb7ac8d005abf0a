"""Predictions for all scenes of a store."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.students.model import Prediction, PromptedStudent

_BATCH = 64


@torch.no_grad()
def predict_scenes(model: PromptedStudent, scenes: SceneDataset, labels: Sequence[str]) -> Tensor:
    """Return the probabilities [N, C] of labels for every scene, on the CPU; the model is left in eval mode."""
    parts = []
    for first in range(0, len(scenes), _BATCH):
        rows = range(first, min(first + _BATCH, len(scenes)))
        parts.append(predict_batch(model, scenes, rows, labels).probabilities.cpu())
    return torch.cat(parts)


@torch.no_grad()
def predict_batch(
    model: PromptedStudent, scenes: SceneDataset, rows: Sequence[int], labels: Sequence[str]
) -> Prediction:
    """Return the prediction for some scenes; the model is left in eval mode."""
    if model.training:
        model.eval()
    device = next(model.parameters()).device
    return model.predict(scenes.batch(rows).to(device), labels)
