"""Contrastive losses for images and captions of which each pair is known to match or not."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def multi_positive_nce(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the InfoNCE of images against texts and texts against images, with every match as a positive.

    Each row's (column's) positives share its probability equally; those without a positive are left out.

    :param logits: [N, P], cosines times the logit scale
    :param truth: bool [N, P]
    :return: scalar, the mean of both directions
    """
    return (_one_way(logits, truth) + _one_way(logits.T, truth.T)) / 2


def _one_way(logits: Tensor, truth: Tensor) -> Tensor:
    kept = truth.any(dim=1)
    share = truth[kept].float()
    share = share / share.sum(dim=1, keepdim=True)
    losses = -(share * functional.log_softmax(logits[kept], dim=1)).sum(dim=1)
    return losses.sum() / max(1, len(losses))


class PairwiseSigmoid(nn.Module):
    """The sigmoid loss of each pair on its own, with a scale and a bias that are learned and belong to no teacher."""

    def __init__(self, scale: float = 10.0, bias: float = -3.0) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(scale).log())
        self.bias = nn.Parameter(torch.tensor(bias))

    def forward(self, cosines: Tensor, truth: Tensor) -> Tensor:
        """Return the binary cross-entropy of cosines [N, P] against truth [N, P]; matches and others weigh alike."""
        losses = functional.binary_cross_entropy_with_logits(
            cosines * self.log_scale.exp() + self.bias, truth.float(), reduction="none"
        )
        return (losses[truth].mean() + losses[~truth].mean()) / 2 if truth.any() and not truth.all() else losses.mean()
