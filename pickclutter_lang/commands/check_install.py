"""Check that the simulator works here, and render one pile: `pickclutter check-install --out pile.png`."""

import sys

from pickclutter_lang.envs import doctor


def main() -> None:
    """Run the checks; end with status 1 at the first that fails."""
    sys.exit(doctor.main())
