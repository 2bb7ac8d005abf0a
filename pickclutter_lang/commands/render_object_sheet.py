"""Make a image of all objects: `pickclutter render-object-sheet objects=[proxy,ycb] out=objects.png`."""

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("render_object_sheet")
def main(cfg: DictConfig) -> None:
    """Render the sheet, and say where it is."""
    from pickclutter_lang.envs.generation.object_renderer import ThumbnailConfig, write_sheet

    config = parse_config(ThumbnailConfig, cfg)
    count = write_sheet(config)
    print(f"{count} objects of {' and '.join(config.objects)} in {config.out}")
