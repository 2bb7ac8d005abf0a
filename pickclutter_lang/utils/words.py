"""English words in generated texts, and texts in hydra's command lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Nouns, and last words of nouns, that have no plural.
_UNCOUNTED = (
    *("cookware", "cutlery", "electronics", "equipment", "food", "hardware", "money", "stationery", "tableware"),
)


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
