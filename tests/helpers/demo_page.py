"""The page of the demo, served in the process of a test and called over HTTP."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file

from pickclutter_lang.demo.page import DemoSession, serve


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served_page(session: DemoSession) -> Iterator[str]:
    """Serve a page and yield its address. A page around it has its upload folder again, which Gradio has once."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    try:
        with serve(session, free_port()) as url:
            yield url
    finally:
        if before is None:
            del os.environ["GRADIO_TEMP_DIR"]
        else:
            os.environ["GRADIO_TEMP_DIR"] = before


def show(url: str, image: Path | None, names: str) -> list[Any]:
    """Return the rows of scores that the page shows for names in an image, or in pile 0."""
    own = None if image is None else handle_file(str(image))
    rows: list[Any] = Client(url, verbose=False).predict(0, own, names, api_name="/show")[-1]["data"]
    return rows
