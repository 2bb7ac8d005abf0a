"""Every command that writes, killed at random moments: the same command again ends as if nothing had happened.

`make torture` kills them KILLS times in all, `make test` the cheap ones a few times.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from helpers.kill_runs import NOT_COMPARED, NOT_COMPARED_KEYS, contents, kill_of, leftovers, run
from helpers.paths import ROBUSTNESS_PAGE
from helpers.writing_commands import NAMES, NOT_KILLED, TORTURE, WRITING, command_words
from pickclutter_lang.commands import COMMANDS

log = logging.getLogger(__name__)
KILLS = -(-TORTURE // len(NAMES)) if TORTURE else 2


def test_every_command_that_writes_has_a_row() -> None:
    killed = {command.line.split()[0] for command in WRITING.values()}
    assert killed | set(NOT_KILLED) == {name for group in COMMANDS.values() for name in group}
    assert not killed & set(NOT_KILLED)


def test_what_may_differ_and_who_is_not_killed_is_on_the_page() -> None:
    page = ROBUSTNESS_PAGE.read_text()
    for name, reason in {**NOT_COMPARED, **NOT_COMPARED_KEYS, **NOT_KILLED}.items():
        assert f"| `{name}` | {reason} |" in page


@pytest.mark.slow
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
    expected, landed = contents(work), 0
    assert expected and leftovers(tmp_path) == []
    for number in range(KILLS):
        kill = kill_of(name, number, KILLS, whole)
        if number == 0:
            shutil.rmtree(cache)  # what a first use makes is killed too
            cache.mkdir()
        for _ in range(5):
            begin()
            if run(words, work, cache, kill).status < 0:
                landed += 1
                break
            kill = kill._replace(seconds=0.6 * kill.seconds)  # it had ended before
        again = run(words, work, cache)
        assert again.status == 0, f"{kill}: {again.stderr}"
        assert contents(work) == expected, kill
        assert leftovers(tmp_path) == [], kill
    assert landed
    log.info("%s: %d of %d kills within %.1f s, %d files equal", name, landed, KILLS, whole.seconds, len(expected))
