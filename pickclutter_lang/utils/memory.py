"""Memory of long processes, and bounds on caches."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's


def return_unused_memory() -> None:
    """Free objects that only know each other, and return what is free to the system, where the C library can.

    Python looks for such objects seldom beside the simulator's many others. glibc keeps freed memory for later, in
    pieces between what is in use.
    """
    gc.collect()
    if _trim is not None:
        _trim(0)


def keep_recent(cache: dict[Key, Value], used: Iterable[Key], most: int) -> None:
    """Keep the entries of a cache that were used last: those in use become the newest, and the oldest are dropped.

    :param used: keys of the cache
    :param most: number of entries that are kept
    """
    for key in used:
        cache[key] = cache.pop(key)
    for key in list(cache)[: max(len(cache) - most, 0)]:
        del cache[key]
