"""`LocalAggregation`: label probabilities and attention maps from spatial image features and prompt features."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.constants import TEMPERATURE
from pickclutter_lang.utils.validation import one_of


class LabelScores(NamedTuple):
    """Scores of C labels on N images.

    `probabilities` [N, C] in [0, 1]; `attention` [N, C, h, w], each map >= 0 with sum 1; `cell_logits` [N, C, h, w],
    the log-odds of the label from each cell alone.
    """

    probabilities: Tensor
    attention: Tensor
    cell_logits: Tensor


class LocalAggregation(nn.Module):
    """Scores any number of labels, each by its positive and negative text features.

    After DualCoOp (arXiv 2206.09541): the cosines of a label's positive text with the cells of the feature map
    give a spatial softmax, by which the cosines of its positive and its negative text are averaged. With
    `negative_attention="own"`, as in the paper's program, the negative text has a spatial softmax of its own. The
    probability is the softmax over the (positive, negative) pair at a learned scale; a learned bias, one for
    all labels, is added to the positive logit. Training and evaluation use this one forward pass.
    """

    def __init__(
        self,
        *,
        temperature: float = TEMPERATURE,
        logit_scale: float = 1 / TEMPERATURE,
        negative_attention: Literal["positive", "own"] = "positive",
    ) -> None:
        """Set the temperature and the initial scale.

        :param temperature: of the spatial softmax, > 0
        :param logit_scale: initial value of the learned scale of the cosines, > 0
        :param negative_attention: the map that the cosines of the negative text are averaged by
        :raises InvalidArgumentError: on values that are not above 0, or another map
        """
        super().__init__()
        if not temperature > 0 or not logit_scale > 0:
            raise InvalidArgumentError(
                f"expected temperature and logit_scale above 0, got {temperature} and {logit_scale}"
            )
        one_of("negative_attention", negative_attention, ("positive", "own"))
        self.temperature, self.negative_attention = temperature, negative_attention
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
        scale = self.log_scale.exp()  # the softmax over a pair is the sigmoid of the difference
        if self.negative_attention == "own":
            own = (cosines_negative / self.temperature).softmax(dim=2)
            margin = (attention * cosines_positive - own * cosines_negative).sum(dim=2)
        else:
            margin = (attention * margins).sum(dim=2)
        probabilities = torch.sigmoid(scale * margin + self.bias)
        shape = (*probabilities.shape, height, width)
        return LabelScores(probabilities, attention.reshape(shape), (scale * margins + self.bias).reshape(shape))


def _check(local: Tensor, positive: Tensor, negative: Tensor) -> None:
    if local.ndim != 4 or positive.ndim != 2 or positive.shape != negative.shape or positive.shape[0] == 0:
        raise InvalidArgumentError(
            "expected local features [N, D, h, w] and positive and negative text features [C, D] with C >= 1, "
            f"got {list(local.shape)}, {list(positive.shape)} and {list(negative.shape)}"
        )
    if local.shape[1] != positive.shape[1]:
        raise InvalidArgumentError(
            f"expected text features of the student's width {local.shape[1]}, got {positive.shape[1]}; "
            "build the student with the teacher's embed_dim"
        )
