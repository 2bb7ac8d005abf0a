"""Programs in several processes on this machine, with the environment that torchrun gives them."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from helpers.forkserver import PythonProcess
from helpers.paths import TESTS


def run_ranks(commands: Sequence[Sequence[str]], folder: Path) -> list[tuple[int, str, str]]:
    """Run one process a command in `folder`; return status, standard output and standard error of each."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = str(server.getsockname()[1])
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    group = {"WORLD_SIZE": str(len(commands)), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = []
    for rank, command in enumerate(commands):
        mine = {"RANK": str(rank), "LOCAL_RANK": str(rank), "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        processes.append(PythonProcess(command, folder, {**os.environ, **group, **mine}))
    try:
        said = [process.communicate() for process in processes]
        return [(process.wait(), *texts) for process, texts in zip(processes, said, strict=True)]
    finally:
        for process in processes:
            process.kill()


def train_in_ranks(words: Sequence[str], count: int, folder: Path) -> list[str]:
    """Run a training in `folder` to its end; return what each process said."""
    ended = run_ranks([words] * count, folder)
    assert [status for status, *_ in ended] == [0] * count, ended
    return [out + error for _, out, error in ended]
