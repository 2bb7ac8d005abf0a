"""The objective of single images: a weighted sum of the losses."""

import pytest
import torch

from pickclutter_lang.distillation import (
    ImageObjective,
    caption_loss,
    classification_loss,
    image_contrastive_loss,
    mse_loss,
    vl_proximity_loss,
)
from pickclutter_lang.errors import InvalidArgumentError

TAU = 0.3


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(4, 8, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    teacher = text[labels] + 0.3 * torch.randn(6, 8, generator=generator, dtype=torch.float64)
    teacher[4:] = text[[1, 0]]  # the teacher misjudges the last two
    draw = {name: torch.randn(6, 8, generator=generator, dtype=torch.float64) for name in ("student", "captions")}
    return {"text": text, "labels": labels, "teacher": teacher, **draw}


@pytest.mark.parametrize("vlprox", [True, False])
@pytest.mark.parametrize("im_cst", [True, False])
def test_terms_are_their_functions_and_their_sum(batch: dict[str, torch.Tensor], vlprox: bool, im_cst: bool) -> None:
    student, teacher, text, labels = (batch[name] for name in ("student", "teacher", "text", "labels"))
    kept = torch.arange(4 if im_cst else 6)  # the teacher is right about the first four
    weights = {name: 0.5 * (n + 1) for n, name in enumerate(ImageObjective.terms)}
    total, terms = ImageObjective(weights, temperature=TAU, filter_vlprox=vlprox, filter_im_cst=im_cst)(**batch)
    expected = {
        "cls": classification_loss(student, text, labels, TAU),
        "mse": mse_loss(student, teacher),
        "im_cst": image_contrastive_loss(student[kept], teacher[kept], TAU),
        "vlprox": vl_proximity_loss(student, teacher, text, labels, 256, TAU, filter_misaligned=vlprox),
        "cap": caption_loss(student, batch["captions"], labels, TAU),
    }
    assert list(terms) == list(ImageObjective.terms)
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(float(value)), name
    assert float(total) == pytest.approx(sum(weights[name] * float(value) for name, value in expected.items()))


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
