"""Prompts for single attributes (color, shape, material, ...): "a red object", "something made of steel"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pickclutter_lang.language.captions import Caption, Predicate
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.utils.words import counted, with_article

ATTRIBUTE_TYPES = ("color", "shape", "pattern", "material", "category", "use")
_ADJECTIVE = ("{a} object", "{a} thing", "{a} item", "a photo of {a} object")
_TEMPLATES = {
    "color": _ADJECTIVE,
    "pattern": _ADJECTIVE,
    "shape": _ADJECTIVE,
    "material": (
        "an object made of {}",
        "a thing made of {}",
        "something made of {}",
        "a photo of an object made of {}",
    ),
    "category": ("{a}", "a photo of {a}", "a kind of {}"),
    "use": ("an object for {}", "a thing for {}", "something for {}", "a photo of an object for {}"),
}
# Shapes that are nouns: a ball is not "a ball object". A noun that names objects too does not mean the shape alone: a
# book has the shape of a box and is no box.
_NOUN = ("{a}", "{a} shape", "an object in the shape of {a}", "a photo of {a}")
_NOUN_OF_OBJECTS = ("{a} shape", "an object in the shape of {a}")
_OBJECTS = ("ball", "bottle", "bowl", "box", "cup", "egg")
_ADJECTIVES = {
    *("spherical", "round", "oval", "rectangular", "flat rectangular", "cubic", "cylindrical", "conical"),
    *("hemispherical", "long", "thin", "long and thin", "flat", "tapered", "curved", "pointed", "irregular"),
    *("box-shaped", "cube-shaped", "cup-shaped", "pear-shaped", "x-shaped", "t-shaped", "y-shaped", "pistol-shaped"),
}


def attribute_words(objects: Iterable[ObjectAttributes]) -> dict[str, list[str]]:
    """Return, for each of `ATTRIBUTE_TYPES`, the words that are true of some of the objects, sorted."""
    tags = {tag for item in objects for tag in item.tags}
    return {
        attribute_type: sorted(tag[len(attribute_type) + 1 :] for tag in tags if tag.startswith(f"{attribute_type}:"))
        for attribute_type in ATTRIBUTE_TYPES
    }


def attribute_prompt(attribute_type: str, word: str, template_index: int = 0) -> Caption:
    """Return the caption that asserts an attribute of an object.

    :param attribute_type: one of `ATTRIBUTE_TYPES`
    :param template_index: index of the template, modulo their number; the probes of the model card use the first
    """
    # "steel" and "plastic and steel" are materials; "wooden" is an adjective.
    if attribute_type == "material" and word == "wooden":
        templates: Sequence[str] = _ADJECTIVE
    elif attribute_type == "shape" and word not in _ADJECTIVES:
        templates = _NOUN_OF_OBJECTS if word in _OBJECTS else _NOUN
    else:
        templates = _TEMPLATES[attribute_type]
    text = templates[template_index % len(templates)].format(word, a=with_article(counted(word)))
    return Caption(text, (Predicate(frozenset({f"{attribute_type}:{word}"})),))


def sample_attribute_prompts(
    words: dict[str, list[str]], max_words: int, rng: np.random.Generator
) -> dict[str, list[Caption]]:
    """Sample up to `max_words` words of each attribute type, each in one of its templates."""
    sampled = {}
    for attribute_type, available in words.items():
        if not available:
            continue
        chosen = sorted(rng.permutation(len(available))[:max_words].tolist())
        sampled[attribute_type] = [attribute_prompt(attribute_type, available[n], int(rng.integers(4))) for n in chosen]
    return sampled
