"""Ask for names in an image: scores, thresholds and maps of a teacher, and of a student. Needs the extra policy or sim.

    pickclutter look pile.png --names "mug,lemon" out=look.png
    pickclutter look image=pile.png names=[mug,"yellow fruit"] policy=policy

Both forms take the same settings.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from pickclutter_lang.commands.exit_status import exit_status
from pickclutter_lang.commands.first_word import first_word_as, quoted_value
from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.demo.config import LookConfig

_NAMES = "--names"


@hydra_main(LookConfig)
def _main(config: LookConfig) -> None:
    """Print the scores, and write the figure."""
    from pickclutter_lang.utils.locks import file_lock

    with file_lock(Path(config.out)):
        from pickclutter_lang.demo.look import POCKET_NOTE, THRESHOLD_NOTE, look, look_table

        found = look(config)
        print(look_table(found))
    for note in (*found.notes, THRESHOLD_NOTE):
        print(note)
    if config.teacher_name.startswith("pocket") and config.checkpoint is None:
        print(POCKET_NOTE)
    print(f"figure: {config.out}")


def main() -> None:
    """Take the image as the first argument, or as `image=`, and the names as `--names`, or as `names=`."""
    with exit_status():
        sys.argv[1:] = first_word_as("image", names_argument(sys.argv[1:]), "give the names as --names")
    _main()


def names_argument(words: Sequence[str]) -> list[str]:
    """Return words in which `--names "mug,yellow fruit"` is `names=['mug','yellow fruit']`, at the end."""
    found = list(words)
    for n, word in enumerate(found):
        option, equals, value = word.partition("=")
        if option == _NAMES and (equals or n + 1 < len(found)):
            value = value if equals else found[n + 1]
            names = ",".join(quoted_value(name.strip()) for name in value.split(",") if name.strip())
            del found[n : n + (1 if equals else 2)]
            return [*found, f"names=[{names}]"]
    return found
