"""What is used no more is freed and returned to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pickclutter_lang.utils.memory import keep_recent

PIECES = """
import gc
from pathlib import Path
from pickclutter_lang.utils.memory import return_unused_memory

def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])

class Knot:
    def __init__(self):
        self.itself, self.data = self, bytes(20_000)

gc.disable()
pieces = [Knot() for _ in range(10_000)]
used = pages()
pieces = pieces[::10]
return_unused_memory()
print(used, pages(), len(pieces))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_objects_that_only_know_each_other_are_freed_and_returned() -> None:
    done = subprocess.run([sys.executable, "-c", PIECES], capture_output=True, text=True, check=True)
    used, after, _ = map(int, done.stdout.split())
    assert after < 0.5 * used


def test_a_cache_keeps_what_was_used_last() -> None:
    cache = {"a": 1, "b": 2, "c": 3}
    keep_recent(cache, ["a"], 2)
    assert cache == {"c": 3, "a": 1}
