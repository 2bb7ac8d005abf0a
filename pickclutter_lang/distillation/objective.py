"""The weighted sum of named losses that a student is trained on."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from pickclutter_lang.distillation.multilabel import asymmetric_loss
from pickclutter_lang.distillation.visual import Similarity, image_contrastive_loss
from pickclutter_lang.errors import InvalidArgumentError

TERMS = ("cls", "im_cst")


class Objective:
    """Named terms and their weights; the names are the keys of configuration and log alike.

    `cls` is the asymmetric loss on probabilities (section 7), `im_cst` L_im-cst between global features
    (Eq. 3). A term of weight 0 is neither computed nor reported.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        *,
        temperature: float = 0.07,
        similarity: Similarity = "squared_distance",
        gamma_negative: float = 2.0,
        gamma_positive: float = 1.0,
        clip: float = 0.05,
    ) -> None:
        """Check the names and weights.

        :param weights: term -> weight >= 0, at least one above 0
        :param temperature: tau of `im_cst`
        :param similarity: of `im_cst`, see `image_contrastive_loss`
        :param gamma_negative: of `cls`, as are `gamma_positive` and `clip`, see `asymmetric_loss`
        :raises InvalidArgumentError: on an unknown term or a weight that is not allowed
        """
        unknown = sorted(set(weights) - set(TERMS))
        if unknown:
            raise InvalidArgumentError(f"no loss is called {', '.join(unknown)}; known terms: {', '.join(TERMS)}")
        bad = {name: weight for name, weight in weights.items() if not 0 <= weight < float("inf")}
        if bad:
            raise InvalidArgumentError(f"expected weights of at least 0, got {bad}")
        self.weights = {name: float(weights[name]) for name in TERMS if weights.get(name, 0) > 0}
        if not self.weights:
            raise InvalidArgumentError(f"expected a weight above 0 for at least one of {', '.join(TERMS)}, got none")
        self._temperature = temperature
        self._similarity = similarity
        self._asymmetric = {"gamma_negative": gamma_negative, "gamma_positive": gamma_positive, "clip": clip}

    @property
    def needs_teacher(self) -> bool:
        """Whether teacher features of the images are needed."""
        return "im_cst" in self.weights

    def __call__(
        self,
        *,
        probabilities: Tensor,
        targets: Tensor,
        student: Tensor,
        teacher: Tensor | None = None,
        bank: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum and the unweighted terms.

        :param probabilities: [N, C] in [0, 1], of `LocalAggregation`
        :param targets: [N, C] bool or in [0, 1]
        :param student: [N, D] global features of the student
        :param teacher: [N, D] teacher features of the same images; may be absent unless `needs_teacher`
        :param bank: [M, D] teacher features of other images, further negatives of `im_cst`
        :return: (scalar with gradient, name -> scalar without gradient)
        :raises InvalidArgumentError: on other shapes or values, or where teacher features are missing
        """
        terms: dict[str, Tensor] = {}
        if "cls" in self.weights:
            terms["cls"] = asymmetric_loss(probabilities, targets, **self._asymmetric)
        if "im_cst" in self.weights:
            if teacher is None:
                raise InvalidArgumentError("the term im_cst needs teacher features of the images, got none")
            terms["im_cst"] = image_contrastive_loss(
                student, teacher, self._temperature, similarity=self._similarity, bank=bank
            )
        weighted = [self.weights[name] * term for name, term in terms.items()]
        total = weighted[0]
        for term in weighted[1:]:
            total = total + term
        return total, {name: term.detach() for name, term in terms.items()}
