"""`pickclutter reproduce-tables`, by path."""

import sys

from pickclutter_lang.commands import main

if __name__ == "__main__":
    sys.exit(main(["reproduce-tables", *sys.argv[1:]]))
