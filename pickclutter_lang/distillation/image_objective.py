"""`ImageObjective`: weighted sum of the losses for images with one label each (sections 4 and 5 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pickclutter_lang.distillation.extra_losses import load_extra_losses
from pickclutter_lang.distillation.image_losses import Similarity, image_contrastive_loss, mse_loss
from pickclutter_lang.distillation.scene_objective import checked_weights, weighted_sum
from pickclutter_lang.distillation.tensor_checks import l2_normalize
from pickclutter_lang.distillation.text_losses import caption_loss, classification_loss, vl_proximity_loss
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.constants import TEMPERATURE

IMAGE_LOSS_NAMES = ("cls", "mse", "im_cst", "vlprox", "cap")
_NEEDS = {"mse": ("teacher",), "im_cst": ("teacher",), "vlprox": ("teacher",), "cap": ("captions",)}
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
        self._needs = _NEEDS | {name: loss.arguments for name, loss in self._extra.items()}
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
