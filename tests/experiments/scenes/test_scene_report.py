"""The report of a run, from `result.json` and saved predictions alone."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.scene_runs import config, make_toys
from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_report import write_report
from pickclutter_lang.experiments.scenes.scene_run import SceneRun

IMAGES = ("curves", "table", "average_precision", "scores", "scenes_zero_shot", "scenes_few_shot")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    run = SceneRun.open(config(*make_toys(folder), f"out={folder / 'out'}", "distill.epochs=2", "few_shot.epochs=1"))
    run.train()
    evaluate_run(run)
    return folder / "out"


@pytest.fixture
def alone(evaluated: Path, tmp_path: Path) -> Path:
    """The only inputs of a report."""
    shutil.copy(evaluated / "result.json", tmp_path)
    shutil.copytree(evaluated / "predictions", tmp_path / "predictions")
    return tmp_path


def test_it_needs_neither_scenes_nor_checkpoints(alone: Path) -> None:
    text = write_report(alone).read_text()
    for name in IMAGES:
        assert f"{name}.png)" in text
        with Image.open(alone / "report" / f"{name}.png") as image:
            pixels = np.asarray(image.convert("RGB"))
        assert pixels.std() > 10
    for expected in (
        "Label `graspable`",
        "24 training, 6 few-shot",
        "cannot be compared number by number",
        "all-negative",
        "labels that are true score",
    ):
        assert expected in text


def test_the_scores_are_there_as_numbers(alone: Path) -> None:
    write_report(alone)
    rows = list(csv.DictReader((alone / "report" / "scores.csv").open()))
    assert {row["truth"] for row in rows} == {"present", "absent"}
    assert sum(int(row["count"]) for row in rows if row["stage"] == "zero_shot") == 8 * 14 + 10 * 26


def test_nothing_is_pickled(alone: Path) -> None:
    for path in (alone / "predictions").iterdir():
        with np.load(path, allow_pickle=False) as file:
            assert all(file[name].dtype != object for name in file.files)


@pytest.mark.parametrize("gone", ["result.json", "predictions/few_shot_ood.npz", "predictions/zero_shot_examples.npz"])
def test_missing_files_are_named(alone: Path, gone: str) -> None:
    (alone / gone).unlink()
    with pytest.raises(CheckpointError, match="no such file"):
        write_report(alone)


def test_another_schema_is_refused(alone: Path) -> None:
    result = json.loads((alone / "result.json").read_text())
    (alone / "result.json").write_text(json.dumps({**result, "schema": 99}))
    with pytest.raises(CheckpointError, match=r"schema 4 .* but got 99"):
        write_report(alone)
