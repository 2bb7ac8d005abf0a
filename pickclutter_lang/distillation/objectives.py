"""Objectives: weighted sums of named losses, for scenes with many labels and for images with one, and custom terms."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pickclutter_lang.distillation.losses import (
    Similarity,
    asymmetric_loss,
    caption_loss,
    classification_loss,
    image_contrastive_loss,
    l2_normalize,
    local_asymmetric_loss,
    mse_loss,
    pairwise_proximity_loss,
    vl_proximity_loss,
)
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.constants import TEMPERATURE
from pickclutter_lang.utils.plugins import resolve


class ExtraLoss:
    """A user's function. The names of its parameters say which arguments of the objective's call it gets."""

    def __init__(self, name: str, offered: Sequence[str]) -> None:
        """Import the function.

        :param name: `module:attribute`, which names the term in the log too
        :param offered: names of the arguments that the objective has; a parameter of another name needs a default, and
            `**others` gets nothing
        :raises InvalidArgumentError: what `resolve` raises, or for a parameter that the objective does not have
        """
        self.name = name
        self._function: Callable[..., Any] = resolve(name, "objective.extra")
        parameters = inspect.signature(self._function).parameters.values()
        needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        unknown = [name for name in needed if name not in offered]
        if unknown:
            raise InvalidArgumentError(
                f"expected the parameters of objective.extra={name} to be of {', '.join(offered)}, but got "
                f"{', '.join(unknown)}"
            )
        self.arguments = tuple(p.name for p in parameters if p.name in offered)
        if not self.arguments:
            raise InvalidArgumentError(
                f"expected objective.extra={name} to name parameters of {', '.join(offered)}, but it names none of them"
            )

    def __call__(self, given: Mapping[str, Any]) -> Tensor:
        """Return the term, a scalar; without a gradient it trains nothing.

        :param given: the arguments of the objective's call
        :raises InvalidArgumentError: when the function returns anything else
        """
        term = self._function(**{name: given[name] for name in self.arguments})
        if not isinstance(term, Tensor) or term.ndim != 0:
            got = list(term.shape) if isinstance(term, Tensor) else type(term).__name__
            raise InvalidArgumentError(f"expected objective.extra={self.name} to return a scalar tensor, but got {got}")
        return term


def load_extra_losses(weights: Mapping[str, float], offered: Sequence[str]) -> dict[str, ExtraLoss]:
    """Return the terms of a weight other than 0 by name; see `ExtraLoss`."""
    return {name: ExtraLoss(name, offered) for name, weight in weights.items() if weight}


LOSS_NAMES = ("cls", "im_cst", "region_cls", "region_contrastive", "region_proximity", "scene_proximity")
_NEEDS = {
    "im_cst": ("teacher",),
    "region_cls": ("cell_logits", "attention", "coverage"),
    "region_contrastive": ("region_features", "teacher_region_features"),
    "region_proximity": ("region_features", "teacher_region_features", "vocabulary"),
    "scene_proximity": ("teacher", "vocabulary", "vocabulary_probabilities"),
}
_COMES_WITH = {"region_features": "teacher_region_features", "vocabulary_probabilities": "vocabulary"}


class VocabularyFeatures(NamedTuple):
    """Text features [V, D] of a vocabulary: of each text itself, of a scene with it, and of a scene without it."""

    plain: Tensor
    present: Tensor
    absent: Tensor


@dataclass(frozen=True)
class SceneInputs:
    """What the losses see of N scenes with C labels, K cells and R visible objects. R may be 0."""

    probabilities: Tensor
    """[N, C] in [0, 1], of `LocalAggregation`."""
    targets: Tensor
    """[N, C] bool or in [0, 1]; bool for `region_cls`."""
    student: Tensor
    """[N, D] pooled features of the student."""
    teacher: Tensor | None = None
    """[N, D] teacher features of the same images."""
    bank: Tensor | None = None
    """[M, D] teacher features of other images, further negatives of `im_cst`."""
    cell_logits: Tensor | None = None
    """[N, C, K] log-odds of the labels in each cell, of `LocalAggregation`."""
    attention: Tensor | None = None
    """[N, C, K] attention maps, of `LocalAggregation`."""
    coverage: Tensor | None = None
    """[N, C, K] in [0, 1]: fraction of each cell that the label's object covers."""
    region_features: Tensor | None = None
    """[R, D] spatial features of the student, averaged over each visible object."""
    teacher_region_features: Tensor | None = None
    """[R, D] teacher features of a crop of each of these objects."""
    vocabulary: VocabularyFeatures | None = None
    """For `region_proximity` and `scene_proximity`."""
    vocabulary_probabilities: Tensor | None = None
    """[N, V] of `LocalAggregation`, for the vocabulary."""
    labeled: Tensor | None = None
    """bool [N], which rows have targets; None: all. Terms of labels and custom losses see these rows alone."""

    def of_labeled(self) -> SceneInputs:
        """Return the rows that have targets, with the features of all objects."""
        if self.labeled is None:
            return self
        rows = {name: value[self.labeled] for name in _ROWS if (value := getattr(self, name)) is not None}
        return replace(self, labeled=None, **rows)


_ROWS = (
    "probabilities", "targets", "student", "teacher", "cell_logits", "attention", "coverage",
    "vocabulary_probabilities",
)  # fmt: skip
SCENE_ARGUMENTS = (*_ROWS, "region_features", "teacher_region_features", "vocabulary")
"""Inputs that the parameters of a custom loss may name."""


def checked_weights(weights: Mapping[str, float], terms: Sequence[str]) -> dict[str, float]:
    """Return the weights above 0, in the order of the terms.

    :raises InvalidArgumentError: on an unknown term or a weight that is not allowed, or when none is above 0
    """
    unknown = sorted(set(weights) - set(terms))
    if unknown:
        raise InvalidArgumentError(f"no loss is named {', '.join(unknown)}; known terms: {', '.join(terms)}")
    invalid = {name: weight for name, weight in weights.items() if not 0 <= weight < float("inf")}
    if invalid:
        raise InvalidArgumentError(f"expected weights of at least 0, got {invalid}")
    positive = {name: float(weights[name]) for name in terms if weights.get(name, 0) > 0}
    if not positive:
        raise InvalidArgumentError(f"expected a weight above 0 for at least one of {', '.join(terms)}, got none")
    return positive


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the weighted sum of scalars with its gradient, and the unweighted scalars without."""
    first, *rest = (weights[name] * term for name, term in terms.items())
    for term in rest:
        first = first + term
    return first, {name: term.detach() for name, term in terms.items()}


class SceneObjective:
    """Named loss terms and their weights; the names are the keys in configuration and log.

    - `cls`: asymmetric loss on the probabilities of the labels (section 7);
    - `im_cst`: L_im-cst (Eq. 3) between the image features of student and teacher;
    - `region_cls`: `cls` of single cells, on and off each object (`local_asymmetric_loss`);
    - `region_contrastive`: L_im-cst between the student's mean spatial feature of an object and the teacher's
      feature of its crop;
    - `region_proximity`: L_vlprox (Eq. 6) of the same pairs over a vocabulary, without a filter;
    - `scene_proximity`: L_vlprox for scenes, over a vocabulary (`pairwise_proximity_loss`).

    A term of weight 0 is neither computed nor reported.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        *,
        temperature: float = TEMPERATURE,
        similarity: Similarity = "squared_distance",
        vocabulary_temperature: float = 0.05,
        vocabulary_top_k: int = 256,
        gamma_negative: float = 2.0,
        gamma_positive: float = 1.0,
        clip: float = 0.05,
        detach_focus: bool = False,
        extra: Mapping[str, float] | None = None,
    ) -> None:
        """Check the names and weights.

        :param weights: term -> weight >= 0, at least one above 0
        :param temperature: tau of `im_cst` and `region_contrastive`
        :param similarity: of the same, see `image_contrastive_loss`
        :param vocabulary_temperature: tau of `region_proximity` and `scene_proximity`
        :param vocabulary_top_k: k of `region_proximity`
        :param gamma_negative: of `cls` and `region_cls`, as are `gamma_positive`, `clip` and `detach_focus`, see
            `asymmetric_loss`
        :param extra: `module:attribute` of custom losses -> weight; see `ExtraLoss`
        :raises InvalidArgumentError: on an unknown term or a weight that is not allowed
        """
        extra = extra or {}
        self.weights = checked_weights({**weights, **extra}, (*LOSS_NAMES, *extra))
        self._extra = load_extra_losses(extra, SCENE_ARGUMENTS)
        self._needs = _NEEDS | {
            name: (*loss.arguments, *(_COMES_WITH[what] for what in loss.arguments if what in _COMES_WITH))
            for name, loss in self._extra.items()
        }
        self._contrast: Callable[..., Tensor] = partial(
            image_contrastive_loss, temperature=temperature, similarity=similarity
        )
        self._vocabulary_temperature = vocabulary_temperature
        self._vocabulary_top_k = vocabulary_top_k
        focus: dict[str, Any] = {
            "gamma_negative": gamma_negative, "gamma_positive": gamma_positive, "clip": clip,
            "detach_focus": detach_focus,
        }  # fmt: skip
        self._asymmetric: Callable[..., Tensor] = partial(asymmetric_loss, **focus)
        self._local_asymmetric: Callable[..., Tensor] = partial(local_asymmetric_loss, **focus)

    def needs(self, argument: str) -> bool:
        """Return whether a term needs an argument of the call, such as `teacher`, `coverage` or `vocabulary`."""
        return any(argument in self._needs.get(name, ()) for name in self.weights)

    def __call__(self, inputs: SceneInputs) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum and the unweighted terms.

        :return: (scalar with gradient, name -> scalar without gradient)
        :raises InvalidArgumentError: on other shapes or values, or where an input that `needs` names is missing
        """
        self._check_inputs(inputs)
        known = inputs.of_labeled()
        terms: dict[str, Tensor] = {}
        if "cls" in self.weights:
            terms["cls"] = self._asymmetric(known.probabilities, known.targets)
        if "im_cst" in self.weights:
            terms["im_cst"] = self._contrast(inputs.student, inputs.teacher, bank=inputs.bank)
        if "region_cls" in self.weights:
            terms["region_cls"] = self._local_asymmetric(
                known.cell_logits, known.attention, known.coverage, known.targets
            )
        if inputs.region_features is not None and inputs.teacher_region_features is not None:
            terms |= self._region_terms(inputs.region_features, inputs.teacher_region_features, inputs.vocabulary)
        terms |= self._scene_terms(inputs)
        terms |= {name: loss(vars(known)) for name, loss in self._extra.items()}
        return weighted_sum(terms, self.weights)

    def _check_inputs(self, inputs: SceneInputs) -> None:
        """Check that no input is missing that a term needs."""
        for name in self.weights:
            missing = [argument for argument in self._needs.get(name, ()) if getattr(inputs, argument) is None]
            if missing:
                raise InvalidArgumentError(f"the term {name} needs {', '.join(missing)}, got none")

    def _scene_terms(self, inputs: SceneInputs) -> dict[str, Tensor]:
        """Return the term of scenes over the vocabulary, if it has a weight."""
        probabilities, teacher, vocabulary = inputs.vocabulary_probabilities, inputs.teacher, inputs.vocabulary
        if "scene_proximity" not in self.weights or probabilities is None or teacher is None or vocabulary is None:
            return {}
        loss = pairwise_proximity_loss(
            probabilities, teacher, vocabulary.present, vocabulary.absent, self._vocabulary_temperature
        )
        return {"scene_proximity": loss}

    def _region_terms(
        self, region_features: Tensor, teacher_region_features: Tensor, vocabulary: VocabularyFeatures | None
    ) -> dict[str, Tensor]:
        """Return the region terms; they are 0 in a batch without visible objects."""
        terms = {}
        if "region_contrastive" in self.weights:
            terms["region_contrastive"] = (
                self._contrast(region_features, teacher_region_features)
                if len(region_features)
                else region_features.sum()
            )
        if "region_proximity" in self.weights and vocabulary is not None:
            labels = teacher_region_features.new_zeros(len(region_features)).long()  # without a filter no label matters
            terms["region_proximity"] = (
                vl_proximity_loss(
                    region_features,
                    teacher_region_features,
                    vocabulary.plain,
                    labels,
                    self._vocabulary_top_k,
                    self._vocabulary_temperature,
                    filter_misaligned=False,
                )
                if len(region_features)
                else region_features.sum()
            )
        return terms


IMAGE_LOSS_NAMES = ("cls", "mse", "im_cst", "vlprox", "cap")
_IMAGE_NEEDS = {"mse": ("teacher",), "im_cst": ("teacher",), "vlprox": ("teacher",), "cap": ("captions",)}
IMAGE_ARGUMENTS = ("student", "text", "labels", "teacher", "captions")
"""Arguments of the call of an `ImageObjective`, which the parameters of a custom loss name."""


class ImageObjective:
    """Named loss terms and their weights; the names are the keys in configuration and log.

    `cls` is L_cls (Eq. 1), `mse` L_mse (Eq. 2), `im_cst` L_im-cst (Eq. 3), `vlprox` L_vlprox (Eq. 6), `cap` L_cap
    (Eq. 8). A term of weight 0 is neither computed nor reported.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        *,
        temperature: float = TEMPERATURE,
        similarity: Similarity = "squared_distance",
        top_k: int = 256,
        filter_vlprox: bool = True,
        filter_im_cst: bool = False,
        extra: Mapping[str, float] | None = None,
    ) -> None:
        """Check the names and weights.

        :param weights: term -> weight >= 0, at least one above 0
        :param temperature: tau of all terms
        :param similarity: of `im_cst`, see `image_contrastive_loss`
        :param top_k: k of `vlprox`
        :param filter_vlprox: leave out of `vlprox` the images whose label is not the teacher's first choice
        :param filter_im_cst: leave these images out of `im_cst` too (Table 9)
        :param extra: `module:attribute` of custom losses -> weight; see `ExtraLoss`
        :raises InvalidArgumentError: on an unknown term or a weight that is not allowed
        """
        extra = extra or {}
        self.weights = checked_weights({**weights, **extra}, (*IMAGE_LOSS_NAMES, *extra))
        self._extra = load_extra_losses(extra, IMAGE_ARGUMENTS)
        self._needs = _IMAGE_NEEDS | {name: loss.arguments for name, loss in self._extra.items()}
        self._temperature, self._similarity, self._top_k = temperature, similarity, top_k
        self._filter_vlprox, self._filter_im_cst = filter_vlprox, filter_im_cst

    def needs(self, argument: str) -> bool:
        """Return whether a term needs an argument of the call: `teacher` or `captions`."""
        return any(argument in self._needs.get(name, ()) for name in self.weights)

    def __call__(
        self,
        *,
        student: Tensor,
        text: Tensor,
        labels: Tensor,
        teacher: Tensor | None = None,
        captions: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum and the unweighted terms.

        :param student: [N, D] features of the student
        :param text: [C, D] one feature per class
        :param labels: integer [N], rows of `text`
        :param teacher: [N, D] teacher features of the same images
        :param captions: [N, D] text features of the images' captions
        :return: (scalar with gradient, name -> scalar without gradient)
        :raises InvalidArgumentError: on other shapes or values, or where an argument that `needs` names is missing
        """
        given = {"student": student, "text": text, "labels": labels, "teacher": teacher, "captions": captions}
        missing = [
            f"{name} needs {argument}"
            for name in self.weights
            for argument in self._needs.get(name, ())
            if given[argument] is None
        ]
        if missing:
            raise InvalidArgumentError(f"the term {', '.join(missing)}, got none")
        terms: dict[str, Tensor] = {}
        if "cls" in self.weights:
            terms["cls"] = classification_loss(student, text, labels, self._temperature)
        if teacher is not None:
            terms |= self._image_terms(student, teacher, text, labels)
        if captions is not None and "cap" in self.weights:
            terms["cap"] = caption_loss(student, captions, labels, self._temperature)
        terms |= {name: loss(given) for name, loss in self._extra.items()}
        return weighted_sum(terms, self.weights)

    def _image_terms(self, student: Tensor, teacher: Tensor, text: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return the terms between the image features of student and teacher."""
        terms = {}
        if "mse" in self.weights:
            terms["mse"] = mse_loss(student, teacher)
        if "im_cst" in self.weights:
            aligned = torch.ones_like(labels, dtype=torch.bool)
            if self._filter_im_cst:
                aligned = (l2_normalize(teacher) @ l2_normalize(text).T).argmax(dim=1) == labels
            terms["im_cst"] = (
                image_contrastive_loss(
                    student[aligned], teacher[aligned], self._temperature, similarity=self._similarity
                )
                if bool(aligned.any())
                else 0 * student.sum()
            )
        if "vlprox" in self.weights:
            terms["vlprox"] = vl_proximity_loss(
                student, teacher, text, labels, self._top_k, self._temperature, filter_misaligned=self._filter_vlprox
            )
        return terms
