"""Checkpoints: atomic, without pickle, and with a named error for every mismatch."""

from __future__ import annotations

import errno
import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from helpers.scene_data import make_toy_store
from helpers.scene_runs import config, make_teacher, make_toys
from pickclutter_lang.errors import (
    CheckpointError,
    InvalidArgumentError,
    MismatchError,
    TeacherError,
    TrackerError,
)
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.trained_run import load_run_config
from pickclutter_lang.training.checkpoint import (
    epoch_folder,
    load_checkpoint,
    prune,
    restore,
    restore_model,
    save_checkpoint,
    saved_epochs,
)
from pickclutter_lang.training.logger import check_report_to

STATE: dict[str, Any] = {"phase": "line", "epoch": 1, "schedule": {}, "history": []}


def network(width: int = 3) -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, width), torch.nn.BatchNorm1d(width), torch.nn.Linear(width, 1))


def optimizer_of(name: str, model: torch.nn.Module) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return torch.optim.AdamW(model.parameters(), lr=0.1)


def steps(model: torch.nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        (model(torch.randn(8, 2)).square().mean() * random.random() * np.random.rand()).backward()
        optimizer.step()


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_all_states_come_back(tmp_path: Path, name: str) -> None:
    model = network()
    optimizer = optimizer_of(name, model)
    steps(model, optimizer, 3)
    schedule = LambdaLR(optimizer, lambda step: 1.0)
    save_checkpoint(tmp_path / "epoch_0001", model, optimizer, STATE | {"schedule": schedule.state_dict()})
    steps(model, optimizer, 3)
    other = network()
    again = optimizer_of(name, other)
    assert {path.suffix for path in (tmp_path / "epoch_0001").iterdir()} == {".safetensors", ".json"}  # no pickle
    checkpoint = load_checkpoint(tmp_path / "epoch_0001")
    restore(checkpoint, other, again, LambdaLR(again, lambda step: 1.0))
    steps(other, again, 3)
    assert checkpoint.state["epoch"] == 1
    for left, right in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(left, right)


def test_a_half_written_checkpoint_does_not_count(tmp_path: Path) -> None:
    model = network()
    for epoch in (1, 2):
        save_checkpoint(epoch_folder(tmp_path, epoch), model, optimizer_of("sgd", model), {})
    (tmp_path / ".epoch_0003.77").mkdir()
    (tmp_path / "epoch_0004").mkdir()
    assert saved_epochs(tmp_path) == [1, 2]
    prune(tmp_path, {2})
    assert saved_epochs(tmp_path) == [2]
    assert not (tmp_path / ".epoch_0003.77").exists()


def test_a_checkpoint_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    model = network()
    monkeypatch.setattr("pickclutter_lang.training.checkpoint.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(epoch_folder(tmp_path, 1), model, optimizer_of("sgd", model), {})
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("file", "damage"), [("model.safetensors", "gone"), ("optimizer.safetensors", "cut"), ("state.json", "flipped")]
)
def test_damage_is_named(tmp_path: Path, file: str, damage: str) -> None:
    folder = tmp_path / "epoch_0001"
    save_checkpoint(folder, network(), optimizer_of("adamw", network()), STATE)
    path = folder / file
    content = path.read_bytes()
    path.write_bytes(content.replace(b"0.1", b"0.2", 1) if damage == "flipped" else content[: len(content) // 2])
    if damage == "gone":
        path.unlink()
    with pytest.raises(CheckpointError, match=file):
        load_checkpoint(folder)


def test_another_width_is_named_by_its_tensors(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "epoch_0001", network(3), optimizer_of("sgd", network()), STATE)
    with pytest.raises(CheckpointError, match=r"0\.weight"):
        restore_model(load_checkpoint(tmp_path / "epoch_0001"), network(4))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    folder = tmp_path_factory.mktemp("run")
    overrides = [*make_toys(folder), f"out={folder / 'out'}", "distill.epochs=1", "few_shot.epochs=1"]
    SceneRun.open(config(*overrides)).train()
    return overrides, folder


def test_a_run_is_found_by_its_folder(run: tuple[list[str], Path], tmp_path: Path) -> None:
    overrides, folder = run
    found = load_run_config(str(folder / "out"), num_threads=1)
    assert SceneRun.open(found).load_weights("few_shot")[0]["epoch"] == 1
    assert found.as_dict() == config(*overrides).as_dict()
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        load_run_config(str(tmp_path))


@pytest.mark.parametrize(
    ("override", "error", "key"),
    [
        ("student.name=efficientnet_b0", InvalidArgumentError, r"student\.name"),
        ("prompts.n_ctx=9", InvalidArgumentError, "n_ctx"),
        ("distill.lr=0.5", InvalidArgumentError, r"distill\.lr"),
        ("data.id={}/id", MismatchError, "id"),
        ("teacher.checkpoint={}/narrow", TeacherError, "embed_dim"),
        ("teacher.checkpoint={}/other", TeacherError, "fingerprint"),
        ("out={}/new", CheckpointError, "1"),
    ],
)
def test_a_run_is_not_resumed_as_another(
    run: tuple[list[str], Path], tmp_path: Path, override: str, error: type[Exception], key: str
) -> None:
    make_toy_store(tmp_path / "id", "id", 8, seed=3)
    make_teacher(tmp_path / "narrow", embed_dim=16)
    make_teacher(tmp_path / "other", seed=1)
    with pytest.raises(error, match=key):
        SceneRun.open(config(*run[0], override.format(tmp_path))).load_weights("distill")


def test_a_run_is_opened_where_its_tracker_is_not(
    run: tuple[list[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever exports or compares a run reports nothing."""
    folder = shutil.copytree(run[1] / "out", tmp_path / "out")
    record = json.loads((folder / "settings.json").read_text())
    record["settings"]["report_to"] = ["wandb"]
    (folder / "settings.json").write_text(json.dumps(record))
    monkeypatch.setattr("pickclutter_lang.training.logger.find_spec", lambda name: None)
    found = load_run_config(str(folder), num_threads=1)
    assert found.report_to == ["wandb"]
    with pytest.raises(TrackerError, match="wandb"):
        check_report_to(found.report_to)
