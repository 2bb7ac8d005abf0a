"""Words that an instruction asks for an object by, beside its name: a category, a color, a description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.kinds import Kind, all_kinds

COLOR, CATEGORY, COLORED, DESCRIBED = "color", "category", "color_category", "description"
_SHORT = 3
"""Words of a beginning that says too little, with its article: "a long"."""


@dataclass(frozen=True)
class Words:
    """What an object is asked for by: a color, a category, both, or a description."""

    color: str = ""
    category: str = ""
    description: str = ""

    def __str__(self) -> str:
        return self.description or f"{self.color} {self.category or 'one'}".strip()

    def fit(self, item: CatalogObject) -> bool:
        """Return whether they are true of an object; an object without colors may have any."""
        if self.description:
            return self.description == description_of(item)
        colored = not self.color or not item.colors or self.color in item.colors
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


@cache
def _kinds() -> dict[str, Kind]:
    return {kind.name: kind for kind in all_kinds()}
