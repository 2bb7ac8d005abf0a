"""Runs one command many times from one process, whose children have all modules: undisturbed, on a full disk, killed.

    python forked_runs.py WORK OUT COMMAND KEY=VALUE ...

WORK is an empty memory disk. OUT gets a copy of what the command leaves there: `whole`, `full` (first with too little
room, then with enough) and `killed` (then run again); and `log.json`: of each run its status and what it wrote to
standard error.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pickclutter_lang.commands import distillation, main  # noqa: F401  # the children need not import it
from pickclutter_lang.experiments.scenes import export_policy, scene_protocol, scene_report, scene_run  # noqa: F401

ROOM = 0.3
"""Part of what a run writes: its checkpoints have more."""


def run(words: list[str], err: Path, seconds: float | None = None) -> dict[str, Any]:
    """Run a command in a child, and kill it after some seconds."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        status: object = 1
        try:
            status = main(words)
        except SystemExit as ended:
            status = ended.code
        finally:
            sys.stderr.flush()
            os._exit(int(str(status or 0)))
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"status": status, "seconds": time.monotonic() - start, "stderr": err.read_text()}


def resize(work: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(work)], check=True)


def take(work: Path, target: Path) -> None:
    """Copy a disk, and clear it."""
    shutil.copytree(work, target)
    for path in work.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def run_all(work: Path, out: Path, words: list[str]) -> None:
    log: dict[str, dict[str, Any]] = {}
    before = os.statvfs(work).f_bfree
    log["whole"] = run(words, out / "err")
    used = (before - os.statvfs(work).f_bfree) * os.statvfs(work).f_frsize
    take(work, out / "whole")
    resize(work, str(int(ROOM * used)))
    log["full"] = run(words, out / "err")
    resize(work, "1g")
    log["full, with room"] = run(words, out / "err")
    take(work, out / "full")
    log["killed"] = run(words, out / "err", random.Random(str(words)).uniform(0.1, 0.6) * log["whole"]["seconds"])
    log["killed, again"] = run(words, out / "err")
    take(work, out / "killed")
    (out / "log.json").write_text(json.dumps(log))


if __name__ == "__main__":
    run_all(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
