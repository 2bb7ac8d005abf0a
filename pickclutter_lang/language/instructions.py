"""Instructions to pick an object ("pick up the banana"), and the target name in an instruction. Needs no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.phrases import COLORS, SPELLINGS, color_alone
from pickclutter_lang.utils.words import plurals_of

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
_MAX_CHARACTERS = 500
_ARTICLE = r"(?:(?:one of )?(?:the|my|your|our|these|those)|this|that|an?|some|any) "
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
"""Of a verb, behind the name: "pick the mug up"."""
_PLACE = (
    r"(?:next to|to the (?:left|right)|(?:on|at|in) the (?:left|right|back|front|corner|middle)|left of|right of|"
    r"behind|in front of|beside|near|close to|closest to|under|underneath|below|above|on top of|between)"
)
_SIDE = r"(?:leftmost|rightmost|nearest|closest|farthest)"
_NUMBER = r"(?:\d+|two|three|four|five|six|both|all|several|many|(?:a )?few|(?:a )?couple of)"
_NOT = re.compile(
    r"(?:^|[,;.!?] ?|\b(?:please|and|but|robot) )"
    r"(?:(?:don'?t|do not|never|not|avoid|leave)\b(?!-)(?! (?:mind|worry|care))|"
    r"stop\b(?!-)(?! (?!(?:it|that|this|now|please|immediately|\w+ing)\b)[\w'-]+[.!?]?$))",
    re.IGNORECASE,
)
_OTHER_WORDS = re.compile(r"(?<![\w-])(?:to|is|are|it|you|i)(?![\w'-])", re.IGNORECASE)
"""Words that a name seldom has: a sentence with one of them is searched for known names instead."""
_NO_NAME = re.compile("up|out|off|down|th(?:is|at|ese|ose|em)|one|(?:some|any|every)thing", re.IGNORECASE)
_SHOWN_NAMES = 10
_SPELLED = "|".join((*COLORS, *SPELLINGS))
_COLOR_BEHIND = re.compile(
    rf"\b(?P<article>{_ARTICLE})(?P<name>(?:[\w-]+ ){{1,4}}?)(?:(?:that|which) is|that's) "
    rf"(?P<color>(?:{_SPELLED})(?: and (?:{_SPELLED}))?)(?= (?:and|for|from|in|now|off|on|out|please)\b|[.,!?]|$)",
    re.IGNORECASE,
)
"""Of "the mug that is red", which stands for "the red mug"."""


def instruction(name: str, template: int | np.random.Generator) -> str:
    """Return an instruction to pick an object.

    :param name: display name of the object
    :param template: index in `INSTRUCTION_TEMPLATES`, or a generator that samples it
    :raises InvalidArgumentError: for an index out of range or an empty name
    """
    if not name.strip():
        raise InvalidArgumentError("expected the name of an object, got an empty text")
    index = (
        int(template.integers(len(INSTRUCTION_TEMPLATES)))
        if isinstance(template, np.random.Generator)
        else int(template)
    )
    if not 0 <= index < len(INSTRUCTION_TEMPLATES):
        raise InvalidArgumentError(f"expected a template in 0..{len(INSTRUCTION_TEMPLATES) - 1}, got {index}")
    return INSTRUCTION_TEMPLATES[index].format(name=name)


def parse_target_name(text: str, names: Sequence[str] = ()) -> str:
    """Return the name of the object that an instruction asks for, without its article.

    Read are `INSTRUCTION_TEMPLATES`, other requests ("could you get me the red mug?"), and phrases ("the red one").
    Any other text is searched for one of `names`, with the colors before it. Words after the name are left out, unless
    a known name has them: those behind a comma, `please`, `now`, `for me`, `and put it ...`, `from the table`.

    :param names: known names; one that differs in case, an apostrophe or as a plural alone is returned as spelled here
    :raises InvalidArgumentError: when the text asks for nothing, says what not to pick, or is very long; when it has a
        known name with a place ("next to ...") or with a second known one
    """
    requested = _requested(text, names)
    if requested is not None:
        return requested
    plain = _plain(text)
    _check_one_object(plain, names)
    phrase = _cut(plain, names)
    if color_alone(phrase) or (re.match(_ARTICLE, plain, re.IGNORECASE) and not _OTHER_WORDS.search(phrase)):
        return phrase
    words = _words(names)
    found = {words.known[match[2]]: match[1] for match in words.anywhere.finditer(_fold(plain))}
    if len(found) > 1:
        raise InvalidArgumentError(f"expected one object, but got {text!r} with {' and '.join(found)}")
    for name, colors in found.items():
        return _respelled(colors) + name
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
    raise InvalidArgumentError(
        f"expected an instruction like {INSTRUCTION_TEMPLATES[0].format(name='banana')!r} or with a known name in it "
        f"({shown or 'none is known'}), but got {text[:_MAX_CHARACTERS]!r}"
    )


def read_name(text: str, names: Sequence[str] = ()) -> str:
    """Return the name in what a person typed as one: "red mug" of "the red mug", or of "pick up the red mug, please".

    A text is not searched for known names: "mug tree" is a name of its own.

    :param names: as those of `parse_target_name`
    :raises InvalidArgumentError: as `parse_target_name`, but not for a text that asks for nothing
    """
    requested = _requested(text, names)
    return _cut(_plain(text), names) if requested is None else requested


def _requested(text: str, names: Sequence[str]) -> str | None:
    """Return the name in an instruction of one of the templates, or in another request; None where it is neither."""
    if text in names:
        return text
    text = _plain(text)
    if _fold(text) in _words(names).known:
        return _words(names).known[_fold(text)]
    for template in sorted(INSTRUCTION_TEMPLATES, key=len, reverse=True):
        before, after = (re.escape(part.rstrip("?")) for part in template.split("{name}"))
        before = before.replace(r"the\ ", r"(?:the|an?)\ ")
        match = re.fullmatch(rf"{before}(.+){after}[.!?]?", text, re.IGNORECASE)
        if match:
            return _cut(match[1], names)
    match = _REQUEST.fullmatch(text)
    if not match:
        return None
    name = _cut(match["name"], names, spoken=True)
    asked = match["article"]
    if not asked and not re.search(f" {_ARTICLE}", name, re.IGNORECASE):
        ends = _words(names).at_the_end.search(_fold(name))
        bare = match["also_noun"] and not match["whom"]  # "hand towel" is no request for a towel
        asked = (match["picks"] and not _NO_NAME.fullmatch(name)) or (ends and not bare)
    return name if asked and not _OTHER_WORDS.search(name) else None


def _plain(text: str) -> str:
    """Return a text with single spaces and straight apostrophes, without quotation marks.

    :raises InvalidArgumentError: for one that is too long, or says what not to pick
    """
    if len(text) > _MAX_CHARACTERS:
        raise InvalidArgumentError(
            f"expected an instruction of at most {_MAX_CHARACTERS} characters, but got {len(text)}"
        )
    plain = " ".join(re.sub('["\u201c\u201d\u200b]', "", text.replace("\u2019", "'")).split())
    if _NOT.search(plain):
        raise InvalidArgumentError(f"expected an object to pick, but got what not to do: {text!r}")
    return _COLOR_BEHIND.sub(lambda found: f"{found['article']}{found['color']} {found['name'].strip()}", plain)


def _cut(text: str, names: Sequence[str], spoken: bool = False) -> str:
    """Return a name without article and what follows it, as one of `names` is spelled if it is one of them.

    :param spoken: behind a verb, whose particle may follow a new name as well
    """
    known = _words(names).known
    if not {_fold(text), _fold(text.rstrip(".!?"))} & known.keys():
        _check_one_object(text, names, listed=True)
    cuts = [text, *(text[: found.start()] for found in reversed([*_AFTER_THE_NAME.finditer(text)]))]
    spoken_cuts = [_PARTICLE.sub("", cut) for cut in cuts]
    for cut in (*cuts, *spoken_cuts):
        for name in (cut, _without_article(cut), cut.rstrip(".!?")):
            if _fold(name) in known:
                return known[_fold(name)]
    name = _without_article((spoken_cuts if spoken else cuts)[-1])
    name = name.rstrip(".!?") or name
    _check_one_object(name, names)
    plural = _words(names).plural_at_the_end.search(_fold(name))
    if plural:
        return _respelled(plural[1]) + known[plural[2]]
    return _respelled(name)


def _without_article(text: str) -> str:
    return re.sub(f"^{_ARTICLE}", "", text, flags=re.IGNORECASE)


class _Words(NamedTuple):
    """Known names, folded, and what recognizes them in folded texts.

    `anywhere`: colors, and a name or its plural after them. `listed`: a name with another object after it. `apart`: a
    place, or a second name, beside a name.
    """

    known: dict[str, str]
    anywhere: re.Pattern[str]
    at_the_end: re.Pattern[str]
    plural_at_the_end: re.Pattern[str]
    listed: re.Pattern[str]
    apart: tuple[re.Pattern[str], ...]


def _words(names: Sequence[str]) -> _Words:
    return _words_of(tuple(names))


@lru_cache(maxsize=16)
def _words_of(names: tuple[str, ...]) -> _Words:
    plurals = {_fold(many): name for name in reversed(names) for many in plurals_of(name)}
    singular = {_fold(name): name for name in reversed(names)}
    colors = rf"(?:(?:{_SPELLED}) (?:(?:and|or) )?)*"
    one, many = _any_of(singular), _any_of(plurals.keys() - singular.keys())
    head = _any_of(singular.keys() - set(COLORS))  # "the orange and white mug" is one object
    either = f"(?:{one}|{many})"
    return _Words(
        plurals | singular,
        re.compile(rf"(?<![\w-])({colors})({_any_of(plurals | singular)})(?![\w-])"),
        re.compile(rf"\b{either}$"),
        re.compile(rf"^({colors})({many})$"),
        re.compile(rf"^(?:{_ARTICLE})?{colors}{either}(?: and| or| then| &|,) {_ARTICLE}\w"),
        (
            re.compile(rf"\b{either} {_PLACE}\b"),
            re.compile(rf"\b{_PLACE} {_ARTICLE}(?:\w+ )*?{either}\b"),
            re.compile(rf"\b(?:on|in|inside|by) {_ARTICLE}(?:\w+ )*?{either}$"),
            re.compile(rf"^(?:{_ARTICLE})?{_SIDE} (?:\w+ )*?{either}$"),
            re.compile(rf"^{_NUMBER} (?:of )?(?:the )?(?:\w+ )*?{many}$"),
            re.compile(
                rf"\b{either}(?: and| or| then| &|,| from| off| out of| instead of) {_ARTICLE}(?:\w+ )*?{either}$"
            ),
            re.compile(rf"^{colors}{head}(?: and| or| then| &|,) {colors}{either}$"),
        ),
    )


def _any_of(words: Iterable[str]) -> str:
    """Return the expression of any of some words, the longest first; of nothing that occurs without one."""
    found = sorted(map(re.escape, words), key=len, reverse=True)
    return f"(?:{'|'.join(found)})" if found else "(?!)"


def _check_one_object(text: str, names: Sequence[str], listed: bool = False) -> None:
    """Raise InvalidArgumentError where a text has a known name and says where it is, or a second one.

    :param listed: check for a list alone, in a text whose end may say where the object goes
    """
    words = _words(names)
    if any(pattern.search(_fold(text)) for pattern in ((words.listed,) if listed else (words.listed, *words.apart))):
        raise InvalidArgumentError(
            f"expected one object, by what it is, but got {text!r}; places are not understood, and several objects are "
            "picked one after the other"
        )


def _fold(text: str) -> str:
    """Return a text as names are compared: without case, apostrophes and quotation marks."""
    return " ".join(re.sub("['\"\u2019\u201c\u201d]", "", text).casefold().split())


def _respelled(name: str) -> str:
    """Return new words as the teachers' captions are spelled."""
    other = rf"\b(?:{'|'.join(SPELLINGS)})\b"
    return re.sub(other, lambda found: SPELLINGS[found[0].lower()], name, flags=re.IGNORECASE)


def encode_instruction(text: str) -> NDArray[np.uint8]:
    """Return a text as UTF-8 [256] that ends in zeros.

    :raises InvalidArgumentError: for a text of more than 256 bytes
    """
    data = text.encode()
    if len(data) > INSTRUCTION_BYTES:
        raise InvalidArgumentError(f"expected an instruction of at most {INSTRUCTION_BYTES} bytes, but got {text!r}")
    return np.frombuffer(data.ljust(INSTRUCTION_BYTES, b"\0"), np.uint8).copy()


def decode_instruction(encoded: NDArray[np.uint8]) -> str:
    """Return the text that `encode_instruction` was given."""
    return bytes(np.asarray(encoded, np.uint8)).rstrip(b"\0").decode(errors="replace")
