"""Instructions to pick an object ("pick up the banana"), and the target name in an instruction. Needs no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError

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
_AFTER_THE_NAME = re.compile(
    r"\s*,|\s+(?:please|now|for me|and (?:put|place|bring|move|carry|lift|pick|give|hand))\b", re.IGNORECASE
)


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

    What follows the name after a comma, or as `please`, `now`, `for me` or `and put it ...`, is no part of it, unless
    one of `names` has it: 'cup, blue'.

    :param text: in one of `INSTRUCTION_TEMPLATES`, or any text that contains one of `names` (the longest wins)
    :param names: known names; a name that differs in case alone is returned as spelled here
    :raises InvalidArgumentError: when the text is neither
    """
    for template in sorted(INSTRUCTION_TEMPLATES, key=len, reverse=True):
        before, after = (re.escape(part.rstrip("?")) for part in template.split("{name}"))
        before = before.replace(r"the\ ", r"(?:the|an?)\ ")
        match = re.fullmatch(rf"{before}(.+?){after}[.!?]?", text.strip(), re.IGNORECASE)
        if match:
            cuts = [match[1][: found.start()] for found in _AFTER_THE_NAME.finditer(match[1])]
            known = {name.casefold(): name for name in reversed(names)}
            found = (known[cut.casefold()] for cut in (match[1], *reversed(cuts)) if cut.casefold() in known)
            return next(found, (*cuts, match[1])[0])
    contained = [name for name in names if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)]
    if not contained:
        raise InvalidArgumentError(
            f"expected an instruction like {INSTRUCTION_TEMPLATES[0].format(name='banana')!r} or with a known "
            "name in it "
            f"({', '.join(names) or 'none is known'}), but got {text!r}"
        )
    return max(contained, key=len)
