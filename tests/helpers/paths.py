"""Where the project and the shared real data lie, and the words that run its commands."""

import os
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
SHARED = ROOT.parent / "shared"
"""Real data beside the checkout, where there is some; the project contains none of it."""
PROGRAM = ["-m", "pickclutter_lang.commands"]
"""Words after `python` that start the program; a command and its overrides follow."""


def scanned_objects() -> Path | None:
    """Return the folder of the real YCB objects in ManiSkill2's layout, None where they are not."""
    default = os.environ.get("MS2_ASSET_DIR", "data") + "/mani_skill2_ycb"
    for root in (os.environ.get("PICKCLUTTER_YCB"), SHARED / "data" / "ycb", default):
        if root and (Path(root) / "info_pick_v0.json").is_file():
            return Path(root).resolve()
    return None
