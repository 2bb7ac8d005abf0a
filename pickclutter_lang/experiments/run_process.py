"""A run of a sweep as a process of its own; a worker of a pool, which waits for it, imports nothing heavy."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pickclutter_lang.utils.pool import die_with_parent

_TAIL_LINES = 6
Started = tuple[str, list[str]]
"""Name of a run, and the arguments of its command."""
Ended = tuple[str, str]
"""How a run ended, empty where well, and the end of what it wrote."""


def log_of(logs: Path, name: str) -> Path:
    """Return the log of a run in a folder."""
    return logs / f"{name.replace('/', '-')}.log"


def process_of_runs(command: Sequence[str], logs: Path, environment: Mapping[str, str]) -> Callable[[Started], Ended]:
    """Return what runs a command with the arguments of a run; its output is appended to the log of the run."""

    def run(started: Started) -> Ended:
        name, arguments = started
        with log_of(logs, name).open("ab") as stream:
            start = stream.tell()
            status = subprocess.run(
                [*command, *arguments], stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
                env=environment, preexec_fn=partial(die_with_parent, os.getpid()), check=False,
            ).returncode  # fmt: skip
        lines = log_of(logs, name).read_bytes()[start:].decode(errors="replace").splitlines()
        end = "\n".join([line.rstrip() for line in lines if line.strip()][-_TAIL_LINES:])
        if status < 0:
            return f"ended by {signal.Signals(-status).name}", end
        return f"exit status {status}" if status else "", end

    return run
