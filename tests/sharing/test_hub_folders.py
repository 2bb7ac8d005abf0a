"""Policies, teachers and scene stores that go to the hub and come back: a server on loopback, as the hub answers."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from huggingface_hub import constants

from helpers.demonstrations import FILE, make_toy_demos
from helpers.hub_server import Hub, serve_hub
from helpers.kill_runs import COMMAND
from helpers.scene_data import make_toy_store
from helpers.scene_runs import make_teacher
from pickclutter_lang.datasets.scenes import verify_store
from pickclutter_lang.demonstrations.config import ExportLerobotConfig
from pickclutter_lang.demonstrations.lerobot import export_lerobot
from pickclutter_lang.errors import CorruptShardError, DatasetError, HubError, InvalidArgumentError, TeacherError
from pickclutter_lang.sharing.config import KINDS as NAMES
from pickclutter_lang.sharing.config import FetchConfig, PushConfig
from pickclutter_lang.sharing.fetched import NOTE_FILE, delete_below
from pickclutter_lang.sharing.hub_folders import KINDS, fetch, push
from pickclutter_lang.teachers.hub import teacher_card
from pickclutter_lang.teachers.pocket import TEACHER_FILES, TRAINING_IMAGES, PocketTeacher
from pickclutter_lang.teachers.training_images import write_training_images


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serve_hub() as server:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setenv("HF_TOKEN", "t")
        yield server


def card_of(hub: Hub, repository: str) -> tuple[dict[str, object], str]:
    """Return the metadata and the text of a card."""
    _, head, body = hub.repositories[repository]["README.md"].decode().split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_kinds_are_those_of_the_configuration() -> None:
    assert tuple(KINDS) == NAMES


def test_a_store_comes_back_as_it_was(tmp_path: Path, hub: Hub) -> None:
    store = tmp_path / "store"
    make_toy_store(store, "train", 4, size=32)
    address = push(PushConfig(str(store), "me/scenes"))
    assert "/me/scenes/commit/" in address
    data, body = card_of(hub, "datasets/me/scenes")
    assert data["task_categories"] == ["robotics"] and "kind=scenes" in body
    folder = fetch(FetchConfig("me/scenes", str(tmp_path / "back"), "scenes"))
    assert verify_store(folder).content_hash == verify_store(store).content_hash
    asked = len(hub.requests)
    fetch(FetchConfig("me/scenes", str(tmp_path / "back"), "scenes"))  # again: nothing is sent twice
    assert not [line for line in hub.requests[asked:] if line.startswith("GET /datasets/")]


def test_a_teacher_comes_back_as_it_was(tmp_path: Path, hub: Hub) -> None:
    folder = make_teacher(tmp_path / "teacher")
    write_training_images(folder, [bytes(range(32))])
    (folder / "MODEL_CARD.md").write_text("Names 3 of 4.\n")
    views = {"ycb, paper, objects": {"views": 312, "names": 26, "top1": 0.75, "interval": [0.7, 0.8]}}
    kinds = {"kinds": {"top1": None, "by_synonym": None, "confusions": [["a", "b", 0.5]]}}
    (folder / "figures.json").write_text(json.dumps({"scenes": {}, "views": views, "kinds": kinds}))
    push(PushConfig(str(folder), "me/teacher"))
    data, body = card_of(hub, "me/teacher")
    (result,) = data["model-index"][0]["results"]  # type: ignore[index]
    assert result["dataset"]["name"] == "ycb, paper, objects" and result["metrics"][0]["value"] == 0.75
    assert "clip" in str(data["tags"]) and "Names 3 of 4." in body and "kind=teacher" in body
    back = fetch(FetchConfig("me/teacher", str(tmp_path / "back"), "teacher"))
    assert all((back / name).read_bytes() == (folder / name).read_bytes() for name in TEACHER_FILES)
    opened = PocketTeacher.from_pretrained("me/teacher", cache_dir=tmp_path / "cache", endpoint=hub.address)
    assert opened.fingerprint == PocketTeacher.from_pretrained(folder).fingerprint
    opened.save_pretrained(tmp_path / "saved")
    assert {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()} == {
        name: (folder / name).read_bytes() for name in TEACHER_FILES
    }
    opened.push_to_hub("me/again")
    assert all(hub.repositories["me/again"][name] == (folder / name).read_bytes() for name in TEACHER_FILES)
    (tmp_path / "saved" / TRAINING_IMAGES).unlink()
    PocketTeacher.from_pretrained(tmp_path / "saved").push_to_hub("me/again")
    assert TRAINING_IMAGES not in hub.repositories["me/again"]


def test_the_embedded_teacher_has_a_card() -> None:
    folder = Path(str(files("pickclutter_lang.assets") / "pocket_teacher"))
    data = yaml.safe_load(teacher_card(folder, "me/pocket").split("---\n", 2)[1])
    found = {result["dataset"]["name"] for result in data["model-index"][0]["results"]}
    assert "ycb, paper, objects" in found


def test_what_an_earlier_push_left_is_deleted(tmp_path: Path, hub: Hub) -> None:
    store = tmp_path / "store"
    make_toy_store(store, "train", 4, size=32)
    there = hub.repositories["datasets/me/scenes"] = {"shards/mine.h5": b"of somebody"}
    push(PushConfig(str(store), "me/scenes"))
    assert there.pop("shards/mine.h5") == b"of somebody"  # it held no scenes before
    there |= {"shards/stale.h5": b"old", "notes.txt": b"of somebody"}
    push(PushConfig(str(store), "me/scenes"))
    assert "shards/stale.h5" not in there and there["notes.txt"] == b"of somebody" and "manifest.json" in there


def test_what_is_one_s_own_is_not_overwritten(tmp_path: Path, hub: Hub) -> None:
    mine = make_teacher(tmp_path / "teacher")
    push(PushConfig(str(mine), "me/teacher"))
    push(PushConfig(str(mine), "me/other"))
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    with pytest.raises(DatasetError, match=r"expected out to be a new folder.*of its own; choose another out="):
        fetch(FetchConfig("me/teacher", str(mine), "teacher"))
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before
    back = tmp_path / "back"
    with pytest.raises(HubError):
        fetch(FetchConfig("me/mistyped", str(back), "teacher"))
    fetch(FetchConfig("me/teacher", str(back), "teacher"))
    with pytest.raises(DatasetError, match="from me/teacher; choose another out="):
        fetch(FetchConfig("me/other", str(back), "teacher"))
    store = make_toy_store(tmp_path / "store", "train", 2, size=32).path
    for kind in ("policy", "scenes"):  # the wrong kind first leaves no note that would let the right one in
        with pytest.raises(DatasetError, match=r"manifest\.json of its own; choose another out="):
            fetch(FetchConfig("me/teacher", str(store), kind))
    assert not (store / NOTE_FILE).exists()
    objects = tmp_path / "objects"
    objects.mkdir()
    (objects / "catalog.yaml").write_text("mine")  # which a policy may have too
    with pytest.raises(DatasetError, match=r"catalog\.yaml of its own"):
        fetch(FetchConfig("me/teacher", str(objects), "policy"))
    assert (objects / "catalog.yaml").read_text() == "mine"
    with pytest.raises(HubError):
        fetch(FetchConfig("me/nothing", str(tmp_path / "later"), "teacher"))
    trained = make_teacher(tmp_path / "later")  # a fetch that brought nothing says nothing of it
    with pytest.raises(DatasetError, match="of its own; choose another out="):
        fetch(FetchConfig("me/teacher", str(trained), "teacher"))


def test_no_name_of_a_repository_deletes_what_lies_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "out" / "videos").mkdir(parents=True)
    for path in (tmp_path / "mine", tmp_path / "out" / "videos" / "a.mp4"):
        path.write_text("x")
    delete_below(tmp_path / "out", ["videos/../../mine", str(tmp_path / "mine"), "videos/a.mp4", "videos/gone.mp4"])
    assert (tmp_path / "mine").is_file() and not any((tmp_path / "out" / "videos").iterdir())


def test_a_second_fetch_keeps_nothing_that_is_gone(tmp_path: Path, hub: Hub) -> None:
    """A teacher without a list of training images must not have that of another one."""
    mine = make_teacher(tmp_path / "teacher")
    write_training_images(mine, [bytes(32)])
    push(PushConfig(str(mine), "me/teacher"))
    back = fetch(FetchConfig("me/teacher", str(tmp_path / "back"), "teacher"))
    (back / "notes.txt").write_text("my own")
    assert (back / TRAINING_IMAGES).is_file()
    (mine / TRAINING_IMAGES).unlink()
    push(PushConfig(str(mine), "me/teacher"))
    fetch(FetchConfig("me/teacher", str(back), "teacher"))
    assert not (back / TRAINING_IMAGES).exists() and (back / "notes.txt").read_text() == "my own"


def test_own_objects_have_no_license_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their folder may be called ycb."""
    (tmp_path / "card.md").write_text("Scenes.")
    for has_catalog, expected in ((True, "other"), (False, "cc-by-4.0")):
        store = SimpleNamespace(has_catalog=has_catalog, object_set="ycb")
        monkeypatch.setattr("pickclutter_lang.sharing.hub_folders.read_manifest", lambda _, store=store: store)
        _, head, _ = KINDS["scenes"].card(tmp_path, "me/scenes").split("---\n", 2)
        assert yaml.safe_load(head)["license"] == expected


def test_a_url_has_neither_owners_nor_revisions(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="expected private=false"):
        PushConfig(str(tmp_path), "s3://bucket/path", private=True).validate()
    with pytest.raises(InvalidArgumentError, match="expected no revision="):
        FetchConfig("s3://bucket/path", str(tmp_path), revision="v1").validate()


def test_demonstrations_come_back_as_they_were(tmp_path: Path, hub: Hub) -> None:
    folder = make_toy_demos(tmp_path / "demos")
    push(PushConfig(str(folder), "me/demos"))
    data, body = card_of(hub, "datasets/me/demos")
    assert data["task_categories"] == ["robotics"] and "kind=demonstrations" in body
    back = fetch(FetchConfig("me/demos", str(tmp_path / "back"), "demonstrations"))
    assert (back / FILE).read_bytes() == (folder / FILE).read_bytes()
    (back / FILE).write_bytes((back / FILE).read_bytes()[:-500])
    with pytest.raises(DatasetError):
        push(PushConfig(str(back), "me/demos"))


def test_a_lerobot_data_set_keeps_its_own_card(tmp_path: Path, hub: Hub) -> None:
    pytest.importorskip("pyarrow")
    demos = make_toy_demos(tmp_path / "demos")
    folder = export_lerobot(ExportLerobotConfig(str(demos), str(tmp_path / "lerobot"))).folder
    push(PushConfig(str(folder), "me/lerobot"))
    assert hub.repositories["datasets/me/lerobot"]["README.md"] == (folder / "README.md").read_bytes()
    back = fetch(FetchConfig("me/lerobot", str(tmp_path / "back"), "lerobot"))
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert all((back / path).read_bytes() == (folder / path).read_bytes() for path in files) and len(files) > 4
    next((back / "data").rglob("*.parquet")).unlink()
    with pytest.raises(DatasetError, match=r"expected data/\*/\*.parquet"):
        push(PushConfig(str(back), "me/lerobot"))


def test_what_is_damaged_is_neither_sent_nor_taken(tmp_path: Path, hub: Hub) -> None:
    store = tmp_path / "store"
    make_toy_store(store, "train", 4, size=32)
    push(PushConfig(str(store), "me/scenes"))
    shard = next((store / "shards").iterdir())
    shard.write_bytes(shard.read_bytes()[:-9])
    asked = len(hub.requests)
    with pytest.raises(CorruptShardError):
        push(PushConfig(str(store), "me/scenes"))
    assert len(hub.requests) == asked
    hub.repositories["datasets/me/scenes"][f"shards/{shard.name}"] = shard.read_bytes()
    with pytest.raises(CorruptShardError):
        fetch(FetchConfig("me/scenes", str(tmp_path / "back"), "scenes"))
    with pytest.raises(DatasetError, match="expected a folder with one of policy"):
        push(PushConfig(str(tmp_path), "me/scenes"))


def test_another_kind_and_no_network_are_one_line(tmp_path: Path, hub: Hub) -> None:
    push(PushConfig(str(make_teacher(tmp_path / "teacher")), "me/teacher"))
    with pytest.raises(HubError, match="cannot fetch me/teacher from the hub"):
        fetch(FetchConfig("me/teacher", str(tmp_path / "back"), "scenes"))  # there is no such data set
    hub.repositories["me/teacher"]["open_clip_config.json"] = b"{}"
    with pytest.raises(TeacherError):
        fetch(FetchConfig("me/teacher", str(tmp_path / "damaged"), "teacher"))
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1"}
    line = f"fetch repository=me/teacher kind=teacher out={tmp_path / 'none'}"
    done = subprocess.run([*COMMAND, *line.split()], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "cannot fetch me/teacher from the hub" in done.stderr
