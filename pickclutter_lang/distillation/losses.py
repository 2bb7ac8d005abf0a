"""Losses of the paper as functions of tensors: of single images (Eqs. 1, 2, 3, 6, 8), and of scenes with many labels.

Features are floating-point [rows, D] and normalized here; half precision counts as float32. `labels` are integers [N],
a temperature tau is above 0. Each loss is a scalar, the mean over the images. Other shapes raise InvalidArgumentError,
which names the argument. Values are not checked: a pass over them costs as much as the loss.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.utils.shapes import of_shapes
from pickclutter_lang.utils.validation import one_of

Similarity = Literal["squared_distance", "cosine"]
_EPS = 1e-8  # keeps the logarithm finite, as in the program of the asymmetric loss's authors


@of_shapes(student="ND", text="CD", labels="N")
def classification_loss(student: Tensor, text: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return the cross-entropy of the label under softmax(cos(image, text) / temperature) (L_cls, Eq. 1).

    :param student: [N, D] image features
    :param text: [C, D] one feature per class
    :param labels: rows of `text`
    """
    return functional.cross_entropy(l2_normalize(student) @ l2_normalize(text).T / temperature, labels.long())


@of_shapes(student="ND", teacher="ND")
def mse_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the squared distance between the image features [N, D] of student and teacher, 0 to 4 (L_mse, Eq. 2)."""
    return (l2_normalize(student) - l2_normalize(teacher)).square().sum(dim=1).mean()


@of_shapes(student="ND", teacher="ND")
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
    one_of("similarity", similarity, ("squared_distance", "cosine"))
    cosines = l2_normalize(student) @ l2_normalize(teacher).T
    logits = (cosines if similarity == "cosine" else 2 * cosines - 2) / temperature
    own_index = torch.arange(len(student), device=student.device)
    forward = functional.cross_entropy(logits, own_index)
    if not symmetric:
        return forward
    return (forward + functional.cross_entropy(logits.T, own_index)) / 2


@of_shapes(student="ND", teacher="ND", text="CD", labels="N")
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


@of_shapes(student="ND", captions="ND", labels="N")
def caption_loss(student: Tensor, captions: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return minus the log of L_cap (Eq. 8): each image must match its caption among those of other classes.

    Captions of images of the same class are no negatives. The image's own caption joins the denominator,
    which Eq. 8 leaves out, so that the loss is bounded below by 0.

    :param student: [N, D] image features
    :param captions: [N, D] text feature of each image's caption
    """
    logits = l2_normalize(student) @ l2_normalize(captions).T / temperature
    own_index = torch.arange(len(student), device=student.device)
    same_class = labels[:, None] == labels[None, :]
    excluded = same_class & (own_index[:, None] != own_index[None, :])
    return functional.cross_entropy(logits.masked_fill(excluded, float("-inf")), own_index)


@of_shapes(probabilities="NC", targets="NC")
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
    present = targets.to(probabilities.dtype)
    costs = present * _positive_cost(probabilities, gamma_positive, detach_focus)
    costs = costs + (1 - present) * _negative_cost(probabilities, gamma_negative, clip, detach_focus)
    return costs.sum(dim=1).mean()


@of_shapes(cell_logits="NCK", attention="NCK", coverage="NCK", targets="NC")
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


@of_shapes(probabilities="NV", teacher="ND", positive="VD", negative="VD")
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
    image = l2_normalize(teacher)
    teacher_logits = (image @ l2_normalize(positive).T - image @ l2_normalize(negative).T) / temperature
    teacher_logits = teacher_logits.detach()
    present = teacher_logits.sigmoid()
    absent = 1 - teacher_logits.sigmoid()
    log_present, log_absent = (p.clamp(min=_EPS).log() for p in (probabilities, 1 - probabilities))
    cross = -(present * log_present + absent * log_absent)
    entropy = -(present * functional.logsigmoid(teacher_logits) + absent * functional.logsigmoid(-teacher_logits))
    return (cross - entropy).mean()


def l2_normalize(features: Tensor) -> Tensor:
    """Return features [N, D] with L2 norm 1 along the last axis; half precision becomes float32."""
    return functional.normalize(_single(features), dim=-1)


def _single(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
