"""Render a contact sheet of objects with their names, or of instances of kinds. Needs the extra sim.

pickclutter render-object-sheet objects=[proxy,ycb] out=objects.png
pickclutter render-object-sheet objects=./mine out=mine.png
pickclutter render-object-sheet objects=[kinds] kinds=[mug,apple] out=kinds.png
"""

from pathlib import Path

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.envs.config import ObjectSheetConfig


@hydra_main(ObjectSheetConfig)
def main(config: ObjectSheetConfig) -> None:
    """Render the sheet, and print the path."""
    from pickclutter_lang.utils.locks import file_lock

    with file_lock(Path(config.out)):
        from pickclutter_lang.envs.generation.object_renderer import write_object_sheet

        count = write_object_sheet(config)
    print(f"{count} objects of {' and '.join(config.sets)} in {config.out}")
