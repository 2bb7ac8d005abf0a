"""Check that the simulator works here, and render one pile: `pickclutter check-install --out pile.png`."""

import sys

from pickclutter_lang.commands.exit_status import exit_status
from pickclutter_lang.envs import check_install


@exit_status()
def main() -> None:
    """Run the checks; end with status 2 at the first that fails."""
    sys.exit(check_install.main())
