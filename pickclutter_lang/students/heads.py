"""From local features and text to the probability of each label, and where the label is seen."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.constants import TEMPERATURE


class LabelScores(NamedTuple):
    """`probabilities` [N, C] in [0, 1], `maps` [N, C, h, w], each >= 0 with sum 1, and `odds` [N, C, h, w]: the
    logarithm of the odds that the label is there as each cell alone would have it.
    """

    probabilities: Tensor
    attention: Tensor
    cell_logits: Tensor


class LocalAggregation(nn.Module):
    """Scores any number of labels, each by its positive and negative text features.

    After DualCoOp (arXiv 2206.09541): the cosines of a label's positive text with the cells of the feature map
    give a spatial softmax, by which the cosines of its positive and its negative text are averaged. The
    probability is the softmax over the (positive, negative) pair at a learned scale; a learned bias, one for
    all labels, is added to the positive logit. Training and evaluation use this one forward pass.
    """

    def __init__(self, *, temperature: float = TEMPERATURE, logit_scale: float = 1 / TEMPERATURE) -> None:
        """Set the temperature and the start of the scale.

        :param temperature: of the spatial softmax, > 0
        :param logit_scale: first value of the learned scale of the cosines, > 0
        :raises InvalidArgumentError: on values that are not above 0
        """
        super().__init__()
        if not temperature > 0 or not logit_scale > 0:
            raise InvalidArgumentError(
                f"expected temperature and logit_scale above 0, got {temperature} and {logit_scale}"
            )
        self.temperature = temperature
        self.log_scale = nn.Parameter(torch.tensor(math.log(logit_scale)))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, local: Tensor, positive: Tensor, negative: Tensor) -> LabelScores:
        """Score labels on images.

        :param local: [N, D, h, w] local features, normalized here
        :param positive: [C, D] text feature of each label's positive prompt, normalized here
        :param negative: [C, D] text feature of each label's negative prompt, normalized here
        :raises InvalidArgumentError: on other shapes
        """
        _check(local, positive, negative)
        height, width = local.shape[2:]
        cells = functional.normalize(local.flatten(2), dim=1)
        cosines_positive = torch.einsum("ndk,cd->nck", cells, functional.normalize(positive, dim=1))
        cosines_negative = torch.einsum("ndk,cd->nck", cells, functional.normalize(negative, dim=1))
        attention = (cosines_positive / self.temperature).softmax(dim=2)
        margins = cosines_positive - cosines_negative
        scale = self.log_scale.exp()
        # The softmax over a pair is the sigmoid of the difference.
        probabilities = torch.sigmoid(scale * (attention * margins).sum(dim=2) + self.bias)
        shape = (*probabilities.shape, height, width)
        return LabelScores(probabilities, attention.reshape(shape), (scale * margins + self.bias).reshape(shape))


def _check(local: Tensor, positive: Tensor, negative: Tensor) -> None:
    if local.ndim != 4 or positive.ndim != 2 or positive.shape != negative.shape or len(positive) == 0:
        raise InvalidArgumentError(
            "expected local features [N, D, h, w] and positive and negative text features [C, D] with C >= 1, "
            f"got {list(local.shape)}, {list(positive.shape)} and {list(negative.shape)}"
        )
    if local.shape[1] != positive.shape[1]:
        raise InvalidArgumentError(
            f"expected text features of the student's width {local.shape[1]}, got {positive.shape[1]}; "
            "build the student with the teacher's embed_dim"
        )
