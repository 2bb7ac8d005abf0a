"""Which words a teacher knows: an embedded one stores the embeddings of tokens that occurred in its training alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.utils.validation import did_you_mean

if TYPE_CHECKING:
    from pickclutter_lang.teachers.pocket import PocketTeacher

_LEAST_WEIGHT = 0.1  # of a neighbor that is named


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
