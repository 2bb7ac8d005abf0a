"""Metrics of many resamples at once, where scenes and classes count as often as their weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_BLOCK = 64


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
    alike = np.searchsorted(positives, steps, side="right") - 1  # for each positive: the last positive of these
    found = np.empty(len(weights))
    for rows in _blocks(len(weights)):
        columns = weights[rows].T[order]  # [N, B]: rows are gathered and summed along memory
        total = columns.cumsum(axis=0)[steps]
        gained = columns[positives]
        hits = gained.cumsum(axis=0)[alike]
        with np.errstate(invalid="ignore"):
            found[rows] = (gained * hits / np.maximum(total, np.finfo(float).tiny)).sum(axis=0) / gained.sum(axis=0)
    return found


def weighted_scene_f1(predicted: Bools, present: Bools, scenes: Floats, classes: Floats) -> Floats:
    """Return the F1 per scene, averaged over the scenes with a positive of a class that has weight.

    :param predicted: [N, C]
    :param present: [N, C]
    :param scenes: weights [B, N]
    :param classes: weights [B, C]
    :return: [B] in [0, 1], NaN where no scene counts
    """
    true, said, hit = (values.T.astype(float) for values in (present, predicted, predicted & present))
    found = np.empty(len(scenes))
    for rows in _blocks(len(scenes)):
        positives = classes[rows] @ true
        sizes = positives + classes[rows] @ said
        counted = scenes[rows] * (positives > 1e-12)
        hits = 2 * counted * (classes[rows] @ hit)
        with np.errstate(invalid="ignore"):
            found[rows] = (hits / np.maximum(sizes, 1e-12)).sum(axis=1) / counted.sum(axis=1)
    return found


def _blocks(count: int) -> list[slice]:
    """Return slices of some resamples, whose arrays over all scenes stay in the cache of a core."""
    return [slice(start, start + _BLOCK) for start in range(0, count, _BLOCK)]


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
