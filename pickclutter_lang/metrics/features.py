"""Metrics of how well student features preserve the structure of the teacher's spaces (sections 4.1 and 4.2).

`student` and `teacher` are features [N, D] of the same images, `text` [C, D] of classes; other shapes raise
InvalidArgumentError. All functions process the images in chunks and copy no feature matrix: 100,000 x 768 features of
student and teacher need 0.6 GB, and little more here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.shapes import of_shapes

_MAX_ELEMENTS = 1 << 24  # elements of the largest intermediate matrix
_EPS = 1e-12


class FeatureDistance(NamedTuple):
    """Mean squared distance in [0, 4], summed over dimensions, and mean angle in [0, 180] degrees."""

    squared: float
    degrees: float


@of_shapes(student="ND", teacher="ND")
def relative_match(student: Tensor, teacher: Tensor) -> float:
    """Return the fraction of images whose own teacher feature is nearest to their student feature (M_rel, Eq. 4).

    :return: in [0, 1], higher is better; chance is 1 / N
    """
    matched = 0
    for rows in _chunks(len(student), len(teacher)):
        nearest = _similarity(student[rows], teacher).argmax(dim=1)
        matched += int((nearest == torch.arange(rows.start, rows.stop, device=nearest.device)).sum())
    return matched / len(student)


@of_shapes(student="NA", teacher="NB")
def neighbour_overlap(student: Tensor, teacher: Tensor, k: int) -> float:
    """Return the overlap of the k nearest other images in both spaces, whose widths may differ (M_neigh, Eq. 5).

    :param k: 1 to N - 1; the paper takes 3, 5 and 10
    :return: mean fraction in [0, 1], higher is better; chance is k / (N - 1)
    """
    _check_k(k, len(student) - 1)
    shared = 0
    for rows in _chunks(len(student), max(len(student), k * k)):
        neighbors = [_neighbors(features, rows, k) for features in (student, teacher)]
        shared += int((neighbors[0][:, :, None] == neighbors[1][:, None, :]).sum())
    return shared / (k * len(student))


@of_shapes(student="ND", teacher="ND", text="CD")
def alignment_inversions(student: Tensor, teacher: Tensor, text: Tensor, k: int) -> float:
    """Return how often the student reverses the teacher's order of its k nearest texts (M_vlalign, Eq. 7).

    :param text: [C, D] one feature per class
    :param k: 1 to C; the paper takes 2, 3 and 5
    :return: mean number of reversed pairs in [0, k (k - 1) / 2], lower is better
    """
    _check_k(k, len(text))
    earlier = torch.ones(k, k, dtype=torch.bool, device=text.device).triu(1)
    reversed_pairs = 0
    for rows in _chunks(len(student), max(len(text), k * k)):
        order = _similarity(teacher[rows], text).topk(k, dim=1).indices
        similarity = _similarity(student[rows], text).gather(1, order)
        # For unit vectors, a larger distance is a smaller similarity.
        reversed_pairs += int(((similarity[:, :, None] < similarity[:, None, :]) & earlier).sum())
    return reversed_pairs / len(student)


@of_shapes(student="ND", teacher="ND")
def feature_distance(student: Tensor, teacher: Tensor) -> FeatureDistance:
    """Return the distance of student features from the teacher's (Table 2)."""
    squared = degrees = 0.0
    for rows in _chunks(len(student), student.shape[1]):
        difference = _unit(student[rows]) - _unit(teacher[rows])
        chord = difference.norm(dim=1).double()
        squared += float(chord.square().sum())
        # From the chord, since the arc cosine is inexact for small angles.
        degrees += float(torch.rad2deg(2 * torch.asin((chord / 2).clamp(max=1))).sum())
    return FeatureDistance(squared / len(student), degrees / len(student))


@of_shapes(predictions="N", labels="N")
def mean_class_accuracy(predictions: Tensor, labels: Tensor) -> float:
    """Return the macro accuracy: the accuracy of each class that occurs in the labels, averaged over these classes.

    :param predictions: integer [N], as are `labels`, which are at least 0
    :return: in [0, 1]
    """
    count = torch.bincount(labels)
    correct = torch.bincount(labels[predictions == labels], minlength=len(count))
    occurring = count > 0
    return float((correct[occurring].double() / count[occurring]).mean())


def _neighbors(features: Tensor, rows: slice, k: int) -> Tensor:
    """Return the k nearest other images [n, k] of some rows."""
    similarity = _similarity(features[rows], features)
    own_index = torch.arange(rows.start, rows.stop, device=features.device)
    similarity[own_index - rows.start, own_index] = float("-inf")
    return similarity.topk(k, dim=1).indices


def _similarity(rows: Tensor, keys: Tensor) -> Tensor:
    """Return cosines [n, M] of rows [n, D] with columns [M, D]; -distance^2 of unit vectors is 2 cos - 2."""
    norms = torch.linalg.vector_norm(keys, dim=1).clamp(min=_EPS)
    return (_unit(rows) @ keys.T).div_(norms)


def _unit(rows: Tensor) -> Tensor:
    unit = torch.nn.functional.normalize(rows, dim=1)
    if not bool(unit.isfinite().all()):
        raise InvalidArgumentError("expected finite features, got NaN or infinity")
    return unit


def _chunks(rows: int, keys: int) -> Iterator[slice]:
    """Return slices of the rows, such that a slice times `keys` is a small matrix."""
    size = max(1, _MAX_ELEMENTS // keys)
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def _check_k(k: int, largest: int) -> None:
    if not 1 <= k <= largest:
        raise InvalidArgumentError(f"expected k in 1..{largest}, got {k}")
