"""Queries: what a name that is asked for means to a policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pickclutter_lang.language.instructions import COLORS, color_alone, color_phrase, known_phrase


class Query(NamedTuple):
    """A name that is asked for.

    - `name`: as the policy spells it
    - `texts`: what a text tower is asked for: the name, then known names that it means, such as the lemon of "fruit"
    - `rivals`: known names that it does not mean, which compete with it; of a color by itself, the other colors
    - `color`: whether it is a color by itself, "the red one"
    - `taught`: the names with examples that it may mean: itself, or those that its noun names
    """

    name: str
    texts: tuple[str, ...]
    rivals: tuple[str, ...]
    color: bool
    taught: tuple[str, ...] = ()

    @property
    def by_itself(self) -> bool:
        """Whether it is the very name of what was taught."""
        return self.name in self.taught


def query_of(name: str, known: Sequence[str], taught: Sequence[str] = ()) -> Query:
    """Return what a name means among known names and names that were taught.

    "Fruit", a new name, means the lemon, which then counts for it. "Yellow fruit" may mean the lemon or the apple:
    neither counts. One of `known` has all others against it, even where it reads as a color by itself.
    """
    color = color_alone(name)
    if name in taught:
        meant: tuple[str, ...] = (name,)
    else:
        meant = () if not taught or color else known_phrase(name, tuple(taught)).labels
    if name in known:
        return Query(name, (name,), tuple(other for other in known if other != name), False, meant)
    if color is not None:
        others = tuple(color_phrase(other) for other in COLORS if other != color)
        return Query(name, (color_phrase(color),), others, True, meant)
    phrase = known_phrase(name, tuple(known))
    own = () if phrase.modifiers else phrase.labels
    return Query(name, (name, *own), tuple(other for other in known if other not in phrase.labels), False, meant)
