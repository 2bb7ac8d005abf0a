"""`python -m pickclutter_lang.commands COMMAND ...`: the same as `pickclutter COMMAND ...`."""

import sys

from pickclutter_lang.commands import main

if __name__ == "__main__":
    sys.exit(main())
