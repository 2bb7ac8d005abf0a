"""The stage `retrieval`: the distilled student, and the few-shot scenes as a cache instead of fine-tuning on them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation.retrieval import balanced_values, retrieval_logits
from pickclutter_lang.metrics import mean_average_precision
from pickclutter_lang.training.data import SceneSet
from pickclutter_lang.training.inference import predict_rows
from pickclutter_lang.training.model import AffordanceModel
from pickclutter_lang.training.run import Run

ALPHAS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
BETAS = (1.0, 3.0, 5.5, 10.0, 20.0, 50.0, 100.0)
EVALUATED = ("id", "ood")
"""The stores that are evaluated: X_id and X_ood."""
_BATCH = 64


class Look(NamedTuple):
    """What a student sees of C labels in N scenes: zero-shot logits [N, C], and `features` [N, C, D].

    A label's feature is the mean of the normalised local features under its localisation map: what classifies it.
    """

    logits: Tensor
    features: Tensor


class Choice(NamedTuple):
    """Weight of the cache, sharpness of the affinity, and the mAP they had on the few-shot scenes, each left out."""

    alpha: float
    beta: float
    leave_one_out_map: float


def retrieve(run: Run) -> tuple[dict[str, Tensor], Choice]:
    """Return the probabilities [N, C] of all labels on the stores of `EVALUATED`, by the weights that are loaded."""
    names, columns = run.names(("id", "ood")), run.columns(("id", "ood"))
    cache = look(run.model, run.scenes["fewshot"], names)
    targets = run.scenes["fewshot"].labels[:, columns]
    choice = choose(cache, targets)
    probabilities = {}
    for scenes in EVALUATED:
        seen = look(run.model, run.scenes[scenes], names)
        said = evidence(seen.features, cache.features, targets, choice.beta)
        probabilities[scenes] = torch.sigmoid(seen.logits + choice.alpha * said)
    return probabilities, choice


def choose(cache: Look, targets: Tensor) -> Choice:
    """Return the best weight and sharpness on the few-shot scenes, each scored by the others; smaller ones of equals.

    :param targets: bool [M, C] of the scenes of the cache
    """
    best = Choice(0.0, BETAS[0], mean_average_precision(cache.logits.sigmoid(), targets))
    for beta in BETAS:
        said = leave_one_out(cache.features, targets, beta)
        for alpha in ALPHAS[1:]:
            score = mean_average_precision(torch.sigmoid(cache.logits + alpha * said), targets)
            if score > best.leave_one_out_map:
                best = Choice(alpha, beta, score)
    return best


def evidence(queries: Tensor, keys: Tensor, targets: Tensor, beta: float) -> Tensor:
    """Return what the cache says of every label [N, C], each by its own features.

    :param queries: [N, C, D]
    :param keys: [M, C, D]
    :param targets: bool [M, C]
    """
    values = balanced_values(targets)
    return torch.cat(
        [retrieval_logits(queries[:, n], keys[:, n], values[:, n : n + 1], beta=beta) for n in range(targets.shape[1])],
        dim=1,
    )


def leave_one_out(features: Tensor, targets: Tensor, beta: float) -> Tensor:
    """Return what the others say of each scene [M, C]; 0 where there is no other."""
    rows = torch.arange(len(targets))
    said = torch.zeros(targets.shape)
    for row in rows if len(rows) > 1 else []:
        others = rows != row
        said[row] = evidence(features[row : row + 1], features[others], targets[others], beta)[0]
    return said


@torch.no_grad()
def look(model: AffordanceModel, scenes: SceneSet, names: list[str]) -> Look:
    """Return what a student sees of labels in every scene, on the CPU."""
    logits, features = [], []
    for first in range(0, len(scenes), _BATCH):
        rows = range(first, min(first + _BATCH, len(scenes)))
        prediction = predict_rows(model, scenes, rows, names)
        cells = functional.normalize(prediction.local, dim=1)
        logits.append(torch.logit(prediction.probabilities, eps=1e-6).cpu())
        features.append(torch.einsum("nchw,ndhw->ncd", prediction.maps, cells).cpu())
    return Look(torch.cat(logits), torch.cat(features))
