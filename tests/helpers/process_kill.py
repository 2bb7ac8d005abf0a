"""Processes that are killed: a program at a chosen call, so that a test need not race with it, and worker processes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from helpers.forkserver import execute, run_python


def kill_at(function: str, call: int) -> None:
    """End this process by SIGKILL when `module:function` (or `module:class.method`) is called that many times."""
    module, _, path = function.partition(":")
    owner = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original = getattr(owner, name)
    calls = 0

    def counting(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(owner, name, counting)


def run_killed(words: Sequence[str], function: str, call: int, folder: Path) -> None:
    """Run a program as a user does, in `folder`, up to that call; it must have come to it.

    :param words: of its command line, after `python`
    """
    done = run_python([__file__, function, str(call), *words], folder)
    assert done.returncode == -signal.SIGKILL, f"{function} was not called {call} times: {done.stderr[-2000:]}"


def worker_processes(parent: int) -> list[int]:
    """Return the ids of the worker processes that a process has started, oldest first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            if int(state[1]) == parent and (b"popen_loky" in command or b"multiprocessing.spawn" in command):
                found.append(int(entry.name))
    return sorted(found)


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for a condition; fail after a timeout in seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


if __name__ == "__main__":
    _, function, call, *words = sys.argv
    kill_at(function, int(call))
    execute(words)
