"""Each loss against a slow re-derivation from its equation, its gradient, and its behavior on bad input."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.distillation import (
    SceneObjective,
    asymmetric_loss,
    caption_loss,
    classification_loss,
    image_contrastive_loss,
    local_asymmetric_loss,
    mse_loss,
    pairwise_proximity_loss,
    vl_proximity_loss,
)
from pickclutter_lang.errors import InvalidArgumentError

N = 6
C = 5
D = 4
TAU = 0.3
LABELS = torch.tensor([0, 3, 3, 1, 4, 0])


def random_features(rows: int, columns: int, seed: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


STUDENT, TEACHER, TEXT = (
    random_features(N, D, 0),
    random_features(N, D, 1),
    random_features(C, D, 2),
)
PROBABILITIES = random_features(N, C, 4).sigmoid()
TARGETS = random_features(N, C, 5) > 0
K = 7
FOCUS = [(2.0, 1.0, 0.05), (0.0, 0.0, 0.0), (4.0, 0.5, 0.4)]
CELL_LOGITS = 2 * random_features(N * C, K, 6).reshape(N, C, K)
ATTENTION = random_features(N * C, K, 7).softmax(dim=1).reshape(N, C, K)
COVERAGE = (0.5 * random_features(N * C, K, 8)).clamp(0, 1).reshape(N, C, K)


def rows(tensor: Tensor) -> list[NDArray[Any]]:
    return [row / math.sqrt(sum(float(x) ** 2 for x in row)) for row in tensor.numpy()]


def softmax_row(scores: list[float]) -> list[float]:
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def slow_classification() -> float:
    loss = 0.0
    for image, label in zip(rows(STUDENT), LABELS.tolist(), strict=True):
        loss -= math.log(softmax_row([float(image @ text) / TAU for text in rows(TEXT)])[label])
    return loss / N


def slow_mse() -> float:
    return sum(float(((s - t) ** 2).sum()) for s, t in zip(rows(STUDENT), rows(TEACHER), strict=True)) / N


def slow_contrast(symmetric: bool, similarity: str) -> float:
    def score(a: NDArray[Any], b: NDArray[Any]) -> float:
        return (float(a @ b) if similarity == "cosine" else -float(((a - b) ** 2).sum())) / TAU

    students, teachers = rows(STUDENT), rows(TEACHER)
    forward = backward = 0.0
    for n in range(N):
        forward -= math.log(softmax_row([score(students[n], t) for t in teachers])[n]) / N
        backward -= math.log(softmax_row([score(s, teachers[n]) for s in students])[n]) / N
    return (forward + backward) / 2 if symmetric else forward


def slow_vl_proximity(k: int, filtered: bool) -> float:
    kept = []
    for s, t, label in zip(rows(STUDENT), rows(TEACHER), LABELS.tolist(), strict=True):
        p_teacher = softmax_row([float(t @ text) / TAU for text in rows(TEXT)])
        p_student = softmax_row([float(s @ text) / TAU for text in rows(TEXT)])
        order = sorted(range(C), key=lambda c: -p_teacher[c])
        if filtered and order[0] != label:
            continue
        top = order[:k]
        mass_teacher, mass_student = sum(p_teacher[c] for c in top), sum(p_student[c] for c in top)
        kl = 0.0
        for c in top:
            p, q = p_teacher[c] / mass_teacher, p_student[c] / mass_student
            kl += p * math.log(p / q)
        kept.append(kl)
    assert kept, "the example must keep at least one image"
    return sum(kept) / len(kept)


def slow_caption() -> float:
    loss = 0.0
    for n, image in enumerate(rows(STUDENT)):
        positive = math.exp(float(image @ rows(TEACHER)[n]) / TAU)
        others = [math.exp(float(image @ rows(TEACHER)[m]) / TAU) for m in range(N) if int(LABELS[m]) != int(LABELS[n])]
        loss -= math.log(positive / (positive + sum(others)))
    return loss / N


def slow_asymmetric(gamma_negative: float, gamma_positive: float, clip: float) -> float:
    loss = 0.0
    for n in range(N):
        for c in range(C):
            p = float(PROBABILITIES[n, c])
            if TARGETS[n, c]:
                loss -= (1 - p) ** gamma_positive * math.log(p)
            else:
                q = max(p - clip, 0.0)
                loss -= q**gamma_negative * math.log(1 - q) if q > 0 else 0.0
    return loss / N


def slow_local_asymmetric(gamma_negative: float, gamma_positive: float, clip: float) -> float:
    loss = 0.0
    counted = 0
    for n in range(N):
        for c in range(C):
            cell_logits, attention, cover = ([float(x) for x in t[n, c]] for t in (CELL_LOGITS, ATTENTION, COVERAGE))
            if not TARGETS[n, c] or sum(cover) == 0:
                continue
            for logit, fraction in zip(cell_logits, cover, strict=True):
                p = 1 / (1 + math.exp(-logit))
                loss -= fraction / sum(cover) * (1 - p) ** gamma_positive * math.log(p)
            outside = [
                (a, logit) for a, logit, fraction in zip(attention, cell_logits, cover, strict=True) if fraction == 0
            ]
            mean = sum(a * logit for a, logit in outside) / sum(a for a, _ in outside)
            q = max(1 / (1 + math.exp(-mean)) - clip, 0.0)
            loss -= q**gamma_negative * math.log(1 - q) if q > 0 else 0.0
            counted += 1
    assert 0 < counted < N * C, "the example must leave out some labels"
    return loss / N


def test_classification_loss_is_equation_1() -> None:
    assert classification_loss(STUDENT, TEXT, LABELS, TAU).item() == pytest.approx(slow_classification(), abs=1e-10)


def test_mse_loss_is_equation_2() -> None:
    assert mse_loss(STUDENT, TEACHER).item() == pytest.approx(slow_mse(), abs=1e-10)
    assert mse_loss(STUDENT, -2 * STUDENT).item() == pytest.approx(4.0)


@pytest.mark.parametrize("similarity", ["squared_distance", "cosine"])
@pytest.mark.parametrize("symmetric", [False, True])
def test_image_contrastive_loss_is_equation_3(symmetric: bool, similarity: Any) -> None:
    got = image_contrastive_loss(STUDENT, TEACHER, TAU, symmetric=symmetric, similarity=similarity)
    assert got.item() == pytest.approx(slow_contrast(symmetric, similarity), abs=1e-10)


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("k", [1, 3, 256])
def test_vl_proximity_loss_is_equation_6(k: int, filtered: bool) -> None:
    got = vl_proximity_loss(STUDENT, TEACHER, TEXT, LABELS, k, TAU, filter_misaligned=filtered)
    assert got.item() == pytest.approx(slow_vl_proximity(min(k, C), filtered), abs=1e-10)


def test_vl_proximity_loss_of_a_batch_without_aligned_images_is_zero_with_zero_gradient() -> None:
    student = STUDENT.clone().requires_grad_()
    worst = (TEACHER @ TEXT.T / TEXT.norm(dim=1)).argmin(dim=1)
    loss = vl_proximity_loss(student, TEACHER, TEXT, worst, 3, TAU)
    loss.backward()
    assert loss.item() == 0.0
    assert student.grad is not None and bool((student.grad == 0).all())


def test_caption_loss_is_equation_8_with_the_own_caption() -> None:
    assert caption_loss(STUDENT, TEACHER, LABELS, TAU).item() == pytest.approx(slow_caption(), abs=1e-10)
    one_class = caption_loss(STUDENT, TEACHER, torch.zeros(N, dtype=torch.int64), TAU)
    assert one_class.item() == 0.0


@pytest.mark.parametrize(("gamma_negative", "gamma_positive", "clip"), FOCUS)
def test_asymmetric_loss_is_its_definition(gamma_negative: float, gamma_positive: float, clip: float) -> None:
    got = asymmetric_loss(
        PROBABILITIES, TARGETS, gamma_negative=gamma_negative, gamma_positive=gamma_positive, clip=clip
    )
    assert got.item() == pytest.approx(slow_asymmetric(gamma_negative, gamma_positive, clip), abs=1e-7)


def weighted_log_gradients(gamma_negative: float, gamma_positive: float, clip: float) -> NDArray[Any]:
    """Gradient of the loss with constant focusing weights: weight times the finite difference of the log loss alone."""
    gradients = np.zeros((N, C))
    h = 1e-6
    for n in range(N):
        for c in range(C):
            p = float(PROBABILITIES[n, c])
            if TARGETS[n, c]:
                slope = (-math.log(p + h) + math.log(p - h)) / (2 * h)
                gradients[n, c] = (1 - p) ** gamma_positive * slope / N
            elif p - clip > h:
                q = p - clip
                slope = (-math.log(1 - q - h) + math.log(1 - q + h)) / (2 * h)
                gradients[n, c] = q**gamma_negative * slope / N
    return gradients


@pytest.mark.parametrize(("gamma_negative", "gamma_positive", "clip"), [(2.0, 1.0, 0.05), (4.0, 0.5, 0.4)])
def test_detached_focus_weights_the_gradient_of_the_log_loss(
    gamma_negative: float, gamma_positive: float, clip: float
) -> None:
    values, gradients = [], []
    for detach in (False, True):
        probabilities = PROBABILITIES.clone().requires_grad_()
        loss = asymmetric_loss(
            probabilities, TARGETS, gamma_negative=gamma_negative, gamma_positive=gamma_positive, clip=clip,
            detach_focus=detach,
        )  # fmt: skip
        loss.backward()
        assert probabilities.grad is not None
        values.append(loss.item())
        gradients.append(probabilities.grad.numpy())
    assert values[0] == values[1] == pytest.approx(slow_asymmetric(gamma_negative, gamma_positive, clip), abs=1e-7)
    expected = weighted_log_gradients(gamma_negative, gamma_positive, clip)
    assert gradients[1] == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert (np.abs(gradients[0]) >= np.abs(gradients[1])).all()  # the focus pushes too, the same way
    assert np.linalg.norm(gradients[0]) > 1.1 * np.linalg.norm(gradients[1])


@pytest.mark.parametrize(("gamma_negative", "gamma_positive", "clip"), FOCUS)
def test_local_asymmetric_loss_is_its_definition(gamma_negative: float, gamma_positive: float, clip: float) -> None:
    config: dict[str, Any] = {"gamma_negative": gamma_negative, "gamma_positive": gamma_positive, "clip": clip}
    got = local_asymmetric_loss(CELL_LOGITS, ATTENTION, COVERAGE, TARGETS, **config)
    assert got.item() == pytest.approx(slow_local_asymmetric(**config), abs=1e-7)


def test_local_asymmetric_loss_of_labels_without_coverage_is_zero_with_zero_gradient() -> None:
    cell_logits = CELL_LOGITS.clone().requires_grad_()
    loss = local_asymmetric_loss(cell_logits, ATTENTION, torch.zeros_like(COVERAGE), TARGETS)
    loss += local_asymmetric_loss(cell_logits, ATTENTION, COVERAGE, torch.zeros_like(TARGETS))
    loss.backward()
    assert loss.item() == 0.0 and cell_logits.grad is not None and bool((cell_logits.grad == 0).all())


def test_local_asymmetric_loss_is_finite_where_an_object_fills_the_image() -> None:
    certain = torch.full_like(CELL_LOGITS, 60.0).requires_grad_()
    for cell_logits, limit in ((certain, 1e-6), ((-100 * CELL_LOGITS.abs()).requires_grad_(), math.inf)):
        loss = local_asymmetric_loss(cell_logits, ATTENTION, torch.ones_like(COVERAGE), TARGETS)
        loss.backward()
        assert cell_logits.grad is not None and bool(cell_logits.grad.isfinite().all()) and loss.item() < limit


LOSSES: dict[str, Callable[..., Tensor]] = {
    "classification": lambda s: classification_loss(s, TEXT, LABELS, TAU),
    "classification text": lambda s: classification_loss(STUDENT, s, LABELS, TAU),
    "mse": lambda s: mse_loss(s, TEACHER),
    "contrast": lambda s: image_contrastive_loss(s, TEACHER, TAU),
    "contrast cosine": lambda s: image_contrastive_loss(s, TEACHER, TAU, similarity="cosine"),
    "proximity": lambda s: vl_proximity_loss(s, TEACHER, TEXT, LABELS, 3, TAU, filter_misaligned=False),
    "proximity filtered": lambda s: vl_proximity_loss(s, TEACHER, TEXT, LABELS, 3, TAU),
    "proximity text": lambda s: vl_proximity_loss(TEACHER, STUDENT, s, LABELS, 3, TAU),
    "caption": lambda s: caption_loss(s, TEACHER, LABELS, TAU),
    "caption captions": lambda s: caption_loss(TEACHER, s, LABELS, TAU),
    "local asymmetric": lambda s: local_asymmetric_loss(
        (s @ TEXT.T)[..., None] * CELL_LOGITS, ATTENTION, COVERAGE, TARGETS
    ),
    "asymmetric": lambda s: asymmetric_loss((s @ TEXT.T).sigmoid(), TARGETS),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_the_function(name: str) -> None:
    assert torch.autograd.gradcheck(LOSSES[name], (STUDENT.clone().requires_grad_(),))


@pytest.mark.parametrize("name", [name for name in LOSSES if "asymmetric" not in name])
def test_features_are_normalized_inside(name: str) -> None:
    scales = torch.tensor([0.1, 3.0, 7.0, 1.0, 2.0, 0.5], dtype=torch.float64)[:, None]
    assert LOSSES[name](STUDENT * scales).item() == pytest.approx(LOSSES[name](STUDENT).item(), abs=1e-10)


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: mse_loss(STUDENT, TEACHER[:, :3]), r"expected teacher \[N, D\] with N = 6, D = 4, got \[6, 3\]"),
        (lambda: mse_loss(STUDENT, TEACHER[:1]), "teacher"),  # which would be the teacher of all
        (lambda: mse_loss(STUDENT[:0], TEACHER[:0]), "student"),
        (lambda: image_contrastive_loss(STUDENT, TEACHER, 0.0), "temperature"),
        (lambda: image_contrastive_loss(STUDENT, TEACHER, TAU, similarity=cast(Any, "dot")), "dot"),
        (lambda: classification_loss(STUDENT, TEXT[0], LABELS, TAU), "text"),
        (lambda: vl_proximity_loss(STUDENT, TEACHER, TEXT, LABELS[1:], 3, TAU), "labels"),
        (lambda: vl_proximity_loss(STUDENT, TEACHER, TEXT, LABELS, 0, TAU), "'k': 0"),
        (lambda: caption_loss(STUDENT, TEXT, LABELS, TAU), "captions"),
        (lambda: asymmetric_loss(PROBABILITIES, TARGETS[0]), "targets"),
        (lambda: local_asymmetric_loss(CELL_LOGITS, ATTENTION, COVERAGE[..., 1:], TARGETS), "coverage"),
        (lambda: pairwise_proximity_loss(PROBABILITIES, TEACHER, TEXT, TEXT[1:], TAU), "negative"),
        (lambda: SceneObjective({"cls": 1.0, "kd": 1.0}), "kd"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], key: str) -> None:
    with pytest.raises(InvalidArgumentError, match=key):
        call()
