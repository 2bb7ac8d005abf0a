"""The words of captions that are nearest to other words, for names that no text of a training had."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch

from pickclutter_lang.language.clip_words import word_tokens
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.objects.kinds import Kind, all_kinds
from pickclutter_lang.teacher_training.sentence_encoder import SentenceEncoder
from pickclutter_lang.teachers.word_neighbors import Listed

COUNT = 8
"""Neighbors that are listed of each word: of the four that count, a teacher may not know some."""


class NearestWords:
    """Finds the nearest words of captions, among those of one token, in the sentence encoder's space.

    :raises MissingExtraError: without the extra `llm`
    """

    def __init__(self) -> None:
        self._tokens, self._encoder = word_tokens(), SentenceEncoder()
        self.words = sorted(word for word in caption_words(all_kinds()) if word in self._tokens)
        self._embeddings = self._encoder.encode(self.words)

    def __call__(self, words: Sequence[str], excluded: Collection[str] = ()) -> Listed:
        """Return the eight nearest words of each, itself left out.

        :param words: of one token each
        :param excluded: words that are no neighbors
        """
        cosines = (self._encoder.encode(words) @ self._embeddings.T).clip(0)
        for column, word in enumerate(self.words):
            cosines[[word in (other, *excluded) for other in words], column] = -1
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :COUNT]
        return Listed(
            torch.tensor([self._tokens[word] for word in words]),
            torch.tensor([self._tokens[word] for word in self.words])[torch.from_numpy(order)],
            torch.from_numpy(np.take_along_axis(cosines, order, axis=1)),
        )


def caption_words(kinds: Sequence[Kind]) -> set[str]:
    """Return the words of names, synonyms and categories of kinds, and of the vocabulary of students."""
    texts = [text for kind in kinds for text in (kind.name, *kind.synonyms, *kind.hypernyms)]
    return {word for text in (*texts, *vocabulary([])) for word in text.split()}
