"""What a sentence-embedding model teaches the pocket teacher's text tower about words that no caption says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.language.attribute_prompts import ATTRIBUTE_TYPES, attribute_prompt
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.language.sentence_encoder import SentenceEncoder, common_words
from pickclutter_lang.language.vocabulary import vocabulary

_WORDS, _A_STEP = 1500, 48
_SHARPNESS = 20.0
_TEMPLATES = ("{}", "a {}", "a photo of a {}", "the {}")


class SentenceTeacher:
    """Says how near a sentence model puts words to what the captions name.

    :param names: things with a name
    :param words: words of each kind of attribute, as `attribute_words` gives them
    :param seed: of the draw of words in each step
    """

    def __init__(self, names: Sequence[ObjectAttributes], words: dict[str, list[str]], seed: int) -> None:
        model = SentenceEncoder()
        said = {f"name:{thing.name}": thing.name for thing in names}
        said |= {
            f"{kind}:{word}": attribute_prompt(kind, word).text for kind in ATTRIBUTE_TYPES for word in words[kind]
        }
        self._row = {tag: n for n, tag in enumerate(said)}
        anchors = model.encode(list(said.values()))
        phrases = vocabulary([])
        common, near = common_words(model, anchors, _WORDS)
        self._texts = [*phrases, *common]
        # Phrases of things and their looks are drawn as often as the many common words.
        weights = np.array([1 / len(phrases)] * len(phrases) + [1 / len(common)] * len(common))
        self._weights = weights / weights.sum()
        self._nearness = torch.from_numpy(np.concatenate([model.encode(phrases), near]) @ anchors.T)
        self._seed = seed

    def sample(self, step: int, tags: Sequence[str]) -> tuple[list[str], Tensor]:
        """Draw the words of a step.

        :param tags: what the anchors mean, such as `color:red`
        :return: texts, and their cosines [W, A] with the anchors in the sentence model
        """
        rng = np.random.default_rng([self._seed, step, _A_STEP])
        chosen = rng.choice(len(self._texts), _A_STEP, replace=False, p=self._weights)
        texts = [str(rng.choice(_TEMPLATES)).format(self._texts[n]) for n in chosen]
        return texts, self._nearness[chosen][:, [self._row[tag] for tag in tags]]


def language_loss(words: Tensor, anchors: Tensor, nearness: Tensor, scale: Tensor) -> Tensor:
    """Return the KL divergence of the softmax over anchors of the sentence model from that of the text tower.

    The anchors take no gradient: what captions taught of them stays.

    :param words: [W, D], L2-normalized
    :param anchors: [A, D], L2-normalized
    :param nearness: cosines [W, A] in the sentence model
    :param scale: of the text tower's cosines
    """
    wanted = functional.log_softmax(_SHARPNESS * nearness, dim=1)
    found = functional.log_softmax(scale.detach() * (words @ anchors.detach().T), dim=1)
    return functional.kl_div(found, wanted, reduction="batchmean", log_target=True)
