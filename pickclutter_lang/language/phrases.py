"""What a phrase such as "the yellow fruit" means: a label, synonym or category, after words that describe it.

A color alone, "the red one", means any object of that color.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.object_attributes import attributes_of, noun_tags
from pickclutter_lang.objects.catalog import Catalog, CatalogObject, all_objects
from pickclutter_lang.utils.validation import did_you_mean
from pickclutter_lang.utils.words import counted

MODIFIERS = ("color", "material", "shape", "size")
"""What the words before a noun may say of an object."""
COLORS = (
    *("black", "blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "turquoise", "white", "yellow"),
)
SPELLINGS = {"gray": "grey"}
"""Other spellings of colors -> those that captions of the embedded teachers have."""
_COLOR_ALONE = re.compile(r"(?:the |an? )?(\w+) (?:one|thing|object|item)s?", re.IGNORECASE)


@dataclass(frozen=True)
class Phrase:
    """What a person asks for: the text without its article, the labels that it may mean, and the words before them."""

    text: str
    labels: tuple[str, ...]
    modifiers: tuple[str, ...]

    def fits(self, item: CatalogObject) -> bool:
        """Return whether an object has one of the labels, and all modifiers are true of it."""
        tags = attributes_of(item).tags
        true = frozenset(tag.partition(":")[2] for tag in tags if tag.partition(":")[0] in MODIFIERS)
        return item.name in self.labels and _all_true(self.modifiers, true)


def color_alone(text: str) -> str | None:
    """Return the color of a phrase that says nothing else: "red" of "the red one" or "a red thing"; None of others."""
    found = _COLOR_ALONE.fullmatch(" ".join(text.split()))
    word = found[1].lower() if found else ""
    color = SPELLINGS.get(word, word)
    return color if color in COLORS else None


def color_phrase(color: str) -> str:
    """Return what a student is asked for a color alone: as captions of the embedded teachers have it."""
    return f"{color} object"


def _all_true(words: tuple[str, ...], true: frozenset[str]) -> bool:
    """Return whether words are attributes that are true, one after the other; "long and thin" is one, or is two."""
    for count in range(len(words), 0, -1):
        joined = words[count : count + 1] == ("and",) and len(words) > count + 1
        if " ".join(words[:count]) in true and _all_true(words[count + joined :], true):
            return True
    return not words


def read_phrase(text: str, catalog: Catalog) -> Phrase:
    """Read a phrase such as "the red mug" or "a yellow fruit"; "the red one" may mean any label.

    :raises InvalidArgumentError: when no label, synonym or category ends it, and it is no color alone
    """
    plain = re.sub(r"^(?:the|an?)\s+", "", " ".join(text.split()), flags=re.IGNORECASE).lower()
    words = plain.split()
    categories = {item.name: (item.category, *item.hypernyms) for item in catalog}
    for first in range(len(words)):
        head = " ".join(words[first:])
        meant = [item.name for item in catalog if head == item.name or head in _own_synonyms(item, catalog)]
        meant = meant or [name for name, nouns in categories.items() if head in (*nouns, *map(counted, nouns))]
        if meant:
            modifiers = tuple(SPELLINGS.get(word, word) for word in words[:first])
            return Phrase(" ".join((*modifiers, head)), tuple(meant), modifiers)
    color = color_alone(plain)
    if color is not None:
        return Phrase(plain, tuple(catalog.names), (color,))
    hint = did_you_mean(plain, catalog.names) or did_you_mean(words[-1] if words else "", catalog.names)
    raise InvalidArgumentError(
        f"expected a name, synonym or category of an object, with colors, materials or shapes before it, such as "
        f"'the red mug', but got {text!r}{hint}"
    )


def _own_synonyms(item: CatalogObject, catalog: Catalog) -> list[str]:
    """Return the synonyms that mean this object alone: "yellow fruit" of the banana is as true of a lemon."""
    colored = tuple(other for other in catalog if other.colors)
    return [noun for noun in item.synonyms if noun_tags(noun, item.name, colored) == {f"name:{item.name}"}]


@lru_cache(maxsize=256)
def known_phrase(text: str, names: tuple[str, ...]) -> Phrase:
    """Read a phrase by what the package knows of some names; without labels where that is nothing.

    With 206 names that takes tens of milliseconds, so it is done once for a phrase.
    """
    catalog = _package_catalog()
    known = [catalog[name] for name in names if name in catalog]
    for whole in (text, re.split(r" (?:with|without) ", text, maxsplit=1)[0]):  # "mug with a handle" is a mug
        try:
            found = read_phrase(whole, Catalog(known))
        except InvalidArgumentError:
            continue
        return found if whole == text else Phrase(text, found.labels, (*found.modifiers, text[len(whole) + 1 :]))
    return Phrase(text, (), ())


@lru_cache(maxsize=1)
def _package_catalog() -> dict[str, CatalogObject]:
    from pickclutter_lang.objects.kinds.kind_set import load_kind_set  # hundreds of modules

    kinds, scans = load_kind_set().catalog, {item.name: item for item in all_objects()}
    both = {kind.name: _joined(kind, scans[kind.name]) for kind in kinds if kind.name in scans}
    return {**scans, **{kind.name: kind for kind in kinds}, **both}


def _joined(kind: CatalogObject, scan: CatalogObject) -> CatalogObject:
    """Return a kind with what the scan of its name is called too; a word for several kinds is no synonym."""
    hypernyms = tuple(dict.fromkeys((*kind.hypernyms, scan.category)))
    wider = {kind.category, *hypernyms}
    synonyms = dict.fromkeys((*kind.synonyms, *scan.synonyms))
    return replace(kind, hypernyms=hypernyms, synonyms=tuple(word for word in synonyms if word not in wider))
