"""The page's session, whose simulator starts in the background."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.session import DemoSession, open_session


@pytest.fixture(scope="module")
def session(exported: Path) -> Iterator[DemoSession]:
    with open_session(DemoConfig(policy=str(exported / "few_shot"), num_threads=1)) as opened:
        yield opened
