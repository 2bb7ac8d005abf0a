"""M_rel, M_neigh, M_vlalign, Table 2's distances and class accuracy against slow re-derivations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.metrics import (
    alignment_inversions,
    feature_distance,
    mean_class_accuracy,
    neighbour_overlap,
    relative_match,
)
from pickclutter_lang.metrics import features as module

N, C, D = 23, 7, 5
GENERATOR = torch.Generator().manual_seed(0)
TEACHER = torch.randn(N, D, generator=GENERATOR) * torch.rand(N, 1, generator=GENERATOR) * 9
STUDENT = TEACHER / TEACHER.norm(dim=1, keepdim=True) * 3 + torch.randn(N, D, generator=GENERATOR)
TEXT = torch.randn(C, D, generator=GENERATOR) * 4


@pytest.fixture(params=[1 << 24, 60], ids=["one chunk", "many chunks"])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_ELEMENTS", request.param)


in_chunks = pytest.mark.usefixtures("chunk")


def unit(features: Tensor) -> NDArray[Any]:
    return np.stack([row / math.sqrt(float((row**2).sum())) for row in features.double().numpy()])


def distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a.tolist(), b.tolist(), strict=True)))


@in_chunks
def test_relative_match_is_equation_4() -> None:
    students, teachers = unit(STUDENT), unit(TEACHER)
    matched = 0
    for i in range(N):
        distances = [distance(students[i], teachers[j]) for j in range(N)]
        matched += distances.index(min(distances)) == i
    assert 0 < matched < N
    assert relative_match(STUDENT, TEACHER) == matched / N
    assert relative_match(TEACHER, TEACHER) == 1.0


@in_chunks
@pytest.mark.parametrize("k", [1, 22])
def test_neighbour_overlap_is_equation_5(k: int) -> None:
    def neighbors(features: NDArray[Any], i: int) -> set[int]:
        others = sorted((distance(features[i], features[j]), j) for j in range(N) if j != i)
        return {j for _, j in others[:k]}

    students, teachers = unit(STUDENT), unit(TEACHER)
    shared = sum(len(neighbors(students, i) & neighbors(teachers, i)) for i in range(N))
    assert neighbour_overlap(STUDENT, TEACHER, k) == pytest.approx(shared / (k * N))


@in_chunks
@pytest.mark.parametrize("k", [1, 7])
def test_alignment_inversions_is_equation_7(k: int) -> None:
    students, teachers, texts = unit(STUDENT), unit(TEACHER), unit(TEXT)
    total = 0
    for i in range(N):
        order = sorted(range(C), key=lambda j: distance(teachers[i], texts[j]))[:k]
        array = [distance(students[i], texts[j]) for j in order]
        total += sum(array[a] > array[b] for a in range(k) for b in range(a + 1, k))
    assert (total > 0) == (k > 1)
    assert alignment_inversions(STUDENT, TEACHER, TEXT, k) == pytest.approx(total / N)
    assert alignment_inversions(TEACHER, TEACHER, TEXT, k) == 0.0


@in_chunks
def test_feature_distance_is_that_of_table_2() -> None:
    students, teachers = unit(STUDENT), unit(TEACHER)
    squared = sum(distance(students[i], teachers[i]) ** 2 for i in range(N)) / N
    degrees = sum(math.degrees(math.acos(float(students[i] @ teachers[i]))) for i in range(N)) / N
    assert feature_distance(STUDENT, TEACHER) == pytest.approx((squared, degrees), rel=1e-5)
    assert feature_distance(TEACHER, -TEACHER) == pytest.approx((4.0, 180.0), abs=0.1)
    # The pairs of values in the paper's Table 2 belong together in this way.
    for angle, squared_in_paper in ((28.4, 0.24), (39.2, 0.45), (69.2, 1.29)):
        rotated = torch.tensor([[math.cos(math.radians(angle)), math.sin(math.radians(angle))]])
        assert feature_distance(torch.tensor([[1.0, 0.0]]), rotated) == pytest.approx(
            (squared_in_paper, angle), abs=6e-3
        )


def test_mean_class_accuracy_weights_classes_equally() -> None:
    labels = torch.tensor([0, 0, 0, 0, 2, 2, 5])
    predictions = torch.tensor([0, 0, 0, 1, 2, 0, 9])
    assert mean_class_accuracy(predictions, labels) == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)


@pytest.mark.parametrize(
    "call",
    [
        lambda: relative_match(STUDENT, TEACHER[:-1]),
        lambda: alignment_inversions(STUDENT * float("nan"), TEACHER, TEXT, 3),
        lambda: neighbour_overlap(STUDENT, TEACHER, N),
        lambda: mean_class_accuracy(torch.zeros(2).long(), torch.zeros(3).long()),
    ],
)
def test_bad_input_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(InvalidArgumentError):
        call()
