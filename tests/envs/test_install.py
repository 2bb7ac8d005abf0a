"""What the simulator needs of a machine: `pickclutter check-install`, drivers, and shaders that change no pixel."""

from __future__ import annotations

import ctypes.util
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sapien", reason="needs the sim extra")

from pickclutter_lang.envs import check_install, renderer

pytestmark = pytest.mark.sim


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Undo what a test did to the environment variables of this process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    renderer.prepare_renderer.cache_clear()


def test_a_machine_that_has_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "folder" / "pile.png"
    assert check_install.main(["--out", str(out)]) == 0
    output = capsys.readouterr().out
    assert all(name in output for name in ("python", "packages", "vulkan loader", "renderer", "image"))
    image = np.asarray(Image.open(out))
    assert image.shape == (256, 256, 3) and image.std() > 10
    assert check_install.main(["--out", "/proc/nothing/pile.png"]) == 2


@pytest.mark.parametrize("missing", ["python", "packages", "vulkan loader", "driver"])
def test_what_is_missing_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if missing == "python":
        monkeypatch.setattr(sys, "version_info", (3, 13, 0))
        monkeypatch.setattr(platform, "platform", lambda: "here")
    elif missing == "packages":
        monkeypatch.setattr(check_install, "installed_version", lambda name: "2.1.0")
    else:
        _fresh(monkeypatch)
        monkeypatch.setenv("VK_ICD_FILENAMES", "/nowhere/driver.json")
        if missing == "vulkan loader":
            monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    assert check_install.main([]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert any(missing in line and "ok" not in line.split() for line in lines)


def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer.prepare_renderer.cache_clear()
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.delenv(name, raising=False)
