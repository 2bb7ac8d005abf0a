"""Instructions of an evaluation: which object they name, in which words, and which objects are right."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.instruction_words import (
    CATEGORY,
    COLOR,
    COLORED,
    DESCRIBED,
    Words,
    may_name,
    words_of,
)
from pickclutter_lang.language.instructions import INSTRUCTION_TEMPLATES, instruction, parse_target_name
from pickclutter_lang.language.object_attributes import attributes_of, noun_tags
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.extra_objects import all_objects, select_objects
from pickclutter_lang.utils.words import counted, with_article

DRAWN, NAMED, OTHER, ABSENT, BLANK = "drawn", "named", "other", "absent", "blank"
OWN_CATEGORY = "target_category"
_ABSENT_WORDS = {"absent_category": CATEGORY, "absent_color_category": COLORED, "absent_description": DESCRIBED}
TYPED = "typed"
"""Kind of an instruction with a name that a person chose; no suite has it."""
SUITES = {
    "picking": (DRAWN,),
    "language": (NAMED, OTHER, ABSENT, "paraphrase", "synonym", "misspelling", BLANK),
    "open_vocabulary": (NAMED, ABSENT, "foreign", "unrelated", COLOR, CATEGORY),
    "words": (NAMED, OWN_CATEGORY, COLORED, DESCRIBED, ABSENT, *_ABSENT_WORDS),
}
"""Suite -> its kinds of instructions. All but `drawn`, which the environment draws, are of the same piles."""
KIND_TITLES = {
    DRAWN: "drawn by the environment",
    NAMED: "the target, by its name",
    OTHER: "another object of the pile",
    ABSENT: "an absent object of the labels",
    "paraphrase": "the target, in another sentence",
    "synonym": "the target, by a synonym",
    "misspelling": "the target, misspelled",
    BLANK: "a blank instruction",
    "foreign": "an absent YCB object beyond the labels",
    "unrelated": "an absent object that is no YCB object",
    COLOR: "a color of any visible object: 'the red one'",
    CATEGORY: "a category of any visible object: 'a fruit'",
    OWN_CATEGORY: "a category of the target: 'a fruit'",
    COLORED: "a color and a category of the target: 'the yellow fruit'",
    DESCRIBED: "a description of the target: 'the long curved yellow fruit with tapered ends'",
    "absent_category": "a category of which nothing is there",
    "absent_color_category": "a color and a category of which nothing is there",
    "absent_description": "a description of an absent object of the labels",
}
_WORDED = (COLOR, CATEGORY, OWN_CATEGORY, COLORED, DESCRIBED)
MAY_REFUSE = (BLANK, "paraphrase", "synonym", "misspelling", "foreign", "unrelated", *_WORDED, *_ABSENT_WORDS)
"""Kinds for which a policy may raise InvalidArgumentError or UnknownObjectError: words that it cannot read."""
OF_TARGET = ("paraphrase", "synonym", "misspelling", OWN_CATEGORY, COLORED, DESCRIBED)
"""Kinds that ask for the object that `named` names, in other words."""
_PARAPHRASES = ("the {name} is what I want", "would you fetch that {name} over here?", "one {name}, if you can find it")
_UNRELATED = ("umbrella", "laptop", "candle", "wallet", "teapot", "flashlight", "toothbrush", "headphones", "shoe")
_STREAM = 0x1A6


@dataclass(frozen=True)
class Pile:
    """The labeled objects of a pile, those that the hand camera sees, and those of its split that are not in it.

    `labels` are all objects of the catalog, of whatever split. `distractors` lie in the pile without a label.
    """

    objects: tuple[CatalogObject, ...]
    visible: tuple[CatalogObject, ...]
    absent: tuple[CatalogObject, ...]
    labels: tuple[CatalogObject, ...]
    distractors: tuple[CatalogObject, ...] = ()


@dataclass(frozen=True)
class Instruction:
    """One instruction in a pile.

    - `text`: what the policy is given
    - `target`: name of the environment's target; for an absent name any absent object
    - `reference`: name of the object that `named` names in this pile
    - `expected`: names of the objects that are right; none where nothing is to be picked
    """

    kind: str
    text: str
    target: str
    reference: str
    expected: tuple[str, ...]


def typed_instruction(name: str, pile: Pile) -> Instruction:
    """Return the instruction to pick an object by any name; nothing is expected for a name that no object here has.

    `reference` is the name that a policy reads in the instruction: "lemon" for "Lemon!".

    :raises InvalidArgumentError: when all objects of the split are in the pile, and none has the name
    """
    text = instruction(name, 0)
    reference = parse_target_name(text, [item.name for item in (*pile.objects, *pile.absent)])
    right = [item for item in pile.objects if item.name == reference]
    known = [item for item in pile.absent if item.name == reference]
    target = right[0] if right else known[0] if known else _several(pile.absent, "an absent object")[0]
    return Instruction(TYPED, text, target.name, reference, tuple(item.name for item in right))


def draw_instruction(kind: str, pile: Pile, seed: int) -> Instruction:
    """Draw the instruction of a kind; `reference` is the same for all kinds of a pile and seed.

    :param kind: one of `KIND_TITLES` but `drawn`
    :raises InvalidArgumentError: for a pile of one object, or with all objects of its split, or where the labels leave
        no other name
    """
    shared = np.random.default_rng([seed, _STREAM])
    seen = pile.visible or pile.objects
    reference = _choose(seen, shared)
    others = [item for item in seen if item != reference] or [item for item in pile.objects if item != reference]
    other = _choose(_several(others, "a second object in the pile"), shared)
    absent = _choose(_several(pile.absent, "an absent object"), shared)
    template = int(shared.integers(2**16))
    rng = np.random.default_rng([seed, _STREAM, zlib.crc32(kind.encode())])
    if kind == BLANK:
        return Instruction(kind, "", reference.name, reference.name, ())
    if kind in _WORDED:
        words = _draw_words(kind, [reference] if kind in OF_TARGET else seen, rng)
        target = reference if kind in OF_TARGET else _choose([i for i in seen if words.fit(i, unsaid=False)], rng)
        right = tuple(item.name for item in (*pile.objects, *pile.distractors) if words.fit(item, unsaid=False))
        return Instruction(kind, _sentence_of(kind, str(words), template), target.name, reference.name, right)
    if kind in _ABSENT_WORDS:
        words, target = _draw_absent(_ABSENT_WORDS[kind], pile, rng)
        return Instruction(kind, _sentence_of(kind, str(words), template), target.name, reference.name, ())
    if kind == "paraphrase":
        text = str(rng.choice(_PARAPHRASES)).format(name=reference.name)
        return Instruction(kind, text, reference.name, reference.name, (reference.name,))
    if kind in (ABSENT, "foreign", "unrelated"):
        name = absent.name if kind == ABSENT else _name_beyond(kind, pile, rng)
        return Instruction(kind, _sentence(name, template), absent.name, reference.name, ())
    name, target = reference.name, other if kind == OTHER else reference
    if kind == OTHER:
        name = other.name
    elif kind == "synonym":
        name = _synonym(reference, pile)
    elif kind == "misspelling":
        name = misspell(name, rng)
    return Instruction(kind, _sentence(name, template), target.name, reference.name, (target.name,))


def misspell(name: str, rng: np.random.Generator) -> str:
    """Return a name with two neighboring letters inside its longest word exchanged; one of two letters loses one."""
    word = max(name.split(), key=len)
    places = [n for n in range(1, len(word) - 2) if word[n] != word[n + 1]]
    if not places:
        return name.replace(word, word[:-1])
    n = int(rng.choice(places))
    return name.replace(word, word[:n] + word[n + 1] + word[n] + word[n + 2 :])


def _sentence(name: str, template: int) -> str:
    return instruction(name, template % len(INSTRUCTION_TEMPLATES))


def _sentence_of(kind: str, words: str, template: int) -> str:
    """Return the sentence that asks for words of an object: any of a category, but the one with other words."""
    if kind in (CATEGORY, OWN_CATEGORY, "absent_category"):
        return f"pick up {with_article(counted(words))}"
    return _sentence(words, template)


def _choose(items: Sequence[CatalogObject], rng: np.random.Generator) -> CatalogObject:
    return items[int(rng.integers(len(items)))]


def _several(items: Sequence[CatalogObject], what: str) -> Sequence[CatalogObject]:
    """Return objects that an instruction is drawn from, if there are any."""
    if not items:
        raise InvalidArgumentError(f"expected {what} to ask for, but there is none; give more kinds= or objects")
    return items


def _name_beyond(kind: str, pile: Pile, rng: np.random.Generator) -> str:
    """Draw a name that no label and no object of the pile has, nor as a synonym.

    Nor is it true of an object of the pile: "red cup" may be a mug. Where all YCB objects are labels, a foreign name is
    an unrelated one too.
    """
    foreign = [item.name for selection in ("further", "kept_out") for item in select_objects(selection)]
    there = (*pile.objects, *pile.distractors)
    taken = {word for item in (*pile.labels, *there) for word in (item.name, *item.synonyms)}
    taken |= {name for name in (*foreign, *_UNRELATED) if any(may_name(name, item) for item in there)}
    drawn = {}
    for key, names in (("foreign", foreign), ("unrelated", _UNRELATED)):  # both: each kind draws alike
        free = [name for name in names if name not in taken] or [name for name in _UNRELATED if name not in taken]
        if not free:
            raise InvalidArgumentError(f"expected a name for {key} that no label has, but got none; give fewer kinds=")
        drawn[key] = str(rng.choice(free))
    return drawn[kind]


def _synonym(item: CatalogObject, pile: Pile) -> str:
    """Return the first synonym that no other object of the pile fits: a lemon is a "yellow fruit" too."""
    others = [attributes_of(other).tags for other in (*pile.objects, *pile.distractors) if other != item]
    names, colored = {label.name for label in pile.labels}, tuple(label for label in pile.labels if label.colors)
    words = [word for word in item.synonyms if word not in names]  # of another set, where sets are mixed
    fitting = [word for word in words if not any(noun_tags(word, item.name, colored) <= tags for tags in others)]
    return (fitting or words or [item.name])[0]


def _draw_words(kind: str, items: Sequence[CatalogObject], rng: np.random.Generator) -> Words:
    """Draw words that are true of one of some objects.

    :raises InvalidArgumentError: when there are none, as may be with objects of one's own
    """
    found = {str(words): words for item in items for words in words_of(kind, item)}
    if not found:
        raise InvalidArgumentError(_missing(kind, items))
    return found[str(rng.choice(sorted(found)))]


def _draw_absent(kind: str, pile: Pile, rng: np.random.Generator) -> tuple[Words, CatalogObject]:
    """Draw words that are true of nothing in the pile; return them, and an absent object.

    They are words of an absent object of the labels, or of a YCB object where those all fit something in the pile.
    Labels that are kinds have no colors: theirs are colors of the pile.

    :raises InvalidArgumentError: when the catalog does not say what an object of the pile is
    """
    there = (*pile.objects, *pile.distractors)
    unsaid = [item for item in there if not words_of(DESCRIBED if kind == DESCRIBED else CATEGORY, item)]
    if unsaid:
        raise InvalidArgumentError(_missing(kind, unsaid))
    colors = tuple(sorted({color for item in there for color in item.colors}))
    for items in (pile.absent, all_objects()):
        asked = [words for item in items for words in words_of(kind, item, colors)]
        found = {str(words): words for words in asked if not any(map(words.fit, there))}
        if found:
            words = found[str(rng.choice(sorted(found)))]
            return words, _choose([item for item in pile.absent if words.fit(item)] or pile.absent, rng)
    raise InvalidArgumentError(f"expected a {_said(kind)} that nothing in the pile has, but there is none")


def _missing(kind: str, items: Sequence[CatalogObject]) -> str:
    names = ", ".join(item.name for item in items)
    return (
        f"expected a {_said(kind)} of an object to ask for, but catalog.yaml has none of {names}; add it there, or "
        "choose suite=language"
    )


def _said(kind: str) -> str:
    return {OWN_CATEGORY: CATEGORY, COLORED: "color and a category"}.get(kind, kind)
