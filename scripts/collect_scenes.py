"""`pickclutter collect-scenes`, by path."""

import sys

from pickclutter_lang.commands import main

if __name__ == "__main__":
    sys.exit(main(["collect-scenes", *sys.argv[1:]]))
