"""Atomic writing: what a killed writer of the same file left goes, what another is writing stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pickclutter_lang.utils.io import atomic_write, is_running


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_leftovers_of_ended_writers_of_the_file_are_removed(tmp_path: Path) -> None:
    gone = ended_process()
    other = os.getppid()
    for name in (f".a.json.{gone}.tmp", f".a.json.{other}.tmp", f".b.json.{gone}.tmp", ".a.json.x.tmp"):
        (tmp_path / name).touch()
    atomic_write(tmp_path / "a.json", b"{}")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.json", f".a.json.{other}.tmp", f".b.json.{gone}.tmp"}


def test_a_process_runs_until_it_has_ended() -> None:
    assert is_running(str(os.getpid())) and is_running("1")
    assert not any(map(is_running, (str(ended_process()), "", "x", "-1", "9" * 30)))
