"""The report of a run, from `result.json` and saved predictions alone."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.scene_runs import config, make_toys
from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.experiments.scenes.scene_intervals import scene_intervals
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_report import write_report
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.metrics.thresholds import Predictions

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
    page = write_report(alone).read_text()
    text = (alone / "report" / "report.md").read_text()
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
    assert page.count("<svg") == 4 and page.count('<div class="gallery">') == 2 and "data:image/jpeg" in page
    result = json.loads((alone / "result.json").read_text())
    for shown in (result["data"]["ood"]["content"], result["teacher"]["fingerprint"], "distill.optimizer"):
        assert shown in page


def test_the_student_has_intervals_and_the_predictors_without_an_image_stand_beside_it(alone: Path) -> None:
    write_report(alone)
    table = (alone / "report" / "report.md").read_text().split("### Mean average precision")[1].split("###")[0]
    rows = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("|")}
    value = 100 * json.loads((alone / "result.json").read_text())["metrics"]["few_shot"]["id_on_id"]["model"]["map"]
    assert f"{value:.1f} ± " in rows["**this student**"] and "±" not in rows["label frequency"]


def test_an_interval_is_that_of_the_scenes_and_classes() -> None:
    """A student that is right in half of the scenes and wrong in the others has an interval, a perfect one has none."""
    rng = np.random.default_rng(0)
    targets = torch.from_numpy(rng.random((60, 6)) < 0.4)
    unseen = torch.tensor([False] * 3 + [True] * 3)
    names = [f"object {n}" for n in range(6)]

    def found(scores: torch.Tensor) -> Any:
        both = {part: Predictions(scores, targets, names, unseen, ["scene"] * 60) for part in ("id", "ood")}
        return scene_intervals({"few_shot": both}, {"few_shot": 0.5})["few_shot", "ood_on_ood", "f1"]

    perfect, noisy = found(targets.double()), found(torch.from_numpy(rng.random((60, 6))))
    assert perfect.mean == 1 and perfect.half_width == pytest.approx(0, abs=1e-9)
    assert 0.05 < noisy.half_width < 0.5


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
