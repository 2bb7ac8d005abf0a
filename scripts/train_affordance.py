"""`pickclutter train-affordance`, by path."""

import sys

from pickclutter_lang.commands import main

if __name__ == "__main__":
    sys.exit(main(["train-affordance", *sys.argv[1:]]))
