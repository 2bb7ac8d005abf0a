"""Losses between the student's image features and the teacher's text features: L_cls, L_vlprox, L_cap."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation.tensor_checks import (
    check_count,
    check_equal_rows,
    check_features,
    check_labels,
    check_positive,
    l2_normalize,
)


def classification_loss(student: Tensor, text: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return the cross entropy of the label under softmax(cos(image, text) / temperature) (L_cls, Eq. 1).

    :param student: [N, D] image features, normalized here
    :param text: [C, D] one feature per class, normalized here
    :param labels: integer [N], rows of `text`
    :param temperature: tau > 0
    :return: scalar, mean over the images
    :raises InvalidArgumentError: on other shapes or values
    """
    check_features(student=student, text=text)
    check_labels(labels, len(student), len(text))
    check_positive(temperature=temperature)
    return functional.cross_entropy(l2_normalize(student) @ l2_normalize(text).T / temperature, labels.long())


def vl_proximity_loss(
    student: Tensor,
    teacher: Tensor,
    text: Tensor,
    labels: Tensor,
    k: int,
    temperature: float,
    *,
    filter_misaligned: bool = True,
) -> Tensor:
    """Return KL(teacher || student) over the teacher's k most likely classes (L_vlprox, Eq. 6).

    Both distributions are renormalized on those k classes; all are taken where there are fewer than k.

    :param student: [N, D] image features, normalized here
    :param teacher: [N, D] features of the same images, normalized here
    :param text: [C, D] one feature per class, normalized here
    :param labels: integer [N], rows of `text`
    :param k: at least 1; the paper takes 256
    :param temperature: tau > 0, of both distributions
    :param filter_misaligned: leave out the images whose label is not the teacher's first choice
    :return: scalar, mean over the selected images; 0 with a gradient of 0 where none is selected
    :raises InvalidArgumentError: on other shapes or values
    """
    check_features(student=student, teacher=teacher, text=text)
    check_equal_rows(student=student, teacher=teacher)
    check_labels(labels, len(student), len(text))
    check_positive(temperature=temperature)
    check_count(k=k)
    classes = l2_normalize(text)
    teacher_logits = l2_normalize(teacher) @ classes.T / temperature
    student_logits = l2_normalize(student) @ classes.T / temperature
    top_logits, top = teacher_logits.topk(min(k, len(text)), dim=1)
    student_log = student_logits.gather(1, top).log_softmax(dim=1)
    divergence = functional.kl_div(student_log, top_logits.log_softmax(dim=1), reduction="none", log_target=True).sum(
        dim=1
    )
    if not filter_misaligned:
        return divergence.mean()
    aligned = teacher_logits.argmax(dim=1) == labels
    return (divergence * aligned).sum() / aligned.sum().clamp(min=1)


def caption_loss(student: Tensor, captions: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return minus the log of L_cap (Eq. 8): each image must match its caption among those of other classes.

    Captions of images of the same class are no negatives. The image's own caption joins the denominator,
    which Eq. 8 leaves out, so that the loss is bounded below by 0.

    :param student: [N, D] image features, normalized here
    :param captions: [N, D] text feature of each image's caption, normalized here
    :param labels: integer [N]
    :param temperature: tau > 0
    :return: scalar, mean over the images
    :raises InvalidArgumentError: on other shapes or values
    """
    check_features(student=student, captions=captions)
    check_equal_rows(student=student, captions=captions)
    check_labels(labels, len(student))
    check_positive(temperature=temperature)
    logits = l2_normalize(student) @ l2_normalize(captions).T / temperature
    own_index = torch.arange(len(student), device=student.device)
    same_class = labels[:, None] == labels[None, :]
    excluded = same_class & (own_index[:, None] != own_index[None, :])
    return functional.cross_entropy(logits.masked_fill(excluded, float("-inf")), own_index)
