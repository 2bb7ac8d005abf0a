"""The stage `retrieval`: the distilled student, and the few-shot scenes as a cache instead of fine-tuning on them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.distillation.tip_adapter import balanced_values, cache_logits
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.metrics import mean_average_precision
from pickclutter_lang.students.inference import predict_batch
from pickclutter_lang.students.model import PromptedStudent

ALPHAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
BETAS = (1.0, 3.0, 5.5, 10.0, 20.0, 50.0, 100.0)
EVALUATED = ("id", "ood")
"""The stores that are evaluated: X_id and X_ood."""
_BATCH = 64


class CacheFeatures(NamedTuple):
    """What a student sees of C labels in N scenes: zero-shot logits [N, C], and `features` [N, C, D].

    A label's feature is the mean of the normalized local features under its localisation map: what classifies it.
    """

    logits: Tensor
    features: Tensor


class CacheParameters(NamedTuple):
    """Weight of the cache, sharpness of the affinity, and the mAP they had on the few-shot scenes, each left out."""

    alpha: float
    beta: float
    leave_one_out_map: float


def retrieve(run: SceneRun) -> tuple[dict[str, Tensor], CacheParameters]:
    """Return the probabilities [N, C] of all labels on the stores of `EVALUATED`, by the weights that are loaded."""
    names, columns = run.label_names(("id", "ood")), run.label_indices(("id", "ood"))
    cache = extract_cache_features(run.model, run.scenes["fewshot"], names)
    targets = run.scenes["fewshot"].labels[:, columns]
    choice = tune_cache(cache, targets)
    probabilities = {}
    for scenes in EVALUATED:
        seen = extract_cache_features(run.model, run.scenes[scenes], names)
        said = label_cache_logits(seen.features, cache.features, targets, choice.beta)
        probabilities[scenes] = torch.sigmoid(seen.logits + choice.alpha * said)
    return probabilities, choice


def tune_cache(cache: CacheFeatures, targets: Tensor) -> CacheParameters:
    """Return the best weight and sharpness on the few-shot scenes, each scored by the others; smaller ones of equals.

    :param targets: bool [M, C] of the scenes of the cache
    """
    best = CacheParameters(0.0, BETAS[0], mean_average_precision(cache.logits.sigmoid(), targets))
    for beta in BETAS:
        said = leave_one_out(cache.features, targets, beta)
        for alpha in ALPHAS[1:]:
            score = mean_average_precision(torch.sigmoid(cache.logits + alpha * said), targets)
            if score > best.leave_one_out_map:
                best = CacheParameters(alpha, beta, score)
    return best


def label_cache_logits(queries: Tensor, keys: Tensor, targets: Tensor, beta: float) -> Tensor:
    """Return what the cache says of every label [N, C], each by its own features.

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
    """Return what the others say of each scene [M, C]; 0 where there is no other."""
    rows = torch.arange(len(targets))
    said = torch.zeros(targets.shape)
    for row in rows if len(rows) > 1 else []:
        others = rows != row
        said[row] = label_cache_logits(features[row : row + 1], features[others], targets[others], beta)[0]
    return said


@torch.no_grad()
def extract_cache_features(model: PromptedStudent, scenes: SceneDataset, names: list[str]) -> CacheFeatures:
    """Return what a student sees of labels in every scene, on the CPU."""
    logits, features = [], []
    for first in range(0, len(scenes), _BATCH):
        rows = range(first, min(first + _BATCH, len(scenes)))
        prediction = predict_batch(model, scenes, rows, names)
        cells = functional.normalize(prediction.spatial, dim=1)
        logits.append(torch.logit(prediction.probabilities, eps=1e-6).cpu())
        features.append(torch.einsum("nchw,ndhw->ncd", prediction.attention, cells).cpu())
    return CacheFeatures(torch.cat(logits), torch.cat(features))
