"""Distillation of a sentence encoder into the text encoder, for words that no caption of the renders uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.language.captions import ATTRIBUTE_TYPES, attribute_prompt
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teacher_training.sentence_encoder import SentenceEncoder, common_words

_N_COMMON_WORDS, _TEXTS_PER_STEP = 1500, 48
_SHARPNESS = 20.0
_TEMPLATES = ("{}", "a {}", "a photo of a {}", "the {}")


class SentenceTeacher:
    """Gives the similarity of words to the captions' names and attributes in a sentence encoder.

    :param names: named objects
    :param words: words of each attribute type, as of `attribute_words`
    :param seed: of the random words of each step
    :param held_out_phrases: which no text contains
    """

    def __init__(
        self,
        names: Sequence[ObjectAttributes],
        words: dict[str, list[str]],
        seed: int,
        held_out_phrases: Sequence[str] = (),
    ) -> None:
        model = SentenceEncoder()
        anchor_texts = {f"name:{item.name}": item.name for item in names}
        anchor_texts |= {
            f"{attribute_type}:{word}": attribute_prompt(attribute_type, word).text
            for attribute_type in ATTRIBUTE_TYPES
            for word in words[attribute_type]
        }
        self._row = {tag: n for n, tag in enumerate(anchor_texts)}
        anchors = model.encode(list(anchor_texts.values()))
        noun_phrases = vocabulary([], held_out_phrases)
        common, common_embeddings = common_words(model, anchors, _N_COMMON_WORDS)
        self._texts = [*noun_phrases, *common]
        # All noun phrases together are sampled as often as all common words together.
        weights = np.array([1 / len(noun_phrases)] * len(noun_phrases) + [1 / len(common)] * len(common))
        self._weights = weights / weights.sum()
        self._similarity = torch.from_numpy(np.concatenate([model.encode(noun_phrases), common_embeddings]) @ anchors.T)
        self._seed = seed

    def sample(self, step: int, tags: Sequence[str]) -> tuple[list[str], Tensor]:
        """Sample the texts of a step.

        :param tags: tags of the anchors, such as `color:red`
        :return: texts, and their cosines [W, A] with the anchors in the sentence encoder
        """
        rng = np.random.default_rng([self._seed, step, _TEXTS_PER_STEP])
        chosen = rng.choice(len(self._texts), _TEXTS_PER_STEP, replace=False, p=self._weights)
        texts = [str(rng.choice(_TEMPLATES)).format(self._texts[n]) for n in chosen]
        return texts, self._similarity[chosen][:, [self._row[tag] for tag in tags]]


def language_loss(words: Tensor, anchors: Tensor, similarity: Tensor, scale: Tensor) -> Tensor:
    """Return KL(sentence encoder || text encoder) of the softmax over anchors.

    The anchors take no gradient: captions alone train them.

    :param words: [W, D], L2-normalized
    :param anchors: [A, D], L2-normalized
    :param similarity: cosines [W, A] in the sentence encoder
    :param scale: of the text encoder's cosines
    """
    target = functional.log_softmax(_SHARPNESS * similarity, dim=1)
    predicted = functional.log_softmax(scale.detach() * (words @ anchors.detach().T), dim=1)
    return functional.kl_div(predicted, target, reduction="batchmean", log_target=True)
