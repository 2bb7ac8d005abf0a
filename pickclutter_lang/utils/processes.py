"""Child processes that end with their parent, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

_GRACE = 10.0  # seconds a child has to end by itself
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ManagedProcess:
    """A process with one thread for numerics, its output appended to a log."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            self._start = stream.tell()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"},
                # A session of its own: Ctrl-C at the terminal is for the parent, which ends its children in order.
                start_new_session=True, preexec_fn=partial(die_with_parent, os.getpid()),
            )  # fmt: skip

    def poll(self) -> int | None:
        """Return the exit status, minus the signal where one ended it; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End it and what it started, by SIGTERM and then by SIGKILL."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
                return

    def tail(self, lines: int = 6) -> str:
        """Return the last lines that it wrote."""
        with self.log.open("rb") as stream:
            stream.seek(self._start)
            text = stream.read().decode(errors="replace")
        return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:])


def is_running(process_id: str) -> bool:
    """Return whether there is a process of an id; anything but a number is no id."""
    if not process_id.isdecimal():
        return False
    try:
        os.kill(int(process_id), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it runs as another user
        pass
    return True


def format_exit_status(status: int) -> str:
    """Return a text for how a process ended."""
    return f"ended by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, even by SIGKILL; on Linux alone.

    :param parent: id of the parent
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)
