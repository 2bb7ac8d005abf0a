"""The metrics of Table 12 against slow re-derivations and scikit-learn, and what trivial predictors score."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, precision_recall_fscore_support
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.metrics import (
    average_precisions,
    class_rows,
    mean_average_precision,
    observation_f1,
    precision_recall,
    trivial_predictors,
)

N, C = 40, 6


@pytest.fixture(params=[0, 1, 2])
def scenes(request: pytest.FixtureRequest) -> tuple[Tensor, Tensor]:
    """Probabilities with ties, and targets in which some observations and one class have no positive."""
    generator = torch.Generator().manual_seed(request.param)
    probabilities = (torch.rand(N, C, generator=generator) * 8).round() / 8
    targets = torch.rand(N, C, generator=generator) < 0.3
    targets[:3] = False
    targets[:, 4] = False
    return probabilities, targets


def slow_observation_scores(predictions: NDArray[Any], targets: NDArray[Any]) -> tuple[float, float, float]:
    f1, precision, recall = [], [], []
    for answer, truth in zip(predictions, targets, strict=True):
        tp = fp = fn = 0
        for predicted, is_there in zip(answer, truth, strict=True):
            tp += bool(predicted and is_there)
            fp += bool(predicted and not is_there)
            fn += bool(not predicted and is_there)
        if tp + fn == 0:
            continue
        f1.append(tp / (tp + (fp + fn) / 2))
        precision.append(tp / (tp + fp) if tp + fp else 0.0)
        recall.append(tp / (tp + fn))
    return sum(f1) / len(f1), sum(precision) / len(precision), sum(recall) / len(recall)


def slow_average_precision(scores: NDArray[Any], truth: NDArray[Any]) -> float:
    area = last_recall = 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        chosen = scores >= threshold
        tp = sum(bool(a and b) for a, b in zip(chosen, truth, strict=True))
        recall = tp / truth.sum()
        area += (recall - last_recall) * tp / chosen.sum()
        last_recall = recall
    return area


def test_observation_scores_are_the_means_of_those_of_each_observation(scenes: tuple[Tensor, Tensor]) -> None:
    probabilities, targets = scenes
    predictions = probabilities > 0.5
    f1, precision, recall = slow_observation_scores(predictions.numpy(), targets.numpy())
    assert observation_f1(predictions, targets) == pytest.approx(f1)
    assert precision_recall(predictions, targets) == pytest.approx((precision, recall))
    kept = targets.any(dim=1).numpy()
    reference = f1_score(targets.numpy()[kept], predictions.numpy()[kept], average="samples", zero_division=0)
    assert observation_f1(predictions, targets) == pytest.approx(reference)


def test_mean_average_precision_leaves_out_classes_without_positives(scenes: tuple[Tensor, Tensor]) -> None:
    probabilities, targets = scenes
    each = average_precisions(probabilities, targets)
    assert math.isnan(each[4])
    known = [c for c in range(C) if c != 4]
    slow = [slow_average_precision(probabilities[:, c].numpy(), targets[:, c].numpy()) for c in known]
    sklearn = [average_precision_score(targets[:, c].numpy(), probabilities[:, c].numpy()) for c in known]
    assert each[known].tolist() == pytest.approx(slow)
    assert slow == pytest.approx(sklearn)
    assert mean_average_precision(probabilities, targets) == pytest.approx(sum(slow) / len(slow))


def test_trivial_predictors_know_label_statistics_alone(scenes: tuple[Tensor, Tensor]) -> None:
    _, targets = scenes
    frequency = torch.tensor([0.9, 0.2, 0.7, 0.0, 0.6, 0.4])
    rows = trivial_predictors(frequency, targets)
    prevalence = targets.double().mean(dim=0)
    share = float(prevalence.mean())
    assert rows["always_no"]["accuracy"] == pytest.approx(1 - share)
    assert rows["always_no"]["f1"] == rows["always_no"]["precision"] == rows["always_no"]["recall"] == 0.0
    assert rows["always_yes"]["accuracy"] == pytest.approx(share)
    assert rows["always_yes"]["recall"] == 1.0
    chosen = (frequency > 0.5).expand(N, C)
    assert rows["label_frequency"]["f1"] == pytest.approx(observation_f1(chosen, targets))
    for row in rows.values():
        assert row["map"] == pytest.approx(float(prevalence[[0, 1, 2, 3, 5]].mean()))


def test_class_rows_are_those_of_scikit_learn(scenes: tuple[Tensor, Tensor]) -> None:
    probabilities, targets = scenes
    predicted = (probabilities > 0.4).numpy()
    for n, row in enumerate(class_rows(probabilities, targets, threshold=0.4)):
        truth = targets[:, n].numpy()
        assert row.pop("support") == truth.sum()
        if not truth.any():
            assert all(math.isnan(value) for value in row.values())
            continue
        precision, recall, f1, _ = precision_recall_fscore_support(
            truth, predicted[:, n], average="binary", zero_division=0
        )
        ap = average_precision_score(truth, probabilities[:, n].numpy())
        assert row == pytest.approx({"average_precision": ap, "precision": precision, "recall": recall, "f1": f1})


def test_nothing_positive_is_nan_and_bad_input_refused() -> None:
    nothing = torch.zeros(3, 2, dtype=torch.bool)
    some = torch.ones(3, 2)
    assert math.isnan(observation_f1(some > 0, nothing)) and math.isnan(mean_average_precision(some, nothing))
    assert all(math.isnan(value) for value in precision_recall(some > 0, nothing))
    for probabilities, targets in ((some * 4, nothing), (some, nothing[:2]), (nothing, nothing)):
        with pytest.raises(InvalidArgumentError):
            mean_average_precision(probabilities, targets)
