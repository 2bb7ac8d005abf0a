"""Where the project and the shared real data lie, and the commands as scripts."""

import atexit
import shutil
import tempfile
from pathlib import Path

from pickclutter_lang.commands import COMMANDS

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
SHARED = ROOT.parent / "shared"
"""Real data beside the checkout, where there is some; the project contains none of it."""


def _command_scripts() -> Path:
    """Return a folder with a script for each command, for what runs a file by its path."""
    folder = Path(tempfile.mkdtemp(prefix="commands"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in (name for group in COMMANDS.values() for name in group):
        (folder / f"{name.replace('-', '_')}.py").write_text(
            "import sys\nfrom pickclutter_lang.commands import main\n"
            f"if __name__ == '__main__':\n    sys.exit(main([{name!r}, *sys.argv[1:]]))\n"
        )
    return folder


SCRIPTS = _command_scripts()
