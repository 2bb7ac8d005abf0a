"""Where the project and the shared real data lie."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
SCRIPTS = ROOT / "scripts"
SHARED = ROOT.parent / "shared"
"""Real data beside the checkout, where there is some; the project contains none of it."""
ROBUSTNESS_PAGE = ROOT / "docs" / "reference" / "robustness.md"
