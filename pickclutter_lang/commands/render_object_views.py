"""Render views of single objects and of random procedural objects, to train a pocket teacher. Needs the extra sim.

pickclutter render-object-views objects=proxy out=data/views
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.envs.config import ObjectViewConfig


@hydra_main(ObjectViewConfig)
def main(config: ObjectViewConfig) -> None:
    """Render, and report the views."""
    from pickclutter_lang.envs.generation.object_renderer import render_object_views

    content = render_object_views(config)
    print(f"views in {config.out}, content {content}")
