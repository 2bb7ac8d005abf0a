"""What a person says to have an object picked. No torch here: the simulator side reads this module."""

from __future__ import annotations

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError

PHRASINGS = (
    "pick up the {name}",
    "grab the {name}",
    "please hand me the {name}",
    "take the {name} out of the pile",
    "can you get me the {name}?",
    "lift the {name}",
    "I need the {name}",
    "find the {name} and pick it up",
)


def instruction(name: str, phrase: int | np.random.Generator) -> str:
    """Return an instruction to pick an object.

    :param name: display name of the object
    :param phrase: position in `PHRASINGS`, or a generator that draws it
    :raises InvalidArgumentError: on a position that is not there or an empty name
    """
    if not name.strip():
        raise InvalidArgumentError("expected the name of an object, got an empty text")
    number = int(phrase.integers(len(PHRASINGS))) if isinstance(phrase, np.random.Generator) else int(phrase)
    if not 0 <= number < len(PHRASINGS):
        raise InvalidArgumentError(f"expected a phrasing in 0..{len(PHRASINGS) - 1}, got {number}")
    return PHRASINGS[number].format(name=name)
