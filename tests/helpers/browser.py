"""A real browser for the pages: Chromium of the system, without a download."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def chromium() -> str:
    """Return the browser's program; the test is skipped where there is none."""
    pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium")
    return found


class Problems:
    """What a page complained of, and what it tried to load."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []


@contextmanager
def opened(place: Path | str, **settings: Any) -> Iterator[tuple[Any, Problems]]:
    """Open a file or an address in a new browser; yield its page and what goes wrong on it.

    :param settings: of Playwright's context, such as `color_scheme` and `viewport`
    """
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_context(**settings).new_page()
        problems = Problems()
        page.set_default_timeout(120_000)
        page.on("console", lambda message: problems.messages.append(message.text))
        page.on("pageerror", lambda error: problems.messages.append(str(error)))
        page.on("request", lambda request: problems.requests.append(request.url))
        page.goto(place if isinstance(place, str) else place.resolve().as_uri())
        yield page, problems
        browser.close()
