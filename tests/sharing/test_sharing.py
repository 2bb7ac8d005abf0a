"""Folders that go to the hub and come back: a server on loopback answers as the hub does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants

from helpers.demonstrations import make_toy_demos
from helpers.hub_server import Hub, serve_hub
from helpers.photos import photo
from helpers.policies import random_policy
from helpers.scene_data import make_toy_store
from helpers.scene_runs import make_teacher
from pickclutter_lang.datasets.scenes.description import data_card, write_dataset_card
from pickclutter_lang.errors import (
    CheckpointError,
    CorruptShardError,
    DatasetError,
    HubError,
    InvalidArgumentError,
    TeacherError,
)
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.sharing.config import KINDS, FetchConfig, PushConfig
from pickclutter_lang.sharing.folders import _shared_folders, check_name, fetch, push
from pickclutter_lang.teachers.pocket import TEACHER_FILES, PocketTeacher


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with serve_hub() as server:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setenv("HF_TOKEN", "t")
        yield server


def make_folder(kind: str, folder: Path) -> Path:
    """Make a small folder of a kind."""
    match kind:
        case "policy":
            return random_policy(folder)
        case "teacher":
            make_teacher(folder)
        case "scenes":
            write_dataset_card(make_toy_store(folder, "train", 24, size=32).path)
            return folder
        case "demonstrations":
            make_toy_demos(folder)
        case "lerobot":
            for name in ("meta/info.json", "data/chunk-000/file-000.parquet"):
                (folder / name).parent.mkdir(parents=True)
                (folder / name).write_text(name)
    (folder / "README.md").write_text(data_card(kind, "A folder", "", None))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder that are shared."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".") and name != "README.md"}


def test_the_kinds_are_those_of_the_configuration() -> None:
    assert tuple(_shared_folders()) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_comes_back_from_the_hub_as_it_was(kind: str, tmp_path: Path, hub: Hub) -> None:
    folder = make_folder(kind, tmp_path / "folder")
    assert "/me/shared/commit/" in push(PushConfig(str(folder), "me/shared"))
    (card,) = (files["README.md"].decode() for files in hub.repositories.values())
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head) and (kind == "policy" or f"kind={kind}" in body)
    back = fetch(FetchConfig("me/shared", str(tmp_path / "back"), kind))
    assert content(back) == content(folder)
    asked = len(hub.requests)
    fetch(FetchConfig("me/shared", str(back), kind))  # again: nothing is sent twice
    assert not [line for line in hub.requests[asked:] if line.startswith("GET") and "/resolve/" in line]


def test_a_teacher_is_opened_by_its_name_on_the_hub(tmp_path: Path, hub: Hub) -> None:
    folder = make_teacher(tmp_path / "teacher")
    teacher = PocketTeacher.from_pretrained(folder)
    push(PushConfig(str(folder), "me/teacher"))
    opened = PocketTeacher.from_pretrained("me/teacher", cache_dir=tmp_path / "cache", endpoint=hub.address)
    assert opened.fingerprint == teacher.fingerprint
    assert {*hub.repositories["me/teacher"]} == {name for name in TEACHER_FILES if (folder / name).exists()}


def test_what_an_earlier_push_or_fetch_left_is_deleted(tmp_path: Path, hub: Hub) -> None:
    old = make_toy_store(tmp_path / "old", "train", 24, size=32)
    new = make_toy_store(tmp_path / "new", "train", 9, size=32)
    push(PushConfig(str(old.path), "me/scenes"))
    back = fetch(FetchConfig("me/scenes", str(tmp_path / "back"), "scenes"))
    (back / "notes.txt").write_text("my own")
    push(PushConfig(str(new.path), "me/scenes"))
    fetch(FetchConfig("me/scenes", str(back), "scenes"))
    assert content(back) == {**content(new.path), "notes.txt": b"my own"}


def test_what_is_one_s_own_is_not_overwritten(tmp_path: Path, hub: Hub) -> None:
    mine = make_teacher(tmp_path / "teacher")
    push(PushConfig(str(mine), "me/teacher"))
    before = content(mine)
    for kind in ("teacher", "policy"):
        with pytest.raises(DatasetError):
            fetch(FetchConfig("me/teacher", str(mine), kind))
    assert content(mine) == before
    back = tmp_path / "back"
    with pytest.raises(HubError):
        fetch(FetchConfig("me/mistyped", str(back), "teacher"))
    fetch(FetchConfig("me/teacher", str(back), "teacher"))
    with pytest.raises(DatasetError):
        fetch(FetchConfig("me/other", str(back), "teacher"))


def test_nothing_that_was_taught_is_lost(tmp_path: Path, hub: Hub) -> None:
    push(PushConfig(str(random_policy(tmp_path / "policy")), "me/picker"))
    out = fetch(FetchConfig("me/picker", str(tmp_path / "out")))
    policy = LanguagePickPolicy.load(out)
    policy.teach(photo(300, (0.3, 0.5, 0.2))[0], "nut")
    policy.save_pretrained(out)
    taught = content(out)
    with pytest.raises(InvalidArgumentError, match="would be lost"):
        fetch(FetchConfig("me/picker", str(out)))
    assert content(out) == taught and LanguagePickPolicy.load(out).taught == {"nut": 1}


@pytest.mark.parametrize("name", ["videos/../../mine", "/etc/passwd"])
def test_names_that_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(DatasetError):
        check_name(name)


def test_what_is_damaged_is_neither_sent_nor_taken(tmp_path: Path, hub: Hub) -> None:
    store = make_toy_store(tmp_path / "store", "train", 4, size=32).path
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
    with pytest.raises(DatasetError):
        push(PushConfig(str(tmp_path), "me/scenes"))


def test_a_good_copy_stays_until_the_new_one_is_whole(tmp_path: Path, hub: Hub) -> None:
    push(PushConfig(str(make_teacher(tmp_path / "teacher")), "me/teacher"))
    config = FetchConfig("me/teacher", str(tmp_path / "back"), "teacher")
    before = content(fetch(config))
    files = hub.repositories["me/teacher"]
    files["open_clip_model.safetensors"] = files["open_clip_model.safetensors"][:-1] + b"?"
    with pytest.raises(TeacherError, match="me/teacher"):
        fetch(config)
    assert content(tmp_path / "back") == before
    assert {path.name for path in (tmp_path / "back").iterdir()} == {*before, ".fetched_from"}


def test_another_kind_and_no_network_are_named_errors(tmp_path: Path, hub: Hub) -> None:
    push(PushConfig(str(make_teacher(tmp_path / "teacher")), "me/teacher"))
    with pytest.raises(HubError):
        fetch(FetchConfig("me/teacher", str(tmp_path / "back"), "scenes"))  # there is no such data set
    with pytest.raises(CheckpointError):
        fetch(FetchConfig("me/teacher", str(tmp_path / "policy"), "policy"))
    hub.repositories["me/teacher"]["open_clip_config.json"] = b"{}"
    with pytest.raises(TeacherError):
        fetch(FetchConfig("me/teacher", str(tmp_path / "damaged"), "teacher"))
    hub.refuse = True
    with pytest.raises(HubError):
        push(PushConfig(str(tmp_path / "teacher"), "me/teacher"))


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for wrong in (PushConfig("f", "s3://bucket/path"), PushConfig("f", "picker"), FetchConfig("picker", str(tmp_path))):
        with pytest.raises(InvalidArgumentError):
            wrong.validate()
