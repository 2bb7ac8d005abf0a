"""Which words a teacher knows: an embedded one stores the embeddings of tokens that occurred in its training alone.

Words that it never read may be taken for known words of a similar meaning. `assets/word_neighbors.safetensors` lists
common words, each with the words of captions that are nearest to it in the sentence encoder all-MiniLM-L6-v2.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.utils.array_files import read_tensors
from pickclutter_lang.utils.validation import did_you_mean

if TYPE_CHECKING:
    from pickclutter_lang.teachers.pocket import PocketTeacher

NEIGHBORS_FILE = "word_neighbors.safetensors"
_COUNT, _SHARPNESS = 4, 40.0
_COSINES = 255.0  # a stored cosine of 1
_LEAST_WEIGHT = 0.1  # of a neighbor that is named


class Listed(NamedTuple):
    """Words with their neighbors: tokens `words` [N] and `neighbors` [N, K], the nearest first, and `cosines` [N, K].

    In the file, cosines are uint8, 255 times their value.
    """

    words: Tensor
    neighbors: Tensor
    cosines: Tensor


class WordNeighbors:
    """Embeddings of words that a teacher has none of: weighted means of those of the nearest words that it knows.

    Each is the mean of the nearest, at most four of those that are listed, weighted by the softmax of 40 times the
    cosine.
    """

    def __init__(self, embeddings: Tensor, kept: Tensor) -> None:
        """Find the neighbors.

        :param embeddings: the teacher's [V, W], with rows of zeros for unknown tokens
        :param kept: int64, tokens that stay without an embedding where they have none
        """
        from pickclutter_lang.language.clip_words import word_ends  # open_clip takes seconds to import

        known = embeddings.detach().any(dim=1).cpu()
        words, neighbors, cosines = _read_listed()
        cosines = torch.where(known[neighbors], cosines, -torch.inf)
        nearest, at = cosines.topk(_COUNT, dim=1)
        weights = torch.softmax(_SHARPNESS * nearest, dim=1)
        open_words = ~known[words] & ~torch.isin(words, kept) & nearest[:, 0].isfinite()
        none = torch.zeros(1, _COUNT)
        self._embeddings = embeddings
        self._neighbors = torch.cat([none.long(), neighbors.gather(1, at)[open_words]])
        self._weights = torch.cat([none, weights[open_words]])
        self._row = torch.zeros(len(embeddings), dtype=torch.int64)
        self._row[words[open_words]] = torch.arange(1, len(self._weights))
        self._word_ends = torch.tensor(word_ends())
        self.known = torch.unique(neighbors[known[neighbors]]).tolist()
        """Tokens of the words of captions that the teacher knows."""

    def __call__(self, tokens: Tensor) -> Tensor:
        """Return the embeddings [C, L, W] of tokens [C, L], from the start of the text on; zeros for all others."""
        row = self._rows(tokens.cpu())
        neighbors = self._embeddings[self._neighbors[row].to(self._embeddings.device)]
        return (self._weights[row].to(neighbors)[..., None] * neighbors).sum(dim=2)

    def of(self, tokens: Tensor) -> list[list[tuple[int, float]]]:
        """Return for each token of a text [L] those that it is taken for, the nearest first, with their weights."""
        rows = self._rows(tokens.cpu()[None])[0]
        return [
            [(token, weight) for token, weight in zip(of_token, weights, strict=True) if weight]
            for of_token, weights in zip(self._neighbors[rows].tolist(), self._weights[rows].tolist(), strict=True)
        ]

    def _rows(self, tokens: Tensor) -> Tensor:
        """Return the row of each token [C, L]; 0 where it is inside a longer word."""
        begins = torch.zeros_like(tokens, dtype=torch.bool)
        begins[:, 1:] = self._word_ends[tokens[:, :-1]]
        return torch.where(begins, self._row[tokens], 0)


@lru_cache(maxsize=1)
def _read_listed() -> Listed:
    path = Path(str(files("pickclutter_lang.assets") / NEIGHBORS_FILE))
    stored = read_tensors(path, None, TeacherError, "install pickclutter-lang again")
    return Listed(stored["words"].long(), stored["neighbors"].long(), stored["cosines"].float() / _COSINES)


class UnknownWordWarning(UserWarning):
    """A name has a word with a token that no text of the teacher's training had."""


def with_neighbors(teacher: Teacher, kept: Sequence[str] = ()) -> Teacher:
    """Return a teacher that takes unknown words for known ones, where it is one that has such words.

    :param kept: texts whose words stay as they are, such as names that a student was trained with
    """
    pocket = _pocket(teacher)
    return teacher if pocket is None else pocket.with_neighbors(kept)


def unknown_words(teacher: Teacher, texts: Sequence[str]) -> dict[str, list[str]]:
    """Return the words of texts with a token that no text of the teacher's training had.

    Each comes with the words it is taken for; with none where a token has no embedding at all. All but pocket teachers
    know every word.
    """
    pocket = _pocket(teacher)
    if pocket is None:
        return {}
    found = {word: pocket.neighbors_of(word) for word in dict.fromkeys(word for text in texts for word in text.split())}
    return {
        word: [known for of_token in tokens for known, weight in of_token if weight >= _LEAST_WEIGHT]
        if all(tokens)
        else []
        for word, tokens in found.items()
        if tokens
    }


def unknown_words_note(teacher: Teacher, names: Sequence[str]) -> str | None:
    """Return sentences on the words of names that the teacher does not know; None where it knows all."""
    found = unknown_words(teacher, names)
    taken = [f"{word!r} for {' and '.join(map(repr, known))}" for word, known in found.items() if known]
    without = [f"{word!r}{_near(teacher, word)}" for word, known in found.items() if not known]
    parts = [f"No text of the teacher's training had {', '.join(map(repr, found))}."]
    if taken:
        parts.append(f"It takes {', '.join(taken)}; scores of such names mean less.")
    if without:
        parts.append(f"It takes no word for {', '.join(without)}; scores of such names mean little.")
    return " ".join([*parts, "Ask with other words, or take CLIP as the teacher."]) if found else None


def zero_words_note(teacher: Teacher, names: Sequence[str]) -> str | None:
    """Return sentences on the words of names that the teacher has no embedding of; None where it has all.

    Trainings take a teacher without `with_neighbors`: such words are zero vectors.
    """
    words = [repr(word) for word, known in unknown_words(teacher, names).items() if not known]
    if not words:
        return None
    return (
        f"No text of the teacher's training had {', '.join(words)}: names that differ by such words alone look the "
        "same to it. Take other names, or CLIP as the teacher."
    )


def warn_of_unknown_words(teacher: Teacher, names: Sequence[str]) -> None:
    """Warn of words of names that the teacher does not know."""
    note = unknown_words_note(teacher, names)
    if note is not None:
        warnings.warn(note, UnknownWordWarning, stacklevel=2)


def _near(teacher: Teacher, word: str) -> str:
    """Return a question for the nearest words of captions by spelling, in brackets, or nothing.

    They have the same letters in another order, or else begin as the word does.
    """
    pocket, word = _pocket(teacher), word.lower()
    words = [] if pocket is None else pocket.caption_words
    exchanged = [known for known in words if sorted(known) == sorted(word)]
    if exchanged:
        return f" (did you mean {', '.join(exchanged)}?)"
    question = did_you_mean(word, [known for known in words if known[0] == word[0]])
    return f" ({question.removeprefix('; ')})" if question else ""


def _pocket(teacher: Teacher) -> PocketTeacher | None:
    from pickclutter_lang.teachers.pocket import PocketTeacher  # open_clip takes seconds to import

    return teacher if isinstance(teacher, PocketTeacher) else None
