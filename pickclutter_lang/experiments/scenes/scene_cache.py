"""The stage `retrieval`: the distilled student, and the few-shot scenes as a cache instead of fine-tuning on them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.distillation.tip_adapter import balanced_values, cache_logits
from pickclutter_lang.experiments.cache_tuning import CacheParameters, tune_cache
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.metrics import mean_average_precision
from pickclutter_lang.students.inference import predict_batch
from pickclutter_lang.students.model import PromptedStudent

EVALUATED = ("id", "ood")
"""The stores that are evaluated: X_id and X_ood."""
_BATCH = 64


class CacheFeatures(NamedTuple):
    """Zero-shot `logits` [N, C] of C labels in N scenes, and `features` [N, C, D].

    A label's feature is the mean of the normalized spatial features under its attention map.
    """

    logits: Tensor
    features: Tensor


def retrieve(run: SceneRun) -> tuple[dict[str, Tensor], CacheParameters]:
    """Return the probabilities [N, C] of all labels on the stores of `EVALUATED`, by the weights that are loaded."""
    names, columns = run.label_names(("id", "ood")), run.label_indices(("id", "ood"))
    cache = extract_cache_features(run.model, run.scenes["fewshot"], names)
    targets = run.scenes["fewshot"].labels[:, columns]
    choice = tune_scene_cache(cache, targets)
    probabilities = {}
    for scenes in EVALUATED:
        queries = extract_cache_features(run.model, run.scenes[scenes], names)
        cached = label_cache_logits(queries.features, cache.features, targets, choice.beta)
        probabilities[scenes] = torch.sigmoid(queries.logits + choice.alpha * cached)
    return probabilities, choice


def tune_scene_cache(cache: CacheFeatures, targets: Tensor) -> CacheParameters:
    """Return the weight and sharpness with the best mean average precision on the few-shot scenes.

    :param targets: bool [M, C] of the scenes of the cache
    """
    return tune_cache(
        cache.logits,
        lambda beta: leave_one_out(cache.features, targets, beta),
        lambda logits: mean_average_precision(torch.sigmoid(logits), targets),
    )


def label_cache_logits(queries: Tensor, keys: Tensor, targets: Tensor, beta: float) -> Tensor:
    """Return the logits of the cache for every label [N, C], each by its own features.

    :param queries: [N, C, D]
    :param keys: [M, C, D]
    :param targets: bool [M, C]
    """
    values = balanced_values(targets)
    return torch.cat(
        [cache_logits(queries[:, n], keys[:, n], values[:, n : n + 1], beta=beta) for n in range(targets.shape[1])],
        dim=1,
    )


def leave_one_out(features: Tensor, targets: Tensor, beta: float) -> Tensor:
    """Return the logits that the other scenes give each one [M, C]; 0 where there is no other."""
    rows = torch.arange(len(targets))
    logits = torch.zeros(targets.shape)
    for row in rows if len(rows) > 1 else []:
        others = rows != row
        logits[row] = label_cache_logits(features[row : row + 1], features[others], targets[others], beta)[0]
    return logits


@torch.no_grad()
def extract_cache_features(model: PromptedStudent, scenes: SceneDataset, names: list[str]) -> CacheFeatures:
    """Return logits and features of labels in every scene, on the CPU."""
    logits, features = [], []
    for first in range(0, len(scenes), _BATCH):
        rows = range(first, min(first + _BATCH, len(scenes)))
        prediction = predict_batch(model, scenes, rows, names)
        cells = functional.normalize(prediction.spatial, dim=1)
        logits.append(torch.logit(prediction.probabilities, eps=1e-6).cpu())
        features.append(torch.einsum("nchw,ndhw->ncd", prediction.attention, cells).cpu())
    return CacheFeatures(torch.cat(logits), torch.cat(features))
