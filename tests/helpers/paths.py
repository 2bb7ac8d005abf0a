"""Where the project and the shared real data lie, and the words that run its commands."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
SHARED = ROOT.parent / "shared"
"""Real data beside the checkout, where there is some; the project contains none of it."""
PROGRAM = ["-m", "pickclutter_lang.commands"]
"""Words after `python` that start the program; a command and its overrides follow."""
