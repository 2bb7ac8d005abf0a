"""`CropClassifier`: a student that classifies crops of single objects by their names."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.student import Student, normalize_rgb

_OUTSIDE = 1e-4  # weight of a cell without the object, so that an empty mask averages the full image


class CropClassifier(nn.Module):
    """Scores names on object crops by cosines of the object's mean spatial feature with each class embedding.

    The class embeddings are made orthogonal (`orthogonalize`). Those of a fork and a knife are almost equal, and
    features trained towards them would hardly differ.
    """

    text: Tensor  # the buffer's name in state dicts

    def __init__(self, student: Student, count: int, logit_scale: float = 10.0, use_bf16: bool = False) -> None:
        """Build one for C names; their embeddings are 0 until `set_class_embeddings` or a state dict sets them.

        :param count: number C of names
        :param logit_scale: initial value of the learned scale of the cosines, > 0
        :param use_bf16: compute the student in bfloat16
        """
        super().__init__()
        self.use_bf16 = use_bf16
        self.student = student
        self.log_scale = nn.Parameter(torch.tensor(math.log(logit_scale)))
        self.register_buffer("text", torch.zeros(count, student.embed_dim))

    def set_class_embeddings(self, class_embeddings: Tensor) -> None:
        """Set the text features [C, D] of the names.

        :raises InvalidArgumentError: on another shape
        """
        if class_embeddings.shape != self.text.shape:
            raise InvalidArgumentError(
                f"expected class embeddings {list(self.text.shape)}, but got {list(class_embeddings.shape)}"
            )
        self.text.copy_(orthogonalize(class_embeddings))

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Return logits [N, C] of the C names for N crops.

        :param images: RGB [N, 3, S, S] in 0..1, an object in the center of each
        :param masks: [N, S, S] in 0..1, mask of the object
        :raises InvalidArgumentError: on other shapes
        """
        if masks.ndim != 3 or images.shape[:1] + images.shape[2:] != masks.shape:
            raise InvalidArgumentError(
                f"expected images [N, K, S, S] and masks [N, S, S], got {list(images.shape)} and {list(masks.shape)}"
            )
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.use_bf16):
            spatial = self.student(normalize_rgb(images)).spatial.float()
        cells = functional.adaptive_avg_pool2d(masks[:, None].float(), spatial.shape[2:]) + _OUTSIDE
        objects = (spatial * cells).sum(dim=(2, 3)) / cells.sum(dim=(2, 3))
        scale = self.log_scale.exp()
        logits: Tensor = scale * functional.normalize(objects, dim=1) @ self.text.T
        return logits


def orthogonalize(class_embeddings: Tensor) -> Tensor:
    """Return the orthonormal vectors [C, D] that are nearest, by the sum of squares, to unit vectors [C, D].

    They are U V' of the singular value decomposition (symmetric orthogonalization, Loewdin 1950). More than D vectors
    cannot all be orthogonal; then these are the rows of U V', normalized.
    """
    left, _, right = torch.linalg.svd(functional.normalize(class_embeddings, dim=1), full_matrices=False)
    return functional.normalize(left @ right, dim=1)
