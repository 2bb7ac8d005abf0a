"""Objectives: weighted sums of named losses, for scenes with many labels and for images with one.

A batch is given by the names of its values: those of the student, of the labels and of the teacher. Each term is a
function of some of them, which the names of its parameters say, a user's own (`objective.extra`) like the others. So an
objective knows what must be computed for a batch.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from typing_extensions import Self

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


class Objective:
    """Terms and their weights; a term of weight 0 is neither computed nor reported."""

    terms: ClassVar[tuple[str, ...]]
    """Names of the terms: the public methods of a class, keys in configuration and log."""
    values: ClassVar[tuple[str, ...]]
    """Names of what a batch has, and terms take."""
    per_image: ClassVar[tuple[str, ...]] = ()
    """Those with a row for each image."""

    def __init_subclass__(cls) -> None:
        cls.terms = tuple(name for name, of in vars(cls).items() if inspect.isfunction(of) and name[0] != "_")

    def __init__(self, weights: Mapping[str, float], extra: Mapping[str, float] | None = None) -> None:
        """Choose the terms of a weight above 0.

        :param weights: term -> weight >= 0
        :param extra: `module:attribute` of functions of one's own, of some of `values` to a scalar -> weight
        :raises InvalidArgumentError: on an unknown term, a weight that is not allowed, or a function that `resolve`
            does not find or that takes other values; when no weight is above 0
        """
        weights = {**weights, **(extra or {})}
        names = (*self.terms, *(extra or {}))
        wrong = {name: weight for name, weight in weights.items() if name not in names or not 0 <= weight < math.inf}
        if wrong or not any(weights.values()):
            got = wrong or "none above 0"
            raise InvalidArgumentError(f"expected objective weights of at least 0 for {', '.join(names)}, got {got}")
        self.weights = {name: float(weights[name]) for name in names if weights.get(name)}
        self._functions: dict[str, Callable[..., Tensor]] = {
            name: getattr(self, name) if name in self.terms else resolve(name, "objective.extra")
            for name in self.weights
        }
        self._arguments = {name: self._arguments_of(name) for name in self.weights}

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any], **others: Any) -> Self:
        """Build the objective of settings: weights of the terms and parameters of the losses, besides some others."""
        parameters = {name: value for name, value in settings.items() if name not in cls.terms}
        return cls({name: settings[name] for name in cls.terms}, **parameters, **others)

    def _arguments_of(self, term: str) -> list[str]:
        """Return the values that a term takes; other parameters must have a default."""
        parameters = inspect.signature(self._functions[term]).parameters.values()
        named = {p.name: p.default is p.empty for p in parameters if p.kind is not p.VAR_KEYWORD}
        taken = [name for name in named if name in self.values]
        if not taken or any(needed and name not in taken for name, needed in named.items()):
            raise InvalidArgumentError(
                f"expected the parameters of {term} to be of {', '.join(self.values)}, but got {', '.join(named)}"
            )
        return taken

    def needs(self, *values: str) -> bool:
        """Return whether a term takes one of some values, such as `teacher` or `coverage`."""
        return any(value in arguments for arguments in self._arguments.values() for value in values)

    def __call__(self, *, labeled: Tensor | None = None, **values: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum of the terms.

        :param labeled: bool [N], which images have labels; terms of `targets`, and one's own, see only these. None: all
        :param values: those of `values` that a term needs
        :return: scalar with gradient, and term -> unweighted scalar without
        :raises InvalidArgumentError: on other shapes, or where a value is missing
        """
        known = values
        if labeled is not None:
            known = values | {name: values[name][labeled] for name in self.per_image if values.get(name) is not None}
        terms = {}
        for name, function in self._functions.items():
            given = values if name in self.terms and "targets" not in self._arguments[name] else known
            lacking = [one for one in self._arguments[name] if given.get(one) is None]
            if lacking:
                raise InvalidArgumentError(f"the term {name} needs {', '.join(lacking)}, got none")
            terms[name] = function(**{one: given[one] for one in self._arguments[name]})
            if not isinstance(terms[name], Tensor) or terms[name].ndim:
                raise InvalidArgumentError(f"expected the term {name} to be a scalar tensor, but got {terms[name]!r}")
        first, *others = (self.weights[name] * term for name, term in terms.items())
        return sum(others, first), {name: term.detach() for name, term in terms.items()}


class VocabularyFeatures(NamedTuple):
    """Text features [V, D] of a vocabulary: of each text itself, of a scene with it, and of a scene without it."""

    plain: Tensor
    present: Tensor
    absent: Tensor


class SceneObjective(Objective):
    """The objective of N scenes with C labels, K cells of a feature map, R visible objects (or none) and V texts.

    - `probabilities` [N, C], `attention` and `cell_logits` [N, C, K]: of `LocalAggregation`
    - `targets` [N, C] bool; `coverage` [N, C, K] in [0, 1], fraction of each cell that the label's object covers
    - `student` and `teacher` [N, D]: features of the images
    - `region_features` [R, D]: spatial features of the student, averaged over each visible object
    - `teacher_region_features` [R, D]: teacher features of a crop of each of these objects
    - `vocabulary`: text features; `vocabulary_probabilities` [N, V] of `LocalAggregation`
    """

    per_image = (
        "probabilities", "targets", "student", "teacher", "cell_logits", "attention", "coverage",
        "vocabulary_probabilities",
    )  # fmt: skip
    values = (*per_image, "region_features", "teacher_region_features", "vocabulary")

    def __init__(
        self,
        weights: Mapping[str, float],
        *,
        temperature: float = TEMPERATURE,
        similarity: Similarity = "squared_distance",
        vocabulary_temperature: float = 0.05,
        vocabulary_top_k: int = 256,
        detach_focus: bool = False,
        extra: Mapping[str, float] | None = None,
    ) -> None:
        """Take the weights, as `Objective`, and the parameters of the losses.

        :param temperature: tau of `im_cst` and `region_contrastive`, as is `similarity`
        :param vocabulary_temperature: tau of `region_proximity` and `scene_proximity`
        :param vocabulary_top_k: k of `region_proximity`
        :param detach_focus: of `cls` and `region_cls`, see `asymmetric_loss`
        """
        super().__init__(weights, extra)
        self._temperature = temperature
        self._similarity = similarity
        self._vocabulary_temperature = vocabulary_temperature
        self._vocabulary_top_k = vocabulary_top_k
        self._detach_focus = detach_focus

    def cls(self, probabilities: Tensor, targets: Tensor) -> Tensor:
        """Return the asymmetric loss of the labels (section 7)."""
        return asymmetric_loss(probabilities, targets, detach_focus=self._detach_focus)

    def im_cst(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return L_im-cst (Eq. 3) between the image features of student and teacher."""
        return image_contrastive_loss(student, teacher, self._temperature, similarity=self._similarity)

    def region_cls(self, cell_logits: Tensor, attention: Tensor, coverage: Tensor, targets: Tensor) -> Tensor:
        """Return `cls` of single cells, on and off each object."""
        return local_asymmetric_loss(cell_logits, attention, coverage, targets, detach_focus=self._detach_focus)

    def region_contrastive(self, region_features: Tensor, teacher_region_features: Tensor) -> Tensor:
        """Return L_im-cst (Eq. 3) of objects; 0 without any."""
        return self.im_cst(region_features, teacher_region_features) if len(region_features) else region_features.sum()

    def region_proximity(
        self, region_features: Tensor, teacher_region_features: Tensor, vocabulary: VocabularyFeatures
    ) -> Tensor:
        """Return L_vlprox (Eq. 6) of objects over the vocabulary, without a filter; 0 without any object."""
        if not len(region_features):
            return region_features.sum()
        labels = torch.zeros(len(region_features), dtype=torch.int64, device=region_features.device)  # do not matter
        return vl_proximity_loss(
            region_features,
            teacher_region_features,
            vocabulary.plain,
            labels,
            self._vocabulary_top_k,
            self._vocabulary_temperature,
            filter_misaligned=False,
        )

    def scene_proximity(
        self, vocabulary_probabilities: Tensor, teacher: Tensor, vocabulary: VocabularyFeatures
    ) -> Tensor:
        """Return L_vlprox (Eq. 6) of scenes over the vocabulary."""
        return pairwise_proximity_loss(
            vocabulary_probabilities, teacher, vocabulary.present, vocabulary.absent, self._vocabulary_temperature
        )


class ImageObjective(Objective):
    """The objective of N images with one label each.

    - `student` and `teacher` [N, D]: features of the images
    - `text` [C, D]: one feature per class; `labels`: integer [N], rows of it
    - `captions` [N, D]: text features of the images' captions
    """

    values = ("student", "text", "labels", "teacher", "captions")

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
        """Take the weights, as `Objective`, and the parameters of the losses.

        :param temperature: tau of all terms
        :param similarity: of `im_cst`
        :param top_k: k of `vlprox`
        :param filter_vlprox: leave out of `vlprox` the images whose label is not the teacher's first choice
        :param filter_im_cst: leave these images out of `im_cst` too (Table 9)
        """
        super().__init__(weights, extra)
        self._temperature = temperature
        self._similarity = similarity
        self._top_k = top_k
        self._filter_vlprox = filter_vlprox
        self._filter_im_cst = filter_im_cst

    def cls(self, student: Tensor, text: Tensor, labels: Tensor) -> Tensor:
        """Return L_cls (Eq. 1)."""
        return classification_loss(student, text, labels, self._temperature)

    def mse(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return L_mse (Eq. 2)."""
        return mse_loss(student, teacher)

    def im_cst(self, student: Tensor, teacher: Tensor, text: Tensor, labels: Tensor) -> Tensor:
        """Return L_im-cst (Eq. 3); 0 where the filter leaves no image."""
        aligned = torch.ones_like(labels, dtype=torch.bool)
        if self._filter_im_cst:
            aligned = (l2_normalize(teacher) @ l2_normalize(text).T).argmax(dim=1) == labels
        if not bool(aligned.any()):
            return 0 * student.sum()
        return image_contrastive_loss(
            student[aligned], teacher[aligned], self._temperature, similarity=self._similarity
        )

    def vlprox(self, student: Tensor, teacher: Tensor, text: Tensor, labels: Tensor) -> Tensor:
        """Return L_vlprox (Eq. 6)."""
        return vl_proximity_loss(
            student, teacher, text, labels, self._top_k, self._temperature, filter_misaligned=self._filter_vlprox
        )

    def cap(self, student: Tensor, captions: Tensor, labels: Tensor) -> Tensor:
        """Return L_cap (Eq. 8)."""
        return caption_loss(student, captions, labels, self._temperature)
