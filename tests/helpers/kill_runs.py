"""Commands that are killed at random moments and run again, and what they leave, compared with an undisturbed run."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from safetensors.numpy import load_file

from helpers.paths import ROOT
from helpers.process_kill import wait_until

COMMAND = [sys.executable, "-m", "pickclutter_lang.commands"]
TIME_LIMIT = 580.0
_MARK = "PICKCLUTTER_KILL_RUN"
"""Environment variable by which a command's processes are found, whatever became of their parents."""
_RENAMED = "events.out.tfevents.*"
NOT_COMPARED = ("*.log", "*.monitor.csv", "*.md", "report.html", "rng.safetensors")
"""Files that show times or memory; generators at the last checkpoint, which a teacher's training leaves unseeded."""
NOT_COMPARED_KEYS = ("seconds", "seconds_per_decision", "peak_memory_mb", "rng", "state")
"""Such keys in JSON files; `rng` and `state` are hashes of such files too."""


class Outcome(NamedTuple):
    """A command that has ended: status, seconds, seconds from its first file on, and standard error."""

    status: int
    seconds: float
    writing: float
    stderr: str


class Kill(NamedTuple):
    """When a command is killed with its children: seconds after its start, or after its first file."""

    seconds: float
    after_first_file: bool


def kill_of(name: str, number: int, count: int, whole: Outcome) -> Kill:
    """Return kill `number` of `count` of a command, spread over it: those of even numbers after its first file."""
    after_first_file = number % 2 == 0
    share = (number + random.Random(f"{name} {number} {count}").random()) / count
    return Kill(share * (whole.writing if after_first_file else whole.seconds), after_first_file)


def run(words: Sequence[str], work: Path, cache: Path, kill: Kill | None = None) -> Outcome:
    """Run a command to its end, or kill it; no process of it may be left."""
    mark = uuid.uuid4().hex
    variables = {
        **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", _MARK: mark, "PICKCLUTTER_CACHE": str(cache),
    }  # fmt: skip
    before = _names(work)
    log = work.with_name(f"{mark}.stderr")
    start = time.monotonic()
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*COMMAND, *words], cwd=work, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=stderr, start_new_session=True,
        )  # fmt: skip
    first = end = None
    try:
        while process.poll() is None:
            now = time.monotonic()
            if first is None and _names(work) != before:
                first = now
            since = first if kill is not None and kill.after_first_file else start
            if kill is not None and since is not None and now - since >= kill.seconds:
                os.killpg(process.pid, signal.SIGKILL)
                kill = None
            assert now - start < TIME_LIMIT, f"{words[0]} hangs"
            time.sleep(0.01)
        end = time.monotonic()
        wait_until(lambda: not _processes(mark))
    finally:
        for number in _processes(mark):
            os.kill(number, signal.SIGKILL)
    text = log.read_text(errors="replace")
    log.unlink()
    return Outcome(process.returncode, end - start, end - (first or end), text)


def _names(work: Path) -> set[str]:
    """Return what lies in a folder; what vanishes meanwhile, as a temporary folder does, may be left out."""
    return {f"{folder}/{name}" for folder, *inside in os.walk(work) for names in inside for name in names}


def _processes(mark: str) -> list[int]:
    """Return the ids of the processes that have a mark in their environment and are no zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"{_MARK}={mark}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # it has ended meanwhile, or is another user's
                continue
    return found


def leftovers(folder: Path) -> list[str]:
    """Return temporary files, unfinished folders and locks: whatever begins with a dot."""
    return [str(path.relative_to(folder)) for path in folder.rglob(".*")]


def contents(folder: Path) -> dict[str, str]:
    """Return a hash of the content of each file; of those whose content may differ, that they are there."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if fnmatch.fnmatch(path.name, _RENAMED):
            continue
        differs = any(fnmatch.fnmatch(path.name, pattern) for pattern in NOT_COMPARED)
        found[name] = "" if differs else hashlib.sha256(_content(path)).hexdigest()
    return found


def _content(path: Path) -> bytes:
    if path.suffix == ".safetensors":  # its metadata come in any order
        return _arrays(load_file(path))
    if path.suffix == ".npz":  # a zip archive, which holds the time
        with np.load(path, allow_pickle=False) as file:
            return _arrays(dict(file))
    if path.suffix == ".h5":
        arrays: dict[str, Any] = {}
        with h5py.File(path, "r") as file:
            file.visititems(
                lambda name, item: arrays.update({name: item[()]} if isinstance(item, h5py.Dataset) else {})
            )
        return _arrays(arrays)
    if path.suffix == ".json":
        return json.dumps(_timeless(json.loads(path.read_text())), sort_keys=True).encode()
    if path.suffix == ".jsonl":
        rows = [_timeless(json.loads(line)) for line in path.read_text().splitlines()]
        return json.dumps(rows, sort_keys=True).encode()
    if path.suffix == ".csv":
        return "\n".join(line for line in path.read_text().splitlines() if "seconds" not in line).encode()
    return path.read_bytes()


def _arrays(arrays: Mapping[str, Any]) -> bytes:
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        array = np.asarray(array)
        values = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
        digest.update(f"{name} {array.dtype} {array.shape} ".encode() + values)
    return digest.digest()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in NOT_COMPARED_KEYS}
    return [_timeless(item) for item in value] if isinstance(value, list) else value
