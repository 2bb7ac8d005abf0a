"""Memory of long processes."""

from __future__ import annotations

import ctypes
import gc

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's


def return_unused_memory() -> None:
    """Free objects that only know each other, and return what is free to the system, where the C library can.

    Python looks for such objects seldom beside the simulator's many others. glibc keeps freed memory for later, in
    pieces between what is in use.
    """
    gc.collect()
    if _trim is not None:
        _trim(0)
