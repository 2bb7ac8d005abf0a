"""`scripts/profiling/growth.py` at its smallest: every part is measured, and a second call keeps all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.scene_data import SIZES, make_toy_store
from pickclutter_lang.datasets.scenes import verify_store


@pytest.mark.sim
@pytest.mark.slow
def test_growth_is_measured_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    for split in ("id", "ood", "fewshot"):  # others than the simulator's, which take a while
        make_toy_store(tmp_path / split, split, SIZES[split], size=16)
    script = ROOT / "scripts" / "profiling" / "growth.py"
    small = ["--scenes", "18", "--repeated", "120", "--most-trained", "20", "--processes", "1", "--reads", "5"]
    line = [sys.executable, str(script), str(tmp_path), *small]
    first = subprocess.run(line, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    stores = json.loads((tmp_path / "growth.json").read_text())["stores"]
    assert {scenes: [*parts] for scenes, parts in stores.items()} == {
        "18": ["collect", "train", "read"],
        "120": ["repeat", "read"],
    }
    for scenes, parts in stores.items():
        made = parts.get("collect") or parts["repeat"]
        assert made["bytes"] > made["shard_bytes"] > 1000 * int(scenes) and made["shards"] == -(-int(scenes) // 50)
        assert made["cpu_seconds"] > 0.1 and made["peak_mb"] > 20 and made["children_peak_mb"][0] > 20
        (reading,) = parts["read"]
        assert 0 < reading["open_seconds"] < reading["seconds"] and min(reading["reads_per_second"]) > 0
        assert verify_store(tmp_path / scenes).scenes == int(scenes)
    trained = stores["18"]["train"]
    assert 0 < trained["imported"][0] < trained["opened"][0] < trained["trained"][0] <= trained["cpu_seconds"]
    again = subprocess.run(line, capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (0, "")
