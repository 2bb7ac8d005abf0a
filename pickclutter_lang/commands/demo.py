"""Ask a student what it sees, in a browser on this machine: `pickclutter demo run=runs/student`."""

from omegaconf import DictConfig

from pickclutter_lang.utils.cli import hydra_main, parse_config


@hydra_main("demo")
def main(cfg: DictConfig) -> None:
    """Serve the page until Ctrl-C."""
    from pickclutter_lang.experiments.scenes.demo import DemoConfig, build_demo, serve

    config = parse_config(DemoConfig, cfg)
    page = build_demo(config)
    print(f"demo: {serve(page, config.port)} (Ctrl-C ends it)", flush=True)
    page.block_thread()
