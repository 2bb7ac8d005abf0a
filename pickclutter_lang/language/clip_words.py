"""The words of CLIP's vocabulary. A word that is none of them is split into parts."""

from __future__ import annotations

import re
from functools import lru_cache

from open_clip.tokenizer import SimpleTokenizer

_WHOLE_WORD = re.compile("([a-z]{3,})</w>")
_END = "</w>"


@lru_cache(maxsize=1)
def decoder() -> dict[int, str]:
    """Return the text of each token; that of a word's end has `</w>` after it."""
    return dict(SimpleTokenizer().decoder)


@lru_cache(maxsize=1)
def word_tokens() -> dict[str, int]:
    """Return the tokens of words of three letters or more, roughly the commonest first.

    Some are ends of longer words too, such as "scope".
    """
    found = ((_WHOLE_WORD.fullmatch(text), token) for token, text in sorted(decoder().items()))
    return {match[1]: token for match, token in found if match}


def token_text(token: int) -> str:
    """Return the word, or the part of a word, that a token stands for."""
    return decoder()[token].removesuffix(_END)


def word_ends() -> list[bool]:
    """Return for each token whether a word may begin after it: it ends one, or it is the start of the text."""
    return [text.endswith(_END) or text == "<start_of_text>" for _, text in sorted(decoder().items())]
