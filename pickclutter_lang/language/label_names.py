"""Names of labels: those that a user gives, checked, and an open vocabulary of noun phrases beside them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import product

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import check_line

MAX_NEW_NAMES = 1024
"""Names beyond the stored ones whose features are kept."""


# Apostrophes, quotation marks and hyphens -> those of a keyboard.
_PLAIN = str.maketrans("\u2018\u2019\u02bc\u201c\u201d\u2010\u2012\u2013\u2014\u2212", "'''\"\"-----")


def one_spelling(text: str) -> str:
    """Return a text as all that look like it are spelled: "mu\u200bg" and "\uff4d\uff55\uff47" are "mug".

    Letters are composed and of usual width (Unicode's NFKC), spaces single, apostrophes, quotation marks and hyphens
    those of a keyboard, and characters without width are left out.
    """
    visible = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf")
    return " ".join(visible.translate(_PLAIN).split())


def validate_label_names(names: Sequence[str]) -> list[str]:
    """Return names of labels in one spelling, without a full stop, question or exclamation mark at the end.

    :raises InvalidArgumentError: when there is none, one is empty or no line of text, or one is there twice
    """
    cleaned = [name.strip() if isinstance(name, str) and one_spelling(name).strip("'\" ") else "" for name in names]
    if not cleaned or not all(cleaned):
        wrong = [name for name, text in zip(names, cleaned, strict=True) if not text]
        raise InvalidArgumentError(f"expected one name or more, all of them texts, but got {wrong[:1]}")
    for name in cleaned:
        check_line("a name", name)
    cleaned = [name.rstrip(" .!?") or name for name in map(one_spelling, cleaned)]
    twice = sorted(name for name, count in Counter(cleaned).items() if count > 1)
    if twice:
        raise InvalidArgumentError(f"expected each name once, but got {', '.join(twice)} more than once")
    return cleaned


_COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey")
_SHAPES = ("round", "flat", "long and thin", "rectangular", "cylindrical", "cube-shaped", "curved", "oval", "conical")
_MATERIALS = ("metal", "plastic", "wooden", "rubber", "foam", "cardboard", "glass", "leather", "ceramic")
_CATEGORIES = (
    "ball", "bottle", "box", "can", "fruit", "tool", "toy", "block", "cup", "cutlery", "container", "tableware",
)  # fmt: skip
_NOUNS = (
    "mug", "plate", "pitcher", "jar", "brush", "marker", "pen", "padlock", "clamp", "wrench", "pliers", "screw",
    "nail", "chain", "rope", "plum", "grape", "lime", "carrot", "potato", "egg", "bread", "cookie", "cereal",
    "soup can", "tin of fish", "coffee can", "sugar packet", "pudding packet", "soap", "towel", "glove", "shoe", "book",
    "phone", "remote control", "battery", "key", "coin", "candle", "light bulb", "baseball",
    "marble", "spinning top", "toy car", "toy plane", "building brick", "puzzle piece", "saw", "drill bit", "tape",
    "stapler", "ruler", "eraser", "paper cup", "straw", "skillet", "lid", "whisk", "ladle", "cutting board",
)  # fmt: skip


def vocabulary(names: Sequence[str], excluded: Sequence[str] = ()) -> list[str]:
    """Return some 300 noun phrases: names, household objects, categories, colors, shapes, materials, and their pairs.

    :param names: put first, such as the names that a student is trained on
    :param excluded: names and synonyms that must not occur, such as those of unseen objects: a phrase that
        contains one of them is left out
    :return: phrases without an article, each once
    """
    single = [f"{word} object" for word in (*_COLORS, *_SHAPES, *_MATERIALS)]
    pairs = [f"{color} {category}" for color, category in product(_COLORS, _CATEGORIES)]
    shaped = [f"{color} {shape} object" for color, shape in product(_COLORS, _SHAPES[:6])]
    noun_phrases = dict.fromkeys([*names, *_CATEGORIES, *_NOUNS, *single, *pairs, *shaped])
    return [noun_phrase for noun_phrase in noun_phrases if not any(name in noun_phrase for name in excluded)]
