"""Name an object, and see what student and teacher find; the arm picks it. In a browser. Needs the extra demo.

    pickclutter demo policy=policy
    pickclutter demo run=runs/student port=7860

Piles and picks need the extra sim; without it the page takes your own images.
"""

from pickclutter_lang.commands.hydra_app import hydra_main
from pickclutter_lang.demo.config import DemoConfig


@hydra_main(DemoConfig)
def main(config: DemoConfig) -> None:
    """Serve the page until Ctrl-C."""
    import signal
    from contextlib import suppress
    from threading import Event

    from pickclutter_lang.demo.demo_page import build_page
    from pickclutter_lang.demo.server import serve
    from pickclutter_lang.demo.session import open_session

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing is left behind then, as after Ctrl-C
    with open_session(config) as session, serve(lambda: build_page(session), config.port) as address:
        print(f"demo: {address} (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()
