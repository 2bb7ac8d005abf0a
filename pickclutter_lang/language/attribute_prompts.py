"""Words for colors, shapes and so on, each as a phrase of its own: what one may ask of any image of a thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pickclutter_lang.language.captions import Caption, Predicate, with_article
from pickclutter_lang.language.object_attributes import ObjectAttributes

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
# Shapes that are nouns: a ball is not "a ball object".
_NOUN = ("{a}", "{a} shape", "an object in the shape of {a}", "a photo of {a}")
_ADJECTIVES = {
    *("spherical", "round", "oval", "rectangular", "flat rectangular", "cubic", "cylindrical", "conical"),
    *("hemispherical", "long", "thin", "long and thin", "flat", "tapered", "curved", "pointed", "irregular"),
    *("box-shaped", "cube-shaped", "cup-shaped", "pear-shaped", "x-shaped", "t-shaped", "y-shaped", "pistol-shaped"),
}


def attribute_words(things: Iterable[ObjectAttributes]) -> dict[str, list[str]]:
    """Return, for each of `KINDS`, the words that are true of some of the things, sorted."""
    tags = {tag for thing in things for tag in thing.tags}
    return {
        kind: sorted(tag[len(kind) + 1 :] for tag in tags if tag.startswith(f"{kind}:")) for kind in ATTRIBUTE_TYPES
    }


def attribute_prompt(kind: str, word: str, form: int = 0) -> Caption:
    """Return the phrase that says that a thing has an attribute.

    :param kind: one of `KINDS`
    :param form: which of the wordings; the first is that of the model card's questions
    """
    # "steel" and "plastic and steel" are materials; "wooden" is said before the noun.
    if kind == "material" and word == "wooden":
        forms: Sequence[str] = _ADJECTIVE
    else:
        forms = _NOUN if kind == "shape" and word not in _ADJECTIVES else _TEMPLATES[kind]
    text = forms[form % len(forms)].format(word, a=with_article(word))
    return Caption(text, (Predicate(frozenset({f"{kind}:{word}"})),))


def sample_attribute_prompts(
    words: dict[str, list[str]], most: int, rng: np.random.Generator
) -> dict[str, list[Caption]]:
    """Draw up to `most` words of each kind, each in one of its wordings."""
    found = {}
    for kind, known in words.items():
        if not known:
            continue
        chosen = sorted(rng.permutation(len(known))[:most].tolist())
        found[kind] = [attribute_prompt(kind, known[n], int(rng.integers(4))) for n in chosen]
    return found
