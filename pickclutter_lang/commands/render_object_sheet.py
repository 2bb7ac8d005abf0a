"""Render one image of the 26 objects with their names. Needs the extra sim.

pickclutter render-object-sheet objects=[proxy,ycb] out=objects.png
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.envs.config import ThumbnailConfig


@hydra_main(ThumbnailConfig)
def main(config: ThumbnailConfig) -> None:
    """Render the sheet, and say where it is."""
    from pickclutter_lang.envs.generation.object_renderer import write_sheet

    count = write_sheet(config)
    print(f"{count} objects of {' and '.join(config.objects)} in {config.out}")
