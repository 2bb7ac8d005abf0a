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
from pickclutter_lang.errors import DatasetError, PickClutterError

pytestmark = pytest.mark.sim


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Undo what a test did to the environment variables of this process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    renderer.prepare_renderer.cache_clear()


def test_a_machine_that_has_everything(tmp_path: Path) -> None:
    out = tmp_path / "folder" / "pile.png"
    output = "".join(check_install.check_install(check_install.InstallConfig(out=str(out))))
    assert all(name in output for name in ("python", "packages", "vulkan loader", "renderer", "image"))
    image = np.asarray(Image.open(out))
    assert image.shape == (256, 256, 3) and image.std() > 10
    with pytest.raises(DatasetError, match="/proc/nothing"):
        list(check_install.check_install(check_install.InstallConfig(out="/proc/nothing/pile.png")))


@pytest.mark.parametrize("missing", ["python", "packages", "vulkan loader", "driver"])
def test_what_is_missing_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
    with pytest.raises(PickClutterError):
        for line in check_install.check_install(check_install.InstallConfig()):
            assert missing not in line


def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer.prepare_renderer.cache_clear()
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.delenv(name, raising=False)
