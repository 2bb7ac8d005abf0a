"""The commands of scene stores: status, the line of an error, and what they leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.published_scenes import write_published

WITHOUT_SIM = "import sys; sys.modules['sapien'] = sys.modules['mani_skill2'] = None; "


def run(folder: Path, *words: str, without_sim: bool = False) -> subprocess.CompletedProcess[str]:
    code = (WITHOUT_SIM if without_sim else "") + "from pickclutter_lang.commands import main; main()"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("command", ["collect-scenes", "verify-scenes", "import-scenes"])
def test_help_needs_no_simulator_and_leaves_nothing(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, "--help", without_sim=True)
    assert done.returncode == 0 and done.stderr == "" and "=" in done.stdout and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["collect-scenes", "out=train"], "[sim]"),
        (["collect-scenes", "out=x", "split=test"], "split"),
        (["collect-scenes", "out=x", "objects=ycb", "objects_root=nowhere"], "nowhere"),
        (["verify-scenes", "store=nowhere"], "nowhere"),
        (["import-scenes", "file=no.h5", "split=ood", "out=x"], "no.h5"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, words: list[str], key: str) -> None:
    done = run(tmp_path, *words, without_sim=key == "[sim]")
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2 and len(lines) == 1 and key in lines[0] and not list(tmp_path.iterdir()), done.stderr


def test_import_then_verify_then_damage(tmp_path: Path) -> None:
    write_published(tmp_path / "test.h5")
    done = run(tmp_path, "import-scenes", "file=test.h5", "split=ood", "out=store", "image_size=32", "shard_size=2")
    assert done.returncode == 0 and "depth float32, read as metres" in done.stdout, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store", "test.h5"]
    assert run(tmp_path, "verify-scenes", "store=store").returncode == 0
    path = tmp_path / "store" / "shards" / "00001.h5"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    done = run(tmp_path, "verify-scenes", "store=store")
    assert done.returncode == 2 and "CorruptShardError" in done.stderr and "00001.h5" in done.stderr
