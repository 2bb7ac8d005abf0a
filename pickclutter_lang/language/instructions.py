"""Instructions to pick an object ("pick up the banana"), and the target name in an instruction. Needs no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.phrases import COLORS, color_alone
from pickclutter_lang.utils.words import plural

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
_DETERMINER = r"(?:(?:one of )?(?:the|my|your|our|these|those)|this|that|an?|some|any)\s+"
_BEGINS = re.compile(rf"^{_DETERMINER}", re.IGNORECASE)
_REQUEST = re.compile(
    r"(?:(?:please|now|ok|okay|hey|robot)[,\s]+)*"
    r"(?:(?:can|could|would|will) you (?:please )?|(?:i (?:want|need|would like)|i'd like) you to )?"
    r"(?:pick(?: up)?|lift(?: up)?|take(?: out)?|grab|grasp|get|fetch|retrieve|find|hand|give|bring|pass|show|"
    r"i (?:want|need|would like)|i'd like)(?: me| us)?\s+(.+)",
    re.IGNORECASE,
)
_AFTER_THE_NAME = re.compile(
    r"\s*,|\s+(?:please|(?:right )?now|again|quickly|slowly|carefully|gently|over here|if you can|(?:for|to) (?:me|us)|"
    r"and (?:put|place|bring|move|carry|lift|pick|give|hand)|"
    r"(?:from|off|on|in|inside|out of) (?:the|this|that|my|your) (?:table|pile|heap|clutter|scene|desk|floor))\b|"
    r"\s+up$",
    re.IGNORECASE,
)
_PLACES = (
    *("next to", "to the left", "to the right", "on the left", "on the right", "left of", "right of", "behind"),
    *("in front of", "beside", "near", "under", "on top of", "between"),
)
_OTHER_WORDS = re.compile(r"\b(?:the|to|is|are|it)\b", re.IGNORECASE)
"""Words that a name seldom has: a sentence with one of them is searched for known names instead."""
_SHOWN_NAMES = 10


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
    Any other text is searched for `names`; the longest wins, with the colors before it. Of a name is no part, unless
    one of `names` has it, what follows it:

    - after a comma, or as `please`, `now`, `for me`, `and put it ...`;
    - as `from the table`, `in the pile`.

    :param names: known names; one that differs in case, an apostrophe or as a plural alone is returned as spelled here
    :raises InvalidArgumentError: when the text asks for nothing, for several objects, or for a place ("next to ...")
    """
    requested = _requested(text, names)
    if requested is not None:
        return requested
    _check_one_object(text, names)
    colors, folded = "|".join((*COLORS, "gray")), _fold(text)
    found = ((name, re.search(rf"\b((?:(?:{colors})\s+)*){_pattern(name)}\b", folded)) for name in names)
    contained = {name: match[1] for name, match in found if match}
    if contained:
        longest = max(contained, key=len)
        return _spelled(contained[longest] + longest)
    phrase = read_name(text, names)
    if phrase != text.strip() or color_alone(phrase):
        return phrase
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
    raise InvalidArgumentError(
        f"expected an instruction like {INSTRUCTION_TEMPLATES[0].format(name='banana')!r} or with a known name in it "
        f"({shown or 'none is known'}), but got {text!r}"
    )


def read_name(text: str, names: Sequence[str] = ()) -> str:
    """Return the name in what a person typed as one: "red mug" of "the red mug", or of "pick up the red mug, please".

    A text is not searched for known names: "mug tree" is a name of its own.

    :param names: as those of `parse_target_name`
    :raises InvalidArgumentError: for several objects, or a place
    """
    requested = _requested(text, names)
    return _cut(text.strip(), names) if requested is None else requested


def _requested(text: str, names: Sequence[str]) -> str | None:
    """Return the name in an instruction of one of the templates, or in another request; None where it is neither."""
    text = " ".join(text.split())
    if text in names:
        return text
    for template in sorted(INSTRUCTION_TEMPLATES, key=len, reverse=True):
        before, after = (re.escape(part.rstrip("?")) for part in template.split("{name}"))
        before = before.replace(r"the\ ", r"(?:the|an?)\ ")
        match = re.fullmatch(rf"{before}(.+?){after}[.!?]?", text, re.IGNORECASE)
        if match:
            return _cut(match[1], names)
    match = _REQUEST.fullmatch(text)
    name = _cut(match[1], names) if match else None
    return None if name is None or _OTHER_WORDS.search(name) else name


def _cut(text: str, names: Sequence[str]) -> str:
    """Return a name without article and what follows it, as one of `names` is spelled if it is one of them."""
    known = {_fold(plural(name)): name for name in reversed(names)} | {_fold(name): name for name in reversed(names)}
    shorter = [text[: found.start()] for found in _AFTER_THE_NAME.finditer(text)]
    for cut in (text, *reversed(shorter)):
        for name in (cut, _BEGINS.sub("", cut), cut.rstrip(".!?")):
            if _fold(name) in known:
                return known[_fold(name)]
    name = _BEGINS.sub("", (*shorter, text)[0])
    name = name.rstrip(".!?") or name
    _check_one_object(name, names)
    return known.get(_fold(name)) or _spelled(name)


def _check_one_object(text: str, names: Sequence[str]) -> None:
    """Raise InvalidArgumentError where a text has a known name, and then says where it is, or a second one."""
    known = "|".join(map(_pattern, names))
    counted = rf"^(?:two|three|four|five|six|both|all|several) (?:\w+ )*?(?:{known})$"
    joined = rf"\b(?:{known}) (?:and|or) (?:{_DETERMINER})?(?:\w+ )*?(?:{known})$"
    for of_several in (counted, joined, rf"\b(?:{known}) (?:{'|'.join(_PLACES)})\b"):
        if names and re.search(of_several, _fold(text)):
            raise InvalidArgumentError(
                f"expected one object, by what it is, but got {text!r}; places are not understood, and several objects "
                "are picked one after the other"
            )


def _pattern(name: str) -> str:
    """Return the expression of a folded name or its plural."""
    return rf"(?:{re.escape(_fold(name))}|{re.escape(_fold(plural(name)))})"


def _fold(text: str) -> str:
    """Return a text as names are compared: without case and apostrophes."""
    return " ".join(re.sub("['\u2019]", "", text).casefold().split())


def _spelled(name: str) -> str:
    """Return a new name as the teachers' captions are spelled."""
    return re.sub(r"\bgray\b", "grey", name, flags=re.IGNORECASE)
