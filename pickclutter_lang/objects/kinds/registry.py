"""Finds the kinds: one in each file of the categories' packages."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module

from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.objects.kinds.kind import Kind, check_unique_names

_PACKAGE = "pickclutter_lang.objects.kinds"


@lru_cache(maxsize=1)
def all_kinds() -> tuple[Kind, ...]:
    """Return every kind, ordered by name.

    :raises InvalidArgumentError: for a file without a `KIND`, or a word that means two kinds
    """
    kinds = []
    for category in pkgutil.iter_modules(import_module(_PACKAGE).__path__, f"{_PACKAGE}."):
        if category.ispkg:
            folder = import_module(category.name).__path__
            kinds += [_kind_of(module.name) for module in pkgutil.iter_modules(folder, f"{category.name}.")]
    kinds.sort(key=lambda kind: kind.name)
    check_unique_names(kinds)
    return tuple(kinds)


def find_kinds(names: Sequence[str]) -> list[Kind]:
    """Return kinds by name, in the order of the names.

    :raises UnknownObjectError: with the nearest names, when there is no such kind
    :raises InvalidArgumentError: for a name that is given twice
    """
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise InvalidArgumentError(f"expected each kind once, but got {twice!r} twice; leave one away")
    known = {kind.name: kind for kind in all_kinds()}
    for name in names:
        if name not in known:
            nearest = get_close_matches(name, known, n=3, cutoff=0.5) or list(known)
            raise UnknownObjectError(f"no kind is named {name!r}; did you mean {' or '.join(map(repr, nearest))}?")
    return [known[name] for name in names]


def _kind_of(module: str) -> Kind:
    kind = getattr(import_module(module), "KIND", None)
    if not isinstance(kind, Kind):
        raise InvalidArgumentError(f"expected a Kind named KIND in {module}, but there is none")
    return kind
