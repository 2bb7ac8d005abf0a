"""A script that kills itself at a chosen moment, so that a test need not race with it."""

from __future__ import annotations

import importlib
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path


def kill_at(function: str, call: int) -> None:
    """End this process by SIGKILL when `module:function` (or `module:class.method`) is called that many times."""
    module, _, path = function.partition(":")
    owner = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original, calls = getattr(owner, name), 0

    def counting(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(owner, name, counting)


def run_killed(script: Path, overrides: list[str], function: str, call: int, folder: Path) -> None:
    """Run a script as a user does, in `folder`, up to that call; it must have come to it."""
    arguments = [sys.executable, __file__, function, str(call), str(script), *overrides]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, f"{function} was not called {call} times: {done.stderr[-2000:]}"


if __name__ == "__main__":
    _, function, call, script, *overrides = sys.argv
    kill_at(function, int(call))
    sys.argv = [script, *overrides]
    runpy.run_path(script, run_name="__main__")
