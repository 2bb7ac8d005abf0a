"""A student that names single objects, each cut out of a image at a size of its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.model import normalize_rgb
from pickclutter_lang.students.student import Student

_OUTSIDE = 1e-4  # weight of a cell without the object, so that an empty mask is the whole image


class CropClassifier(nn.Module):
    """Scores names on object crops: the mean of the student's local features on the object, held against each text.

    The texts are made orthogonal (`orthogonal`): those of a fork and a knife are almost the same, and features of
    objects that are to lie along them would hardly differ.
    """

    text: Tensor

    def __init__(self, student: Student, count: int, logit_scale: float = 10.0, use_bf16: bool = False) -> None:
        """Build one for C names; their texts are 0 until `set_class_embeddings` or weights bring them.

        :param count: C
        :param logit_scale: > 0, the start of the learned scale of the cosines
        :param use_bf16: compute the student in bfloat16
        """
        super().__init__()
        self.use_bf16 = use_bf16
        self.student = student
        self.log_scale = nn.Parameter(torch.tensor(math.log(logit_scale)))
        self.register_buffer("text", torch.zeros(count, student.embed_dim))

    def set_class_embeddings(self, text: Tensor) -> None:
        """Take the features [C, D] of the names, in place of those from before.

        :raises InvalidArgumentError: on another shape
        """
        if text.shape != self.text.shape:
            raise InvalidArgumentError(f"expected texts {list(self.text.shape)}, but got {list(text.shape)}")
        self.text.copy_(orthogonalize(text))

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Return logits [N, C] of the C names, of which one is an object's.

        :param images: RGB [N, 3, S, S] in 0..1, an object in the center of each
        :param masks: [N, S, S] in 0..1: where the object is
        :raises InvalidArgumentError: on other shapes
        """
        if masks.ndim != 3 or images.shape[:1] + images.shape[2:] != masks.shape:
            raise InvalidArgumentError(
                f"expected images [N, K, S, S] and masks [N, S, S], got {list(images.shape)} and {list(masks.shape)}"
            )
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.use_bf16):
            local = self.student(normalize_rgb(images)).spatial.float()
        cells = functional.adaptive_avg_pool2d(masks[:, None].float(), local.shape[2:]) + _OUTSIDE
        objects = (local * cells).sum(dim=(2, 3)) / cells.sum(dim=(2, 3))
        scale = self.log_scale.exp()
        logits: Tensor = scale * functional.normalize(objects, dim=1) @ self.text.T
        return logits


def orthogonalize(text: Tensor) -> Tensor:
    """Return the orthonormal vectors [C, D] that are nearest, by the sum of squares, to texts [C, D] of length 1.

    They are U V' of the texts' singular value decomposition (symmetric orthogonalisation, Loewdin 1950). More than D
    texts cannot all be orthogonal; then these are its rows, each with length 1.
    """
    left, _, right = torch.linalg.svd(functional.normalize(text, dim=1), full_matrices=False)
    return functional.normalize(left @ right, dim=1)
