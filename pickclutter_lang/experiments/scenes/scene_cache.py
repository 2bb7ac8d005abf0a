"""The stage `retrieval`: the distilled student, and the few-shot scenes as a cache instead of fine-tuning on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.distillation.tip_adapter import CacheParameters, balanced_values, cache_logits, tune_cache
from pickclutter_lang.metrics import mean_average_precision
from pickclutter_lang.students.student import MultiLabelStudent, predict_batch
from pickclutter_lang.training.config import RetrievalConfig

if TYPE_CHECKING:
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun

EVALUATED = ("id", "ood")
"""The stores that are evaluated: X_id and X_ood."""
_BATCH = 64


class CacheFeatures(NamedTuple):
    """Zero-shot `logits` [N, C] of C labels in N scenes, and `features` [N, C, D] that are compared with keys.

    With the student's keys, a label's feature is the mean of the normalized spatial features under its attention map.
    With the teacher's, every label has the pooled feature, which L_im-cst draws to the teacher's.
    """

    logits: Tensor
    features: Tensor


def retrieve(run: SceneRun) -> tuple[dict[str, Tensor], CacheParameters]:
    """Return the probabilities [N, C] of all labels on the stores of `EVALUATED`, by the weights that are loaded."""
    config, names = run.config.retrieval, run.label_names(("id", "ood"))
    examples = extract_cache_features(config, run.model, run.scenes["fewshot"], names)
    targets = run.scenes["fewshot"].labels[:, run.label_indices(("id", "ood"))]
    keys = examples.features[:, None]
    if config.keys == "teacher":
        keys = run.teacher_keys[:, :, None].expand(-1, -1, len(names), -1)
    choice = tune_scene_cache(config, examples, keys, targets)
    probabilities = {}
    for scenes in EVALUATED:
        queries = extract_cache_features(config, run.model, run.scenes[scenes], names)
        cached = label_cache_logits(queries.features, keys, targets, choice.beta)
        probabilities[scenes] = torch.sigmoid(queries.logits + choice.alpha * cached)
    return probabilities, choice


def tune_scene_cache(
    config: RetrievalConfig, examples: CacheFeatures, keys: Tensor, targets: Tensor
) -> CacheParameters:
    """Return weight and sharpness; tuned, those with the best mean average precision on the few-shot scenes.

    :param examples: of the M scenes of the cache
    :param keys: [M, V, C, D]
    :param targets: bool [M, C]
    """
    return tune_cache(
        config.alpha,
        config.beta,
        examples.logits,
        lambda beta: leave_one_out(examples.features, keys, targets, beta),
        lambda logits: mean_average_precision(torch.sigmoid(logits), targets),
    )


def label_cache_logits(queries: Tensor, keys: Tensor, targets: Tensor, beta: float) -> Tensor:
    """Return the logits of the cache for every label [N, C], each by its own features.

    :param queries: [N, C, D]
    :param keys: [M, V, C, D] of V views of M scenes
    :param targets: bool [M, C]
    """
    values = balanced_values(targets.repeat_interleave(keys.shape[1], dim=0))
    cached = keys.flatten(0, 1)
    return torch.cat(
        [cache_logits(queries[:, n], cached[:, n], values[:, n : n + 1], beta=beta) for n in range(targets.shape[1])],
        dim=1,
    )


def leave_one_out(features: Tensor, keys: Tensor, targets: Tensor, beta: float) -> Tensor:
    """Return the logits [M, C] that the other scenes' keys give the features [M, C, D]; 0 where there is no other."""
    rows = torch.arange(len(targets))
    logits = torch.zeros(targets.shape)
    for row in rows if len(rows) > 1 else []:
        others = rows != row
        logits[row] = label_cache_logits(features[row : row + 1], keys[others], targets[others], beta)[0]
    return logits


@torch.no_grad()
def extract_cache_features(
    config: RetrievalConfig, model: MultiLabelStudent, scenes: SceneDataset, names: list[str]
) -> CacheFeatures:
    """Return logits and features of labels in every scene, on the CPU."""
    logits, features = [], []
    learned_scale = float(model.aggregation.log_scale.exp())
    rescale = 1.0 if config.temperature is None else 1 / (config.temperature * learned_scale)
    for first in range(0, len(scenes), _BATCH):
        rows = range(first, min(first + _BATCH, len(scenes)))
        prediction = predict_batch(model, scenes, rows, names)
        logits.append(rescale * torch.logit(prediction.probabilities, eps=1e-6).cpu())
        if config.keys == "teacher":
            features.append(prediction.pooled.cpu()[:, None].expand(-1, len(names), -1))
        else:
            cells = functional.normalize(prediction.spatial, dim=1)
            features.append(torch.einsum("nchw,ndhw->ncd", prediction.attention, cells).cpu())
    return CacheFeatures(torch.cat(logits), torch.cat(features))
