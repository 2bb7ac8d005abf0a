"""Commands whose first word needs no key: `pickclutter pick "the red mug"`."""

from __future__ import annotations

from collections.abc import Sequence

from pickclutter_lang.errors import InvalidArgumentError


def first_word_as(key: str, words: Sequence[str], hint: str = "put it in quotes") -> list[str]:
    """Return words in which the one without a key is `key='...'`, and the first; as they are where there is none.

    Without a key is no option, nor the word after one, nor an override of hydra, `key=value` or `~key`.

    :param hint: what to do where there are several
    :raises InvalidArgumentError: for several of them, as a text without quotes is
    """
    after_option = [False, *(word.startswith("-") for word in words)]
    bare = [n for n, word in enumerate(words) if not (after_option[n] or word[:1] in ("-", "~") or "=" in word)]
    if not bare or any(word.startswith(f"{key}=") for word in words):
        return list(words)
    if len(bare) > 1:
        text = " ".join(words[n] for n in bare)
        raise InvalidArgumentError(f"expected one {key}, but got the words {text!r}; {hint}")
    return [f"{key}={quoted_value(words[bare[0]])}", *(word for n, word in enumerate(words) if n != bare[0])]


def quoted_value(text: str) -> str:
    """Return a text as hydra reads it back."""
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"
