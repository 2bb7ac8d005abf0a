"""English words in generated texts, and texts in hydra's command lines."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

# Nouns, and last words of nouns, that have no plural.
_UNCOUNTED = (
    *("cookware", "cutlery", "electronics", "equipment", "food", "hardware", "money", "stationery", "tableware"),
)


_QUOTED = r'(?s:"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*')"
_ITEMS = re.compile(rf"(?:\A|,)\s*({_QUOTED}|[^,]*?)\s*(?=,|\Z)")
_PLAIN = re.compile(r"[\w./+:-]+", re.ASCII)
_WORD = re.compile(r"(?!(?:null|true|false|nan|inf)\Z)[a-z][\w./+-]*", re.ASCII | re.IGNORECASE)
"""A text that hydra reads as a text without quotes."""
_OF_HYDRA = re.compile(r"\A\Z|\Anull\Z|\A\{|\A\w+\(.*\)\Z|\$\{|\\", re.DOTALL | re.IGNORECASE)
"""Nothing, null, a dict, a function, a reference to another key, and an escape."""


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def counted(noun: str) -> str:
    """Return what an article, a number and adjectives may stand before: "piece of cutlery", "mug"."""
    return f"piece of {noun}" if noun.split(" ")[-1] in _UNCOUNTED else noun


def plural(noun: str) -> str:
    """Return the plural of a noun: "berries", "toys", "brushes", "pieces of cutlery"."""
    if counted(noun) != noun:
        return f"pieces of {noun}"
    if re.search("[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


def plurals_of(noun: str) -> tuple[str, ...]:
    """Return what people may write as the plural: "knives" beside `plural`'s "knifes", which captions have."""
    if re.search("(?:fe|[lao]f)$", noun):
        return plural(noun), re.sub("fe?$", "ves", noun)
    if noun.endswith("o"):
        return plural(noun), f"{noun}es"
    return (plural(noun),)


def range_text(counts: Sequence[int]) -> str:
    """Return a number, or the least and the largest of several: "205 to 405"."""
    return " to ".join(map(str, dict.fromkeys((min(counts), max(counts)))))


def quoted_value(text: str) -> str:
    """Return a text as hydra reads it back: no quote in it ends the value, and no `${` looks one up."""
    plain = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
    return "'" + re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + found[2].replace("'", "\\'"), plain) + "'"


def as_hydra_reads(argument: str, hints: Mapping[str, Any], sweeps: bool) -> str:
    """Return an override as hydra reads it: texts in quotes, lists in brackets. A person may leave out both.

    `names=red mug,bob's` is `names=['red mug','bob\\'s']`, and a text is what was typed: `names=no,007` are two texts.
    Of a key that takes several types, quotes are put around what hydra cannot read without them.

    :param hints: key -> its type; one that is missing may have any
    :param sweeps: commas without brackets are between the values of several runs (`--multirun`)
    """
    key, sign, value = argument.partition("=")
    hint = hints.get(key.lstrip("+"), Any)
    accepted = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    lists = [one for one in accepted if typing.get_origin(one) in (list, tuple)]
    if not sign or key.startswith("-") or _OF_HYDRA.search(value) or not (lists or {str, Any} & {*accepted}):
        return argument
    in_brackets = value.startswith("[")
    inner = value[1:-1] if in_brackets else value
    if in_brackets and (not value.endswith("]") or set(inner) & {*"[]"} or accepted[0] is str):
        return argument
    items = _ITEMS.findall(inner) if sweeps or accepted[0] is not str else [value]
    texts = str in accepted or any(str in typing.get_args(one) for one in lists)
    if not all(items) or any(item[0] in "'\"" and not re.fullmatch(_QUOTED, item) for item in items):
        return argument
    written = [
        item if re.fullmatch(_QUOTED, item) or (_WORD if texts else _PLAIN).fullmatch(item) else quoted_value(item)
        for item in items
    ]
    if sweeps and not in_brackets:
        return f"{key}={','.join(f'[{item}]' if lists else item for item in written)}"
    if lists or in_brackets or len(written) > 1:
        return f"{key}=[{','.join(written)}]"
    return f"{key}={written[0]}"
