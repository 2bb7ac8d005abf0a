"""Fixtures that several files of this folder share."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def env() -> Any:
    from helpers.environments import make

    return make(obs_mode="state")
