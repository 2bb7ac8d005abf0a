"""Locks of files and folders: one holder at a time, and an error that names it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pickclutter_lang.errors import DatasetError, LockedError
from pickclutter_lang.utils.locks import dir_lock, file_lock

HOLD = """
import sys, time
from pathlib import Path
from pickclutter_lang.utils.locks import file_lock

with file_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock of a file; return when it does."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "locked\n"
    return process


def test_the_error_names_the_holder(tmp_path: Path) -> None:
    with dir_lock(tmp_path / "new"), pytest.raises(LockedError) as caught, dir_lock(tmp_path / "new"):
        pass
    assert str(os.getpid()) in str(caught.value) and str(tmp_path / "new") in str(caught.value)
    with dir_lock(tmp_path / "new"):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl"
    process = hold(path)
    with pytest.raises(LockedError, match=str(process.pid)), file_lock(path):
        pass
    process.kill()
    process.communicate()
    with file_lock(path):
        pass
    assert not path.exists()  # the lock lies beside what it is for


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none"), file_lock(tmp_path / "none" / "file"):
        pass


def test_the_lock_file_goes_with_its_holder_and_waiters_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "count"
    inside = []

    def count(_: int) -> None:
        for _ in range(10):
            with file_lock(path, wait=True):
                inside.append(1)
                assert len(inside) == 1
                before = int(path.read_text()) if path.exists() else 0
                time.sleep(0)
                path.write_text(str(before + 1))
                inside.pop()

    with ThreadPoolExecutor(8) as pool:  # a file lock excludes threads as it does processes
        list(pool.map(count, range(8)))
    assert path.read_text() == "80" and list(tmp_path.iterdir()) == [path]
