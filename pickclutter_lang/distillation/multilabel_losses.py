"""The losses of the multi-label setting (section 7): asymmetric loss, also of single cells, and proximity to the
teacher's odds.
"""

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
)
from pickclutter_lang.errors import InvalidArgumentError

_SMALLEST = 1e-8  # keeps the logarithm finite, as in the authors' program of the loss


def asymmetric_loss(
    probabilities: Tensor,
    targets: Tensor,
    *,
    gamma_negative: float = 2.0,
    gamma_positive: float = 1.0,
    clip: float = 0.05,
) -> Tensor:
    """Return the asymmetric loss of Ridnik et al. (ICCV 2021, arXiv 2009.14119, Eqs. 4-7).

    A present label costs -(1 - p)^gamma_positive log p. An absent one costs -q^gamma_negative log(1 - q) with
    q = max(p - clip, 0), so that easy negatives cost nothing. The defaults are those of the paper's program.

    :param probabilities: [N, C] in [0, 1]
    :param targets: [N, C] bool or in [0, 1]
    :param gamma_negative: focusing exponent of absent labels, >= 0
    :param gamma_positive: focusing exponent of present labels, >= 0
    :param clip: probability margin of absent labels, in [0, 1)
    :return: scalar: summed over the labels, mean over the images
    :raises InvalidArgumentError: on other shapes or values
    """
    check_multilabel(probabilities, targets)
    _check_asymmetric(gamma_negative, gamma_positive, clip)
    present = targets.to(probabilities.dtype)
    costs = present * _as_present(probabilities, gamma_positive)
    costs = costs + (1 - present) * _as_absent(probabilities, gamma_negative, clip)
    return costs.sum(dim=1).mean()


def local_asymmetric_loss(
    odds: Tensor,
    attention: Tensor,
    coverage: Tensor,
    targets: Tensor,
    *,
    gamma_negative: float = 2.0,
    gamma_positive: float = 1.0,
    clip: float = 0.05,
) -> Tensor:
    """Return the asymmetric loss of present labels told apart by place: there where the object is, absent elsewhere.

    For a label with an object that is seen, each cell of the object is to say yes (mean over its cells by how much of
    the object lies in them, so that a small object counts as much as a large one), and the rest of the image,
    aggregated as the whole is, no. Where a label is absent `asymmetric_loss` of the whole image says so. It is
    akin to the pixel-text matching of DenseCLIP (Rao et al., CVPR 2022, arXiv 2112.01518), a cross-entropy over names.

    :param odds: [N, C, K] logarithm of the odds of each label in each of K cells
    :param attention: [N, C, K] >= 0 with sum 1 over the cells, by which odds are averaged
    :param covers: [N, C, K] in [0, 1]: the share of each cell that the label's object covers
    :param targets: [N, C] bool; labels that are not there, or have no cover, cost nothing
    :return: scalar: summed over the labels, mean over the images
    :raises InvalidArgumentError: on other shapes or values
    """
    if odds.ndim != 3 or attention.shape != odds.shape or coverage.shape != odds.shape:
        raise InvalidArgumentError(
            "expected odds, attention and covers of one shape [N, C, K], "
            f"got {list(odds.shape)}, {list(attention.shape)} and {list(coverage.shape)}"
        )
    if targets.shape != odds.shape[:2] or targets.dtype != torch.bool:
        raise InvalidArgumentError(
            f"expected targets as bool {list(odds.shape[:2])}, got {targets.dtype} {list(targets.shape)}"
        )
    check_probabilities(coverage=coverage)
    _check_asymmetric(gamma_negative, gamma_positive, clip)
    seen = targets & (coverage.sum(dim=2) > 0)
    odds, attention, coverage = odds[seen], attention[seen], coverage[seen]
    inside = coverage / coverage.sum(dim=1, keepdim=True)
    outside = attention * (coverage == 0)
    rest = outside.sum(dim=1)
    mean = (outside * odds).sum(dim=1) / rest.clamp(min=_SMALLEST)
    here = (inside * _as_present(odds.sigmoid(), gamma_positive)).sum(dim=1)
    elsewhere = (rest > 0) * _as_absent(mean.sigmoid(), gamma_negative, clip)
    return (here + elsewhere).sum() / len(targets)


def _check_asymmetric(gamma_negative: float, gamma_positive: float, clip: float) -> None:
    if not (gamma_negative >= 0 and gamma_positive >= 0 and 0 <= clip < 1):
        raise InvalidArgumentError(
            "expected gamma_negative >= 0, gamma_positive >= 0 and clip in [0, 1), "
            f"got {gamma_negative}, {gamma_positive} and {clip}"
        )


def _as_present(probabilities: Tensor, gamma: float) -> Tensor:
    return -(1 - probabilities).clamp(min=_SMALLEST).pow(gamma) * probabilities.clamp(min=_SMALLEST).log()


def _as_absent(probabilities: Tensor, gamma: float, clip: float) -> Tensor:
    shifted = (probabilities - clip).clamp(min=0)
    return -shifted.clamp(min=_SMALLEST).pow(gamma) * (1 - shifted).clamp(min=_SMALLEST).log()


def pairwise_proximity_loss(
    probabilities: Tensor,
    teacher: Tensor,
    positive: Tensor,
    negative: Tensor,
    temperature: float,
) -> Tensor:
    """Return KL(teacher || student) of whether each text holds: L_vlprox (Eq. 6) for scenes with many labels.

    Eq. 6 compares distributions over classes of which one is right. In a scene any number is right, so each text is
    a distribution of its own over two prompts: that it holds ("a table with a banana") and that it does not. The
    teacher's is the softmax over its cosines with the two, the student's is what `LocalAggregation` gives. The
    texts need no labels, so they may be any words, and should be many more than the labels.

    :param probabilities: [N, V] in [0, 1], of the student: that text v holds of image n
    :param teacher: [N, D] teacher features of the same images, normalized here
    :param positive: [V, D] text features of the prompts that say that it holds, normalized here
    :param negative: [V, D] of those that say that it does not
    :param temperature: tau > 0 of the teacher's softmax
    :return: scalar: mean over images and texts, so that it does not grow with the vocabulary
    :raises InvalidArgumentError: on other shapes or values
    """
    check_features(teacher=teacher, positive=positive, negative=negative)
    check_equal_rows(probabilities=probabilities, teacher=teacher)
    check_equal_rows(positive=positive, negative=negative)
    check_positive(temperature=temperature)
    image = l2_normalize(teacher)
    odds = (image @ l2_normalize(positive).T - image @ l2_normalize(negative).T) / temperature
    holds = odds.sigmoid().detach()
    check_multilabel(probabilities, holds)
    present, absent = (p.clamp(min=_SMALLEST).log() for p in (probabilities, 1 - probabilities))
    cross = -(holds * present + (1 - holds) * absent)
    entropy = -(holds * functional.logsigmoid(odds.detach()) + (1 - holds) * functional.logsigmoid(-odds.detach()))
    return (cross - entropy).mean()
