"""Bounds on caches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def keep_recent(cache: dict[Key, Value], used: Iterable[Key], most: int) -> None:
    """Keep the entries of a cache that were used last: those in use become the newest, and the oldest are dropped.

    :param used: keys of the cache
    :param most: number of entries that are kept
    """
    for key in used:
        cache[key] = cache.pop(key)
    for key in list(cache)[: max(len(cache) - most, 0)]:
        del cache[key]
