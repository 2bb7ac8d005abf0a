"""Words that an instruction asks for an object by, beside its name: a category, a color, a description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pickclutter_lang.language.phrases import COLORS
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.kinds import Kind, all_kinds

COLOR, CATEGORY, COLORED, DESCRIBED = "color", "category", "color_category", "description"
_SHORT = 3
"""Words of a beginning that says too little, with its article: "a long"."""
_ADJECTIVES = {*COLORS, "small", "medium", "large", "extra", "mini", "wide"}


@dataclass(frozen=True)
class Words:
    """What an object is asked for by: a color, a category, both, or a description."""

    color: str = ""
    category: str = ""
    description: str = ""

    def __str__(self) -> str:
        return self.description or f"{self.color} {self.category or 'one'}".strip()

    def fit(self, item: CatalogObject, unsaid: bool = True) -> bool:
        """Return whether they are true of an object.

        :param unsaid: whether an object of which the catalog says no color may have any
        """
        if self.description:
            return self.description == description_of(item)
        colored = not self.color or self.color in item.colors or (unsaid and not item.colors)
        return colored and (not self.category or self.category in categories_of(item))


def words_of(kind: str, item: CatalogObject, colors: Sequence[str] = ()) -> list[Words]:
    """Return what an object can be asked for by.

    :param colors: of an object without colors
    """
    categories = [word for word in (item.category, *item.hypernyms) if word]
    if kind == COLOR:
        return [Words(color=color) for color in item.colors]
    if kind == COLORED:
        return [Words(color, category) for color in item.colors or colors for category in categories]
    if kind == DESCRIBED:
        return [Words(description=description_of(item))] if item.description else []
    return [Words(category=category) for category in categories]


def description_of(item: CatalogObject) -> str:
    """Return a description without article, up to its first comma, or without commas where that is a word or two."""
    words = item.description.partition(",")[0]
    words = words if len(words.split()) > _SHORT else item.description.replace(",", "")
    return words.removeprefix("a ").removeprefix("an ")


def categories_of(item: CatalogObject) -> set[str]:
    """Return all that an object can be called beside its name.

    Those of the kind of the same name, too: a fork is tableware. And the last word of each: a cleaning tool is a tool.
    """
    of_kind = _kinds().get(item.name)
    found = {item.category, *item.hypernyms, *(of_kind.hypernyms if of_kind else ())} - {""}
    return found | {text.split()[-1] for text in (item.name, *item.synonyms, *found)}


def may_name(name: str, item: CatalogObject) -> bool:
    """Return whether a name may be true of an object: it is one of its words, after colors or sizes alone."""
    nouns, words = {item.name, *item.synonyms, *categories_of(item)}, name.split()
    return any(
        " ".join(words[n:]) in nouns and set(words[:n]) <= _ADJECTIVES and not _other_color(words[:n], item)
        for n in range(len(words))
    )


def _other_color(words: Sequence[str], item: CatalogObject) -> bool:
    return bool(item.colors) and any(word in COLORS and word not in item.colors for word in words)


@cache
def _kinds() -> dict[str, Kind]:
    return {kind.name: kind for kind in all_kinds()}
