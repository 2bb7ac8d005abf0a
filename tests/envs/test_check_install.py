"""`pickclutter check-install` names what the simulator lacks, and exits with 0 or 2."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sapien", reason="needs the sim extra")

from pickclutter_lang.envs import check_install

pytestmark = pytest.mark.sim


def test_a_machine_that_has_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "folder" / "pile.png"
    assert check_install.main(["--out", str(out)]) == 0
    output = capsys.readouterr().out
    for words in ("ok      python: 3.1", "sapien 2.2.2", "vulkan loader: found", "renderer: route", "image: "):
        assert words in output
    image = np.asarray(Image.open(out))
    assert image.shape == (256, 256, 3) and image.std() > 10


def run(code: str, **environment: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("import ctypes.util; ctypes.util.find_library = lambda name: None", "apt-get install"),
        ("import sys; sys.version_info = (3, 13, 0)", "expected Python 3.10 or 3.11"),
        (
            "import importlib.metadata as m; v = m.version; m.version = lambda p: '2.1.0' if p == 'numpy' else v(p)",
            "numpy<1.24",
        ),
        ("import sys; sys.modules['sapien'] = None", "-e '.[sim]'"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(fault: str, words: str, tmp_path: Path) -> None:
    out = str(tmp_path / "a.png")
    child = run(
        f"{fault}\nfrom pickclutter_lang.envs.check_install import main\nraise SystemExit(main(['--out', {out!r}]))"
    )
    assert child.returncode == 2
    assert "FAILED" in child.stdout and words in child.stdout
    assert "Traceback" not in child.stdout + child.stderr


def test_a_driver_that_does_not_work_is_named(tmp_path: Path) -> None:
    driver = tmp_path / "none_icd.json"
    driver.write_text("{}")
    child = run(
        "from pickclutter_lang.envs.check_install import main; raise SystemExit(main([]))",
        VK_ICD_FILENAMES=str(driver),
        VK_DRIVER_FILES=str(driver),
    )
    assert child.returncode == 2
    assert "FAILED  renderer" in child.stdout and "apt-get install" in child.stdout


def test_a_image_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_install.main(["--out", "/proc/nothing/pile.png"]) == 2
    assert "FAILED  image" in capsys.readouterr().out
