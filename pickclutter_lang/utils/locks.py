"""Locks that one process holds on a file or a folder; the system releases them however the process ends."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pickclutter_lang.errors import DatasetError, LockedError
from pickclutter_lang.utils.io import check_writable_dir, clean_temp_files, create_dir

LOCK_FILE = ".lock"


@contextmanager
def file_lock(path: Path, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a file, which is `.<name>.lock` in the same folder until it is released.

    A killed process leaves that file behind, which does no harm.

    :param path: what the lock is for; its folder must exist
    :param wait: wait for another process that holds the lock
    :raises LockedError: when another process holds it, saying which
    :raises DatasetError: when the folder is missing, or the lock cannot be written
    """
    check_writable_dir(path.parent)
    with _hold(path.with_name(f".{path.name}.lock"), path, wait):
        yield


@contextmanager
def dir_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is created if it is missing; otherwise as `file_lock`.

    What killed writers left in it is removed. A new folder that is empty at the end, after an error, goes again.
    """
    is_new = not folder.exists()
    create_dir(folder)
    try:
        with _hold(folder / LOCK_FILE, folder, wait=False):
            clean_temp_files(folder)
            yield
    finally:
        if is_new:
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def _hold(path: Path, place: Path, wait: bool) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(blocking=wait, poll_interval=0.02)
        path.write_text(f"process {os.getpid()} ({shlex.join(sys.argv)})")
    except Timeout as error:
        raise LockedError(
            f"expected to be alone at {place}, but {_holder(path)} is at work there; wait for its end, or stop it"
        ) from error
    except OSError as error:
        lock.release()
        raise DatasetError(f"cannot lock {path}: {error.strerror}; choose a place that can be written to") from error
    inode = path.stat().st_ino
    try:
        yield
    finally:
        with suppress(OSError):
            if path.stat().st_ino == inode:  # its folder may have been replaced meanwhile
                path.unlink()
        lock.release()


def _holder(lock: Path) -> str:
    try:
        return lock.read_text() or "another process"
    except (OSError, ValueError):
        return "another process"
