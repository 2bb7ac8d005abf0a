"""Metrics of many resamples at once, where scenes and classes count as often as their weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def weighted_average_precision(scores: Floats, present: Bools, weights: Floats) -> Floats:
    """Return the average precision of a class where observations count as often as their weights.

    :param scores: [N]; equal scores are one step
    :param present: [N]
    :param weights: [B, N], at least 0
    :return: [B] in [0, 1], NaN where no positive has weight
    """
    order = np.argsort(-scores, kind="stable")
    positives = np.flatnonzero(present[order])
    group_ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    steps = group_ends[np.searchsorted(group_ends, positives)]  # for each positive: the last of those that score alike
    columns = weights.T[order]  # [N, B]: rows are gathered and summed along memory
    total = columns.cumsum(axis=0)[steps]
    gained = columns[positives]
    hits = gained.cumsum(axis=0)[np.searchsorted(positives, steps, side="right") - 1]
    with np.errstate(invalid="ignore"):
        return np.asarray((gained * hits / np.maximum(total, np.finfo(float).tiny)).sum(axis=0) / gained.sum(axis=0))


def weighted_scene_f1(predicted: Bools, present: Bools, scenes: Floats, classes: Floats) -> Floats:
    """Return the F1 per scene, averaged over the scenes with a positive of a class that has weight.

    :param predicted: [N, C]
    :param present: [N, C]
    :param scenes: weights [B, N]
    :param classes: weights [B, C]
    :return: [B] in [0, 1], NaN where no scene counts
    """
    positives = classes @ present.T.astype(float)
    sizes = positives + classes @ predicted.T.astype(float)
    hits = classes @ (predicted & present).T.astype(float)
    counted = scenes * (positives > 1e-12)
    with np.errstate(invalid="ignore"):
        return np.asarray((counted * 2 * hits / np.maximum(sizes, 1e-12)).sum(axis=1) / counted.sum(axis=1))


def weighted_class_recall(predicted: Bools, present: Bools, scenes: Floats, classes: Floats) -> Floats:
    """Return the recall of each class, averaged over the classes with a positive that has weight.

    Arguments as of `weighted_scene_f1`.

    :return: [B] in [0, 1], NaN where no class counts
    """
    positives = scenes @ present.astype(float)
    hits = scenes @ (predicted & present).astype(float)
    counted = classes * (positives > 0)
    with np.errstate(invalid="ignore"):
        return np.asarray((counted * hits / np.maximum(positives, 1e-12)).sum(axis=1) / counted.sum(axis=1))
