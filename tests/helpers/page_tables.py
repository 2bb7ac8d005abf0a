"""Modules that fill tables of pages, with data of a test."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import ROOT


def with_data(module: str, name: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a module of `docs` that reads `name` from a folder."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    (data / "sources.json").write_text(json.dumps({name: {"revision": ["0"], "command": "", "note": ""}}))
    found = import_module(module)
    monkeypatch.setattr(import_module("result_data"), "DATA", data)
    monkeypatch.setattr(found, "DATA", data)
    return found
