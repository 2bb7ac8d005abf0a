"""The words of captions that are nearest to other words, for names that no text of a training had."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from open_clip.tokenizer import SimpleTokenizer

from pickclutter_lang.language.sentence_encoder import SentenceEncoder
from pickclutter_lang.language.vocabulary import vocabulary
from pickclutter_lang.objects.kinds import Kind, all_kinds

_COUNT, _SHARPNESS = 4, 40.0
_WHOLE_WORD = re.compile("([a-z]{3,})</w>")


class NearestWords:
    """Finds the nearest single-token words of captions in the sentence encoder's space.

    :raises MissingExtraError: without the extra `sentence`
    """

    def __init__(self) -> None:
        tokens = word_tokens()
        self._encoder = SentenceEncoder()
        self.words = sorted(word for word in caption_words(all_kinds()) if word in tokens)
        self.tokens = np.array([tokens[word] for word in self.words])
        self._embeddings = self._encoder.encode(self.words)

    def __call__(
        self, words: Sequence[str], excluded: Collection[str] = ()
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the tokens [N, 4] nearest to each word, the nearest first, and their weights, 1 in all.

        A weight is the softmax of 40 times the cosine.

        :param excluded: words that are no neighbors
        """
        cosines = (self._encoder.encode(words) @ self._embeddings.T).astype(np.float64)
        cosines[:, [word in excluded for word in self.words]] = -1
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :_COUNT]
        nearest = np.take_along_axis(cosines, order, axis=1)
        weights = np.exp(_SHARPNESS * (nearest - nearest[:, :1]))
        return self.tokens[order], weights / weights.sum(axis=1, keepdims=True)


def caption_words(kinds: Sequence[Kind]) -> set[str]:
    """Return the words of names, synonyms and categories of kinds, and of the vocabulary of students."""
    texts = [text for kind in kinds for text in (kind.name, *kind.synonyms, *kind.hypernyms)]
    return {word for text in (*texts, *vocabulary([])) for word in text.split()}


def word_tokens() -> dict[str, int]:
    """Return the words of three lower-case letters or more that are one token of CLIP's vocabulary, commonest first."""
    found = ((_WHOLE_WORD.fullmatch(text), token) for token, text in SimpleTokenizer().decoder.items())
    return {match[1]: token for match, token in found if match}
