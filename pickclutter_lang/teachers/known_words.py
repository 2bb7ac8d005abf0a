"""Which words a teacher knows: an embedded one stores the embeddings of tokens that occurred in its training alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from pickclutter_lang.teachers.base import Teacher


class UnknownWordWarning(UserWarning):
    """A name has a word without a meaning for the teacher."""


def unknown_words(teacher: Teacher, texts: Sequence[str]) -> list[str]:
    """Return the words of texts with a token whose embedding is zero: no text of the teacher's training had it.

    All other teachers know every word: their embeddings are not zero.
    """
    words = list(dict.fromkeys(word for text in texts for word in text.split()))
    if not words:
        return []
    tokens = teacher.tokenize(words, truncate=True)
    known, ends = teacher.embed_tokens(tokens).any(dim=-1), teacher.eot_positions(tokens).tolist()
    return [word for word, row, end in zip(words, known, ends, strict=True) if not bool(row[1:end].all())]


def unknown_words_note(teacher: Teacher, names: Sequence[str]) -> str | None:
    """Return a sentence on the words of names that the teacher does not know; None where it knows all."""
    words = unknown_words(teacher, names)
    if not words:
        return None
    return (
        f"The teacher does not know {', '.join(map(repr, words))}: no text of its training had this. Scores of such "
        "names mean little; ask with other words, or take CLIP as the teacher."
    )


def warn_of_unknown_words(teacher: Teacher, names: Sequence[str]) -> None:
    """Warn of words of names that the teacher does not know."""
    note = unknown_words_note(teacher, names)
    if note is not None:
        warnings.warn(note, UnknownWordWarning, stacklevel=2)
