"""Multi-label metrics (section 7, Table 12), and the baselines that ignore the image.

Of N observations and C labels: `predictions` and `targets` [N, C] are bool, or numbers that are 0 or 1; `probabilities`
[N, C] lie in [0, 1]. Metrics are in [0, 1]. Other shapes or values raise InvalidArgumentError.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError


def overall_accuracy(predictions: Tensor, targets: Tensor) -> float:
    """Return the micro accuracy: the fraction of correct predictions over all observations and labels (Table 12)."""
    predicted, present = _binary_pair(predictions, targets)
    return float((predicted == present).double().mean())


def observation_f1(predictions: Tensor, targets: Tensor) -> float:
    """Return the F1 of each observation over its labels, averaged over observations (Table 12).

    This is scikit-learn's `average="samples"`. Observations without a positive label are left out; NaN for all.
    """
    hits, predicted, present = _counts(predictions, targets)
    return _mean(2 * hits / (predicted + present))


def precision_recall(predictions: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return precision and recall of each observation, averaged as in `observation_f1`.

    An observation in which nothing is predicted has precision 0.
    """
    hits, predicted, present = _counts(predictions, targets)
    return _mean(hits / predicted.clamp(min=1)), _mean(hits / present)


def average_precisions(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return the average precision of each label over the observations, float64 [C]; NaN without positives."""
    present = _scored(probabilities, targets)
    result = torch.full((probabilities.shape[1],), math.nan, dtype=torch.float64)
    for label_index in present.any(dim=0).nonzero().flatten().tolist():
        result[label_index] = _average_precision(probabilities[:, label_index], present[:, label_index])
    return result


def mean_average_precision(probabilities: Tensor, targets: Tensor) -> float:
    """Return the mean over labels of average precision; those without positives are left out, NaN for all."""
    values = average_precisions(probabilities, targets)
    return _mean(values[~values.isnan()])


def multilabel_row(probabilities: Tensor, targets: Tensor, *, threshold: float = 0.5) -> dict[str, float]:
    """Return the metrics of a row of Table 12: `accuracy`, `f1`, `precision`, `recall` and `map`.

    :param threshold: a label is predicted where its probability is above this
    """
    present, predictions = _scored(probabilities, targets), probabilities > threshold
    precision, recall = precision_recall(predictions, present)
    return {
        "accuracy": overall_accuracy(predictions, present),
        "f1": observation_f1(predictions, present),
        "precision": precision,
        "recall": recall,
        "map": mean_average_precision(probabilities, present),
    }


def class_rows(probabilities: Tensor, targets: Tensor, *, threshold: float = 0.5) -> list[dict[str, float]]:
    """Return the metrics of each label over the observations.

    :param threshold: a label is predicted where its probability is above this
    :return: for each label `average_precision`, `f1`, `precision` (0 where nothing is predicted), `recall`, and
        `support`, the number of its positives; without positives all but `support` are NaN
    """
    precisions = average_precisions(probabilities, targets)
    predicted, present = _binary_pair(probabilities > threshold, targets)
    hits, n_predicted, support = (table.sum(dim=0).double() for table in (predicted & present, predicted, present))
    columns = {
        "average_precision": precisions,
        "f1": torch.where(support > 0, 2 * hits / (n_predicted + support), math.nan),
        "precision": torch.where(support > 0, hits / n_predicted.clamp(min=1), math.nan),
        "recall": hits / support,
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
    constant = torch.zeros_like(frequencies)
    return {
        "always_no": multilabel_row(constant, targets),
        "always_yes": multilabel_row(constant + 1, targets),
        "label_frequency": multilabel_row(frequencies, targets, threshold=threshold),
    }


def _average_precision(scores: Tensor, present: Tensor) -> Tensor:
    """Return the area under the steps of precision over recall, float32; equal scores are one step.

    :param scores: [N]
    :param present: bool [N], with at least one positive
    """
    order = scores.argsort(descending=True)
    scores, hits = scores[order], present[order].cumsum(dim=0)
    step_ends = torch.cat(
        [(scores.diff() != 0).nonzero().flatten(), torch.tensor([len(scores) - 1], device=scores.device)]
    )
    precision, recall = hits[step_ends] / (step_ends + 1), hits[step_ends] / hits[-1]
    # Summed from the last step to the first, as torchmetrics does, for bit-identical values.
    return (recall.diff(prepend=recall.new_zeros(1)) * precision).flip(0).sum()


def _counts(predictions: Tensor, targets: Tensor) -> tuple[Tensor, ...]:
    """Return hits, predicted and present labels of each observation with a positive label: counts, float64 [M]."""
    predicted, present = _binary_pair(predictions, targets)
    has_positive = present.any(dim=1)
    predicted, present = predicted[has_positive], present[has_positive]
    return tuple(table.sum(dim=1).double() for table in (predicted & present, predicted, present))


def _mean(values: Tensor) -> float:
    return float(values.mean()) if values.numel() else math.nan


def _binary_pair(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return both as bool [N, C]."""
    for tensor in (predictions, targets):
        if tensor.ndim != 2 or 0 in tensor.shape or predictions.shape != targets.shape:
            raise InvalidArgumentError(
                "expected predictions and targets of one shape [N, C] with N, C >= 1, got "
                f"{list(predictions.shape)} and {list(targets.shape)}"
            )
        if tensor.dtype != torch.bool and not bool(((tensor == 0) | (tensor == 1)).all()):
            raise InvalidArgumentError(
                "expected predictions and targets of 0 and 1 alone; compare probabilities with a threshold first"
            )
    return predictions.bool(), targets.bool()


def _scored(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return the targets as bool [N, C]."""
    if not probabilities.is_floating_point() or not bool(((probabilities >= 0) & (probabilities <= 1)).all()):
        raise InvalidArgumentError("expected probabilities as floating point in [0, 1]; logits need a sigmoid first")
    return _binary_pair(torch.zeros_like(probabilities, dtype=torch.bool), targets)[1]
