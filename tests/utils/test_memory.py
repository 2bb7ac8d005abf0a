"""What is used no more is freed and returned to the system."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest

from pickclutter_lang.utils.memory import return_unused_memory

PIECES = """
from pathlib import Path
from pickclutter_lang.utils.memory import return_unused_memory

def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])

pieces = [bytes(20_000) for _ in range(10_000)]
used = pages()
pieces = pieces[::10]
kept = pages()
return_unused_memory()
print(used, kept, pages(), len(pieces))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_pieces_between_what_is_in_use_are_returned() -> None:
    done = subprocess.run([sys.executable, "-c", PIECES], capture_output=True, text=True, check=True)
    used, kept, after, _ = map(int, done.stdout.split())
    assert kept > 0.9 * used and after < 0.5 * used


def test_objects_that_only_know_each_other_are_freed() -> None:
    class Knot:
        def __init__(self) -> None:
            self.itself = self

    gc.disable()
    try:
        knot = weakref.ref(Knot())
        assert knot() is not None
        return_unused_memory()
        assert knot() is None
    finally:
        gc.enable()
