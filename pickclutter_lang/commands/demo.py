"""Ask a student what it sees, in a browser on this machine: `pickclutter demo run=runs/student`."""

from omegaconf import DictConfig

from pickclutter_lang.command import command, typed


@command("demo")
def main(config: DictConfig) -> None:
    """Serve the page until Ctrl-C."""
    from pickclutter_lang.evaluation.demo import DemoSettings, open_page, serve

    settings = typed(DemoSettings, config)
    page = open_page(settings)
    print(f"demo: {serve(page, settings.port)} (Ctrl-C ends it)", flush=True)
    page.block_thread()
