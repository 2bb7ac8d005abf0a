"""Memory of long processes."""

from __future__ import annotations

import ctypes


def return_freed_memory() -> None:
    """Return memory that was freed to the system, where the C library can.

    glibc keeps it for later, in pieces between what is in use. In hundreds of episodes these become more and more.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
