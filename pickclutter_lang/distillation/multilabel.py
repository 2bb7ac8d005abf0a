"""The loss of the multi-label setting (section 7): asymmetric loss on probabilities."""

from __future__ import annotations

from torch import Tensor

from pickclutter_lang.distillation.checks import check_multilabel
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
    if gamma_negative < 0 or gamma_positive < 0 or not 0 <= clip < 1:
        raise InvalidArgumentError(
            "expected gamma_negative >= 0, gamma_positive >= 0 and clip in [0, 1), "
            f"got {gamma_negative}, {gamma_positive} and {clip}"
        )
    present = targets.to(probabilities.dtype)
    miss = (1 - probabilities).clamp(min=_SMALLEST)
    positive = miss.pow(gamma_positive) * probabilities.clamp(min=_SMALLEST).log()
    shifted = (probabilities - clip).clamp(min=0)
    focus = shifted.clamp(min=_SMALLEST).pow(gamma_negative)
    negative = focus * (1 - shifted).clamp(min=_SMALLEST).log()
    return -(present * positive + (1 - present) * negative).sum(dim=1).mean()
