"""Instructions to pick an object: the target name in "pick up the banana", and what "the yellow fruit" means.

Needs no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.kinds.kind import words_of_kinds
from pickclutter_lang.language.label_names import one_spelling, validate_label_names
from pickclutter_lang.language.object_attributes import attributes_of, noun_tags
from pickclutter_lang.objects.catalog import Catalog, CatalogObject, all_objects
from pickclutter_lang.utils.words import counted, plurals_of

INSTRUCTION_TEMPLATES = (
    "pick up the {name}",
    "grab the {name}",
    "please hand me the {name}",
    "take the {name} out of the pile",
    "can you get me the {name}?",
    "lift the {name}",
    "I need the {name}",
    "find the {name} and pick it up",
)
INSTRUCTION_BYTES = 256
"""Length of an encoded instruction."""
MODIFIERS = ("color", "material", "shape", "size")
"""What the words before a noun may say of an object."""
COLORS = (
    *("black", "blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "turquoise", "white", "yellow"),
)
SPELLINGS = {"gray": "grey"}
"""Other spellings of colors -> those that captions of the embedded teacher have."""
_MAX_CHARACTERS = 500
_SHOWN_NAMES = 10
_SHORT = 3
"""Words of the beginning of a description that says too little: "a small"."""
_SPELLED = "|".join((*COLORS, *SPELLINGS))
_ARTICLE = r"(?:(?:one of )?(?:the|my|your|our|these|those)|this|that|an?|some|any) "
_TEMPLATES = [
    re.compile(f"{re.escape(one.rstrip('?'))}[.!?]?".replace(r"the\ \{name\}", "(?:the|an?) (.+)"), re.IGNORECASE)
    for one in sorted(INSTRUCTION_TEMPLATES, key=len, reverse=True)
]
_REQUEST = re.compile(
    r"(?:(?:please|kindly|now|then|next|just|ok|okay|hey|hi|hello|robot)[,:.!]? )*"
    r"(?:(?:can|could|would|will) you (?:please |maybe |kindly )?|(?:i (?:want|need|would like)|i'd like) you to )?"
    r"(?:go (?:and )?)?"
    r"(?:(?P<picks>pick up|lift up|grab|grasp|fetch|retrieve)|(?P<also_noun>hand|lift|pass|show)|"
    r"pick|take(?: out)?|get|find|give|bring|"
    r"i (?:want|need|would like)|i'd like|(?:can|could|may) i (?:please )?(?:have|get))"
    rf"(?P<whom> me| us)? (?P<article>{_ARTICLE})?(?P<name>.+)",
    re.IGNORECASE,
)
_AFTER_THE_NAME = re.compile(
    r"\s*,| (?:please|pls|thanks|thank you|(?:right )?now|again|quickly|slowly|carefully|gently|over (?:here|there)|"
    r"if you (?:can|could|like|don't mind)|(?:for|to) (?:me|us)|"
    r"and (?:put|place|bring|move|carry|lift|pick|give|hand)|"
    r"(?:(?:which|that) (?:is|lies|stands) |lying |standing )?(?:from|off|on|in|inside|out of) "
    r"(?:the|this|that|my|your) (?:table|pile|heap|clutter|scene|desk|floor))\b",
    re.IGNORECASE,
)
_PARTICLE = re.compile(r" (?:up|out|over|there|here)$", re.IGNORECASE)
"""The particle of a verb, behind the name: "pick the mug up"."""
_ONE, _MANY = "NAME", "NAMES"
"""Stand in a folded text, which has no capitals, for a known name, and for its plural."""
_PLACE = (
    r"(?:next to|behind|beside|near|close to|under|underneath|below|above|between|"
    r"(?:left|right|top|bottom|front|back|middle) of|"
    r"(?:on|at|in|to) (?:the |my |your )?(?:far |very )?(?:left|right|front|back|top|bottom|corner|middle|center|side))"
)
_COMPARED = (
    r"(?:(?:big|small|larg|tall|short|long|wid|narrow|heavi|thick|dark|bright|red|green|blu|clos|near|high|farth|"
    r"furth)[dgn]?e(?:r|st)|thinnest|lightest|lowest|(?:left|right|top|bottom|front|upper)-?most|"
    r"(?<=the )(?:left|right)(?= \w)|(?:left|right)-hand)"
)
_RELATIVE = (
    r"(?:left|right|top|bottom|upper|lower|front|back|rear|middle|other|same|next|first|second|third|last|"
    r"big|large|huge|small|little|tiny)"
)
"""They say which one, before a noun: "the left mug", "the big red box"."""
_NUMBER = r"(?:\d+|two|three|four|five|six|both|all|several|many|(?:a )?few|(?:a )?couple of)"
_AND = r"(?: and| or| then| &|,)"
_COLORED = rf"(?:(?:{_SPELLED}) (?:(?:and|or) )?)*"
_LISTED = re.compile(rf"^(?:{_ARTICLE})?{_COLORED}NAMES?{_AND} {_ARTICLE}\w")
"""A name with another object after it."""
_APART = re.compile(
    rf"\bNAMES? {_PLACE}\b|\b{_PLACE} {_ARTICLE}(?:\w+ )*?NAMES?\b|\b(?:on|in|inside|by) {_ARTICLE}(?:\w+ )*?NAMES?$"
    rf"|^{_NUMBER} (?:of )?(?:the )?(?:\w+ )*?NAMES$|^{_COLORED}NAME{_AND} {_COLORED}NAMES?$"
    rf"|\bNAMES?(?:{_AND}| from| off| out of| instead of) {_ARTICLE}(?:\w+ )*?NAMES?$"
)
"""A name with its place or number, or with another one."""
_NEGATED = (
    r"(?<![\w-])(?:(?:no(?![,.])|not|nor|neither|none|never|without|except|excluding|excepting|isnt|arent|doesnt|hasnt|"
    r"(?:other|rather|different) (?:than|from)|instead of|apart from|aside from|but not|"
    rf"(?:all|anything|everything|any|every|nothing|one|thing|object) but|but(?= {_ARTICLE}))(?![\w-])|"
    rf"non[ -](?=NAME|{_SPELLED}))"
)
_NOT_UNDERSTOOD = re.compile(
    rf"(?P<negation>{_NEGATED})|(?<![\w-])(?:{_COMPARED}|{_PLACE}|(?P<relative>{_RELATIVE}))(?![\w-])"
)
_NOUN_BEHIND = re.compile(
    r" (?:(?!the |an? |my |now |away )[\w-]+ ){0,3}?(?:NAME|(?:one|thing|object|item)s?)(?![\w-])"
)
_ASIDE = re.compile(
    r"(?: with| (?:that|which) has|(?:[,.;]| and)(?: then)? (?:put|place|bring|move|carry|lift|give|hand|drop|set)) "
)
"""What follows says no longer which object is meant: a part of it, or where it goes."""
_PROHIBITION = re.compile(
    r"(?:^|[,;.!?] ?|\b(?:please|and|but|robot) )(?:don'?t|do not|never|not|avoid|leave|stop) "
    rf"(?:{_ARTICLE}|(?:it|them|pick|grab|take|touch|lift|move|get|give|\w+ing)\b)",
    re.IGNORECASE,
)
_OTHER_WORDS = re.compile(r"(?<![\w-])(?:to|is|are|it|you|i)(?![\w'-])", re.IGNORECASE)
"""Words that a name seldom has: a sentence with one of them is searched for known names instead."""
_NO_NAME = re.compile("up|out|off|down|th(?:is|at|ese|ose|em)|one|(?:some|any|every)thing", re.IGNORECASE)
_COLOR_BEHIND = re.compile(
    rf"\b(?P<article>{_ARTICLE})(?P<name>(?:[\w-]+ ){{1,4}}?)(?:(?:that|which) is|that's) "
    rf"(?P<color>(?:{_SPELLED})(?: and (?:{_SPELLED}))?)(?= (?:and|for|from|in|now|off|on|out|please)\b|[.,!?]|$)",
    re.IGNORECASE,
)
"""A color behind the name: "the mug that is red" is "the red mug"."""


def instruction(name: str, template: int | np.random.Generator) -> str:
    """Return an instruction to pick an object.

    :param name: display name of the object
    :param template: index in `INSTRUCTION_TEMPLATES`, or a generator that samples it
    :raises InvalidArgumentError: for an index out of range or an empty name
    """
    count = len(INSTRUCTION_TEMPLATES)
    index = int(template.integers(count)) if isinstance(template, np.random.Generator) else int(template)
    if not name.strip() or not 0 <= index < count:
        raise InvalidArgumentError(
            f"expected the name of an object and a template in 0..{count - 1}, but got {name!r} and {index}"
        )
    return INSTRUCTION_TEMPLATES[index].format(name=name)


def encode_instruction(text: str) -> NDArray[np.uint8]:
    """Return a text as UTF-8 [256], with zeros after it.

    :raises InvalidArgumentError: for a text of more than 256 bytes
    """
    data = text.encode()
    if len(data) > INSTRUCTION_BYTES:
        raise InvalidArgumentError(f"expected an instruction of at most {INSTRUCTION_BYTES} bytes, but got {text!r}")
    return np.frombuffer(data.ljust(INSTRUCTION_BYTES, b"\0"), np.uint8).copy()


def decode_instruction(encoded: NDArray[np.uint8]) -> str:
    """Return the text that `encode_instruction` was given."""
    return bytes(np.asarray(encoded, np.uint8)).rstrip(b"\0").decode(errors="replace")


def parse_target_name(text: str, names: Sequence[str] = ()) -> str:
    """Return the name of the object that an instruction asks for, without its article.

    Read are `INSTRUCTION_TEMPLATES`, other requests ("could you get me the red mug?"), and phrases ("the red one").
    Any other text is searched for one of `names`, with the colors before it. Words after the name are left out, unless
    a known name has them: those behind a comma, `please`, `now`, `for me`, `and put it ...`, `from the table`.

    :param names: known names; one that differs in case, an apostrophe or as a plural only is returned as spelled here
    :raises InvalidArgumentError: when the text asks for nothing, says what not to pick, or is very long; when it has a
        known name with a place ("next to ...") or with a second known one
    """
    known = _known_names(tuple(names))
    requested = known.requested(text)
    if requested is not None:
        return requested
    plain = _plain(text)
    known.check_one_object(plain)
    phrase = known.cut(plain)
    if color_alone(phrase) or (re.match(_ARTICLE, plain, re.IGNORECASE) and not _OTHER_WORDS.search(phrase)):
        return phrase
    found = {known.spelled[match[2]]: match[1] for match in known.anywhere.finditer(_fold(plain))}
    if len(found) == 1:
        return "".join(_respelled(colors) + name for name, colors in found.items())
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
    raise InvalidArgumentError(
        f"expected an instruction like {INSTRUCTION_TEMPLATES[0].format(name='banana')!r} or with one known name in it "
        f"({shown or 'none is known'}), but got {text!r}"
    )


def read_name(text: str, names: Sequence[str] = ()) -> str:
    """Return the name in what a person typed as one: "red mug" of "the red mug", or of "pick up the red mug, please".

    A text is not searched for known names: "mug tree" is a name of its own.

    :param names: as those of `parse_target_name`
    :raises InvalidArgumentError: as `parse_target_name`, but not for a text that asks for nothing
    """
    validate_label_names([text])
    known = _known_names(tuple(names))
    requested = known.requested(text)
    return known.cut(_plain(text)) if requested is None else requested


def _plain(text: str) -> str:
    """Return a text with single spaces and straight apostrophes, without quotation marks, colors before their noun.

    :raises InvalidArgumentError: for one that is too long, or says what not to pick
    """
    plain = " ".join(one_spelling(text).replace('"', "").split())
    if len(text) > _MAX_CHARACTERS or _PROHIBITION.search(plain):
        raise InvalidArgumentError(
            f"expected an object to pick, not what to leave, in at most {_MAX_CHARACTERS} characters, but got "
            f"{text[:_MAX_CHARACTERS]!r}"
        )
    return _COLOR_BEHIND.sub(lambda found: f"{found['article']}{found['color']} {found['name'].strip()}", plain)


class _KnownNames:
    """Known names, and what recognizes them in texts.

    `spelled` are names by their folded form, plurals too, `many` the forms that are only a plural. In a folded text
    `anywhere` finds colors and a name after them.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        plurals = {_fold(many): name for name in reversed(names) for many in plurals_of(name)}
        singular = {_fold(name): name for name in reversed(names)}
        self.names, self.spelled, self.many = names, plurals | singular, plurals.keys() - singular.keys()
        self.anywhere = re.compile(rf"(?<![\w-])({_COLORED})({_any_of(self.spelled)})(?![\w-])")

    def masked(self, text: str) -> str:
        """Return a text, folded, with `_ONE` for each known name, and `_MANY` for a plural."""
        return self.anywhere.sub(lambda found: found[1] + (_MANY if found[2] in self.many else _ONE), _fold(text))

    def check_words(self, text: str) -> None:
        """Raise InvalidArgumentError where a text has a negation, or says where its object is or how it compares.

        Words of a known name, or of what the package calls an object, are none of these.
        """
        folded = _fold(text)
        if not _NOT_UNDERSTOOD.search(folded):
            return
        masked = self._nouns.sub(_ONE, folded)
        before = len(_ASIDE.split(masked, maxsplit=1)[0])
        for found in _NOT_UNDERSTOOD.finditer(masked):
            which = found.start() < before and (not found["relative"] or _NOUN_BEHIND.match(masked, found.end()))
            if found["negation"] or which:
                raise InvalidArgumentError(
                    f"expected one object by what it is, with colors, materials or shapes before it, but got {text!r}: "
                    f"{found[0]!r} is not understood, as no place, size, comparison or negation is; a name that has "
                    "such a word can be taught: pickclutter teach"
                )

    @cached_property
    def _nouns(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w-]){_any_of(self.spelled.keys() | _package_words())}(?![\w-])")

    def requested(self, text: str) -> str | None:
        """Return the name in a request, or a text that is a known name; None where it is neither."""
        if text in self.names:
            return text
        plain = _plain(text)
        if _fold(plain) in self.spelled:
            return self.spelled[_fold(plain)]
        self.check_words(plain)
        for template in _TEMPLATES:
            if match := template.fullmatch(plain):
                return self.cut(match[1])
        match = _REQUEST.fullmatch(plain)
        if not match:
            return None
        name = self.cut((match["article"] or "") + match["name"], spoken=True)  # "my mug" may be a name
        asked: object = match["article"]
        if not asked and not re.search(f" {_ARTICLE}", name, re.IGNORECASE):
            bare = match["also_noun"] and not match["whom"]  # "hand towel" is no request for a towel
            asked = match["picks"] and not _NO_NAME.fullmatch(name)
            asked = asked or (re.search(r"\bNAMES?$", self.masked(name)) and not bare)
        return name if asked and not _OTHER_WORDS.search(name) else None

    def cut(self, text: str, spoken: bool = False) -> str:
        """Return a name without article and what follows it, as one of the known is spelled if it is one of them.

        :param spoken: behind a verb, whose particle may follow a new name as well
        :raises InvalidArgumentError: as `check_one_object`
        """
        if not {_fold(text), _fold(text.rstrip(".!?"))} & self.spelled.keys():
            self.check_one_object(text, listed=True)
        cuts = [text, *(text[: found.start()] for found in reversed([*_AFTER_THE_NAME.finditer(text)]))]
        spoken_cuts = [_PARTICLE.sub("", cut) for cut in cuts]
        for cut in (*cuts, *spoken_cuts):
            for name in (cut, _without_article(cut), cut.rstrip(".!?")):
                if _fold(name) in self.spelled:
                    return self.spelled[_fold(name)]
        name = _without_article((spoken_cuts if spoken else cuts)[-1])
        name = name.rstrip(".!?") or name
        self.check_one_object(name)
        if (found := self.anywhere.fullmatch(_fold(name))) and found[2] in self.many:
            return _respelled(found[1]) + self.spelled[found[2]]
        return _respelled(name)

    def check_one_object(self, text: str, listed: bool = False) -> None:
        """Raise InvalidArgumentError where a text has a known name and says where it is, or a second one.

        :param listed: check only for a list, in a text whose end may say where the object goes
        """
        masked = self.masked(text)
        if _LISTED.search(masked) or (not listed and _APART.search(masked)):
            raise InvalidArgumentError(
                f"expected one object, by what it is, but got {text!r}; places are not understood, and several objects "
                "are picked one after the other"
            )


_known_names = lru_cache(maxsize=16)(_KnownNames)


def _any_of(words: Iterable[str]) -> str:
    """Return the expression of any of some words, the longest first; of nothing that occurs without one."""
    found = sorted(map(re.escape, words), key=len, reverse=True)
    return f"(?:{'|'.join(found)})" if found else "(?!)"


def _fold(text: str) -> str:
    """Return a text as names are compared: without case, apostrophes and quotation marks."""
    return " ".join(re.sub("['\"]", "", one_spelling(text)).casefold().split())


def _without_article(text: str) -> str:
    return re.sub(f"^(?:{_ARTICLE})+", "", text, flags=re.IGNORECASE)


def _respelled(name: str) -> str:
    """Return new words as the teacher's captions are spelled."""
    other = rf"\b(?:{'|'.join(SPELLINGS)})\b"
    return re.sub(other, lambda found: SPELLINGS[found[0].lower()], name, flags=re.IGNORECASE)


@dataclass(frozen=True)
class Phrase:
    """What a person asks for: the text without its article, the labels that it may mean, and the words before them."""

    text: str
    labels: tuple[str, ...]
    modifiers: tuple[str, ...]

    def fits(self, item: CatalogObject) -> bool:
        """Return whether an object has one of the labels, and all modifiers are true of it."""
        pairs = [tag.partition(":") for tag in attributes_of(item).tags]
        true = frozenset(word for attribute, _, word in pairs if attribute in MODIFIERS)
        return item.name in self.labels and _all_true(self.modifiers, true)


def _all_true(words: tuple[str, ...], true: frozenset[str]) -> bool:
    """Return whether words are attributes that are true, one after the other; "long and thin" is one, or is two."""
    for count in range(len(words), 0, -1):
        joined = words[count : count + 1] == ("and",) and len(words) > count + 1
        if " ".join(words[:count]) in true and _all_true(words[count + joined :], true):
            return True
    return not words


def color_alone(text: str) -> str | None:
    """Return the color of a phrase that says nothing else: "red" of "the red one" or "a red thing"; None of others."""
    found = re.fullmatch(r"(?:the |an? )?(\w+) (?:one|thing|object|item)s?", " ".join(text.lower().split()))
    color = SPELLINGS.get(found[1], found[1]) if found else None
    return color if color in COLORS else None


def color_phrase(color: str) -> str:
    """Return what a student is asked for a color by itself: as captions of the embedded teacher have it."""
    return f"{color} object"


def read_phrase(text: str, catalog: Catalog) -> Phrase:
    """Read a phrase such as "the red mug" or "a yellow fruit"; "the red one" may mean any label.

    :raises InvalidArgumentError: when no label, synonym or category ends it, and it is no color by itself
    """
    words = re.sub(r"^(?:the|an?) ", "", " ".join(text.lower().split())).split()
    colored = tuple(item for item in catalog if item.colors)
    for first in range(len(words)):
        head = " ".join(words[first:])
        # A synonym means only this object: "yellow fruit" of the banana is as true of a lemon.
        own = [item.name for item in catalog if head in (item.name, *item.synonyms)
               and noun_tags(head, item.name, colored) == {f"name:{item.name}"}]  # fmt: skip
        wider = {item.name: (item.category, *item.hypernyms) for item in catalog}
        meant = own or [name for name, nouns in wider.items() if head in (*nouns, *map(counted, nouns))]
        if meant:
            modifiers = tuple(SPELLINGS.get(word, word) for word in words[:first])
            return Phrase(" ".join((*modifiers, head)), tuple(meant), modifiers)
    color = color_alone(" ".join(words))
    if color is not None:
        return Phrase(" ".join(words), tuple(catalog.names), (color,))
    shown = ", ".join(catalog.names[:_SHOWN_NAMES]) + (", ..." if len(catalog.names) > _SHOWN_NAMES else "")
    raise InvalidArgumentError(
        f"expected a name, synonym or category of an object ({shown}), with colors, materials or shapes before it, but "
        f"got {text!r}"
    )


@lru_cache(maxsize=256)
def known_phrase(text: str, names: tuple[str, ...]) -> Phrase:
    """Read a phrase by what the package knows of some names; without labels where that is nothing.

    With 206 names that takes tens of milliseconds, so it is done once for a phrase.
    """
    catalog = _package_catalog()
    known = Catalog([catalog[name] for name in names if name in catalog])
    for whole in dict.fromkeys((text, re.split(r" (?:with|without) ", text, maxsplit=1)[0])):  # "mug with a handle"
        try:
            found = read_phrase(whole, known)
        except InvalidArgumentError:
            continue
        return found if whole == text else Phrase(text, found.labels, (*found.modifiers, text[len(whole) + 1 :]))
    return Phrase(text, (), ())


def unread_words(catalog: Catalog) -> tuple[str, ...]:
    """Return the names and synonyms of a catalog that no text is taken for unless they are known: "no name can"."""
    none_known = _known_names(())
    found = list[str]()
    words = dict.fromkeys(word for item in catalog for word in (item.name, *item.synonyms))
    for word in (word for word in words if _fold(word) not in _package_words()):
        try:
            none_known.check_words(word)
        except InvalidArgumentError:
            found.append(word)
    return tuple(found)


@lru_cache(maxsize=1)
def _package_words() -> frozenset[str]:
    """Return names, synonyms, categories, their plurals, and descriptions of the package's objects, folded."""
    words = set[str]()
    for item in (*all_objects(), *(kind.catalog_entry() for kind in words_of_kinds())):
        nouns = (item.name, *item.synonyms, item.category, *item.hypernyms)
        words.update(nouns, *map(plurals_of, nouns))
        described = item.description, item.description.partition(",")[0], item.description.replace(",", "")
        words.update(_without_article(text) for text in described if len(text.split()) > _SHORT)
    return frozenset(map(_fold, words - {""}))


@lru_cache(maxsize=1)
def _package_catalog() -> dict[str, CatalogObject]:
    scans = {item.name: item for item in all_objects()}
    kinds = {words.name: words.catalog_entry() for words in words_of_kinds()}
    both = {name: _joined(kind, scans[name]) for name, kind in kinds.items() if name in scans}
    return {**scans, **kinds, **both}


def _joined(kind: CatalogObject, scan: CatalogObject) -> CatalogObject:
    """Return a kind with what the scan of its name is called too; a word for several kinds is no synonym."""
    hypernyms = tuple(dict.fromkeys((*kind.hypernyms, scan.category)))
    wider = {kind.category, *hypernyms}
    synonyms = dict.fromkeys((*kind.synonyms, *scan.synonyms))
    return replace(kind, hypernyms=hypernyms, synonyms=tuple(word for word in synonyms if word not in wider))
