"""Every command that writes: killed, without room, on a read-only disk, and while another process is at work there.

`make test` tries the cheap commands, `make torture` all of them, with KILLS kills over all. A small disk is a real one,
mounted in a namespace of its own; where that is not allowed, its tests are skipped.
"""

from __future__ import annotations

import logging
import shlex
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.kill_runs import COMMAND, contents, kill_of, leftovers, run
from helpers.small_disk import call, can_mount, on_small_disk
from helpers.torture import TORTURE
from helpers.writing_commands import NAMES, NOT_KILLED, WRITING, command_words
from pickclutter_lang.commands import COMMANDS, main
from pickclutter_lang.utils.locks import dir_lock, file_lock

log = logging.getLogger(__name__)
pytestmark = pytest.mark.slow
KILLS = -(-TORTURE // len(NAMES)) if TORTURE else 1
ROOM = 0.6
"""Room on a small disk, as a fraction of what a command writes."""
SWEEPS = ("reproduce-table12", "reproduce-tables")
"""Commands that name each run that failed, and end with status 1."""


def test_every_command_that_writes_has_a_row() -> None:
    killed = {command.line.split()[0] for command in WRITING.values()}
    assert killed | set(NOT_KILLED) == {name for group in COMMANDS.values() for name in group}


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_command_goes_on(name: str, inputs: Path, chat: str, tmp_path: Path) -> None:
    work, cache = tmp_path / "work", tmp_path / "cache"
    words = command_words(name, inputs, work, chat)
    cache.mkdir()

    def begin() -> None:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        WRITING[name].prepare(inputs, work)

    begin()
    whole = run(words, work, cache)
    assert whole.status == 0, whole.stderr
    expected = contents(work)
    landed = 0
    assert expected and leftovers(tmp_path) == []
    for number in range(KILLS):
        kill = kill_of(name, number, KILLS, whole)
        for _ in range(5):
            begin()
            if run(words, work, cache, kill).status < 0:
                landed += 1
                break
            kill = kill._replace(seconds=0.6 * kill.seconds)  # it had ended before
        again = run(words, work, cache)
        assert again.status == 0, f"{kill}: {again.stderr}"
        assert contents(work) == expected and leftovers(tmp_path) == [], kill
    assert landed
    log.info("%s: %d of %d kills within %.1f s, %d files equal", name, landed, KILLS, whole.seconds, len(expected))


@pytest.mark.parametrize("name", NAMES)
def test_a_place_that_is_locked_is_refused(
    name: str, inputs: Path, chat: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    WRITING[name].prepare(inputs, tmp_path)
    place = tmp_path / WRITING[name].place
    before = contents(tmp_path)
    with ExitStack() as held, pytest.raises(SystemExit) as ended:
        held.enter_context(file_lock(place))  # of a file, or of a folder that is replaced whole
        if not place.suffix:
            held.enter_context(dir_lock(place))
        main(command_words(name, inputs, tmp_path, chat))
    assert ended.value.code == 2 and "LockedError" in capfd.readouterr().err
    assert contents(tmp_path) == before and leftovers(tmp_path) == []


def check_error(name: str, status: str, said: str) -> None:
    """Check what a command says about its disk: one line, or that and the failed runs of a sweep."""
    assert "Traceback" not in said, said
    lines = [
        line for line in said.splitlines() if "left on device" in line or "ead-only" in line or "written to" in line
    ]
    assert lines and status in (("1", "2") if name in SWEEPS else ("2",)), said


@can_mount
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_an_error_and_room_mends_it(name: str, inputs: Path, chat: str, tmp_path: Path) -> None:
    work, given, out = (tmp_path / part for part in ("work", "given", "out"))
    for folder in (given, out, work):
        folder.mkdir()
    WRITING[name].prepare(inputs, work)
    shutil.copytree(work, given, dirs_exist_ok=True)
    before = size_of(given)
    command = [*COMMAND, *command_words(name, inputs, work, chat)]
    done = call(*command)
    assert done.returncode == 0, done.stderr
    expected = contents(work)
    room = int(ROOM * (size_of(work) - before)) // 4096
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
        check_error(name, first, (out / "first.txt").read_text())
    assert second == "0", (out / "second.txt").read_text()
    assert contents(out / "work") == expected and leftovers(out / "work") == []


@can_mount
@pytest.mark.parametrize("name", NAMES)
def test_a_read_only_disk_is_an_error(name: str, inputs: Path, chat: str, tmp_path: Path) -> None:
    work, given = tmp_path / "work", tmp_path / "given"
    work.mkdir()
    given.mkdir()
    WRITING[name].prepare(inputs, given)
    command = [*COMMAND, *command_words(name, inputs, work, chat)]
    steps = f"\nmount -o remount,ro {work}\nexec {shlex.join(command)}"
    done = on_small_disk(work, "2g", ["cp", "-a", f"{given}/.", str(work)], steps)
    check_error(name, str(done.returncode), done.stdout + done.stderr)


@can_mount
def test_a_film_without_room_is_an_error(tmp_path: Path) -> None:
    code = "import numpy as np; from PIL import Image; from pickclutter_lang.evaluation.videos import encode_video; "
    code += "noise = np.random.default_rng(0).integers(255, size=(20, 128, 128, 3), dtype=np.uint8); "
    code += "encode_video([Image.fromarray(frame) for frame in noise], (128, 128))"
    done = on_small_disk(tmp_path, "20k", ["env", f"TMPDIR={tmp_path}", sys.executable, "-c", code])
    assert done.returncode == 1 and "DatasetError" in done.stderr


def size_of(folder: Path) -> int:
    """Return the bytes of the pages that a folder takes on a memory disk."""
    return sum(-(-path.stat().st_size // 4096) * 4096 if path.is_file() else 4096 for path in folder.rglob("*"))
