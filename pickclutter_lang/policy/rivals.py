"""Names that count for an asked name, and names that count against it: of students and of teachers. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pickclutter_lang.language.phrases import COLORS, color_alone, color_phrase, known_phrase

COLOR_THRESHOLD = 0.5
"""Of a color alone: more of this color than of any other."""


class Rivals(NamedTuple):
    """`own`: the name as a network is asked for it, then the names that it means. `others`: those against it.

    `color`: whether it is a color alone, "the red one", which has the other colors against it.
    """

    own: list[str]
    others: list[str]
    color: bool


def rivals_of(name: str, names: Sequence[str]) -> Rivals:
    """Return the rivals of a name among those of a detector.

    "Fruit", a new name, means the lemon, which then counts for it. "Yellow fruit" may mean the lemon or the apple:
    neither counts. One of `names` has all others against it, even where it reads as a color alone.
    """
    if name in names:
        return Rivals([name], [other for other in names if other != name], False)
    color = color_alone(name)
    if color is not None:
        return Rivals([color_phrase(color)], [color_phrase(other) for other in COLORS if other != color], True)
    phrase = known_phrase(name, tuple(names))
    own = () if phrase.modifiers else phrase.labels
    return Rivals([name, *own], [other for other in names if other not in phrase.labels], False)
