"""Metrics of the multi-label setting (section 7, Table 12) and the predictors that look at no image."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError


def overall_accuracy(predictions: Tensor, targets: Tensor) -> float:
    """Return the share of right answers over all observations and labels (Table 12's accuracy).

    :param predictions: [N, C] bool, or numbers that are 0 or 1
    :param targets: [N, C] likewise
    :return: in [0, 1]
    :raises InvalidArgumentError: on other shapes or values
    """
    predicted, present = _binary_pair(predictions, targets)
    return float((predicted == present).double().mean())


def observation_f1(predictions: Tensor, targets: Tensor) -> float:
    """Return the F1 of each observation over its labels, averaged over observations (Table 12's F1).

    Observations without a positive label are left out.

    :param predictions: [N, C] bool, or numbers that are 0 or 1
    :param targets: [N, C] likewise
    :return: in [0, 1]; NaN where no observation has a positive label
    :raises InvalidArgumentError: on other shapes or values
    """
    hits, predicted, present = _counts(predictions, targets)
    return _mean(2 * hits / (predicted + present))


def precision_recall(predictions: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return precision and recall of each observation, averaged as in `observation_f1`.

    An observation in which nothing is predicted has precision 0.

    :param predictions: [N, C] bool, or numbers that are 0 or 1
    :param targets: [N, C] likewise
    :return: (precision, recall), in [0, 1]; NaN where no observation has a positive label
    :raises InvalidArgumentError: on other shapes or values
    """
    hits, predicted, present = _counts(predictions, targets)
    return _mean(hits / predicted.clamp(min=1)), _mean(hits / present)


def average_precisions(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return the average precision of each class over the observations.

    :param probabilities: [N, C] in [0, 1]
    :param targets: [N, C] bool, or numbers that are 0 or 1
    :return: float64 [C] in [0, 1], NaN for a class without positives
    :raises InvalidArgumentError: on other shapes or values
    """
    _check_probabilities(probabilities)
    present = _binary("targets", targets)
    _check_same_shape(probabilities, targets)
    result = torch.full((probabilities.shape[1],), math.nan, dtype=torch.float64)
    for column in present.any(dim=0).nonzero().flatten().tolist():
        result[column] = _average_precision(probabilities[:, column], present[:, column])
    return result


def mean_average_precision(probabilities: Tensor, targets: Tensor) -> float:
    """Return the mean over classes of average precision; classes without positives are left out.

    :param probabilities: [N, C] in [0, 1]
    :param targets: [N, C] bool, or numbers that are 0 or 1
    :return: in [0, 1]; NaN where no class has a positive
    :raises InvalidArgumentError: on other shapes or values
    """
    values = average_precisions(probabilities, targets)
    return _mean(values[~values.isnan()])


def multilabel_row(probabilities: Tensor, targets: Tensor, *, threshold: float = 0.5) -> dict[str, float]:
    """Return the cells of a row of Table 12: `accuracy`, `f1`, `precision`, `recall` and `map`.

    :param probabilities: [N, C] in [0, 1]
    :param targets: [N, C] bool, or numbers that are 0 or 1
    :param threshold: a label is predicted where its probability is above this
    :return: name -> value in [0, 1] or NaN, as the functions of this module
    :raises InvalidArgumentError: on other shapes or values
    """
    _check_probabilities(probabilities)
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
    """Return how well each class is told over the observations.

    :param probabilities: [N, C] in [0, 1]
    :param targets: [N, C] bool, or numbers that are 0 or 1
    :param threshold: a label is predicted where its probability is above this
    :return: for each class `average_precision`, `f1`, `precision` (0 where nothing is predicted), `recall`, in [0, 1],
        and `support`, the number of its positives; without positives all but `support` are NaN
    :raises InvalidArgumentError: on other shapes or values
    """
    precisions = average_precisions(probabilities, targets)
    predicted, present = _binary_pair(probabilities > threshold, targets)
    hits, said, support = (rows.sum(dim=0).double() for rows in (predicted & present, predicted, present))
    f1 = torch.where(support > 0, 2 * hits / (said + support), math.nan)
    precision = torch.where(support > 0, hits / said.clamp(min=1), math.nan)
    columns = {
        "average_precision": precisions,
        "f1": f1,
        "precision": precision,
        "recall": hits / support,
        "support": support,
    }
    return [
        {name: float(column[n]) for name, column in columns.items()} | {"support": int(support[n])}
        for n in range(len(support))
    ]


def trivial_predictors(
    targets_train_frequency: Tensor, targets: Tensor, *, threshold: float = 0.5
) -> dict[str, dict[str, float]]:
    """Return the rows of three predictors that look at no image; a method below them is not one.

    :param targets_train_frequency: [C] in [0, 1], share of the training scenes with each label, 0 for a label
        that was never seen
    :param targets: [N, C] bool, or numbers that are 0 or 1, of the evaluated observations
    :param threshold: `label_frequency` predicts the labels whose frequency is above this
    :return: `always_no`, `always_yes`, `label_frequency` -> row as of `multilabel_row`
    :raises InvalidArgumentError: on other shapes or values
    """
    present = _binary("targets", targets)
    if targets_train_frequency.shape != (present.shape[1],):
        raise InvalidArgumentError(
            f"expected one training frequency for each of {present.shape[1]} labels, "
            f"got {list(targets_train_frequency.shape)}"
        )
    frequency = targets_train_frequency.double().to(present.device).expand(present.shape)
    constant = torch.zeros_like(frequency)
    return {
        "always_no": multilabel_row(constant, present),
        "always_yes": multilabel_row(constant + 1, present),
        "label_frequency": multilabel_row(frequency, present, threshold=threshold),
    }


def _average_precision(scores: Tensor, present: Tensor) -> Tensor:
    """Return the area under the steps of precision over recall, float32; equal scores are one step.

    :param scores: [N]
    :param present: bool [N], with at least one positive
    """
    order = scores.argsort(descending=True)
    scores, hits = scores[order], present[order].cumsum(dim=0)
    last = torch.cat([(scores.diff() != 0).nonzero().flatten(), torch.tensor([len(scores) - 1], device=scores.device)])
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    # Summed from the last step to the first, as torchmetrics does, to give its values to the last bit.
    return (recall.diff(prepend=recall.new_zeros(1)) * precision).flip(0).sum()


def _counts(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hits, predicted and present labels of each observation with a positive label, float64 [M]."""
    predicted, present = _binary_pair(predictions, targets)
    kept = present.any(dim=1)
    predicted, present = predicted[kept], present[kept]
    return (
        (predicted & present).sum(dim=1).double(),
        predicted.sum(dim=1).double(),
        present.sum(dim=1).double(),
    )


def _mean(values: Tensor) -> float:
    """Return the mean, NaN of nothing."""
    return float(values.mean()) if values.numel() else math.nan


def _binary_pair(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return both as bool [N, C]."""
    pair = _binary("predictions", predictions), _binary("targets", targets)
    _check_same_shape(predictions, targets)
    return pair


def _binary(name: str, tensor: Tensor) -> Tensor:
    """Return a tensor of zeros and ones as bool [N, C]."""
    if tensor.ndim != 2 or 0 in tensor.shape:
        raise InvalidArgumentError(f"expected {name} [N, C] with N, C >= 1, got {list(tensor.shape)}")
    if tensor.dtype == torch.bool:
        return tensor
    if not bool(((tensor == 0) | (tensor == 1)).all()):
        raise InvalidArgumentError(f"expected {name} of 0 and 1 alone; compare probabilities with a threshold first")
    return tensor.bool()


def _check_probabilities(probabilities: Tensor) -> None:
    if probabilities.ndim != 2 or not probabilities.is_floating_point() or 0 in probabilities.shape:
        raise InvalidArgumentError(
            "expected probabilities as a floating-point tensor [N, C] with N, C >= 1, "
            f"got {probabilities.dtype} {list(probabilities.shape)}"
        )
    if not bool(((probabilities >= 0) & (probabilities <= 1)).all()):
        raise InvalidArgumentError("expected probabilities within [0, 1]; logits need a sigmoid first")


def _check_same_shape(predictions: Tensor, targets: Tensor) -> None:
    if predictions.shape != targets.shape:
        raise InvalidArgumentError(
            f"expected predictions and targets of one shape [N, C], "
            f"got {list(predictions.shape)} and {list(targets.shape)}"
        )
