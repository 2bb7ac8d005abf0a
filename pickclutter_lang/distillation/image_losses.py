"""Losses that bring the student's image features to the teacher's (section 4.1 of the paper)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation.tensor_checks import check_equal_rows, check_features, check_positive, l2_normalize
from pickclutter_lang.errors import InvalidArgumentError

Similarity = Literal["squared_distance", "cosine"]


def mse_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the squared distance between student and teacher image features (Eq. 2).

    :param student: [N, D], normalized here
    :param teacher: [N, D], normalized here
    :return: scalar in [0, 4]: summed over D, mean over the images
    :raises InvalidArgumentError: on other shapes
    """
    check_features(student=student, teacher=teacher)
    check_equal_rows(student=student, teacher=teacher)
    return (l2_normalize(student) - l2_normalize(teacher)).square().sum(dim=1).mean()


def image_contrastive_loss(
    student: Tensor,
    teacher: Tensor,
    temperature: float,
    *,
    symmetric: bool = True,
    similarity: Similarity = "squared_distance",
    bank: Tensor | None = None,
) -> Tensor:
    """Return minus the log of L_im-cst (Eq. 3): each image finds its own teacher feature.

    For unit vectors the squared distance is 2 - 2 cos, so `similarity="cosine"` (the released program) at a
    temperature is `"squared_distance"` (the paper) at twice that temperature.

    :param student: [N, D], normalized here
    :param teacher: [N, D] features of the same images, normalized here
    :param temperature: tau > 0
    :param symmetric: mean of both directions (image to teacher and back), as the released program does; Eq. 3
        prints the first one alone
    :param similarity: what is divided by the temperature
    :param bank: [M, D] teacher features of other images, further negatives in the direction image to teacher
    :return: scalar, mean over the images
    :raises InvalidArgumentError: on other shapes, values or names
    """
    features = {"student": student, "teacher": teacher} | ({} if bank is None else {"bank": bank})
    check_features(**features)
    check_equal_rows(student=student, teacher=teacher)
    check_positive(temperature=temperature)
    candidates = l2_normalize(teacher if bank is None else torch.cat([teacher, bank.to(teacher)]))
    logits = _similarities(l2_normalize(student), candidates, similarity) / temperature
    own = torch.arange(len(student), device=student.device)
    forward = functional.cross_entropy(logits, own)
    if not symmetric:
        return forward
    return (forward + functional.cross_entropy(logits[:, : len(student)].T, own)) / 2


def _similarities(rows: Tensor, columns: Tensor, similarity: Similarity) -> Tensor:
    """Return the similarities [N, M] of unit vectors."""
    cosines = rows @ columns.T
    if similarity == "cosine":
        return cosines
    if similarity == "squared_distance":
        return 2 * cosines - 2
    raise InvalidArgumentError(f"expected similarity 'squared_distance' or 'cosine', got {similarity!r}")
