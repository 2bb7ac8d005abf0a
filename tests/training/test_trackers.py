"""Trackers beside TensorBoard: real offline runs of W&B, one for a folder, and failures on the way."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import ROOT
from helpers.scene_runs import config, make_toys
from pickclutter_lang.errors import TrackerError
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.training.logger import RUNS_FILE, Tracker, open_tracker

EPOCHS = ("distill.epochs=2", "few_shot.epochs=1", "few_shot.repeats=1")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder where W&B keeps its files; it lies apart, see constraints/wandb.txt."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / ".venv" / "wandb")])
    pytest.importorskip("wandb", reason="needs constraints/wandb.txt, which scripts/setup.sh installs")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("WANDB_MODE", "offline")
    return folder


def wandb_records(data: bytes) -> list[bytes]:
    """Return the records of a `.wandb` file: LevelDB's log format after a header of 7 bytes."""
    records = []
    place = 7
    parts = b""
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:  # a block's end holds no header
            place += 32768 - place % 32768
        _, length, kind = struct.unpack_from("<IHB", data, place)
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            records.append(parts)
            parts = b""
    return records


def wandb_rows(folder: Path, part: str) -> list[dict[str, Any]]:
    """Return the rows of `history` or `summary` in the files of offline runs, the oldest first."""
    import wandb
    from wandb.proto import wandb_internal_pb2

    wandb.teardown()  # its process may still write what a finished run logged
    rows = []
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        for data in wandb_records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            items = record.history.item if part == "history" else record.summary.update
            rows.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
    return rows


@pytest.mark.slow
def test_a_run_is_one_run_of_wandb(offline: Path, tmp_path: Path) -> None:
    words = [*make_toys(tmp_path / "toys"), *EPOCHS, f"out={tmp_path / 'student'}"]
    run = SceneRun.open(config(*words, "report_to=[wandb]"))
    run.train()
    result = evaluate_run(run)
    log = [json.loads(line) for line in (tmp_path / "student" / "distill" / "log.jsonl").read_text().splitlines()]
    name = "few_shot.ood_on_ood.model.map"

    rows = [row for row in wandb_rows(offline, "history") if "distill/train/loss" in row]
    losses = [row["distill/train/loss"] for row in rows]
    assert sum(losses) / len(losses) == pytest.approx(sum(row["loss"] for row in log) / len(log))
    assert [row["distill/step"] for row in rows] == [*range(len(losses))]
    summary = [row[name] for row in wandb_rows(offline, "summary") if name in row]
    assert summary[-1:] == pytest.approx([result["metrics"]["few_shot"]["ood_on_ood"]["model"]["map"]])
    names = {path.name.rsplit("-", 1)[1] for path in offline.glob("wandb/offline-run-*")}
    assert names == {json.loads((tmp_path / "student" / RUNS_FILE).read_text())["run_id"]}


def test_a_client_that_fails_on_the_way_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    tracker = Tracker(object())  # it has none of a run's methods
    for step in range(3):
        tracker.log("distill", step, {"loss": 1.0})
    tracker.close(finished=True)
    assert len(caplog.records) == 1 and "wandb" in caplog.text


def test_one_that_cannot_be_opened_is_one_line(offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise PermissionError("no key\nis set")

    monkeypatch.setattr("wandb.init", refuse)
    with pytest.raises(TrackerError, match="wandb") as caught, open_tracker(["wandb"], tmp_path, {}):
        pass
    assert "\n" not in str(caught.value)
