"""Pairs of a name and a main color that no training image shows, and no text tells: does a teacher compose words?"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.language.object_attributes import ObjectAttributes, attributes_from_dict

Pair: TypeAlias = tuple[str, str]
"""The name of a kind, and the color of the largest area."""
_LEAST_COLORS, _ONE_OF = 4, 10


def main_pair(item: ObjectAttributes) -> Pair | None:
    """Return the pair of an object; None for one without a name or a color."""
    return (item.name, item.colors[0]) if item.name and item.colors else None


def shown_pairs(stores: Iterable[ObjectViewDataset]) -> frozenset[Pair]:
    """Return the pairs of the instances of kinds in views."""
    rows = (row for store in stores for row in store.objects if "kind" in row)
    return frozenset(pair for row in rows if (pair := main_pair(attributes_from_dict(row))) is not None)


def held_out_pairs(shown: Iterable[Pair]) -> frozenset[Pair]:
    """Return one of ten pairs of kinds that come in at least four main colors, chosen by a hash of their words.

    :param shown: the pairs in the views to train on, which say in what colors a kind comes
    """
    colors: dict[str, set[str]] = {}
    for name, color in shown:
        colors.setdefault(name, set()).add(color)
    varied = ((name, color) for name, found in colors.items() if len(found) >= _LEAST_COLORS for color in found)
    return frozenset(pair for pair in varied if zlib.crc32(" ".join(pair).encode()) % _ONE_OF == 0)


def untold(item: ObjectAttributes, held_out: frozenset[Pair]) -> ObjectAttributes:
    """Return an object without words that tell a color which is held out with its name.

    These are its description, "a white club", and features, "with a white stripe".

    :param held_out: pairs of name and main color
    """

    def is_held_out(text: str) -> bool:
        return any((item.name, word) in held_out for word in re.findall(r"\w+", text.lower()))

    features = tuple(feature for feature in item.features if not is_held_out(feature))
    return replace(item, description="" if is_held_out(item.description) else item.description, features=features)


def held_out_phrases(held_out: Iterable[Pair]) -> tuple[str, ...]:
    """Return the pairs as texts say them, such as "red mug", sorted."""
    return tuple(sorted(f"{color} {name}" for name, color in held_out))
