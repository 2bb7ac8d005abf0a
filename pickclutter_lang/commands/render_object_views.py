"""Render views of single objects and random things: `pickclutter render-object-views objects=proxy out=data/views`."""

from omegaconf import DictConfig

from pickclutter_lang.envs.generation.view_renderer import ObjectViewConfig, render_object_views
from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("render_object_views")
def main(cfg: DictConfig) -> None:
    """Render, and say what is there now."""
    config = parse_config(ObjectViewConfig, cfg)
    content = render_object_views(config)
    print(f"views in {config.out}, content {content}")
