"""Multi-label metrics (section 7, Table 12), weighted ones for resamples, and the baselines that ignore the image.

Of N observations and C labels: `predictions` and `targets` [N, C] are bool, or numbers that are 0 or 1; `probabilities`
[N, C] lie in [0, 1]. Metrics are in [0, 1]. Other shapes or values raise InvalidArgumentError.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.shapes import of_shapes
from pickclutter_lang.utils.typing import AnyFloatArray, FloatArray

BoolArray = NDArray[np.bool_]
_TINY = 1e-12
_BLOCK = 64  # resamples whose arrays over all observations stay in the cache of a core


def overall_accuracy(predictions: Tensor, targets: Tensor) -> float:
    """Return the micro accuracy: the fraction of correct predictions over all observations and labels (Table 12)."""
    predicted, present = _binary_pair(predictions, targets)
    return float((predicted == present).mean())


def observation_f1(predictions: Tensor, targets: Tensor) -> float:
    """Return the F1 of each observation over its labels, averaged over observations (Table 12).

    This is scikit-learn's `average="samples"`. Observations without a positive label are left out; NaN for all.
    """
    predicted, present = _binary_pair(predictions, targets)
    observations, labels = (np.ones((1, size)) for size in present.shape)
    return float(weighted_f1(predicted, present, observations, labels)[0])


def precision_recall(predictions: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return precision and recall of each observation, averaged as in `observation_f1`.

    An observation in which nothing is predicted has precision 0.
    """
    predicted, present = _binary_pair(predictions, targets)
    rows = present.any(axis=1)
    hits, said, true = (table[rows].sum(axis=1) for table in (predicted & present, predicted, present))
    return (float((hits / np.maximum(said, 1)).mean()), float((hits / true).mean())) if rows.any() else (math.nan,) * 2


def average_precisions(probabilities: Tensor, targets: Tensor) -> FloatArray:
    """Return the average precision of each label over the observations, [C]; NaN without positives."""
    scores, present = _scored(probabilities, targets)
    once = np.ones((1, len(scores)))
    return np.array([weighted_ap(scores[:, n], present[:, n], once)[0] for n in range(scores.shape[1])])


def mean_average_precision(probabilities: Tensor, targets: Tensor) -> float:
    """Return the mean over labels of average precision; those without positives are left out, NaN for all."""
    known = [value for value in average_precisions(probabilities, targets).tolist() if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def multilabel_row(probabilities: Tensor, targets: Tensor, *, threshold: float = 0.5) -> dict[str, float]:
    """Return the metrics of a row of Table 12: `accuracy`, `f1`, `precision`, `recall` and `map`.

    :param threshold: a label is predicted where its probability is above this
    """
    predictions = probabilities > threshold
    precision, recall = precision_recall(predictions, targets)
    return {
        "accuracy": overall_accuracy(predictions, targets),
        "f1": observation_f1(predictions, targets),
        "precision": precision,
        "recall": recall,
        "map": mean_average_precision(probabilities, targets),
    }


def class_rows(probabilities: Tensor, targets: Tensor, *, threshold: float = 0.5) -> list[dict[str, float]]:
    """Return the metrics of each label over the observations.

    :param threshold: a label is predicted where its probability is above this
    :return: for each label `average_precision`, `f1`, `precision` (0 where nothing is predicted), `recall`, and
        `support`, the number of its positives; without positives all but `support` are NaN
    """
    predicted, present = _binary_pair(probabilities > threshold, targets)
    hits, said, support = (table.sum(axis=0).astype(float) for table in (predicted & present, predicted, present))
    known = np.where(support > 0, support, math.nan)
    columns = {
        "average_precision": average_precisions(probabilities, targets),
        "f1": 2 * hits / (said + known),
        "precision": hits / np.maximum(said, 1) * (known / known),
        "recall": hits / known,
    }
    return [
        {name: float(values[n]) for name, values in columns.items()} | {"support": int(support[n])}
        for n in range(len(support))
    ]


def trivial_predictors(frequency: Tensor, targets: Tensor, *, threshold: float = 0.5) -> dict[str, dict[str, float]]:
    """Return the metrics of three image-blind baselines, which every method should exceed.

    :param frequency: [C] in [0, 1], fraction of the training scenes with each label, 0 for an unseen label
    :param threshold: `label_frequency` predicts the labels whose frequency is above this
    :return: `always_no`, `always_yes`, `label_frequency` -> row as of `multilabel_row`
    """
    frequencies = frequency.double().to(targets.device).expand(targets.shape)
    return {
        "always_no": multilabel_row(0 * frequencies, targets),
        "always_yes": multilabel_row(0 * frequencies + 1, targets),
        "label_frequency": multilabel_row(frequencies, targets, threshold=threshold),
    }


def weighted_ap(scores: AnyFloatArray, present: BoolArray, weights: FloatArray) -> FloatArray:
    """Return the average precision of a label, where observations count as often as their weights.

    It is the area under the steps of precision over recall.

    :param scores: [N]; equal scores are one step
    :param present: [N]
    :param weights: [B, N], at least 0
    :return: [B], NaN where no positive has weight
    """
    order = np.argsort(-scores, kind="stable")
    positives = np.flatnonzero(present[order])
    group_ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    steps = group_ends[np.searchsorted(group_ends, positives)]  # for each positive: the last of those that score alike
    alike = np.searchsorted(positives, steps, side="right") - 1  # for each positive: the last positive of these
    found = np.empty(len(weights))
    for start in range(0, len(weights), _BLOCK):
        columns = weights[start : start + _BLOCK].T[order]  # [N, B]: rows are gathered and summed along memory
        total = columns.cumsum(axis=0)[steps]
        gained = columns[positives]
        hits = gained.cumsum(axis=0)[alike]
        with np.errstate(invalid="ignore"):
            found[start : start + _BLOCK] = (gained * hits / np.maximum(total, _TINY)).sum(axis=0) / gained.sum(axis=0)
    return found


def weighted_f1(predicted: BoolArray, present: BoolArray, weights: FloatArray, of_labels: FloatArray) -> FloatArray:
    """Return the F1 of each observation over its labels, averaged over those with a positive of a label that counts.

    :param weights: of the observations, [B or 1, N], and `of_labels` [B or 1, C], as in `weighted_ap`
    :return: [B], NaN where no such observation has weight
    """
    true, said, hit = (values.T.astype(float) for values in (present, predicted, predicted & present))
    count = max(len(weights), len(of_labels))
    weights, of_labels = (np.broadcast_to(one, (count, one.shape[1])) for one in (weights, of_labels))
    found = np.empty(count)
    for rows in (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK)):
        positives = of_labels[rows] @ true
        sizes = positives + of_labels[rows] @ said
        counted = weights[rows] * (positives > _TINY)
        hits = 2 * counted * (of_labels[rows] @ hit)
        with np.errstate(invalid="ignore"):
            found[rows] = (hits / np.maximum(sizes, _TINY)).sum(axis=1) / counted.sum(axis=1)
    return found


@of_shapes(predictions="NC", targets="NC")
def _binary_pair(predictions: Tensor, targets: Tensor) -> tuple[BoolArray, BoolArray]:
    """Return both as bool [N, C]."""
    pair = predictions.detach().cpu().numpy(), targets.detach().cpu().numpy()
    if not all(np.isin(values, (0, 1)).all() for values in pair):
        raise InvalidArgumentError(
            "expected predictions and targets of only 0 and 1; compare probabilities with a threshold first"
        )
    return pair[0].astype(bool, order="C"), pair[1].astype(bool, order="C")


def _scored(probabilities: Tensor, targets: Tensor) -> tuple[FloatArray, BoolArray]:
    """Return scores and targets [N, C]."""
    if not probabilities.is_floating_point() or not bool(((probabilities >= 0) & (probabilities <= 1)).all()):
        raise InvalidArgumentError("expected probabilities as floating point in [0, 1]; logits need a sigmoid first")
    present = _binary_pair(probabilities > 1, targets)[1]
    return probabilities.detach().double().cpu().numpy(), present
