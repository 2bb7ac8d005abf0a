"""Names with a main color, or a material, that no training image shows and no text tells: does a teacher compose words?

Of kinds that come in several colors, or materials, a tenth of the compositions is held out from a training, always the
same ones.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_from_dict

LEAST_WORDS = {"color": 4, "material": 3}
"""Attribute -> in how many of its words a kind must come, so that one of them may be held out."""
_ONE_OF = 10
_ADJECTIVES = {"wood": "wooden"}


class Composition(NamedTuple):
    """The name of a kind with one word of an attribute: `color`, that of the largest area, or `material`."""

    name: str
    attribute: str
    word: str


def composition(item: ObjectAttributes, attribute: str) -> Composition | None:
    """Return the composition of an object; None for one without a name or such a word.

    :param attribute: a key of `LEAST_WORDS`
    """
    word = (item.colors[0] if item.colors else "") if attribute == "color" else item.material
    return Composition(item.name, attribute, word) if item.name and word else None


def compositions(item: ObjectAttributes) -> frozenset[Composition]:
    """Return the compositions of an object: of its main color, and of its material with what that implies.

    What is of steel is of metal too.
    """
    found = [composition(item, attribute) for attribute in LEAST_WORDS]
    materials = (tag.removeprefix("material:") for tag in item.tags if tag.startswith("material:"))
    found += [Composition(item.name, "material", word) for word in materials if item.name and item.material]
    return frozenset(pair for pair in found if pair is not None)


def shown_compositions(stores: Iterable[ObjectViewDataset]) -> frozenset[Composition]:
    """Return the compositions of the instances of kinds in views, without those that a material implies."""
    items = (attributes_from_dict(row) for store in stores for row in store.objects if "kind" in row)
    found = (composition(item, attribute) for item in items for attribute in LEAST_WORDS)
    return frozenset(pair for pair in found if pair is not None)


def held_out_compositions(shown: Iterable[Composition]) -> frozenset[Composition]:
    """Return one of ten compositions of kinds that come in many words of the attribute, by a hash of name and word.

    :param shown: the compositions in the views to train on, which say in what colors and materials a kind comes
    """
    words: dict[tuple[str, str], set[Composition]] = {}
    for pair in shown:
        words.setdefault((pair.name, pair.attribute), set()).add(pair)
    varied = (pair for (_, attribute), found in words.items() if len(found) >= LEAST_WORDS[attribute] for pair in found)
    return frozenset(pair for pair in varied if zlib.crc32(f"{pair.name} {pair.word}".encode()) % _ONE_OF == 0)


def untold(item: ObjectAttributes, held_out: frozenset[Composition]) -> ObjectAttributes:
    """Return an object without texts that tell a color or material which is held out with its name.

    These are its description, "a white club", and features, "with a white stripe".
    """
    hidden = {word for pair in held_out if pair.name == item.name for word in _forms(pair.word)}

    def is_held_out(text: str) -> bool:
        return not hidden.isdisjoint(re.findall(r"\w+", text.lower()))

    features = tuple(feature for feature in item.features if not is_held_out(feature))
    return replace(item, description="" if is_held_out(item.description) else item.description, features=features)


def held_out_phrases(held_out: Iterable[Composition]) -> tuple[str, ...]:
    """Return the compositions as texts say them, such as "red mug" and "wooden spoon", sorted."""
    return tuple(sorted(f"{form} {pair.name}" for pair in held_out for form in _forms(pair.word)))


def _forms(word: str) -> set[str]:
    """Return a word and its adjective."""
    return {word, _ADJECTIVES.get(word, word)}
