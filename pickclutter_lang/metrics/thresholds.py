"""Scores of labels on scenes, and decision thresholds: one for all labels, one for each split, or one for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.metrics.multilabel import observation_f1

DEFAULT_THRESHOLD = 0.5
"""The threshold of the paper's code; results are reported at it and at thresholds from X_id."""
_EDGE = 1e-4


@dataclass(frozen=True)
class Predictions:
    """Probabilities [N, C] in 0..1 and targets [N, C] of named labels; `unseen` [C] marks those of Y_ood."""

    probabilities: Tensor
    targets: Tensor
    names: list[str]
    unseen: Tensor
    scenes: list[str]

    def of_splits(self, splits: Sequence[str]) -> Predictions:
        """Return the labels of Y_id (`id`), Y_ood (`ood`) or both."""
        columns = [n for n, out in enumerate(self.unseen.tolist()) if ("ood" if out else "id") in splits]
        names = [self.names[n] for n in columns]
        return Predictions(
            self.probabilities[:, columns], self.targets[:, columns], names, self.unseen[columns], self.scenes
        )


def best_threshold(probabilities: Tensor, targets: Tensor) -> float:
    """Return the threshold out of 0.02, 0.04 ... 0.98 with the best F1 per observation, the smallest of equals."""
    candidates = [n / 50 for n in range(1, 50)]
    scores = [observation_f1(probabilities > threshold, targets) for threshold in candidates]
    return candidates[int(np.argmax(np.nan_to_num(scores)))]


def fpr_thresholds(
    predictions: Predictions, share: float, groups: Iterable[Tensor], otherwise: float = DEFAULT_THRESHOLD
) -> Tensor:
    """Return a threshold for each label [C], float64 within (0, 1); the labels of a group share one.

    Of the pairs of a scene and a label of the group that it lacks, a share scores above the threshold.

    :param share: of false alarms, in 0..1
    :param groups: which labels are in each, bool [C]
    :param otherwise: threshold of a group that every scene has all of
    """
    found = torch.full((len(predictions.names),), otherwise, dtype=torch.float64)
    for group in groups:
        lacking = predictions.probabilities[:, group][~predictions.targets[:, group]].double()
        if len(lacking):
            found[group] = torch.quantile(lacking, 1 - share)
    return found.clamp(_EDGE, 1 - _EDGE)


def matched_fpr_thresholds(predictions: Predictions, threshold: float, unlabeled: Predictions | None = None) -> Tensor:
    """Return a threshold for each label [C], at which all labels have the same false-positive rate.

    A student scores names that it was not trained on lower, present or absent, so that one threshold for all finds
    fewer of them. Scenes of X_id contain none of these objects: scores of their names there are false positives. At its
    threshold each label has the false-positive rate that `threshold` gives for the labels of Y_id together. Unlabeled
    scenes contain none of them either, and show more kinds of objects.

    :param predictions: on X_id, of all labels
    :param threshold: for all labels of Y_id
    :param unlabeled: on unlabeled scenes, of the labels of Y_ood; None: their thresholds come from X_id too
    """
    known = predictions.of_splits(("id",))
    absent = known.probabilities[~known.targets].double()
    rate = float((absent > threshold).double().mean()) if len(absent) else 0.0
    found = fpr_thresholds(predictions, rate, torch.eye(len(predictions.names), dtype=torch.bool), threshold)
    if unlabeled is not None:
        own = torch.eye(len(unlabeled.names), dtype=torch.bool)
        columns = [predictions.names.index(name) for name in unlabeled.names]
        found[columns] = fpr_thresholds(unlabeled, rate, own, threshold)
    return found


def policy_thresholds(false_positive_rate: float, scores: Mapping[str, Predictions]) -> dict[str, float]:
    """Return the threshold of each name: one for all of Y_id and one for all of Y_ood.

    Labels that are easily confused (a fork, a knife) then raise most of the false alarms. Where scores are comparable
    between labels, this misses fewer objects than a threshold for each label at equally many false alarms.

    :param scores: store -> predictions. Those on `id` give the thresholds of Y_id, and alone all of them. Those on
        `fewshot` give the thresholds of Y_ood, and for Y_id the higher one of both stores counts. Those on `unlabeled`
        are of Y_ood and give their thresholds.
    """
    found: dict[str, float] = {}
    for store, of_store in scores.items():
        values = fpr_thresholds(of_store, false_positive_rate, (~of_store.unseen, of_store.unseen)).tolist()
        for name, unseen, value in zip(of_store.names, of_store.unseen.tolist(), values, strict=True):
            found[name] = value if unseen or store == "id" else max(value, found[name])
    return found


def recenter_scores(probabilities: Tensor, thresholds: Tensor) -> Tensor:
    """Return probabilities [N, C] with the threshold of each label [C] moved to 0.5; the order of its scores stays."""
    scores = probabilities.double()
    below = scores * DEFAULT_THRESHOLD / thresholds
    above = DEFAULT_THRESHOLD + (scores - thresholds) * DEFAULT_THRESHOLD / (1 - thresholds)
    return torch.where(scores > thresholds, above, below.clamp(max=DEFAULT_THRESHOLD))
