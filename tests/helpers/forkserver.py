"""Programs in processes of their own that start at once: a server that has imported large packages forks them.

Most of the time of a small program is the import of torch, and of what lies above it. The server has imported none of
our modules. What is about a start, or about what is imported, starts an interpreter (`in_new_process`).
"""

from __future__ import annotations

import atexit
import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
import weakref
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path

PACKAGES = ["hydra", "h5py", "matplotlib.figure", "open_clip", "timm", "torch.utils.tensorboard", "mani_skill2.envs"]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(PACKAGES)


class PythonProcess:
    """A running `python ARGUMENTS`: a script, `-m` and a module, or `-c` and code. It does not outlive this object."""

    def __init__(self, arguments: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        self.args = [sys.executable, *arguments]
        self._folder = tempfile.TemporaryDirectory(prefix="python_process")
        self._files = [Path(self._folder.name, name) for name in ("stdout", "stderr")]
        place = str(cwd or Path.cwd())
        variables = dict(os.environ if env is None else env)
        self._ended, held = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=_become, args=([*arguments], place, variables, self._files, held))
        self._process.start()
        held.close()
        weakref.finalize(self, self._process.kill)

    def poll(self) -> int | None:
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float = 600) -> int:
        if not wait([self._process.sentinel], timeout):
            raise subprocess.TimeoutExpired(self.args, timeout)
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode

    def communicate(self, timeout: float = 600) -> tuple[str, str]:
        """Wait for its end, and that of the processes it forked; return its standard output and standard error."""
        if not wait([self._ended], timeout):
            raise subprocess.TimeoutExpired(self.args, timeout)
        self.wait(timeout)
        out, err = (path.read_text() for path in self._files)
        return out, err


def run_python(
    arguments: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as `subprocess.run` does."""
    process = PythonProcess(arguments, cwd, env)
    try:
        out, err = process.communicate(timeout)
    except BaseException:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.wait(), out, err)


def _become(arguments: list[str], cwd: str, env: dict[str, str], files: list[Path], held: Connection) -> None:
    """Do in this process what an interpreter does with its command line, up to its status.

    :param held: is closed when this process and those that it forked have ended
    """
    for number, path in enumerate(files, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(n, "w"), write_through=True) for n in (1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    multiprocessing.set_start_method(None, force=True)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    os.fsync = lambda fd: None  # as in conftest.py
    status: object = 1
    try:
        execute(arguments)
        status = 0
    except SystemExit as ended:
        status = ended.code
        if isinstance(status, str):
            sys.stderr.write(f"{status}\n")
            status = 1
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.exit(int(str(status or 0)))


def execute(arguments: list[str]) -> None:
    """Do what `python ARGUMENTS` does, in this process."""
    kind = arguments[0]
    script = arguments[0] not in ("-c", "-m")
    sys.argv = arguments if script else [kind, *arguments[2:]]
    first = str(Path(kind).resolve().parent) if script else ""
    sys.path[:0] = [first, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    if script:
        runpy.run_path(kind, run_name="__main__")
    elif kind == "-m":
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
