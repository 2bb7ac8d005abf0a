"""The progress bar: counts, notes and lines on standard error."""

import sys

import pytest

from pickclutter_lang.utils.progress import ProgressBar


def test_the_bar_counts_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("scenes", 5, completed=2) as bar:
        bar.advance()
        bar.advance(2)
        bar.note("loss 0.1")
        print("a worker was replaced", file=sys.stderr)  # noqa: T201  # as what is logged comes
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and lines[0] == "a worker was replaced"
    assert lines[-1].startswith("scenes ") and " 5/5 " in lines[-1] and "left" in lines[-1]


def test_what_is_transient_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("features", 2, transient=True) as bar:
        bar.advance(2)
    assert capsys.readouterr() == ("", "")
