"""Fixtures that several files of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest

from pickclutter_lang.policy.runtime import StudentRuntime


@pytest.fixture
def student(exported: Path) -> StudentRuntime:
    return StudentRuntime.load(exported / "few_shot")
