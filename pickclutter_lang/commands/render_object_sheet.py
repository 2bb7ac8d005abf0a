"""Make a picture of all objects: `pickclutter render-object-sheet objects=[proxy,ycb] out=objects.png`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("render_object_sheet")
def main(config: DictConfig) -> None:
    """Render the sheet, and say where it is."""
    from pickclutter_lang.envs.portraits import SheetSettings, write_sheet

    settings = typed(SheetSettings, config)
    count = write_sheet(settings)
    print(f"{count} objects of {' and '.join(settings.objects)} in {settings.out}")
