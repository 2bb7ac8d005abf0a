"""Locks that one process holds on a file or a folder; the system releases them however the process ends."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pickclutter_lang.errors import DatasetError, LockedError
from pickclutter_lang.utils.io import check_dir, ensure_dir

LOCK_FILE = ".lock"


@contextmanager
def file_lock(path: Path, wait: bool = False) -> Iterator[int]:
    """Hold the lock of a file, which is `.<name>.lock` in the same folder until it is released.

    It stays there after a process that was killed, which does no harm.

    :param path: what the lock is for; its folder must exist
    :param wait: wait for another process that holds the lock, instead of raising an error
    :return: file descriptor of the lock; a child process that keeps it open holds the lock too
    :raises LockedError: when another process holds it, saying which
    :raises DatasetError: when the folder is missing, or the lock cannot be written
    """
    check_dir(path.parent)
    with _hold(path.with_name(f".{path.name}.lock"), path, wait) as handle:
        yield handle


@contextmanager
def dir_lock(folder: Path) -> Iterator[int]:
    """Hold the lock of a folder, which is created if it is missing; otherwise as `file_lock`."""
    ensure_dir(folder)
    with _hold(folder / LOCK_FILE, folder, wait=False) as handle:
        yield handle


@contextmanager
def _hold(lock: Path, place: Path, wait: bool) -> Iterator[int]:
    with _acquire(lock, place, wait) as stream:
        try:
            _sign(stream)
            yield stream.fileno()
        finally:
            with suppress(OSError):  # a file that cannot be removed does no harm
                if _lies_at(stream, lock):  # not where its folder was renamed
                    lock.unlink()


def _acquire(lock: Path, place: Path, wait: bool) -> IO[str]:
    """Return the open lock file, locked.

    Its holder removes it before the lock is released. Who waited for it then has a file that nobody else will open, and
    takes the one that lies there now.
    """
    while True:
        stream = _open(lock)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            with stream:
                holder = _holder(stream)
            raise LockedError(
                f"expected to be alone at {place}, but {holder} is at work there; wait for its end, or stop it"
            ) from error
        except OSError as error:
            stream.close()
            raise DatasetError(
                f"cannot lock {lock}: {error.strerror}; choose a place on a file system with locks"
            ) from error
        with suppress(FileNotFoundError):
            if _lies_at(stream, lock):
                return stream
        stream.close()


def _lies_at(stream: IO[str], lock: Path) -> bool:
    return os.path.samestat(os.fstat(stream.fileno()), lock.stat())


def _open(lock: Path) -> IO[str]:
    """Open the lock file, no link to another one; only to read where it is another user's, which suffices to lock."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        try:
            handle, mode = os.open(lock, flags | os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666), "a+"
        except PermissionError:
            handle, mode = os.open(lock, flags | os.O_RDONLY), "r"
    except OSError as error:
        raise DatasetError(f"cannot write {lock}: {error.strerror}; choose a place that can be written to") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DatasetError(f"expected {lock} to be a file, but it is something else; remove it")
    return os.fdopen(handle, mode)


def _sign(stream: IO[str]) -> None:
    """Note down in the lock who holds it."""
    if not stream.writable():
        return
    stream.truncate(0)
    holder = {"pid": os.getpid(), "command": shlex.join(sys.argv), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    stream.write(json.dumps(holder) + "\n")
    stream.flush()


def _holder(stream: IO[str]) -> str:
    try:
        stream.seek(0)
        holder = json.loads(stream.read())
        return f"process {holder['pid']} ({holder['command']}, since {holder['since']}) or a child of it"
    except (OSError, ValueError, KeyError, TypeError):  # it has the lock, and has not signed yet
        return "another process"
