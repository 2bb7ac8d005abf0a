"""From scores to yes and no: one threshold for all labels, one for each split of them, or one for each."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.experiments.scenes.predictions import Predictions
from pickclutter_lang.metrics import observation_f1

DEFAULT_THRESHOLD = 0.5
"""The threshold of the paper's program; its figures stand beside those at thresholds from X_id."""
_EDGE = 1e-4


def best_threshold(probabilities: Tensor, targets: Tensor) -> float:
    """Return the threshold out of 0.02, 0.04 ... 0.98 with the best F1 per observation, the smallest of equals."""
    candidates = [n / 50 for n in range(1, 50)]
    scores = [observation_f1(probabilities > threshold, targets) for threshold in candidates]
    return candidates[int(np.argmax(np.nan_to_num(scores)))]


def matched_fpr_thresholds(predictions: Predictions, threshold: float) -> Tensor:
    """Return a threshold for each label, at which it raises false alarms as often as any other.

    A student gives names that it was not trained on lower scores, present or not, so that one threshold for all
    finds fewer of them. Scenes of X_id hold none of these objects, and that is known without a label of them: what
    their names score there are false alarms. Each label's threshold leaves as many scenes that lack it above as
    `threshold` does for the labels of Y_id together.

    :param predictions: on X_id, of all labels
    :param threshold: for all labels of Y_id
    :return: float64 [C], within (0, 1)
    """
    known = predictions.of_splits(("id",))
    absent = known.probabilities[~known.targets].double()
    rate = float((absent > threshold).double().mean()) if len(absent) else 0.0
    return fpr_thresholds(predictions, rate, threshold)


def fpr_thresholds(predictions: Predictions, share: float, otherwise: float) -> Tensor:
    """Return a threshold for each label [C], float64 within (0, 1), above which a share of the scenes without it lie.

    :param share: of false alarms, in 0..1
    :param otherwise: threshold of a label that every scene has
    """
    found = []
    for scores, targets in zip(predictions.probabilities.double().T, predictions.targets.T, strict=True):
        lacking = scores[~targets]
        found.append(float(torch.quantile(lacking, 1 - share)) if len(lacking) else otherwise)
    return torch.tensor(found, dtype=torch.float64).clamp(_EDGE, 1 - _EDGE)


def per_split_fpr_thresholds(predictions: Predictions, share: float, otherwise: float = DEFAULT_THRESHOLD) -> Tensor:
    """Return a threshold for each label [C], float64 within (0, 1): one for all of Y_id and one for all of Y_ood.

    Of the pairs of a scene and a label that it lacks a share lies above. Within a split all labels have one
    threshold, so that those that are easily confused with others (a fork, a knife) raise most of the alarms and the rest
    few: where a score means the same for all of them, fewer objects that are there are missed at as many false alarms
    in all than with `fpr_thresholds`. Labels of Y_ood have their own, since a student scores them lower, whether
    they are there or not.

    :param share: of false alarms, in 0..1
    :param otherwise: threshold where every scene has all the labels of a split
    """
    found = torch.full((len(predictions.names),), otherwise, dtype=torch.float64)
    for split in (~predictions.unseen, predictions.unseen):
        lacking = predictions.probabilities[:, split][~predictions.targets[:, split]].double()
        if len(lacking):
            found[split] = torch.quantile(lacking, 1 - share)
    return found.clamp(_EDGE, 1 - _EDGE)


def recenter_scores(probabilities: Tensor, thresholds: Tensor) -> Tensor:
    """Return probabilities [N, C] with the threshold of each label [C] moved to 0.5; the order of its scores stays."""
    scores = probabilities.double()
    below, above = (
        scores * DEFAULT_THRESHOLD / thresholds,
        DEFAULT_THRESHOLD + (scores - thresholds) * DEFAULT_THRESHOLD / (1 - thresholds),
    )
    return torch.where(scores > thresholds, above, below.clamp(max=DEFAULT_THRESHOLD))
