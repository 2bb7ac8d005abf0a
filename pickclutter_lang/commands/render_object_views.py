"""Render views of single objects and random things: `pickclutter render-object-views objects=proxy out=data/views`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed
from pickclutter_lang.envs.views import ViewSettings, collect_views


@command("render_object_views")
def main(config: DictConfig) -> None:
    """Render, and say what is there now."""
    settings = typed(ViewSettings, config)
    content = collect_views(settings)
    print(f"views in {settings.out}, content {content}")
