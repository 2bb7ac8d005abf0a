"""Collecting scenes with worker processes that are killed, interrupted, or die; random scenes, no simulator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from helpers.paths import TESTS
from helpers.scene_data import make_manifest, make_store, random_row
from pickclutter_lang.datasets.scenes import Manifest, SceneStore, verify_store
from pickclutter_lang.envs.config import CollectConfig
from pickclutter_lang.envs.generation.collect import collect_store
from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    LockedError,
    MismatchError,
)
from pickclutter_lang.utils.pool import PoolConfig

SCENES = {"scenes": 23, "shard_size": 4}


class RandomSource:
    """Random scenes in place of simulated ones; `before_scene` is called before each."""

    def __init__(self, manifest: Manifest, before_scene: Any = None) -> None:
        self._manifest = manifest
        self._before_scene = before_scene

    def generate(self, seed: int, split: str, index: int) -> Mapping[str, Any]:
        if self._before_scene:
            self._before_scene(index)
        return random_row(self._manifest, index)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_store(tmp_path_factory.mktemp("uninterrupted") / "store", make_manifest(**SCENES)).content_hash


@pytest.mark.parametrize("workers", [1, 3])
def test_content_does_not_depend_on_the_workers(tmp_path: Path, expected: str, workers: int) -> None:
    manifest = make_manifest(**SCENES)
    done = collect_store(tmp_path / "s", manifest, partial(RandomSource, manifest), PoolConfig(workers))
    assert (done.made, done.kept, done.damaged) == (6, 0, 0)
    assert verify_store(tmp_path / "s").content_hash == expected
    again = collect_store(tmp_path / "s", manifest, partial(_must_not_start, manifest), PoolConfig(workers))
    assert (again.made, again.kept) == (0, 6)


def _must_not_start(manifest: Manifest) -> NoReturn:
    raise DatasetError("a worker was started")


def test_damaged_and_missing_shards_are_made_again(tmp_path: Path, expected: str) -> None:
    manifest = make_manifest(**SCENES)
    make_store(tmp_path / "s", manifest)
    (tmp_path / "s" / "shards" / "00001.h5").unlink()
    (tmp_path / "s" / "shards" / "00004.h5").write_bytes(b"no shard")
    done = collect_store(tmp_path / "s", manifest, partial(RandomSource, manifest), PoolConfig(1))
    assert (done.made, done.kept, done.damaged) == (2, 4, 2)
    assert verify_store(tmp_path / "s").content_hash == expected


def test_other_versions_do_not_go_together(tmp_path: Path) -> None:
    make_store(tmp_path / "s", make_manifest(versions={"sapien": "2.2.1"}))
    manifest = make_manifest(versions={"sapien": "2.2.2"})
    assert collect_store(tmp_path / "s", manifest, partial(_must_not_start, manifest), PoolConfig(1)).made == 0
    (tmp_path / "s" / "shards" / "00001.h5").unlink()
    with pytest.raises(MismatchError, match="sapien"):
        collect_store(tmp_path / "s", manifest, partial(_must_not_start, manifest), PoolConfig(1))


MANY = {**SCENES, "scenes": 403}  # which take a child some ten seconds: it cannot end before a test has ended it


def _slow(index: int) -> None:
    time.sleep(0.05)


def _child(folder: str, sizes: dict[str, Any], before_scene: Any) -> None:
    """Run in a process of its own, by `python -c`."""
    manifest = make_manifest(**sizes)
    collect_store(Path(folder), manifest, partial(RandomSource, manifest, before_scene), PoolConfig(2))


def _start(
    folder: Path, sizes: dict[str, Any] = MANY, before_scene: str = "test_collect._slow"
) -> subprocess.Popen[str]:
    code = f"import functools, test_collect; test_collect._child({str(folder)!r}, {sizes!r}, {before_scene})"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _session_members(leader: int) -> list[int]:
    """Return the processes of the session that `leader` leads or led."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(state[3]) == leader and state[0] != "Z":
                found.append(int(entry.name))
    return found


def _wait(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def _shards(folder: Path) -> list[Path]:
    return sorted((folder / "shards").glob("*.h5"))


@pytest.mark.slow
def test_a_killed_collection_resumes(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    sizes = {**SCENES, "scenes": 63}
    child = _start(folder, sizes)
    _wait(lambda: len(_shards(folder)) > 2)
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    _wait(lambda: not _session_members(child.pid))  # workers see that the parent is gone
    with pytest.raises(DatasetError):
        SceneStore.open(folder)
    manifest = make_manifest(**sizes)
    found = collect_store(folder, manifest, partial(RandomSource, manifest), PoolConfig(2))
    assert found.kept > 0
    assert found.store.content_hash == make_store(tmp_path / "uninterrupted", manifest).content_hash
    assert not list(folder.rglob("*.tmp"))


def test_two_collections_into_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    child = _start(folder)
    _wait(lambda: (folder / "manifest.json").exists())
    manifest = make_manifest(**MANY)
    try:
        with pytest.raises(LockedError, match=str(child.pid)):
            collect_store(folder, manifest, partial(RandomSource, manifest), PoolConfig(1))
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"split": "test"}, "split"),
        ({"scenes": 0}, "scenes"),
        ({"workers": -2}, "workers"),
        ({"shard_size": 0}, "shard_size"),
        ({"engine": "dask"}, "engine"),
        ({"cameras": ["side"]}, "cameras"),
        ({"min_objects": 8, "max_objects": 5}, "min_objects"),
        ({"visible_share": 0.0}, "visible_share"),
        ({"objects": "kinds", "kinds": ("mug", "mug")}, "mug"),
        ({"objects": "proxy", "instances": 7}, "instances"),
        ({"distractors": 1.0}, "distractors"),
        ({"distractors": 0.3, "objects": "kinds"}, "distractors"),
        ({"distractors": 0.3, "kinds": ("mug", "lemon")}, "lemon"),
    ],
)
def test_settings_out_of_range(changes: Any, key: str) -> None:
    with pytest.raises(InvalidArgumentError, match=key):
        CollectConfig(out="x", **changes).validate()
