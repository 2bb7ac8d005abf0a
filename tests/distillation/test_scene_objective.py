"""L_vlprox for scenes with many labels: against a slow reference, at its minimum, and with bad input."""

import math
from typing import Any

import pytest
import torch

from pickclutter_lang.distillation import (
    SceneObjective,
    VocabularyFeatures,
    asymmetric_loss,
    image_contrastive_loss,
    local_asymmetric_loss,
    pairwise_proximity_loss,
    vl_proximity_loss,
)
from pickclutter_lang.errors import InvalidArgumentError

G = torch.Generator().manual_seed(3)
N, V, D = 4, 6, 5
TEACHER, POSITIVE, NEGATIVE = (torch.randn(n, D, generator=G, dtype=torch.float64) for n in (N, V, V))
STUDENT = torch.rand(N, V, generator=G, dtype=torch.float64) * 0.9 + 0.05


def odds(n: int, v: int, temperature: float) -> float:
    def cosine(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)

    image = TEACHER[n].tolist()
    return (cosine(image, POSITIVE[v].tolist()) - cosine(image, NEGATIVE[v].tolist())) / temperature


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_it_is_the_mean_of_the_divergences_of_pairs(temperature: float) -> None:
    total = 0.0
    for n in range(N):
        for v in range(V):
            q = 1 / (1 + math.exp(-odds(n, v, temperature)))
            p = float(STUDENT[n, v])
            total += q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p))
    loss = pairwise_proximity_loss(STUDENT, TEACHER, POSITIVE, NEGATIVE, temperature)
    assert loss.item() == pytest.approx(total / (N * V), rel=1e-9)


def test_it_is_zero_where_student_and_teacher_agree() -> None:
    same = torch.tensor([[odds(n, v, 0.1) for v in range(V)] for n in range(N)], dtype=torch.float64).sigmoid()
    assert pairwise_proximity_loss(same, 3 * TEACHER, POSITIVE, 2 * NEGATIVE, 0.1).item() == pytest.approx(0, abs=1e-12)
    assert pairwise_proximity_loss(STUDENT, TEACHER, POSITIVE, NEGATIVE, 0.1).item() > 0.01


def test_gradients_reach_the_student_alone() -> None:
    teacher = TEACHER.clone().requires_grad_()
    student = STUDENT.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: pairwise_proximity_loss(p, TEACHER, POSITIVE, NEGATIVE, 0.1), (student,))
    pairwise_proximity_loss(student, teacher, POSITIVE, NEGATIVE, 0.1).backward()
    assert teacher.grad is None and student.grad is not None and bool(student.grad.abs().sum() > 0)


def inputs(objects: int = 3) -> dict[str, Any]:
    return {
        "probabilities": STUDENT.clone().requires_grad_(),
        "targets": STUDENT > 0.5,
        "student": torch.randn(N, D, generator=G).double().requires_grad_(),
        "cell_logits": torch.randn(*STUDENT.shape, 4, generator=G).double().requires_grad_(),
        "attention": torch.full((*STUDENT.shape, 4), 0.25).double(),
        "coverage": torch.rand(*STUDENT.shape, 4, generator=G).double().round(),
        "teacher": TEACHER,
        "region_features": torch.randn(objects, D, generator=G).double().requires_grad_(),
        "teacher_region_features": torch.randn(objects, D, generator=G).double(),
        "vocabulary": VocabularyFeatures(POSITIVE, POSITIVE, NEGATIVE),
        "vocabulary_probabilities": STUDENT,
    }


def test_each_term_is_its_function_with_its_settings() -> None:
    values = inputs()
    names = ("cls", "im_cst", "region_cls", "region_contrastive", "region_proximity", "scene_proximity")
    weights = {name: 0.5 * (n + 1) for n, name in enumerate(names)}
    total, terms = SceneObjective(
        weights, temperature=0.3, similarity="cosine", vocabulary_temperature=0.4, vocabulary_top_k=2,
    )(**values)  # fmt: skip
    probabilities, regions = values["probabilities"], values["region_features"]
    teacher_regions, vocabulary = values["teacher_region_features"], values["vocabulary"]
    labels = torch.zeros(len(regions), dtype=torch.int64)  # without a filter they do not matter
    expected = {
        "cls": asymmetric_loss(probabilities, values["targets"]),
        "im_cst": image_contrastive_loss(values["student"], TEACHER, 0.3, similarity="cosine"),
        "region_cls": local_asymmetric_loss(
            values["cell_logits"], values["attention"], values["coverage"], values["targets"]
        ),
        "region_contrastive": image_contrastive_loss(regions, teacher_regions, 0.3, similarity="cosine"),
        "region_proximity": vl_proximity_loss(
            regions, teacher_regions, vocabulary.plain, labels, 2, 0.4, filter_misaligned=False
        ),
        "scene_proximity": pairwise_proximity_loss(
            values["vocabulary_probabilities"], TEACHER, vocabulary.present, vocabulary.absent, 0.4
        ),
    }
    assert {name: float(term) for name, term in terms.items()} == pytest.approx(
        {name: term.item() for name, term in expected.items()}
    )
    assert total.item() == pytest.approx(sum(weights[name] * float(term) for name, term in terms.items()))
    assert not SceneObjective({"cls": 1.0}).needs("teacher_region_features")


def test_rows_without_labels_have_no_part_in_the_losses_of_labels() -> None:
    weights = {"cls": 1.0, "im_cst": 1.0, "region_cls": 1.0, "scene_proximity": 1.0}
    values = inputs()
    labeled = torch.tensor([True, False, *[True] * (len(values["targets"]) - 2)])
    _, terms = SceneObjective(weights)(**values, labeled=labeled)
    of_labels = {"probabilities", "targets", "cell_logits", "attention", "coverage"}
    sliced = {name: value[labeled] if name in of_labels else value for name, value in values.items()}
    _, expected = SceneObjective({"cls": 1.0, "region_cls": 1.0})(**sliced)
    _, whole = SceneObjective(weights)(**values)
    for name in weights:
        other = expected[name] if name in expected else whole[name]
        assert float(terms[name]) == pytest.approx(float(other)), name
    assert float(terms["cls"]) != pytest.approx(float(whole["cls"]))
    _, own = SceneObjective({"cls": 1.0}, extra={f"{__name__}:rows_of": 1.0})(**values, labeled=labeled)
    assert float(own[f"{__name__}:rows_of"]) == int(labeled.sum())


def rows_of(student: torch.Tensor, targets: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """A loss of one's own: it counts the rows, which must be the same."""
    assert len(student) == len(targets) == len(teacher)
    return student.sum() * 0 + len(targets)


@pytest.mark.parametrize(
    ("term", "lacking"),
    [
        ("im_cst", "teacher"),
        ("region_proximity", "vocabulary"),
    ],
)
def test_a_term_without_its_input_is_named(term: str, lacking: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"the term {term} needs .*{lacking}"):
        SceneObjective({"cls": 1.0, term: 1.0})(**(inputs() | {lacking: None}))
