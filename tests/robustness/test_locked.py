"""Every command that writes, while another process is at work in the same place: one line, and nothing is written.

Commands that read no inputs before they take their lock run in `make test`, the others in `make torture`. The rows run
in one process, through the function that the program calls.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.kill_runs import leftovers
from helpers.writing_commands import TORTURE, WRITING, command_words
from pickclutter_lang.commands import main
from pickclutter_lang.utils.locks import dir_lock, file_lock

EARLY = (
    "ablate-texts", "check-install", "collect-scenes", "describe-labels", "export-lerobot", "import-scenes", "look",
    "pick", "render-object-sheet", "render-object-views",
)  # fmt: skip
NAMES = [name for name in WRITING if TORTURE or name in EARLY]
MORE = {
    "evaluate-affordance report_only": "evaluate-affordance run={work}/run report_only=true",
    "reproduce-table12 tables_only": "reproduce-table12 tables_only=true out={work}/run",
}
"""Name -> a line that writes other files into a run or a sweep; the run is its own sweep."""


def files(folder: Path) -> dict[Path, int]:
    """Return when each file was written, without those of a cache, which has locks of its own."""
    found = (path for path in folder.rglob("*") if path.is_file() and "cache" not in path.relative_to(folder).parts)
    return {path: path.stat().st_mtime_ns for path in found}


def check_refused(words: list[str], work: Path, place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Check what a command says while its place is locked, and that it leaves everything as it is."""
    before = files(work)
    capfd.readouterr()
    with file_lock(place) if place.suffix else dir_lock(place):
        held = {*files(work)} - {*before}
        try:
            status = main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = "".join(capfd.readouterr())
        assert {path: when for path, when in files(work).items() if path not in held} == before
    lines = [line for line in said.splitlines() if "LockedError" in line]
    assert status == 2 and len(lines) == 1 and "Traceback" not in said, said
    assert f"expected to be alone at {place}, but process {os.getpid()} (" in lines[0]
    assert leftovers(work) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_place_that_is_locked_is_refused(
    name: str, inputs: Path, chat: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    WRITING[name].prepare(inputs, tmp_path)
    check_refused(command_words(name, inputs, tmp_path, chat), tmp_path, tmp_path / WRITING[name].place, capfd)


@pytest.mark.slow
@pytest.mark.skipif(not TORTURE, reason="needs a finished run: make torture")
@pytest.mark.parametrize("line", MORE.values(), ids=MORE)
def test_reports_and_tables_of_a_locked_run_are_refused(
    line: str, inputs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    WRITING["evaluate-affordance"].prepare(inputs, tmp_path)
    check_refused(line.format(work=tmp_path).split(), tmp_path, tmp_path / "run", capfd)
