"""Losses of the paper as functions of tensors: of single images (Eqs. 1, 2, 3, 6, 8), and of scenes with many labels.

Features are floating-point [rows, D] and normalized here; half precision counts as float32. `labels` are integers [N],
a temperature tau is above 0. Each loss is a scalar, the mean over the images. Other shapes or values raise
InvalidArgumentError, which names the argument.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError

Similarity = Literal["squared_distance", "cosine"]
_EPS = 1e-8  # keeps the logarithm finite, as in the program of the asymmetric loss's authors


def classification_loss(student: Tensor, text: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return the cross-entropy of the label under softmax(cos(image, text) / temperature) (L_cls, Eq. 1).

    :param student: [N, D] image features
    :param text: [C, D] one feature per class
    :param labels: rows of `text`
    """
    _check_features(student=student, text=text)
    _check_labels(labels, len(student), len(text))
    _check_at_least(temperature=temperature)
    return functional.cross_entropy(l2_normalize(student) @ l2_normalize(text).T / temperature, labels.long())


def mse_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the squared distance between the image features [N, D] of student and teacher, 0 to 4 (L_mse, Eq. 2)."""
    _check_features(student=student, teacher=teacher)
    _check_rows(student=student, teacher=teacher)
    return (l2_normalize(student) - l2_normalize(teacher)).square().sum(dim=1).mean()


def image_contrastive_loss(
    student: Tensor,
    teacher: Tensor,
    temperature: float,
    *,
    symmetric: bool = True,
    similarity: Similarity = "squared_distance",
) -> Tensor:
    """Return minus the log of L_im-cst (Eq. 3): each image must match its own teacher feature.

    For unit vectors the squared distance is 2 - 2 cos, so `similarity="cosine"` (the released program) at a
    temperature is `"squared_distance"` (the paper) at twice that temperature.

    :param student: [N, D] image features
    :param teacher: [N, D] features of the same images
    :param symmetric: mean of both directions (image to teacher and back), as the released program does; Eq. 3
        prints the first one only
    """
    _check_features(student=student, teacher=teacher)
    _check_rows(student=student, teacher=teacher)
    _check_at_least(temperature=temperature)
    if similarity not in ("squared_distance", "cosine"):
        raise InvalidArgumentError(f"expected similarity 'squared_distance' or 'cosine', got {similarity!r}")
    cosines = l2_normalize(student) @ l2_normalize(teacher).T
    logits = (cosines if similarity == "cosine" else 2 * cosines - 2) / temperature
    own_index = torch.arange(len(student), device=student.device)
    forward = functional.cross_entropy(logits, own_index)
    if not symmetric:
        return forward
    return (forward + functional.cross_entropy(logits.T, own_index)) / 2


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

    :param student: [N, D] image features
    :param teacher: [N, D] features of the same images
    :param text: [C, D] one feature per class
    :param labels: rows of `text`
    :param k: at least 1; the paper takes 256
    :param filter_misaligned: leave out the images whose label is not the teacher's first choice
    :return: mean over the selected images; 0 with a gradient of 0 where none is selected
    """
    _check_features(student=student, teacher=teacher, text=text)
    _check_rows(student=student, teacher=teacher)
    _check_labels(labels, len(student), len(text))
    _check_at_least(temperature=temperature)
    _check_at_least(1, k=k)
    classes = l2_normalize(text)
    teacher_logits = l2_normalize(teacher) @ classes.T / temperature
    student_logits = l2_normalize(student) @ classes.T / temperature
    top_logits, top = teacher_logits.topk(min(k, len(text)), dim=1)
    teacher_log = top_logits.log_softmax(dim=1)
    student_log = student_logits.gather(1, top).log_softmax(dim=1)
    divergence = functional.kl_div(student_log, teacher_log, reduction="none", log_target=True).sum(dim=1)
    if not filter_misaligned:
        return divergence.mean()
    aligned = teacher_logits.argmax(dim=1) == labels
    return (divergence * aligned).sum() / aligned.sum().clamp(min=1)


def caption_loss(student: Tensor, captions: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return minus the log of L_cap (Eq. 8): each image must match its caption among those of other classes.

    Captions of images of the same class are no negatives. The image's own caption joins the denominator,
    which Eq. 8 leaves out, so that the loss is bounded below by 0.

    :param student: [N, D] image features
    :param captions: [N, D] text feature of each image's caption
    """
    _check_features(student=student, captions=captions)
    _check_rows(student=student, captions=captions)
    _check_labels(labels, len(student))
    _check_at_least(temperature=temperature)
    logits = l2_normalize(student) @ l2_normalize(captions).T / temperature
    own_index = torch.arange(len(student), device=student.device)
    same_class = labels[:, None] == labels[None, :]
    excluded = same_class & (own_index[:, None] != own_index[None, :])
    return functional.cross_entropy(logits.masked_fill(excluded, float("-inf")), own_index)


def asymmetric_loss(
    probabilities: Tensor,
    targets: Tensor,
    *,
    gamma_negative: float = 2.0,
    gamma_positive: float = 1.0,
    clip: float = 0.05,
    detach_focus: bool = False,
) -> Tensor:
    """Return the asymmetric loss of Ridnik et al. (ICCV 2021, arXiv 2009.14119, Eqs. 4-7), the paper's section 7.

    A present label costs -(1 - p)^gamma_positive log p. An absent one costs -q^gamma_negative log(1 - q) with
    q = max(p - clip, 0), so that easy negatives cost nothing. The defaults are those of the paper's program.

    :param probabilities: [N, C] in [0, 1]
    :param targets: [N, C] bool or in [0, 1]
    :param gamma_negative: focusing exponent of absent labels, >= 0
    :param gamma_positive: focusing exponent of present labels, >= 0
    :param clip: probability margin of absent labels, in [0, 1)
    :param detach_focus: take the focusing weights (1 - p)^gamma_positive and q^gamma_negative for constants in the
        gradient, as the loss authors' and the paper's programs do; the value is the same
    :return: summed over the labels, mean over the images
    """
    probabilities = _single(probabilities)
    _check_multilabel(probabilities, targets)
    _check_asymmetric(gamma_negative, gamma_positive, clip)
    present = targets.to(probabilities.dtype)
    costs = present * _positive_cost(probabilities, gamma_positive, detach_focus)
    costs = costs + (1 - present) * _negative_cost(probabilities, gamma_negative, clip, detach_focus)
    return costs.sum(dim=1).mean()


def local_asymmetric_loss(
    cell_logits: Tensor,
    attention: Tensor,
    coverage: Tensor,
    targets: Tensor,
    *,
    gamma_negative: float = 2.0,
    gamma_positive: float = 1.0,
    clip: float = 0.05,
    detach_focus: bool = False,
) -> Tensor:
    """Return the asymmetric loss of present labels by location: positive on the object, negative elsewhere.

    For a label with a visible object, the cells of the object are positive: their costs are averaged by the fraction
    of the object in each, so that small objects count as much as large ones. The logit aggregated over all other cells
    is negative. Absent labels cost nothing here; `asymmetric_loss` of the image covers them. The loss is akin to the
    pixel-text matching of DenseCLIP (Rao et al., CVPR 2022, arXiv 2112.01518), a cross-entropy over names.

    :param cell_logits: [N, C, K] log-odds of each label in each of K cells
    :param attention: [N, C, K] >= 0 with sum 1 over the cells, weights of the aggregation
    :param coverage: [N, C, K] in [0, 1]: fraction of each cell that the label's object covers
    :param targets: [N, C] bool; labels that are absent or have no coverage cost nothing
    :param detach_focus: as of `asymmetric_loss`, as are the parameters before it
    :return: summed over the labels, mean over the images
    """
    cell_logits, attention, coverage = _single(cell_logits), _single(attention), _single(coverage)
    if cell_logits.ndim != 3 or not cell_logits.shape == attention.shape == coverage.shape:
        shapes = _shapes(cell_logits=cell_logits, attention=attention, coverage=coverage)
        raise InvalidArgumentError(f"expected one shape [N, C, K], got {shapes}")
    if targets.shape != cell_logits.shape[:2] or targets.dtype != torch.bool:
        raise InvalidArgumentError(f"expected bool [N, C] beside [N, C, K], got {_shapes(targets=targets)}")
    _check_fractions(coverage=coverage)
    _check_asymmetric(gamma_negative, gamma_positive, clip)
    visible = targets & (coverage.sum(dim=2) > 0)
    cell_logits, attention, coverage = cell_logits[visible], attention[visible], coverage[visible]
    inside = coverage / coverage.sum(dim=1, keepdim=True)
    outside = attention * (coverage == 0)
    outside_mass = outside.sum(dim=1)
    mean = (outside * cell_logits).sum(dim=1) / outside_mass.clamp(min=_EPS)
    inside_cost = (inside * _positive_cost(cell_logits.sigmoid(), gamma_positive, detach_focus)).sum(dim=1)
    outside_cost = (outside_mass > 0) * _negative_cost(mean.sigmoid(), gamma_negative, clip, detach_focus)
    return (inside_cost + outside_cost).sum() / len(targets)


def _positive_cost(probabilities: Tensor, gamma: float, detach_focus: bool) -> Tensor:
    focus = (1 - probabilities).clamp(min=_EPS).pow(gamma)
    return -(focus.detach() if detach_focus else focus) * probabilities.clamp(min=_EPS).log()


def _negative_cost(probabilities: Tensor, gamma: float, clip: float, detach_focus: bool) -> Tensor:
    shifted = (probabilities - clip).clamp(min=0)
    focus = shifted.clamp(min=_EPS).pow(gamma)
    return -(focus.detach() if detach_focus else focus) * (1 - shifted).clamp(min=_EPS).log()


def pairwise_proximity_loss(
    probabilities: Tensor, teacher: Tensor, positive: Tensor, negative: Tensor, temperature: float
) -> Tensor:
    """Return KL(teacher || student) of the presence of each text: L_vlprox (Eq. 6) for scenes with many labels.

    Eq. 6 compares distributions over classes, of which one is right. In a scene any number is right, so each text has
    a distribution over two prompts: presence ("a table with a banana") and absence. The teacher's is the softmax over
    its cosines with the two, the student's is that of `LocalAggregation`. The texts need no labels: they may be any
    words, and should outnumber the labels.

    :param probabilities: [N, V] in [0, 1], student's probability that text v is present in image n
    :param teacher: [N, D] teacher features of the same images
    :param positive: [V, D] text features of the prompts for presence
    :param negative: [V, D] text features of the prompts for absence
    :param temperature: of the teacher's softmax
    :return: mean over images and texts, independent of the vocabulary's size
    """
    probabilities = _single(probabilities)
    _check_features(teacher=teacher, positive=positive, negative=negative)
    _check_rows(probabilities=probabilities, teacher=teacher)
    _check_rows(positive=positive, negative=negative)
    _check_at_least(temperature=temperature)
    image = l2_normalize(teacher)
    teacher_logits = (image @ l2_normalize(positive).T - image @ l2_normalize(negative).T) / temperature
    teacher_logits = teacher_logits.detach()
    present, absent = teacher_logits.sigmoid(), 1 - teacher_logits.sigmoid()
    _check_multilabel(probabilities, present)
    log_present, log_absent = (p.clamp(min=_EPS).log() for p in (probabilities, 1 - probabilities))
    cross = -(present * log_present + absent * log_absent)
    entropy = -(present * functional.logsigmoid(teacher_logits) + absent * functional.logsigmoid(-teacher_logits))
    return (cross - entropy).mean()


def l2_normalize(features: Tensor) -> Tensor:
    """Return features [N, D] with L2 norm 1 along the last axis; half precision becomes float32."""
    return functional.normalize(_single(features), dim=-1)


def _single(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def _shapes(**tensors: Tensor) -> str:
    return ", ".join(f"{name} {tensor.dtype} {list(tensor.shape)}" for name, tensor in tensors.items())


def _check_features(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        if tensor.ndim != 2 or not tensor.is_floating_point() or 0 in tensor.shape:
            raise InvalidArgumentError(f"expected floating-point features [rows, D], got {_shapes(**{name: tensor})}")
        if not bool(tensor.detach().isfinite().all()):
            raise InvalidArgumentError(f"expected finite {name}, but NaN or infinity is among its values")
    if len({(tensor.shape[1], tensor.dtype == torch.float64) for tensor in tensors.values()}) > 1:
        raise InvalidArgumentError(f"expected features of one width D and one precision, got {_shapes(**tensors)}")


def _check_rows(**tensors: Tensor) -> None:
    if len({len(tensor) for tensor in tensors.values()}) > 1:
        raise InvalidArgumentError(f"expected rows of the same images or texts, got {_shapes(**tensors)}")


def _check_labels(labels: Tensor, rows: int, classes: int | None = None) -> None:
    if labels.shape != (rows,) or labels.is_floating_point() or labels.dtype == torch.bool:
        raise InvalidArgumentError(f"expected integers [{rows}], got {_shapes(labels=labels)}")
    if classes is not None and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        got = f"{int(labels.min())}..{int(labels.max())}"
        raise InvalidArgumentError(f"expected labels in 0..{classes - 1} (rows of text), got {got}")


def _check_at_least(low: float = 1e-9, **values: float) -> None:
    for name, value in values.items():
        if not low <= value < math.inf:
            raise InvalidArgumentError(f"expected a finite {name} of at least {low}, got {value!r}")


def _check_multilabel(probabilities: Tensor, targets: Tensor) -> None:
    if probabilities.ndim != 2 or 0 in probabilities.shape or targets.shape != probabilities.shape:
        shapes = _shapes(probabilities=probabilities, targets=targets)
        raise InvalidArgumentError(f"expected one shape [N, C] with N, C >= 1, got {shapes}")
    _check_fractions(probabilities=probabilities, targets=targets)


def _check_fractions(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        low, high = (float(value) for value in tensor.detach().aminmax())
        if not 0.0 <= low <= high <= 1.0:
            raise InvalidArgumentError(f"expected {name} within [0, 1], got {low:g}..{high:g}; logits need a sigmoid")


def _check_asymmetric(gamma_negative: float, gamma_positive: float, clip: float) -> None:
    if not (gamma_negative >= 0 and gamma_positive >= 0 and 0 <= clip < 1):
        raise InvalidArgumentError(
            "expected gamma_negative >= 0, gamma_positive >= 0 and clip in [0, 1), "
            f"got {gamma_negative}, {gamma_positive} and {clip}"
        )
