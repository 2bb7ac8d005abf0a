"""Write collected demonstrations as a LeRobot data set, version 3.0. Needs the extra lerobot.

pickclutter export-lerobot demos=demos out=lerobot
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.demonstrations.config import ExportLerobotConfig


@hydra_main(ExportLerobotConfig)
def main(config: ExportLerobotConfig) -> None:
    """Write the data set, and report it."""
    from pickclutter_lang.demonstrations.lerobot import export_lerobot

    done = export_lerobot(config)
    print(f"{done.episodes} episodes, {done.frames} frames of {done.tasks} tasks in {done.folder}")
