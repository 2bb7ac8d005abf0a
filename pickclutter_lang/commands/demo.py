"""Ask a finished student for any names, in scenes and in your own images, in a browser. Needs the extra demo.

pickclutter demo run=runs/student port=7860
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.experiments.scenes.command_configs import DemoConfig


@hydra_main(DemoConfig)
def main(config: DemoConfig) -> None:
    """Serve the page until Ctrl-C."""
    from pickclutter_lang.experiments.scenes.demo import build_demo
    from pickclutter_lang.experiments.scenes.demo_server import serve

    page = build_demo(config)
    print(f"demo: {serve(page, config.port)} (Ctrl-C ends it)", flush=True)
    page.block_thread()
