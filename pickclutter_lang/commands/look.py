"""Ask for names in an image: scores, thresholds and maps of a teacher, and of a student. Needs the extra policy or sim.

pickclutter look image=pile.png names=[mug,lemon] out=look.png
"""

from pathlib import Path

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.demo.config import LookConfig


@hydra_main(LookConfig)
def main(config: LookConfig) -> None:
    """Print the scores, and write the figure."""
    from pickclutter_lang.utils.locks import file_lock

    with file_lock(Path(config.out)):
        from pickclutter_lang.demo.look import POCKET_NOTE, look, look_table

        print(look_table(look(config)))
    if config.teacher_name.startswith("pocket") and config.checkpoint is None:
        print(POCKET_NOTE)
    print(f"figure: {config.out}")
