"""Policies on the hub: a server on loopback that answers as the Hugging Face Hub does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from helpers.hub_server import Hub, serve_hub
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.policy.detectors import RandomDetector, StudentDetector
from pickclutter_lang.policy.hub import POLICY, POLICY_FILES
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.torch_networks import TorchNetworks, load_pretrained
from pickclutter_lang.policy_folder.folder import load_config
from pickclutter_lang.utils.hub_files import pretrained_folder, push_to_hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serve_hub() as server:
        yield server


def test_what_was_opened_is_saved_pushed_and_fetched_as_it_was(exported: Path, tmp_path: Path, hub: Hub) -> None:
    folder = exported / "few_shot"
    opened = LanguagePickPolicy.from_pretrained(folder)
    opened.save_pretrained(tmp_path / "saved")
    assert {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()} == {
        name: (folder / name).read_bytes() for name in POLICY_FILES
    }
    address = opened.push_to_hub("me/picker", token="t", endpoint=hub.address)
    assert address.startswith(f"{hub.address}/me/picker/commit/")
    assert set(hub.repositories["me/picker"]) == {*POLICY_FILES, "README.md"}
    fetched = pretrained_folder("me/picker", POLICY, cache_dir=tmp_path / "cache", endpoint=hub.address)
    assert all((fetched / name).read_bytes() == (folder / name).read_bytes() for name in POLICY_FILES)
    asked = len(hub.requests)
    assert load_config(fetched) == load_config(folder)
    again = pretrained_folder("me/picker", POLICY, cache_dir=tmp_path / "cache", endpoint=hub.address)
    assert not [line for line in hub.requests[asked:] if line.startswith("GET /me/")]
    of_cache = {"cache_dir": tmp_path / "cache", "endpoint": "http://127.0.0.1:9"}
    assert pretrained_folder("me/picker", POLICY, **of_cache) == fetched == again


def test_what_was_not_opened_from_a_folder_is_not_saved(exported: Path, tmp_path: Path) -> None:
    config, weights, text = load_pretrained(exported / "few_shot")
    built = StudentDetector(StudentRuntime(config.student, TorchNetworks(config.student, weights, text)))
    with pytest.raises(InvalidArgumentError, match="policy"):
        LanguagePickPolicy(built).save_pretrained(tmp_path / "saved")
    with pytest.raises(InvalidArgumentError, match="policy"):
        LanguagePickPolicy(RandomDetector()).push_to_hub("me/picker")
    opened = LanguagePickPolicy.load(shutil.copytree(exported / "few_shot", tmp_path / "policy"))
    weights_file = tmp_path / "policy" / POLICY_FILES[1]
    weights_file.write_bytes(weights_file.read_bytes()[:-1] + b"?")
    with pytest.raises(CheckpointError, match=POLICY_FILES[1]):
        opened.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_the_card_has_the_metadata_of_the_hub(exported: Path, hub: Hub) -> None:
    push_to_hub(exported / "few_shot", POLICY, "me/picker", token="t", endpoint=hub.address)
    _, head, body = hub.repositories["me/picker"]["README.md"].decode().split("---\n", 2)
    assert yaml.safe_load(head)["library_name"] == "pickclutter-lang" and "robotics" in yaml.safe_load(head)["tags"]
    config = load_config(exported / "few_shot")
    (row,) = yaml.safe_load(head)["model-index"]
    shown = {metric["name"]: metric["value"] for result in row["results"] for metric in result["metrics"]}
    assert shown == config.metrics != {} and 'from_pretrained("me/picker")' in body


def test_what_cannot_be_had_is_named_in_a_line(exported: Path, tmp_path: Path, hub: Hub) -> None:
    for name, endpoint in (("me/nothing", hub.address), ("me/picker", "http://127.0.0.1:9")):
        with pytest.raises(CheckpointError, match=name):
            pretrained_folder(name, POLICY, cache_dir=tmp_path, endpoint=endpoint)
    with pytest.raises(InvalidArgumentError, match="nowhere"):
        pretrained_folder("nowhere", POLICY, endpoint=hub.address)
    with pytest.raises(CheckpointError, match="me/picker"):
        push_to_hub(exported / "few_shot", POLICY, "me/picker", token="t", endpoint="http://127.0.0.1:9")
    hub.refuse = True
    with pytest.raises(CheckpointError, match="me/picker"):
        push_to_hub(exported / "few_shot", POLICY, "me/picker", token="t", endpoint=hub.address)
    with pytest.raises(InvalidArgumentError, match="picker"):
        push_to_hub(exported / "few_shot", POLICY, "picker", endpoint=hub.address)
