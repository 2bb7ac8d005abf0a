"""Full and read-only disks, and little shared memory: one line, what was whole is kept, and room mends it.

A small disk is a real one, mounted in a namespace of its own; where that is not allowed, these tests are skipped.
"""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from pathlib import Path

import pytest

from helpers.kill_runs import COMMAND, contents, leftovers
from helpers.paths import TESTS
from helpers.scene_data import make_toy_store
from helpers.scene_runs import make_toys
from helpers.small_disk import call, can_mount, on_small_disk
from helpers.writing_commands import NAMES, SHORT, TORTURE, WRITING, command_words

pytestmark = can_mount
FULL = ("No space left on device",)
WRITE_PROTECTED = ("Read-only file system", "can be written to")
SHARES = (0.1, 0.6) if TORTURE else (0.6,)
"""Room on a small disk, as a fraction of what a command writes."""
VERIFY = "verify-scenes store={work}/store"
EXPORT = "export-policy run={work}/run scenes={work}/scenes num_threads=1 out={out}/policy"
SWEEPS = ("reproduce-table12", "reproduce-tables")
"""Commands that name each run that failed, and end with status 1."""


def check_error(name: str, status: str, stderr: str, reasons: tuple[str, ...]) -> None:
    """Check what a command says about its disk: one line, or that and the failed runs of a sweep."""
    assert "Traceback" not in stderr, stderr
    lines = [line for line in stderr.splitlines() if any(reason in line for reason in reasons)]
    if name in SWEEPS:
        assert status in ("1", "2") and lines, stderr
    else:
        assert status == "2" and len(lines) == 1, (status, stderr)


@pytest.mark.slow
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_one_line_and_room_mends_it(
    name: str, share: float, inputs: Path, chat: str, tmp_path: Path
) -> None:
    work, given, out = (tmp_path / part for part in ("work", "given", "out"))
    for folder in (given, out, work):
        folder.mkdir()
    WRITING[name].prepare(inputs, work)
    shutil.copytree(work, given, dirs_exist_ok=True)
    before = size_of(given)
    command = [*COMMAND, *command_words(name, inputs, work, chat)]
    done = call(*command)
    assert done.returncode == 0, done.stderr
    expected, room = contents(work), int(share * (size_of(work) - before)) // 4096
    steps = f"""
{shlex.join(command)} 2> {out}/first.txt >&2
echo $? > {out}/first.status
mount -o remount,size=2g {work}
{shlex.join(command)} 2> {out}/second.txt >&2
echo $? > {out}/second.status
cp -a {work} {out}/work"""
    done = on_small_disk(work, f"{before + 4096 * (room + 2)}", ["cp", "-a", f"{given}/.", str(work)], steps)
    assert done.returncode == 0, done.stderr
    first, second = ((out / f"{part}.status").read_text().strip() for part in ("first", "second"))
    if first != "0":  # what is written last may replace as much as it needs
        check_error(name, first, (out / "first.txt").read_text(), FULL)  # with what it printed
    assert second == "0", (out / "second.txt").read_text()
    assert contents(out / "work") == expected and leftovers(out / "work") == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_read_only_disk_is_one_line(name: str, inputs: Path, chat: str, tmp_path: Path) -> None:
    work, given = tmp_path / "work", tmp_path / "given"
    work.mkdir()
    given.mkdir()
    WRITING[name].prepare(inputs, given)
    command = [*COMMAND, *command_words(name, inputs, work, chat)]
    steps = f"\nmount -o remount,ro {work}\nexec {shlex.join(command)}"
    done = on_small_disk(work, "2g", ["cp", "-a", f"{given}/.", str(work)], steps)
    said = done.stdout if name == "check-install" else done.stderr  # which is a list of checks
    check_error(name, str(done.returncode), said, WRITE_PROTECTED)


@pytest.mark.slow
@pytest.mark.parametrize("line", [VERIFY, *([EXPORT] if TORTURE else [])])
def test_what_is_only_read_may_lie_on_a_read_only_disk(line: str, inputs: Path, tmp_path: Path) -> None:
    work, given = tmp_path / "work", tmp_path / "given"
    work.mkdir()
    if line == VERIFY:
        make_toy_store(given / "store", "ood", 4)
    else:
        shutil.copytree(inputs, given)
    steps = (
        f"\nmount -o remount,ro {work}\nexec {shlex.join([*COMMAND, *line.format(work=work, out=tmp_path).split()])}"
    )
    done = on_small_disk(work, "2g", ["cp", "-a", f"{given}/.", str(work)], steps)
    assert done.returncode == 0, done.stderr


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.skipif(not TORTURE, reason="starts the simulator twice: make torture")
@pytest.mark.parametrize("name", ["collect-scenes", "evaluate-policy"])
def test_workers_of_the_simulator_need_no_shared_memory(name: str, inputs: Path, chat: str, tmp_path: Path) -> None:
    done = on_small_disk(Path("/dev/shm"), "64k", [*COMMAND, *command_words(name, inputs, tmp_path, chat)])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_training_goes_on_after_a_full_disk_and_after_a_kill(tmp_path: Path) -> None:
    """What the rows of `make torture` hold of every command, of one tiny training, whose runs import nothing."""
    toys, work, out = make_toys(tmp_path / "toys"), tmp_path / "work", tmp_path / "out"
    work.mkdir()
    out.mkdir()
    words = ["train-affordance", *toys, *SHORT, f"teacher.cache={work}/features", f"out={work}/o"]
    done = on_small_disk(
        work, "1g", [sys.executable, str(TESTS / "helpers" / "forked_runs.py"), str(work), str(out), *words]
    )
    assert done.returncode == 0, done.stderr
    log, expected = json.loads((out / "log.json").read_text()), contents(out / "whole")
    full = log.pop("full")
    check_error("train-affordance", str(full["status"]), full["stderr"], FULL)
    assert log.pop("killed")["status"] == -signal.SIGKILL
    assert all(run["status"] == 0 for run in log.values()), log
    for name in ("full", "killed"):
        assert contents(out / name) == expected and leftovers(out / name) == [], name


def size_of(folder: Path) -> int:
    """Return the bytes of the pages that a folder takes on a memory disk."""
    return sum(-(-path.stat().st_size // 4096) * 4096 if path.is_file() else 4096 for path in folder.rglob("*"))


def test_a_small_shared_memory_is_named_before_anything_waits_for_it(tmp_path: Path) -> None:
    toys = make_toys(tmp_path / "toys")
    words = [*COMMAND, "train-affordance", *toys, f"out={tmp_path / 'run'}", "num_workers=1"]
    done = on_small_disk(Path("/dev/shm"), "64k", words)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "of free shared memory at /dev/shm for num_workers=1" in done.stderr and "--shm-size=2g" in done.stderr


GROWING = """
import sys, torch
from pickclutter_lang.errors import WorkerError
from pickclutter_lang.utils.prefetch import prefetch_map
done = []
try:
    for batch in prefetch_map(lambda number: {"images": [torch.ones(4 ** min(number, 10) * 16)]}, 40, int(sys.argv[1])):
        done.append(batch)
except WorkerError as error:
    sys.exit(f"{len(done)} {error}")
"""


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_shared_memory_that_is_full_within_an_epoch_is_named(num_workers: int) -> None:
    done = on_small_disk(Path("/dev/shm"), "100m", [sys.executable, "-c", GROWING, str(num_workers)])
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert int(done.stderr.split()[0]) > 8
    assert "the shared memory at /dev/shm takes no result of 67 MB, as where it is full" in done.stderr
    assert "set num_workers=0" in done.stderr
