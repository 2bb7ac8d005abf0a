"""Commands as processes, also on a small disk: a real one, mounted in a namespace of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from helpers.paths import ROOT


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with this package and one thread."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(words, capture_output=True, text=True, timeout=600, env=variables)


def on_small_disk(place: Path, size: str, command: Sequence[str], more: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in a namespace in which a place is a memory disk of a size.

    :param size: as of `mount`, such as `64k`; options such as `2g,ro` may follow
    :param more: lines of shell after the command
    """
    mount = f"mount -t tmpfs -o size={size} tmpfs {shlex.quote(str(place))}"
    return call("unshare", "--mount", "sh", "-c", f"{mount} && {'' if more else 'exec '}{shlex.join(command)}{more}")


can_mount = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode
    != 0,
    reason="no file system may be mounted here",
)
