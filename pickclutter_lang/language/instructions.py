"""What a person says to have an object picked. No torch here: the simulator side reads this module."""

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


def instruction(name: str, phrase: int | np.random.Generator) -> str:
    """Return an instruction to pick an object.

    :param name: display name of the object
    :param phrase: position in `PHRASINGS`, or a generator that draws it
    :raises InvalidArgumentError: on a position that is not there or an empty name
    """
    if not name.strip():
        raise InvalidArgumentError("expected the name of an object, got an empty text")
    number = (
        int(phrase.integers(len(INSTRUCTION_TEMPLATES))) if isinstance(phrase, np.random.Generator) else int(phrase)
    )
    if not 0 <= number < len(INSTRUCTION_TEMPLATES):
        raise InvalidArgumentError(f"expected a phrasing in 0..{len(INSTRUCTION_TEMPLATES) - 1}, got {number}")
    return INSTRUCTION_TEMPLATES[number].format(name=name)


def parse_target_name(text: str, names: Sequence[str] = ()) -> str:
    """Return the name of the object that an instruction asks for.

    What follows the name after a comma, or as `please`, `now`, `for me` or `and put it ...`, is no part of it.

    :param text: in one of `PHRASINGS`, or any text that has one of `names` in it (the longest counts)
    :param names: names that are known; one that differs in capitals alone is returned as it is known
    :raises InvalidArgumentError: when it is neither
    """
    for phrasing in sorted(INSTRUCTION_TEMPLATES, key=len, reverse=True):
        before, after = (re.escape(part.rstrip("?")) for part in phrasing.split("{name}"))
        found = re.fullmatch(rf"{before}(.+?){after}[.!?]?", text.strip(), re.IGNORECASE)
        if found:
            name = _AFTER_THE_NAME.split(found[1], maxsplit=1)[0]
            return next((known for known in names if known.casefold() == name.casefold()), name)
    held = [name for name in names if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)]
    if not held:
        raise InvalidArgumentError(
            f"expected an instruction like {INSTRUCTION_TEMPLATES[0].format(name='banana')!r} or with a known "
            "name in it "
            f"({', '.join(names) or 'none is known'}), but got {text!r}"
        )
    return max(held, key=len)
