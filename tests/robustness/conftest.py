"""Fixtures that several files of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.chat_server import Reply, chat_server, completion, name_segments
from helpers.torture import TORTURE
from helpers.writing_commands import make_inputs


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command lines of `WRITING` read."""
    folder = tmp_path_factory.mktemp("inputs")
    return make_inputs(folder) if TORTURE else folder  # the cheap ones need none


@pytest.fixture(scope="session")
def chat() -> Iterator[str]:
    """The address of a server that gives each label a description of its own."""

    def answer(number: int, message: Any) -> Reply:
        if isinstance(message, list):
            return name_segments(message, "mug", "pear")
        return completion(f"Something like this: {message[-40:].strip()}")

    with chat_server(answer) as server:
        yield server.base_url
