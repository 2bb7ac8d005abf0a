"""Programs in several processes on this machine, with the environment that torchrun gives them."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from helpers.forkserver import PythonProcess, execute
from helpers.paths import TESTS

WRITES = "RANKS_WRITES"
"""Environment variable: the file in which this module, run as a program, notes what a program writes."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@contextmanager
def started_ranks(commands: Sequence[Sequence[str]], folder: Path) -> Iterator[list[PythonProcess]]:
    """Start one process a command in `folder`; at the end none is left."""
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    group = {"WORLD_SIZE": str(len(commands)), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    processes = []
    for rank, command in enumerate(commands):
        mine = {"RANK": str(rank), "LOCAL_RANK": str(rank), WRITES: str(folder / f"writes{rank}.txt")}
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **group, **mine}
        processes.append(PythonProcess(command, folder, environment))
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run_ranks(commands: Sequence[Sequence[str]], folder: Path, timeout: float = 600) -> list[tuple[int, str, str]]:
    """Run one process a command; return status, standard output and standard error of each."""
    with started_ranks(commands, folder) as processes:
        said = [process.communicate(timeout=timeout) for process in processes]
        return [(process.wait(), *texts) for process, texts in zip(processes, said, strict=True)]


def train_in_ranks(words: Sequence[str], count: int, folder: Path) -> list[tuple[str, list[str]]]:
    """Run a training in `folder` to its end; return of each process what it said and which paths it wrote."""
    ended = run_ranks([[__file__, *words]] * count, folder)
    assert [status for status, *_ in ended] == [0] * count, ended
    return [(out + error, (folder / f"writes{n}.txt").read_text().split()) for n, (_, out, error) in enumerate(ended)]


def _note_writes(path: str) -> None:
    """Note the path of each file and folder below the working folder that this process changes."""
    notes = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if not opened and event not in _CHANGES:
            return
        for path in arguments[:2] if event == "os.rename" else arguments[:1]:
            if isinstance(path, str | os.PathLike):
                place = os.path.relpath(os.fsdecode(path))
                if place != "." and not place.startswith(".."):
                    os.write(notes, f"{place}\n".encode())

    sys.addaudithook(hook)


if __name__ == "__main__":
    _note_writes(os.environ[WRITES])
    execute(sys.argv[1:])
