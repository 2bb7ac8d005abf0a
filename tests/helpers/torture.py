"""Tests that only `make torture` runs: it says how many kills there are over all commands, by `KILLS`."""

from __future__ import annotations

import os

import pytest

TORTURE = int(os.environ.get("KILLS", "0"))
"""Kills over all commands that write; 0: of the cheap ones only, one each."""
only_torture = pytest.mark.skipif(not TORTURE, reason="takes long: make torture")
"""Marks a test of what a shorter test of `make test` does too."""
