"""Scene stores at `s3://`: published, trained from, damaged and killed, on a server on loopback."""

from __future__ import annotations

import hashlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.demonstrations import make_toy_demos
from helpers.kill_runs import COMMAND
from helpers.policies import random_policy
from helpers.process_kill import wait_until
from helpers.s3_server import ENVIRONMENT, serve_s3
from helpers.scene_data import SIZES, make_toy_store, make_toy_stores
from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import data_provenance, load_scene_datasets
from pickclutter_lang.datasets.scenes import SceneStore, verify_store
from pickclutter_lang.datasets.scenes.remote import _mirror_catalog, mirror_store
from pickclutter_lang.demonstrations.config import ExportLerobotConfig
from pickclutter_lang.demonstrations.lerobot import export_lerobot
from pickclutter_lang.errors import CorruptShardError, InvalidArgumentError, MissingExtraError, StorageError
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.load import load_run_config
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.sharing.config import FetchConfig, PushConfig
from pickclutter_lang.sharing.fetched import NOTE_FILE
from pickclutter_lang.sharing.hub_folders import fetch, push
from pickclutter_lang.sharing.url_folders import UNFINISHED_FILE
from pickclutter_lang.utils import object_storage
from pickclutter_lang.utils.object_storage import read_url, size_at, write_url

pytest.importorskip("s3fs")
pytest.importorskip("moto")
URL = "s3://bucket/scenes"


@pytest.fixture(scope="module")
def server() -> Iterator[Mapping[str, str]]:
    with serve_s3() as environment:
        yield environment


@pytest.fixture
def s3(server: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import s3fs

    for name, value in {**server, "PICKCLUTTER_CACHE": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    client = s3fs.S3FileSystem(use_listings_cache=False)
    yield client
    if client.exists("bucket/scenes"):
        client.rm("bucket/scenes", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def transfers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Verbs and file names of what is read, written and deleted."""
    done: list[str] = []
    attempt = object_storage._attempt

    def noted(verb: str, url: str, action: Any) -> Any:
        if not action.__qualname__.startswith("size_at"):
            done.append(f"{verb} {url.rpartition('/')[2]}")
        return attempt(verb, url, action)

    monkeypatch.setattr(object_storage, "_attempt", noted)
    return done


def test_batches_are_those_of_the_folder_and_come_once(tmp_path: Path, s3: Any, transfers: list[str]) -> None:
    folder = make_toy_stores(tmp_path / "scenes")
    for name in SIZES:
        assert push(PushConfig(str(folder / name), f"{URL}/{name}")) == f"{URL}/{name}"
    settings = [
        SceneDataConfig(f"{root}/train", f"{root}/id", f"{root}/ood", f"{root}/fewshot", crop_size=None, image_size=32)
        for root in (folder, URL)
    ]
    transfers.clear()
    local, remote = (load_scene_datasets(one) for one in settings)
    for name, scenes in local.items():
        rows = range(len(scenes))
        assert bool((scenes.batch(rows) == remote[name].batch(rows)).all())
    assert transfers.count("read 00000.h5") == 4
    assert data_provenance(settings[0]) == data_provenance(settings[1])
    transfers.clear()
    again = SceneStore.open(f"{URL}/train")
    copied: SceneStore = pickle.loads(pickle.dumps(again))
    assert np.array_equal(copied.images(), SceneStore.open(folder / "train").images())
    assert set(transfers) == {"read manifest.json"}


def test_a_training_and_its_evaluation_are_those_of_the_folder(tmp_path: Path, s3: Any) -> None:
    overrides = [*make_toys(tmp_path), "distill.epochs=1", "few_shot.epochs=1"]
    for name in SIZES:
        push(PushConfig(str(tmp_path / "scenes" / name), f"{URL}/{name}"))
    weights, metrics = [], []
    for number, place in enumerate((f"{tmp_path / 'scenes'}", URL)):
        run = SceneRun.open(config(*overrides, f"scenes={place}", f"out={tmp_path / str(number)}"))
        run.train()
        weights.append(run.model.state_dict())
        metrics.append(evaluate_run(run)["metrics"])
    assert all(bool((weights[1][name] == value).all()) for name, value in weights[0].items())
    assert metrics[0] == metrics[1]
    moved = load_run_config(EvaluateConfig(str(tmp_path / "0"), scenes=URL))
    assert moved.data.train == f"{URL}/train" and evaluate_run(SceneRun.open(moved))["metrics"] == metrics[0]
    written = b"".join(path.read_bytes() for path in (tmp_path / "1").rglob("*") if path.is_file())
    assert ENVIRONMENT["AWS_SECRET_ACCESS_KEY"].encode() not in written
    assert not Path("s3:").exists()


def test_a_second_push_sends_only_what_differs(tmp_path: Path, s3: Any, transfers: list[str]) -> None:
    store = make_toy_store(tmp_path / "store", "train", 24)
    push(PushConfig(str(store.path), URL))
    assert transfers.index("write manifest.json") == len(transfers) - 1
    transfers.clear()
    push(PushConfig(str(store.path), URL))
    assert not [line for line in transfers if line.startswith(("write", "delete"))]
    assert not [line for line in transfers if line.endswith(".h5")]
    transfers.clear()
    s3.rm("bucket/scenes/shards/00001.h5")
    push(PushConfig(str(store.path), URL))
    sent = [line for line in transfers if line.startswith(("write", "delete"))]
    assert sent == [
        f"write {UNFINISHED_FILE}", "delete manifest.json", "write 00001.h5", "write manifest.json",
        f"delete {UNFINISHED_FILE}",
    ]  # fmt: skip
    assert verify_store(URL).content_hash == store.content_hash


def test_an_interrupted_push_shows_no_store_and_goes_on(tmp_path: Path, s3: Any, transfers: list[str]) -> None:
    store = make_toy_store(tmp_path / "store", "train", 24)
    write_url(f"{URL}/shards/00000.h5", (store.path / "shards/00000.h5").read_bytes())
    other = bytearray((store.path / "shards/00001.h5").read_bytes())
    other[100] ^= 1
    write_url(f"{URL}/shards/00001.h5", bytes(other))
    with pytest.raises(StorageError, match=r"expected a scene store at s3://bucket/scenes, but manifest.json is not"):
        SceneStore.open(URL)
    transfers.clear()
    push(PushConfig(str(store.path), URL))
    sent = [line for line in transfers if line.startswith("write")]
    assert "write 00000.h5" not in sent and {"write 00001.h5", "write 00002.h5"} < {*sent}


class _Stopped(BaseException):
    """As a kill, which no code of the package catches."""


def _push_to_step(store: SceneStore, url: str, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Push a store and stop before the write or deletion of this number; return whether there was one."""
    attempt, left = object_storage._attempt, step

    def counted(verb: str, url: str, action: Any) -> Any:
        nonlocal left
        left -= verb in ("write", "delete")
        if left < 0:
            raise _Stopped
        return attempt(verb, url, action)

    with monkeypatch.context() as patch:
        patch.setattr(object_storage, "_attempt", counted)
        try:
            push(PushConfig(str(store.path), url))
        except _Stopped:
            return True
    return False


def test_a_push_that_is_stopped_anywhere_and_run_again_leaves_nothing_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKCLUTTER_CACHE", str(tmp_path / "cache"))
    old, new = make_toy_store(tmp_path / "old", "train", 24), make_toy_store(tmp_path / "new", "train", 9, seed=1)
    push(PushConfig(str(new.path), f"file://{tmp_path}/expected"))
    expected = {path.relative_to(tmp_path / "expected") for path in (tmp_path / "expected").rglob("*.*")}
    step, stopped = 0, True
    while stopped:
        there = tmp_path / str(step)
        push(PushConfig(str(old.path), f"file://{there}"))
        stopped = _push_to_step(new, f"file://{there}", step, monkeypatch)
        push(PushConfig(str(new.path), f"file://{there}"))
        assert {path.relative_to(there) for path in there.rglob("*.*")} == expected, step
        assert verify_store(f"file://{there}").content_hash == new.content_hash
        step += 1
    assert step > 6


def test_a_first_push_that_is_stopped_deletes_nothing_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKCLUTTER_CACHE", str(tmp_path / "cache"))
    store, url = make_toy_store(tmp_path / "store", "train", 24), f"file://{tmp_path}/there"
    write_url(f"{url}/shards/99999.h5", b"of somebody else")
    assert _push_to_step(store, url, 2, monkeypatch)
    push(PushConfig(str(store.path), url))
    assert read_url(f"{url}/shards/99999.h5", 99)


def test_a_flipped_bit_is_refused_and_not_kept(tmp_path: Path, s3: Any) -> None:
    store = make_toy_store(tmp_path / "store", "train", 16)
    push(PushConfig(str(store.path), URL))
    data = bytearray(s3.cat_file("bucket/scenes/shards/00001.h5"))
    data[len(data) // 2] ^= 1
    s3.pipe_file("bucket/scenes/shards/00001.h5", bytes(data))
    opened = SceneStore.open(URL)
    assert np.array_equal(opened.images(index=0), store.images(index=0))
    with pytest.raises(CorruptShardError, match=r"the shard s3://bucket/scenes/shards/00001.h5 is not that"):
        opened.images(index=8)
    assert {path.name for path in (opened.path / "shards").iterdir()} == {"00000.h5"}
    with pytest.raises(CorruptShardError, match="1 of 2 shards"):
        verify_store(URL)
    with pytest.raises(CorruptShardError):
        fetch(FetchConfig(URL, str(tmp_path / "back"), "scenes"))
    s3.rm("bucket/scenes/shards/00001.h5")
    with pytest.raises(CorruptShardError, match=r"00001\.h5 is not there; publish the store again"):
        SceneStore.open(URL).images(index=8)
    with pytest.raises(CorruptShardError, match="1 of 2 shards"):
        verify_store(URL)
    push(PushConfig(str(store.path), URL))
    assert verify_store(fetch(FetchConfig(URL, str(tmp_path / "back"), "scenes"))) == store.manifest


def test_a_damaged_shard_in_the_cache_comes_again(tmp_path: Path, s3: Any) -> None:
    store = make_toy_store(tmp_path / "store", "train", 8)
    push(PushConfig(str(store.path), URL))
    shard = mirror_store(URL) / "shards/00000.h5"
    shard.write_bytes(b"rot")
    assert np.array_equal(SceneStore.open(URL).images(), store.images())


def test_a_store_comes_again_with_far_smaller_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    url, there = f"file://{tmp_path}/there", "../fetched"  # a path with .. is as good as another
    push(PushConfig(str(make_toy_store(tmp_path / "large", "train", 40, size=64).path), url))
    fetch(FetchConfig(url, there, "scenes"))
    small = make_toy_store(tmp_path / "small", "train", 2, size=32)
    push(PushConfig(str(small.path), url))
    again = SceneStore.open(fetch(FetchConfig(url, there, "scenes")))
    assert np.array_equal(again.images(), small.images()) and len(again) == 2


def test_a_killed_fetch_leaves_nothing_half(tmp_path: Path, s3: Any) -> None:
    store = make_toy_store(tmp_path / "store", "train", 80, size=128)
    push(PushConfig(str(store.path), URL))
    code = f"from pickclutter_lang.datasets.scenes import SceneStore; SceneStore.open({URL!r}).images()"
    shards = mirror_store(URL) / "shards"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        wait_until(lambda: any(shards.glob("*.h5")) or process.poll() is not None)
        process.send_signal(signal.SIGKILL)
    assert all(path.read_bytes() == (store.path / "shards" / path.name).read_bytes() for path in shards.glob("*.h5"))
    assert np.array_equal(SceneStore.open(URL).images(), store.images())
    files = [entry.file for entry in store.manifest.shards]
    locks = {f".{file}.lock" for file in files}  # of the killed process, which had its shard whole
    assert {path.name for path in shards.iterdir()} - locks == set(files)


def test_readers_in_several_threads_fetch_a_shard_once(tmp_path: Path, s3: Any, transfers: list[str]) -> None:
    store = make_toy_store(tmp_path / "store", "train", 8)
    push(PushConfig(str(store.path), URL))
    opened = [SceneStore.open(URL) for _ in range(4)]
    transfers.clear()
    threads = [threading.Thread(target=one.images) for one in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert transfers == ["read 00000.h5"]


def test_a_lerobot_data_set_comes_back_with_its_card_and_without_what_is_stale(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    demos = make_toy_demos(tmp_path / "demos")
    folder = export_lerobot(ExportLerobotConfig(str(demos), str(tmp_path / "lerobot"))).folder
    url = f"file://{tmp_path}/there"
    write_url(f"{url}/data/mine/notes.txt", b"of somebody else")
    push(PushConfig(str(folder), url))
    assert read_url(f"{url}/data/mine/notes.txt", 99)
    write_url(f"{url}/meta/stale.json", b"{}")
    push(PushConfig(str(folder), url))
    assert size_at(f"{url}/meta/stale.json") is None
    back = fetch(FetchConfig(url, str(tmp_path / "back"), "lerobot"))
    (back / NOTE_FILE).unlink()
    both = [{path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")} for root in (folder, back)]
    assert both[0] == both[1] and len(both[0]) > 4


def test_a_catalog_that_is_not_that_of_the_manifest_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    write_url(f"file://{tmp_path}/there/catalog.yaml", b"objects: []")
    path.write_bytes(b"rot")
    _mirror_catalog(f"file://{tmp_path}/there", path, hashlib.sha256(b"objects: []").hexdigest())
    assert path.read_bytes() == b"objects: []"
    with pytest.raises(StorageError, match="not that of the manifest; publish the store again"):
        _mirror_catalog(f"file://{tmp_path}/there", path, "0" * 64)


def test_a_policy_comes_back_as_it_was(tmp_path: Path, s3: Any) -> None:
    folder = random_policy(tmp_path / "policy")
    push(PushConfig(str(folder), "s3://bucket/scenes/policy"))
    back = fetch(FetchConfig("s3://bucket/scenes/policy", str(tmp_path / "back")))
    assert (back / "policy.json").read_bytes() == (folder / "policy.json").read_bytes()


@pytest.mark.parametrize(
    ("url", "changes", "message"),
    [
        ("s3://nowhere/scenes", {}, "expected a scene store at s3://nowhere/scenes"),
        ("s3://bucket/nothing", {}, "expected a scene store at s3://bucket/nothing"),
        (URL, {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "cannot read s3://bucket/scenes/manifest.json ("),
        (URL, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot read s3://bucket/scenes/manifest.json ("),
        ("gs://bucket/scenes", {}, "cannot open gs://bucket/scenes/manifest.json: "),
        ("nonsense://bucket/scenes", {}, "cannot open nonsense://bucket/scenes/manifest.json: "),
    ],
)
def test_what_cannot_be_read_is_one_line(
    s3: Any, tmp_path: Path, url: str, changes: dict[str, str], message: str
) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "AWS_EC2_METADATA_DISABLED": "true", **changes}
    environment = {name: value for name, value in environment.items() if value}
    environment["HOME"] = str(tmp_path)  # no credentials of who runs the tests
    line = [*COMMAND, "verify-scenes", f"store={url}"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert message in done.stderr and ENVIRONMENT["AWS_SECRET_ACCESS_KEY"] not in done.stderr


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingExtraError, match=r"pip install -e '\.\[storage\]'"):
        size_at(URL)


def test_a_password_in_a_url_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="without a user or a password"):
        PushConfig("f", "ftp://me:hush@host/scenes").validate()


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_other_schemes_of_fsspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("PICKCLUTTER_CACHE", str(tmp_path / "cache"))
    store, url = make_toy_store(tmp_path / "store", "train", 9), f"{scheme}://{tmp_path}/there"
    push(PushConfig(str(store.path), url))
    assert np.array_equal(SceneStore.open(url).images(), store.images())
    with pytest.raises(StorageError, match="expected at most 5 bytes"):
        read_url(f"{url}/manifest.json", 5)
