"""Contrastive losses for image-caption pairs with known match targets: multi-positive InfoNCE and sigmoid loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def multi_positive_nce(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the InfoNCE of images against texts and texts against images, with every match as a positive.

    Each row's (column's) positives share its probability equally; those without a positive are left out.

    :param logits: [N, P], cosines times the logit scale
    :param targets: bool [N, P]
    :return: scalar, the mean of both directions
    """
    return (_nce(logits, targets) + _nce(logits.T, targets.T)) / 2


def _nce(logits: Tensor, targets: Tensor) -> Tensor:
    has_positive = targets.any(dim=1)
    weights = targets[has_positive].float()
    weights = weights / weights.sum(dim=1, keepdim=True)
    losses = -(weights * functional.log_softmax(logits[has_positive], dim=1)).sum(dim=1)
    return losses.sum() / max(1, len(losses))


class PairwiseSigmoid(nn.Module):
    """The sigmoid loss of each pair (SigLIP), with a learned scale and bias that are not part of the teacher."""

    def __init__(self, scale: float = 10.0, bias: float = -3.0) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(scale).log())
        self.bias = nn.Parameter(torch.tensor(bias))

    def forward(self, cosines: Tensor, targets: Tensor) -> Tensor:
        """Return the binary cross-entropy of cosines [N, P] with bool targets [N, P], classes balanced."""
        losses = functional.binary_cross_entropy_with_logits(
            cosines * self.log_scale.exp() + self.bias, targets.float(), reduction="none"
        )
        return (
            (losses[targets].mean() + losses[~targets].mean()) / 2
            if targets.any() and not targets.all()
            else losses.mean()
        )
