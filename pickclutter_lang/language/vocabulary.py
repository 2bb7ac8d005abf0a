"""A vocabulary of things and their looks, over which a student is held against its teacher without any label."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

_COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey")
_SHAPES = ("round", "flat", "long and thin", "rectangular", "cylindrical", "cube-shaped", "curved", "oval", "conical")
_MATERIALS = ("metal", "plastic", "wooden", "rubber", "foam", "cardboard", "glass", "leather", "ceramic")
_CATEGORIES = (
    "ball",
    "bottle",
    "box",
    "can",
    "fruit",
    "tool",
    "toy",
    "block",
    "cup",
    "cutlery",
    "container",
    "tableware",
)
_NOUNS = (
    "mug", "plate", "pitcher", "jar", "brush", "marker", "pen", "padlock", "clamp", "wrench", "pliers", "screw",
    "nail", "chain", "rope", "plum", "grape", "lime", "carrot", "potato", "egg", "bread", "cookie", "cereal",
    "soup can", "tin of fish", "coffee can", "sugar packet", "pudding packet", "soap", "towel", "glove", "shoe", "book",
    "phone", "remote control", "battery", "key", "coin", "candle", "light bulb", "baseball",
    "marble", "spinning top", "toy car", "toy plane", "building brick", "puzzle piece", "saw", "drill bit", "tape",
    "stapler", "ruler", "eraser", "paper cup", "straw", "skillet", "lid", "whisk", "ladle", "cutting board",
)  # fmt: skip


def vocabulary(names: Sequence[str], excluded: Sequence[str] = ()) -> list[str]:
    """Return some 300 noun phrases: names, things of a household, kinds, colors, shapes, materials, and their pairs.

    :param names: put first, such as the names that a student is trained on
    :param excluded: names and synonyms that must not occur, such as those of what is held out: a phrase with one of
        them in it is left out
    :return: phrases without an article, each once
    """
    looks = [f"{word} {noun}" for words in (_COLORS, _SHAPES, _MATERIALS) for word, noun in product(words, ("object",))]
    pairs = [f"{color} {kind}" for color, kind in product(_COLORS, _CATEGORIES)]
    shaped = [f"{color} {shape} object" for color, shape in product(_COLORS, _SHAPES[:6])]
    phrases = dict.fromkeys([*names, *_CATEGORIES, *_NOUNS, *looks, *pairs, *shaped])
    return [phrase for phrase in phrases if not any(name in phrase for name in excluded)]
