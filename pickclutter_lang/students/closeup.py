"""A student that names single objects, each cut out of a picture at a size of its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.student import Student

_OUTSIDE = 1e-4  # weight of a cell without the object, so that an empty mask is the whole picture


class CloseUpStudent(nn.Module):
    """Scores names on cut-outs: the mean of the student's local features on the object, held against each text."""

    def __init__(self, student: Student, logit_scale: float = 20.0) -> None:
        """Set the start of the learned scale of the cosines, > 0."""
        super().__init__()
        self.mixed = False
        """Whether the student computes in bfloat16."""
        self.student = student
        self.log_scale = nn.Parameter(torch.tensor(math.log(logit_scale)))

    def forward(self, pictures: Tensor, masks: Tensor, text: Tensor) -> Tensor:
        """Return logits [N, C] of C names, of which one is an object's.

        :param pictures: [N, K, S, S], as the student takes them, an object in the middle of each
        :param masks: [N, S, S] in 0..1: where the object is
        :param text: [C, D] features of the names, normalised here
        :raises InvalidArgumentError: on other shapes
        """
        if masks.ndim != 3 or pictures.shape[:1] + pictures.shape[2:] != masks.shape:
            raise InvalidArgumentError(
                "expected pictures [N, K, S, S] and masks [N, S, S], "
                f"got {list(pictures.shape)} and {list(masks.shape)}"
            )
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.mixed):
            local = self.student(pictures).local.float()
        cells = functional.adaptive_avg_pool2d(masks[:, None].float(), local.shape[2:]) + _OUTSIDE
        objects = (local * cells).sum(dim=(2, 3)) / cells.sum(dim=(2, 3))
        scale = self.log_scale.exp()
        logits: Tensor = scale * functional.normalize(objects, dim=1) @ functional.normalize(text, dim=1).T
        return logits
