"""Instructions of an evaluation: which object of a pile they name, in which words, and which objects are right."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.kinds import Kind, all_kinds
from pickclutter_lang.language.instructions import COLORS, INSTRUCTION_TEMPLATES, instruction, parse_target_name
from pickclutter_lang.language.object_attributes import attributes_of, noun_tags
from pickclutter_lang.objects.catalog import CatalogObject, all_objects, select_objects
from pickclutter_lang.utils.words import counted, with_article

DRAWN, NAMED, OTHER, ABSENT, BLANK = "drawn", "named", "other", "absent", "blank"
TYPED = "typed"
"""Kind of an instruction with a name that a person chose; no suite has it."""
_PARAPHRASES = ("the {name} is what I want", "would you fetch that {name} over here?", "one {name}, if you can find it")
_UNRELATED = ("umbrella", "laptop", "candle", "wallet", "teapot", "flashlight", "toothbrush", "headphones", "shoe")
_ADJECTIVES = {*COLORS, "small", "medium", "large", "extra", "mini", "wide"}
_SHORT = 3
"""Words of a beginning that says too little, with its article: "a long"."""
_STREAM = 0x1A6
_Item = TypeVar("_Item")


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

    @property
    def there(self) -> tuple[CatalogObject, ...]:
        """All objects that lie in the pile."""
        return (*self.objects, *self.distractors)


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
            return self.description == _description_of(item)
        colored = not self.color or self.color in item.colors or (unsaid and not item.colors)
        return colored and (not self.category or self.category in _categories_of(item))


@dataclass(frozen=True)
class _Draw:
    """What all kinds of a pile and seed share, and the generator of one kind."""

    pile: Pile
    seen: Sequence[CatalogObject]
    reference: CatalogObject
    other: CatalogObject
    absent: CatalogObject
    template: int
    rng: np.random.Generator

    def sentence(self, name: str) -> str:
        return instruction(name, self.template % len(INSTRUCTION_TEMPLATES))


_Asked = tuple[str, CatalogObject, Sequence[CatalogObject]]
"""The text, the target, and the objects that are right."""
_WordsOf = Callable[[CatalogObject, Sequence[str]], list[Words]]
"""What an object can be asked for by; the colors are those of an object of which the catalog says none."""


def _by_name(name: Callable[[_Draw], str]) -> Callable[[_Draw], _Asked]:
    return lambda draw: (draw.sentence(name(draw)), draw.reference, [draw.reference])


def _by_words(words: _WordsOf, of_target: bool = False) -> Callable[[_Draw], _Asked]:
    """Ask by words of the target, or of any visible object; all objects of the pile that they are true of are right."""

    def ask(draw: _Draw) -> _Asked:
        items = [draw.reference] if of_target else draw.seen
        drawn = _drawn((one for item in items for one in words(item, ())), draw.rng, "words of an object")
        right = [item for item in draw.pile.there if drawn.fit(item, unsaid=False)]
        target = draw.reference
        if not of_target:
            target = _choose([item for item in draw.seen if drawn.fit(item, unsaid=False)], draw.rng)
        return _sentence_of(drawn, draw), target, right

    return ask


def _by_absent_words(words: _WordsOf) -> Callable[[_Draw], _Asked]:
    """Ask by words that are true of nothing in the pile.

    They are words of an absent object of the labels, or of a YCB object where those all fit something in the pile.
    Labels that are kinds have no colors: theirs are colors of the pile.
    """
    known = _descriptions if words is _descriptions else _categories

    def ask(draw: _Draw) -> _Asked:
        there, absent = draw.pile.there, draw.pile.absent
        for item in there:
            _several(known(item, ()), f"words of the {item.name}")
        colors = tuple(sorted({color for item in there for color in item.colors}))
        of_labels, of_all = (
            [one for item in items for one in words(item, colors) if not any(map(one.fit, there))]
            for items in (absent, all_objects())
        )
        drawn = _drawn(of_labels or of_all, draw.rng, "words that nothing in the pile fits")
        target = _choose([item for item in absent if drawn.fit(item)] or absent, draw.rng)
        return _sentence_of(drawn, draw), target, ()

    return ask


def _by_name_beyond(kind: str) -> Callable[[_Draw], _Asked]:
    """Ask by a name that no label and no object of the pile has, nor as a synonym.

    Nor is it true of an object of the pile: "red cup" may be a mug. Where all YCB objects are labels, a foreign name is
    an unrelated one too.
    """

    def ask(draw: _Draw) -> _Asked:
        foreign = [item.name for selection in ("further", "kept_out") for item in select_objects(selection)]
        taken = {word for item in (*draw.pile.labels, *draw.pile.there) for word in (item.name, *item.synonyms)}
        taken |= {name for name in (*foreign, *_UNRELATED) if any(_may_name(name, item) for item in draw.pile.there)}
        drawn = {}
        for key, names in (("foreign", foreign), ("unrelated", _UNRELATED)):  # both: each kind draws alike
            free = [name for name in names if name not in taken] or [name for name in _UNRELATED if name not in taken]
            drawn[key] = str(draw.rng.choice(_several(free, "a name that no label has")))
        return draw.sentence(drawn[kind]), draw.absent, ()

    return ask


def _paraphrase(draw: _Draw) -> _Asked:
    text = str(draw.rng.choice(_PARAPHRASES)).format(name=draw.reference.name)
    return text, draw.reference, [draw.reference]


def _synonym(draw: _Draw) -> str:
    """Return the first synonym that no other object of the pile fits: a lemon is a "yellow fruit" too."""
    item = draw.reference
    labels = draw.pile.labels
    others = [attributes_of(other).tags for other in draw.pile.there if other != item]
    names = {label.name for label in labels}
    colored = tuple(label for label in labels if label.colors)
    words = [word for word in item.synonyms if word not in names]  # of another set, where sets are mixed
    fitting = [word for word in words if not any(noun_tags(word, item.name, colored) <= tags for tags in others)]
    return (fitting or words or [item.name])[0]


def misspell(name: str, rng: np.random.Generator) -> str:
    """Return a name with two neighboring letters inside its longest word exchanged; one of two letters loses one."""
    word = max(name.split(), key=len)
    places = [n for n in range(1, len(word) - 2) if word[n] != word[n + 1]]
    if not places:
        return name.replace(word, word[:-1])
    n = int(rng.choice(places))
    return name.replace(word, word[:n] + word[n + 1] + word[n] + word[n + 2 :])


def _colors(item: CatalogObject, colors: Sequence[str]) -> list[Words]:
    return [Words(color=color) for color in item.colors]


def _categories(item: CatalogObject, colors: Sequence[str]) -> list[Words]:
    return [Words(category=word) for word in (item.category, *item.hypernyms) if word]


def _colored_categories(item: CatalogObject, colors: Sequence[str]) -> list[Words]:
    return [Words(color, of.category) for color in item.colors or colors for of in _categories(item, ())]


def _descriptions(item: CatalogObject, colors: Sequence[str]) -> list[Words]:
    return [Words(description=_description_of(item))] if item.description else []


KINDS: dict[str, tuple[str, Callable[[_Draw], _Asked]]] = {
    NAMED: ("the target, by its name", _by_name(lambda draw: draw.reference.name)),
    OTHER: (
        "another object of the pile",
        lambda draw: (draw.sentence(draw.other.name), draw.other, [draw.other]),
    ),
    ABSENT: ("an absent object of the labels", lambda draw: (draw.sentence(draw.absent.name), draw.absent, ())),
    "paraphrase": ("the target, in another sentence", _paraphrase),
    "synonym": ("the target, by a synonym", _by_name(_synonym)),
    "misspelling": ("the target, misspelled", _by_name(lambda draw: misspell(draw.reference.name, draw.rng))),
    BLANK: ("a blank instruction", lambda draw: ("", draw.reference, ())),
    "foreign": ("an absent YCB object beyond the labels", _by_name_beyond("foreign")),
    "unrelated": ("an absent object that is no YCB object", _by_name_beyond("unrelated")),
    "color": ("a color of any visible object: 'the red one'", _by_words(_colors)),
    "category": ("a category of any visible object: 'a fruit'", _by_words(_categories)),
    "target_category": ("a category of the target: 'a fruit'", _by_words(_categories, of_target=True)),
    "color_category": (
        "a color and a category of the target: 'the yellow fruit'",
        _by_words(_colored_categories, of_target=True),
    ),
    "description": (
        "a description of the target: 'the long curved yellow fruit with tapered ends'",
        _by_words(_descriptions, of_target=True),
    ),
    "absent_category": ("a category of which nothing is there", _by_absent_words(_categories)),
    "absent_color_category": (
        "a color and a category of which nothing is there",
        _by_absent_words(_colored_categories),
    ),
    "absent_description": (
        "a description of an absent object of the labels",
        _by_absent_words(_descriptions),
    ),
}
"""Kind of instructions -> what it asks for, and what draws it. `drawn` and `typed` are the other two."""
OF_TARGET = ("paraphrase", "synonym", "misspelling", "target_category", "color_category", "description")
"""Kinds that ask for the object that `named` names, in other words."""
_READ = (DRAWN, NAMED, OTHER, ABSENT, TYPED)
SUITES = {
    "picking": (DRAWN,),
    "language": (NAMED, OTHER, ABSENT, "paraphrase", "synonym", "misspelling", BLANK),
    "open_vocabulary": (NAMED, ABSENT, "foreign", "unrelated", "color", "category"),
    "words": (
        *(NAMED, "target_category", "color_category", "description", ABSENT),
        *("absent_category", "absent_color_category", "absent_description"),
    ),
}
"""Suite -> its kinds of instructions. All but `drawn`, which the environment draws, are of the same piles."""


def may_refuse(kind: str) -> bool:
    """Return whether a policy may raise InvalidArgumentError or UnknownObjectError for its words."""
    return kind not in _READ


def draw_instruction(kind: str, pile: Pile, seed: int) -> Instruction:
    """Draw the instruction of a kind; `reference` is the same for all kinds of a pile and seed.

    :param kind: a key of `KINDS`
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
    text, target, right = KINDS[kind][1](_Draw(pile, seen, reference, other, absent, template, rng))
    return Instruction(kind, text, target.name, reference.name, tuple(item.name for item in right))


def typed_instruction(name: str, known: Sequence[str], pile: Pile) -> Instruction:
    """Return the instruction to pick an object by any name; nothing is expected for a name that no object here has.

    `reference` is the name that a policy reads in the instruction: "lemon" for "Lemon!".

    :param known: names that the policy knows beside those of the pile
    :raises InvalidArgumentError: when all objects of the split are in the pile, and none has the name
    """
    text = instruction(name, 0)
    reference = parse_target_name(text, [*(item.name for item in (*pile.objects, *pile.absent)), *known])
    right = [item for item in pile.objects if item.name == reference]
    named = right or [item for item in pile.absent if item.name == reference]
    target = named[0] if named else _several(pile.absent, "an absent object")[0]
    return Instruction(TYPED, text, target.name, reference, tuple(item.name for item in right))


def _sentence_of(words: Words, draw: _Draw) -> str:
    """Return the sentence that asks for words of an object: any of a category, but the one with other words."""
    if words.category and not words.color:
        return f"pick up {with_article(counted(str(words)))}"
    return draw.sentence(str(words))


def _choose(items: Sequence[CatalogObject], rng: np.random.Generator) -> CatalogObject:
    return items[int(rng.integers(len(items)))]


def _drawn(words: Iterable[Words], rng: np.random.Generator, what: str) -> Words:
    found = {str(one): one for one in words}
    return found[str(rng.choice(_several(sorted(found), what)))]


def _several(items: Sequence[_Item], what: str) -> Sequence[_Item]:
    """Return what an instruction is drawn from, if there is any."""
    if not items:
        raise InvalidArgumentError(
            f"expected {what} to ask for, but there is none; give more kinds= or objects, words in catalog.yaml, or "
            "choose suite=language"
        )
    return items


def _description_of(item: CatalogObject) -> str:
    """Return a description without article, up to its first comma, or without commas where that is a word or two."""
    words = item.description.partition(",")[0]
    words = words if len(words.split()) > _SHORT else item.description.replace(",", "")
    return words.removeprefix("a ").removeprefix("an ")


def _categories_of(item: CatalogObject) -> set[str]:
    """Return all that an object can be called beside its name.

    Those of the kind of the same name, too: a fork is tableware. And the last word of each: a cleaning tool is a tool.
    """
    of_kind = _kinds().get(item.name)
    found = {item.category, *item.hypernyms, *(of_kind.hypernyms if of_kind else ())} - {""}
    return found | {text.split()[-1] for text in (item.name, *item.synonyms, *found)}


def _may_name(name: str, item: CatalogObject) -> bool:
    """Return whether a name may be true of an object: it is one of its words, after its colors or sizes."""
    nouns = {item.name, *item.synonyms, *_categories_of(item)}
    words = name.split()
    wrong = {*COLORS} - {*item.colors} if item.colors else set()
    beginnings = (words[:n] for n in range(len(words)) if " ".join(words[n:]) in nouns)
    return any({*beginning} <= _ADJECTIVES - wrong for beginning in beginnings)


@cache
def _kinds() -> dict[str, Kind]:
    return {kind.name: kind for kind in all_kinds()}
