"""Which words a teacher knows: an embedded one stores the embeddings of tokens that occurred in its training alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.teachers.pocket import PocketTeacher

_LEAST_WEIGHT = 0.1  # of a neighbor that is named


class UnknownWordWarning(UserWarning):
    """A name has a word that no text of the teacher's training had."""


def with_neighbors(teacher: Teacher) -> Teacher:
    """Return a teacher that takes unknown words for known ones, where it is one that has such words."""
    return teacher.with_neighbors() if isinstance(teacher, PocketTeacher) else teacher


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
    """Return sentences on the words of names that the teacher does not know; None where it knows all."""
    taken = {word: _neighbors(teacher, word) for word in dict.fromkeys(word for name in names for word in name.split())}
    unknown = unknown_words(teacher, names)
    parts = [f"{word!r} (it takes it for {' and '.join(known)})" for word, known in taken.items() if known]
    parts += [f"{word!r}" for word in unknown]
    if not parts:
        return None
    return (
        f"The teacher does not know {', '.join(parts)}: no text of its training had this. Scores of such names mean "
        f"{'little' if unknown else 'less'}; ask with other words, or take CLIP as the teacher."
    )


def warn_of_unknown_words(teacher: Teacher, names: Sequence[str]) -> None:
    """Warn of words of names that the teacher does not know."""
    note = unknown_words_note(teacher, names)
    if note is not None:
        warnings.warn(note, UnknownWordWarning, stacklevel=2)


def _neighbors(teacher: Teacher, word: str) -> list[str]:
    """Return the words that a teacher takes an unknown one for."""
    found = teacher.neighbors_of(word) if isinstance(teacher, PocketTeacher) else []
    return [repr(neighbor) for neighbor, weight in found if weight >= _LEAST_WEIGHT]
