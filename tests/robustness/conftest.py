"""Fixtures that several files of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.chat_server import chat_server, completion
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
    with chat_server(lambda number, message: completion(f"Something like this: {message[-40:].strip()}")) as server:
        yield server.base_url
