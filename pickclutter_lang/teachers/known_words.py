"""Which words a teacher knows: an embedded one stores only embeddings of tokens of its training.

Words that it never read may be taken for known words of a similar meaning. `assets/word_neighbors.safetensors` lists
common words, each with the words of captions that are nearest to it in the sentence encoder all-MiniLM-L6-v2: tokens
`words` [N] and `neighbors` [N, K], the nearest first, and `cosines` [N, K] as uint8, 255 times their value.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.utils.reading import read_tensors

NEIGHBORS_FILE = "word_neighbors.safetensors"
_COUNT = 4
_SHARPNESS = 40.0
_LEAST_WEIGHT = 0.1  # of a neighbor that is named


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
        from pickclutter_lang.teachers.open_clip_teacher import word_ends  # open_clip takes seconds to import

        known = embeddings.detach().any(dim=1).cpu()
        listed = _read_listed()
        words, neighbors = listed["words"].long(), listed["neighbors"].long()
        cosines = torch.where(known[neighbors], listed["cosines"].float() / 255, -torch.inf)
        nearest, at = cosines.topk(_COUNT, dim=1)
        open_words = ~known[words] & ~torch.isin(words, kept) & nearest[:, 0].isfinite()
        none = torch.zeros(1, _COUNT)  # row 0
        self._embeddings = embeddings
        self._neighbors = torch.cat([none.long(), neighbors.gather(1, at)[open_words]])
        self._weights = torch.cat([none, torch.softmax(_SHARPNESS * nearest, dim=1)[open_words]])
        self._row = torch.zeros(len(embeddings), dtype=torch.int64)
        self._row[words[open_words]] = torch.arange(1, len(self._weights))
        self._word_ends = torch.tensor(word_ends())

    def __call__(self, tokens: Tensor) -> Tensor:
        """Return the embeddings [C, L, W] of tokens [C, L], from the start of the text on; zeros for all others."""
        nearest, weights = self.of(tokens)
        neighbors = self._embeddings[nearest.to(self._embeddings.device)]
        return (weights.to(neighbors)[..., None] * neighbors).sum(dim=2)

    def of(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return what tokens [C, L] are taken for: tokens [C, L, 4], the nearest first, and their weights.

        Weights are 0 for a token that has an embedding, is inside a longer word, or has no neighbor.
        """
        tokens = tokens.cpu()
        begins = torch.zeros_like(tokens, dtype=torch.bool)
        begins[:, 1:] = self._word_ends[tokens[:, :-1]]
        row = torch.where(begins, self._row[tokens], 0)
        return self._neighbors[row], self._weights[row]


@lru_cache(maxsize=1)
def _read_listed() -> dict[str, Tensor]:
    path = Path(str(files("pickclutter_lang.assets") / NEIGHBORS_FILE))
    return read_tensors(path, None, TeacherError, "install pickclutter-lang again")


class UnknownWordWarning(UserWarning):
    """A name has a word with a token that no text of the teacher's training had."""


def with_neighbors(teacher: Teacher, kept: Sequence[str] = ()) -> Teacher:
    """Return a teacher that takes unknown words for known ones, where it is one that has such words.

    :param kept: texts whose words stay as they are, such as names that a student was trained with
    """
    from pickclutter_lang.teachers.pocket import PocketTeacher  # open_clip takes seconds to import

    return teacher.with_neighbors(kept) if isinstance(teacher, PocketTeacher) else teacher


def unknown_words(teacher: Teacher, texts: Sequence[str]) -> dict[str, list[str]]:
    """Return the words of texts with a token that no text of the teacher's training had.

    Each comes with the words it is taken for; with none where a token has no embedding at all. All but pocket teachers
    know every word.
    """
    from pickclutter_lang.teachers.pocket import PocketTeacher

    found: dict[str, list[str]] = {}
    if not isinstance(teacher, PocketTeacher):
        return found
    for word in dict.fromkeys(" ".join(texts).split()):
        tokens = teacher.neighbors_of(word)
        named = [known for of_token in tokens for known, weight in of_token if weight >= _LEAST_WEIGHT]
        if tokens:
            found[word] = named if all(tokens) else []
    return found


def unknown_words_note(teacher: Teacher, names: Sequence[str]) -> str | None:
    """Return sentences on the words of names that the teacher does not know; None where it knows all."""
    found = unknown_words(teacher, names)
    if not found:
        return None
    note = f"No text of the teacher's training had {', '.join(map(repr, found))}. "
    if taken := [f"{word!r} for {' and '.join(map(repr, known))}" for word, known in found.items() if known]:
        note += f"It takes {', '.join(taken)}; scores of such names mean less. "
    if without := [repr(word) for word, known in found.items() if not known]:
        note += f"Names that differ only by {', '.join(without)} look the same to it. "
    return f"{note}Take other words, or CLIP as the teacher."


def warn_of_unknown_words(teacher: Teacher, names: Sequence[str]) -> None:
    """Warn of words of names that the teacher does not know."""
    note = unknown_words_note(teacher, names)
    if note is not None:
        warnings.warn(note, UnknownWordWarning, stacklevel=2)
