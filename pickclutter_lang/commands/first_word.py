"""Commands whose first word needs no key: `pickclutter pick "the red mug"`."""

from __future__ import annotations

from collections.abc import Sequence


def first_word_as(key: str, words: Sequence[str]) -> list[str]:
    """Return words of which the first is `key='...'`, unless it is an option or `key=value`."""
    if not words or words[0].startswith("-") or "=" in words[0]:
        return list(words)
    return [f"{key}={quoted_value(words[0])}", *words[1:]]


def quoted_value(text: str) -> str:
    """Return a text as hydra reads it back."""
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"
