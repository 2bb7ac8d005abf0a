"""A run on single images in two processes is that of one process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers.image_runs import make_toys
from helpers.paths import PROGRAM
from helpers.ranks import train_in_ranks
from pickclutter_lang.results.record import RESULT_FILE
from pickclutter_lang.training.checkpoint import epoch_folder

SETTINGS = (
    "student.name=helpers.tiny_student:tiny", "student.output_stride=null", "crops.fixed_crops=2", "out=run",
    "objective.cls=1", "objective.im_cst=1", "objective.vlprox=1", "objective.mse=1",
    "distill.epochs=4", "distill.batch_size=7", "few_shot.epochs=2",
)  # fmt: skip
EPOCHS = {"distill": 4, "few_shot": 2}


@pytest.mark.slow
def test_losses_and_weights_are_those_of_one_process(tmp_path: Path) -> None:
    toys = make_toys(tmp_path)
    runs = [tmp_path / f"{count}" / "run" for count in (1, 2)]
    for count, run in zip((1, 2), runs, strict=True):
        run.parent.mkdir()
        said = train_in_ranks([*PROGRAM, "train-image-student", *toys, *SETTINGS], count, run.parent)
        assert (run / RESULT_FILE).exists() and said[1:] == [("", [])] * (count - 1)
    for phase, epochs in EPOCHS.items():
        alone, pair = ((run / phase / "log.jsonl").read_text().splitlines() for run in runs)
        for row, wanted in zip(map(json.loads, pair), map(json.loads, alone), strict=True):
            for name in ("loss", "cls", "im_cst", "vlprox", "mse", "lr"):
                assert row[name] == pytest.approx(wanted[name], abs=1e-5), (phase, row["epoch"], name)
        expected, weights = (load_file(epoch_folder(run / phase, epochs) / "model.safetensors") for run in runs)
        for name, value in expected.items():
            torch.testing.assert_close(weights[name], value, rtol=0, atol=1e-5, msg=f"{phase}: {name}")
