"""Multi-label losses (section 7): the asymmetric loss of images and of single cells, and proximity to the teacher."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation.tensor_checks import (
    check_equal_rows,
    check_features,
    check_multilabel,
    check_positive,
    check_probabilities,
    l2_normalize,
    to_single,
)
from pickclutter_lang.errors import InvalidArgumentError

_EPS = 1e-8  # keeps the logarithm finite, as in the loss authors' program


def asymmetric_loss(
    probabilities: Tensor,
    targets: Tensor,
    *,
    gamma_negative: float = 2.0,
    gamma_positive: float = 1.0,
    clip: float = 0.05,
    detach_focus: bool = False,
) -> Tensor:
    """Return the asymmetric loss of Ridnik et al. (ICCV 2021, arXiv 2009.14119, Eqs. 4-7).

    A present label costs -(1 - p)^gamma_positive log p. An absent one costs -q^gamma_negative log(1 - q) with
    q = max(p - clip, 0), so that easy negatives cost nothing. The defaults are those of the paper's program.

    :param probabilities: [N, C] in [0, 1]
    :param targets: [N, C] bool or in [0, 1]
    :param gamma_negative: focusing exponent of absent labels, >= 0
    :param gamma_positive: focusing exponent of present labels, >= 0
    :param clip: probability margin of absent labels, in [0, 1)
    :param detach_focus: take the focusing weights (1 - p)^gamma_positive and q^gamma_negative for constants in the
        gradient, as the loss authors' and the paper's programs do; the value is the same
    :return: scalar: summed over the labels, mean over the images
    :raises InvalidArgumentError: on other shapes or values
    """
    probabilities = to_single(probabilities)
    check_multilabel(probabilities, targets)
    _check_asymmetric(gamma_negative, gamma_positive, clip)
    present = targets.to(probabilities.dtype)
    costs = present * _positive_cost(probabilities, gamma_positive, detach_focus)
    costs = costs + (1 - present) * _negative_cost(probabilities, gamma_negative, clip, detach_focus)
    return costs.sum(dim=1).mean()


def local_asymmetric_loss(
    cell_logits: Tensor,
    attention: Tensor,
    coverage: Tensor,
    targets: Tensor,
    *,
    gamma_negative: float = 2.0,
    gamma_positive: float = 1.0,
    clip: float = 0.05,
    detach_focus: bool = False,
) -> Tensor:
    """Return the asymmetric loss of present labels by location: positive on the object, negative elsewhere.

    For a label with a visible object, the cells of the object are positive: their costs are averaged by the fraction
    of the object in each, so that small objects count as much as large ones. The logit aggregated over all other cells
    is negative. Absent labels cost nothing here; `asymmetric_loss` of the image covers them. The loss is akin to the
    pixel-text matching of DenseCLIP (Rao et al., CVPR 2022, arXiv 2112.01518), a cross-entropy over names.

    :param cell_logits: [N, C, K] log-odds of each label in each of K cells
    :param attention: [N, C, K] >= 0 with sum 1 over the cells, weights of the aggregation
    :param coverage: [N, C, K] in [0, 1]: fraction of each cell that the label's object covers
    :param targets: [N, C] bool; labels that are absent or have no coverage cost nothing
    :param detach_focus: as of `asymmetric_loss`, as are the parameters before it
    :return: scalar: summed over the labels, mean over the images
    :raises InvalidArgumentError: on other shapes or values
    """
    cell_logits, attention, coverage = to_single(cell_logits), to_single(attention), to_single(coverage)
    _check_cells(cell_logits, attention, coverage, targets)
    _check_asymmetric(gamma_negative, gamma_positive, clip)
    visible = targets & (coverage.sum(dim=2) > 0)
    cell_logits, attention, coverage = cell_logits[visible], attention[visible], coverage[visible]
    inside = coverage / coverage.sum(dim=1, keepdim=True)
    outside = attention * (coverage == 0)
    outside_mass = outside.sum(dim=1)
    mean = (outside * cell_logits).sum(dim=1) / outside_mass.clamp(min=_EPS)
    inside_cost = (inside * _positive_cost(cell_logits.sigmoid(), gamma_positive, detach_focus)).sum(dim=1)
    outside_cost = (outside_mass > 0) * _negative_cost(mean.sigmoid(), gamma_negative, clip, detach_focus)
    return (inside_cost + outside_cost).sum() / len(targets)


def _check_cells(cell_logits: Tensor, attention: Tensor, coverage: Tensor, targets: Tensor) -> None:
    """Check shapes and values of maps over cells."""
    if cell_logits.ndim != 3 or attention.shape != cell_logits.shape or coverage.shape != cell_logits.shape:
        raise InvalidArgumentError(
            "expected cell_logits, attention and coverage of one shape [N, C, K], "
            f"got {list(cell_logits.shape)}, {list(attention.shape)} and {list(coverage.shape)}"
        )
    if targets.shape != cell_logits.shape[:2] or targets.dtype != torch.bool:
        raise InvalidArgumentError(
            f"expected targets as bool {list(cell_logits.shape[:2])}, got {targets.dtype} {list(targets.shape)}"
        )
    check_probabilities(coverage=coverage)


def _check_asymmetric(gamma_negative: float, gamma_positive: float, clip: float) -> None:
    if not (gamma_negative >= 0 and gamma_positive >= 0 and 0 <= clip < 1):
        raise InvalidArgumentError(
            "expected gamma_negative >= 0, gamma_positive >= 0 and clip in [0, 1), "
            f"got {gamma_negative}, {gamma_positive} and {clip}"
        )


def _positive_cost(probabilities: Tensor, gamma: float, detach_focus: bool) -> Tensor:
    focus = (1 - probabilities).clamp(min=_EPS).pow(gamma)
    return -(focus.detach() if detach_focus else focus) * probabilities.clamp(min=_EPS).log()


def _negative_cost(probabilities: Tensor, gamma: float, clip: float, detach_focus: bool) -> Tensor:
    shifted = (probabilities - clip).clamp(min=0)
    focus = shifted.clamp(min=_EPS).pow(gamma)
    return -(focus.detach() if detach_focus else focus) * (1 - shifted).clamp(min=_EPS).log()


def pairwise_proximity_loss(
    probabilities: Tensor,
    teacher: Tensor,
    positive: Tensor,
    negative: Tensor,
    temperature: float,
) -> Tensor:
    """Return KL(teacher || student) of the presence of each text: L_vlprox (Eq. 6) for scenes with many labels.

    Eq. 6 compares distributions over classes, of which one is right. In a scene any number is right, so each text has
    a distribution over two prompts: presence ("a table with a banana") and absence. The teacher's is the softmax over
    its cosines with the two, the student's is that of `LocalAggregation`. The texts need no labels: they may be any
    words, and should outnumber the labels.

    :param probabilities: [N, V] in [0, 1], student's probability that text v is present in image n
    :param teacher: [N, D] teacher features of the same images, normalized here
    :param positive: [V, D] text features of the prompts for presence, normalized here
    :param negative: [V, D] text features of the prompts for absence, normalized here
    :param temperature: tau > 0 of the teacher's softmax
    :return: scalar: mean over images and texts, independent of the vocabulary's size
    :raises InvalidArgumentError: on other shapes or values
    """
    probabilities = to_single(probabilities)
    check_features(teacher=teacher, positive=positive, negative=negative)
    check_equal_rows(probabilities=probabilities, teacher=teacher)
    check_equal_rows(positive=positive, negative=negative)
    check_positive(temperature=temperature)
    image = l2_normalize(teacher)
    teacher_logits = (image @ l2_normalize(positive).T - image @ l2_normalize(negative).T) / temperature
    teacher_probabilities = teacher_logits.sigmoid().detach()
    check_multilabel(probabilities, teacher_probabilities)
    present, absent = (p.clamp(min=_EPS).log() for p in (probabilities, 1 - probabilities))
    cross = -(teacher_probabilities * present + (1 - teacher_probabilities) * absent)
    entropy = -(
        teacher_probabilities * functional.logsigmoid(teacher_logits.detach())
        + (1 - teacher_probabilities) * functional.logsigmoid(-teacher_logits.detach())
    )
    return (cross - entropy).mean()
