"""The objective of single images: a weighted sum of the losses, against NumPy."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pickclutter_lang.distillation import IMAGE_LOSS_NAMES, ImageObjective
from pickclutter_lang.errors import InvalidArgumentError

TAU = 0.07


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(4, 8, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    teacher = text[labels] + 0.3 * torch.randn(6, 8, generator=generator, dtype=torch.float64)
    teacher[4:] = text[[1, 0]]  # the teacher misjudges the last two
    draw = {name: torch.randn(6, 8, generator=generator, dtype=torch.float64) for name in ("student", "captions")}
    return {"text": text, "labels": labels, "teacher": teacher, **draw}


def unit(rows: torch.Tensor) -> NDArray[Any]:
    unit_rows: NDArray[Any] = rows.numpy() / np.linalg.norm(rows.numpy(), axis=1, keepdims=True)
    return unit_rows


def log_softmax(logits: NDArray[Any]) -> NDArray[Any]:
    log_probabilities: NDArray[Any] = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return log_probabilities


def contrast(student: NDArray[Any], teacher: NDArray[Any]) -> float:
    """Eq. 3 in both directions, image by image."""
    distance = np.array([[((s - t) ** 2).sum() for t in teacher] for s in student])
    both = (log_softmax(-distance / TAU).diagonal(), log_softmax(-distance.T / TAU).diagonal())
    return float(-np.mean(both))


def reference(batch: dict[str, torch.Tensor], *, only_right_vlprox: bool, only_right_im_cst: bool) -> dict[str, float]:
    student, teacher, text, captions = (unit(batch[name]) for name in ("student", "teacher", "text", "captions"))
    labels = batch["labels"].numpy()
    right = (teacher @ text.T).argmax(axis=1) == labels
    assert 0 < right.sum() < len(right)
    kept = right if only_right_im_cst else np.ones_like(right)
    own, theirs = log_softmax(student @ text.T / TAU), log_softmax(teacher @ text.T / TAU)
    divergence = (np.exp(theirs) * (theirs - own)).sum(axis=1)
    captioned = []
    for n in range(len(labels)):
        others = [m for m in range(len(labels)) if labels[m] != labels[n] or m == n]
        captioned.append(-log_softmax(student[n] @ captions[others].T / TAU)[others.index(n)])
    return {
        "cls": -own[np.arange(len(labels)), labels].mean(),
        "mse": ((student - teacher) ** 2).sum(axis=1).mean(),
        "im_cst": contrast(student[kept], teacher[kept]),
        "vlprox": divergence[right].mean() if only_right_vlprox else divergence.mean(),
        "cap": float(np.mean(captioned)),
    }


@pytest.mark.parametrize("vlprox", [True, False])
@pytest.mark.parametrize("im_cst", [True, False])
def test_terms_and_their_sum(batch: dict[str, torch.Tensor], vlprox: bool, im_cst: bool) -> None:
    weights = {"cls": 1.0, "mse": 0.5, "im_cst": 2.0, "vlprox": 0.25, "cap": 3.0}
    objective = ImageObjective(weights, temperature=TAU, filter_vlprox=vlprox, filter_im_cst=im_cst)
    total, terms = objective(**batch)
    expected = reference(batch, only_right_vlprox=vlprox, only_right_im_cst=im_cst)
    assert list(terms) == list(IMAGE_LOSS_NAMES)
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(value), name
    assert float(total) == pytest.approx(sum(weights[name] * value for name, value in expected.items()))


def test_a_filter_that_leaves_nothing_gives_no_gradient(batch: dict[str, torch.Tensor]) -> None:
    batch["teacher"] = batch["text"][(batch["labels"] + 1) % 4]
    batch["student"].requires_grad_()
    weights = {"im_cst": 1.0, "vlprox": 1.0}
    total, terms = ImageObjective(weights, filter_im_cst=True)(**batch)
    total.backward()
    assert [float(term) for term in terms.values()] == [0.0, 0.0]
    gradient = batch["student"].grad
    assert gradient is not None and float(gradient.abs().max()) == 0.0


def test_what_is_not_weighed_is_not_needed(batch: dict[str, torch.Tensor]) -> None:
    objective = ImageObjective({"cls": 1.0, "cap": 0.0})
    assert not objective.needs("teacher") and not objective.needs("captions")
    assert list(objective(student=batch["student"], text=batch["text"], labels=batch["labels"])[1]) == ["cls"]
    for weights in ({}, {"cls": -1.0}, {"region_contrastive": 1.0}):
        with pytest.raises(InvalidArgumentError):
            ImageObjective(weights)
    with pytest.raises(InvalidArgumentError, match="captions"):
        ImageObjective({"cap": 1.0})(student=batch["student"], text=batch["text"], labels=batch["labels"])
