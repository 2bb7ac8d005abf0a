"""Collecting scenes with worker processes that are killed, interrupted, or die; random scenes, no simulator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import pytest

from helpers.paths import TESTS
from helpers.scene_rows import make_manifest, make_store, random_row
from pickclutter_lang.datasets.scenes import Manifest, SceneStore, verify_store
from pickclutter_lang.envs.config import CollectConfig, ObjectSheetConfig
from pickclutter_lang.envs.generation.collect import collect_store
from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    LockedError,
    MismatchError,
    MissingAssetsError,
    MissingExtraError,
    WorkerError,
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


@pytest.mark.parametrize("changes", [{"seed": 1}, {"size": 32}, {"graspable": False}, {"split": "ood"}])
def test_other_settings_in_the_same_folder(tmp_path: Path, changes: Any) -> None:
    make_store(tmp_path / "s")
    manifest = make_manifest(**changes)
    with pytest.raises(MismatchError, match="other settings"):
        collect_store(tmp_path / "s", manifest, partial(RandomSource, manifest), PoolConfig(1))


def test_other_versions_do_not_go_together(tmp_path: Path) -> None:
    make_store(tmp_path / "s", make_manifest(versions={"sapien": "2.2.1"}))
    manifest = make_manifest(versions={"sapien": "2.2.2"})
    assert collect_store(tmp_path / "s", manifest, partial(_must_not_start, manifest), PoolConfig(1)).made == 0
    (tmp_path / "s" / "shards" / "00001.h5").unlink()
    with pytest.raises(MismatchError, match=r"sapien is 2\.2\.1 there, 2\.2\.2 here"):
        collect_store(tmp_path / "s", manifest, partial(_must_not_start, manifest), PoolConfig(1))


MANY = {**SCENES, "scenes": 403}  # which take a child some ten seconds: it cannot end before a test has ended it


def _has_more_shards(folder: Path, count: int) -> bool:
    return len(_shards(folder)) > count


def _slow(index: int) -> None:
    time.sleep(0.05)


def _slow_after(fast: int, index: int) -> None:
    """Let a shard after the first `fast` ones take three seconds or more."""
    time.sleep(1.0 if index >= fast * SCENES["shard_size"] else 0)


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


def test_the_manifest_of_many_shards_is_written_each_hundredth_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    write = Manifest.write

    def counting(self: Manifest, folder: Path) -> None:
        written.append(len(self.shards))
        write(self, folder)

    monkeypatch.setattr(Manifest, "write", counting)
    manifest = make_manifest(scenes=150, shard_size=1)
    done = collect_store(tmp_path / "s", manifest, partial(RandomSource, manifest), PoolConfig(1))
    assert done.store.manifest.complete
    assert written[:101] == [*range(101)] and written[-1] == 150 and len(written) < 130
    assert max(after - before for before, after in pairwise(written)) == 2


def _shards(folder: Path) -> list[Path]:
    return sorted((folder / "shards").glob("*.h5"))


@pytest.mark.slow
@pytest.mark.parametrize("whole_shards", [0, 1, 3, 5])
def test_killed_at_any_moment_it_resumes(tmp_path: Path, expected: str, whole_shards: int) -> None:
    folder = tmp_path / "s"
    child = _start(folder, SCENES, f"functools.partial(test_collect._slow_after, {whole_shards})")
    _wait(lambda: len(_shards(folder)) >= whole_shards and (folder / "manifest.json").exists())
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    _wait(lambda: not _session_members(child.pid))  # workers see that the parent is gone
    with pytest.raises(DatasetError, match="of 6 shards; run its collection again"):
        SceneStore.open(folder)
    manifest = make_manifest(**SCENES)
    done = collect_store(folder, manifest, partial(RandomSource, manifest), PoolConfig(1))
    assert done.store.content_hash == expected and verify_store(folder)
    assert done.kept >= max(whole_shards - 2, 0)  # two workers: two shards may not be in the manifest yet
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.slow
def test_killing_every_process_at_random_moments(tmp_path: Path) -> None:
    folder, sizes = tmp_path / "s", {**SCENES, "scenes": 63}
    for pause in (0.03, 0.1, 0.17):
        before = len(_shards(folder))
        child = _start(folder, sizes)
        _wait(partial(_has_more_shards, folder, before))
        time.sleep(pause)
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        assert child.returncode == -signal.SIGKILL
    manifest = make_manifest(**sizes)
    found = collect_store(folder, manifest, partial(RandomSource, manifest), PoolConfig(2))
    assert found.kept > 0
    assert found.store.content_hash == make_store(tmp_path / "uninterrupted", manifest).content_hash
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.slow
def test_ctrl_c_ends_all_processes(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    child = _start(folder)
    _wait(partial(_has_more_shards, folder, 0))
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to parent and workers alike
    _, output = child.communicate(timeout=120)
    _wait(lambda: not _session_members(child.pid))
    assert output.count("KeyboardInterrupt") == 1, output  # the parent's alone
    assert not list(folder.rglob("*.tmp"))


def _die_once(marker: Path, how: int, index: int) -> None:
    if index == 6 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), how)


def test_a_worker_that_dies_is_replaced(tmp_path: Path, expected: str, caplog: pytest.LogCaptureFixture) -> None:
    manifest = make_manifest(**SCENES)
    before_scene = partial(_die_once, tmp_path / "marker", signal.SIGSEGV)
    done = collect_store(tmp_path / "s", manifest, partial(RandomSource, manifest, before_scene), PoolConfig(2))
    assert done.store.content_hash == expected
    assert "ended unexpectedly" in caplog.text


def _exit_at_six(index: int) -> None:
    if index == 6:
        os._exit(7)


def _no_extra(manifest: Manifest) -> NoReturn:
    raise MissingExtraError("sapien", "sim")


def test_a_worker_that_always_dies_ends_the_collection(tmp_path: Path) -> None:
    manifest = make_manifest(**SCENES)
    with pytest.raises(WorkerError):
        collect_store(tmp_path / "s", manifest, partial(RandomSource, manifest, _exit_at_six), PoolConfig(2))
    assert _shards(tmp_path / "s")[0].name == "00000.h5"


def test_errors_of_workers_come_back_as_they_are(tmp_path: Path) -> None:
    manifest = make_manifest()
    with pytest.raises(MissingExtraError, match=r"pip install -e '\.\[sim\]'"):
        collect_store(tmp_path / "s", manifest, partial(_no_extra, manifest), PoolConfig(1))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB, for root on a machine that allows mounts."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("mounting a small tmpfs is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    manifest = make_manifest(scenes=24, shard_size=8, size=128)
    with pytest.raises(
        DatasetError, match=r"cannot write .*\.h5 .*No space left on device.*run the same command again"
    ):
        collect_store(small_disk / "s", manifest, partial(RandomSource, manifest), PoolConfig(2))
    assert not list(small_disk.rglob("*.tmp"))
    assert (small_disk / "s" / "manifest.json").exists()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    manifest = make_manifest()
    (tmp_path / "s").touch()
    with pytest.raises(DatasetError, match="cannot create the folder"):
        collect_store(tmp_path / "s", manifest, partial(RandomSource, manifest), PoolConfig(1))


def test_two_collections_into_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    child = _start(folder)
    _wait(lambda: (folder / "manifest.json").exists())
    manifest = make_manifest(**MANY)
    try:
        with pytest.raises(LockedError, match=f"process {child.pid} .* is at work there"):
            collect_store(folder, manifest, partial(RandomSource, manifest), PoolConfig(1))
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"split": "test"}, "expected split out of train, id, ood, fewshot.*got 'test'"),
        ({"scenes": 0}, "expected scenes to lie between 1"),
        ({"seed": -1}, "expected seed to lie between 0"),
        ({"workers": -2}, "expected workers to lie between 0"),
        ({"shard_size": 0}, "expected shard_size to lie between 1"),
        ({"engine": "dask"}, "expected engine to be one of local, ray, but got 'dask'"),
        ({"address": "10.0.0.1:6379"}, "expected engine=ray with an address, but got local"),
        ({"cameras": ["side"]}, "expected cameras out of"),
        ({"min_objects": 8, "max_objects": 5}, "min_objects=8 and max_objects=5"),
        ({"image_size": -128}, "expected image_size"),
        ({"objects": "kinds", "instances": -5}, "expected instances to lie between 1"),
        ({"objects": "kinds", "kinds": ("mug", "mug")}, "each kind once, but got 'mug' twice"),
        ({"objects": "proxy", "instances": 7}, "kinds for objects=kinds alone, but got instances=7 for 'proxy'"),
    ],
)
def test_settings_out_of_range(changes: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        CollectConfig(out="x", **changes).validate()


def test_a_folder_of_kinds_without_its_parent_is_refused(tmp_path: Path) -> None:
    CollectConfig(out="x", objects="kinds", objects_root=str(tmp_path / "models")).validate()
    with pytest.raises(MissingAssetsError, match="expected the parent of objects_root to be a folder"):
        CollectConfig(out="x", objects="kinds", objects_root=str(tmp_path / "typo" / "models")).validate()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objects": ["proxy"], "kinds": ["mug"]}, r"objects=kinds alone, but got \['mug'\] for 'proxy'"),
        ({"objects": ["proxy"], "instances": 5}, "objects=kinds alone, but got instances=5 for 'proxy'"),
        ({"objects": ["kinds"], "kinds": ["mug"], "instances": 1000, "size": 1024}, "but got 1048576000 .*lower size="),
    ],
)
def test_sheets_that_make_no_sense_are_refused(changes: Any, words: str) -> None:
    ObjectSheetConfig(objects=["kinds"]).validate()
    with pytest.raises(InvalidArgumentError, match=words):
        ObjectSheetConfig(**changes).validate()
