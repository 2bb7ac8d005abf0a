from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import SCRIPTS
from helpers.published_scenes import write_published
from helpers.scene_rows import make_store

# Runs a script as if the `sim` extra were not installed.
WITHOUT_SIM = "import runpy, sys; sys.modules['sapien'] = sys.modules['mani_skill2'] = None; sys.argv = sys.argv[1:]; "


def run(folder: Path, script: str, *arguments: str, without_sim: bool = False) -> subprocess.CompletedProcess[str]:
    path = str(SCRIPTS / script)
    start = ["-c", WITHOUT_SIM + f"runpy.run_path({path!r}, run_name='__main__')"] if without_sim else []
    command = [sys.executable, *start, path, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("script", "keys"),
    [
        (
            "collect_scenes.py",
            ["split=train scenes=3000", "scenes=3000", "shard_size=50", "visible_share", "workers"],
        ),
        ("verify_scenes.py", ["store=data/train"]),
        ("import_scenes.py", ["file=", "image_size=224"]),
    ],
)
def test_help_needs_no_simulator_and_leaves_nothing(tmp_path: Path, script: str, keys: Any) -> None:
    done = run(tmp_path, script, "--help", without_sim=True)
    assert done.returncode == 0 and done.stderr == ""
    assert all(key in done.stdout for key in keys), done.stdout
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "collect_scenes.py", "out=train", without_sim=True)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and "pip install -e '.[sim]'" in lines[0]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("collect_scenes.py", ["out=x", "split=test"], "expected split out of train, id, ood"),
        ("collect_scenes.py", ["out=x", "image_size=-128"], "expected image_size"),
        ("collect_scenes.py", ["out=x", "scenes=many"], "a whole number, but got 'many'"),
        ("collect_scenes.py", [], "expected a value for out; give it, out="),
        ("collect_scenes.py", ["out=x", "objects=ycb", "objects_root=nowhere"], "download_asset PickClutterYCB-v0"),
        ("verify_scenes.py", ["store=nowhere"], "expected a scene store at nowhere"),
        ("import_scenes.py", ["file=no.h5", "split=ood", "out=x"], "there is no file"),
        ("import_scenes.py", ["file=no.h5", "split=all", "out=x"], "got 'all'"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, script: str, arguments: Any, words: str) -> None:
    done = run(tmp_path, script, *arguments)
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and re.search(words, lines[0]), done.stderr
    assert not list(tmp_path.iterdir())


def test_verify_names_the_damaged_shard(tmp_path: Path) -> None:
    make_store(tmp_path / "store")
    assert "3 shards with 11 scenes are intact" in run(tmp_path, "verify_scenes.py", "store=store").stdout
    path = tmp_path / "store" / "shards" / "00002.h5"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    done = run(tmp_path, "verify_scenes.py", "store=store")
    assert done.returncode == 2 and "CorruptShardError: 1 of 3 shards" in done.stderr and "00002.h5" in done.stderr


def test_import_and_verify(tmp_path: Path) -> None:
    write_published(tmp_path / "test.h5")
    done = run(tmp_path, "import_scenes.py", "file=test.h5", "split=ood", "out=store", "image_size=32")
    assert done.returncode == 0 and "depth float32, read as metres" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store", "test.h5"]
    assert run(tmp_path, "verify_scenes.py", "store=store").returncode == 0


@pytest.mark.sim
@pytest.mark.slow
def test_collect_then_again_then_other_settings(tmp_path: Path) -> None:
    pytest.importorskip("sapien", reason="needs the simulator: the `sim` extra")
    call = (
        "collect_scenes.py",
        "out=store",
        "scenes=4",
        "shard_size=2",
        "image_size=32",
        "workers=1",
        "graspable=false",
    )
    first = run(tmp_path, *call)
    assert first.returncode == 0 and "4 scenes in" in first.stdout and "(2 shards made, 0 kept)" in first.stdout
    assert re.search(r"scenes .*(/s| s each) .*left", first.stderr) and "Warning" not in first.stderr
    again = run(tmp_path, *call)
    assert "(0 shards made, 2 kept)" in again.stdout
    assert again.stdout.splitlines()[-1] == first.stdout.splitlines()[-1]  # the content hash
    other = run(tmp_path, *call, "visible_share=0.5")
    assert other.returncode == 2 and "settings.visible_share is 0.25 there, 0.5 now" in other.stderr
    found = sorted(path.name for path in (tmp_path / "store").iterdir())
    assert found == ["card.md", "contact_sheet.png", "episodes.json.gz", "manifest.json", "shards"]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
