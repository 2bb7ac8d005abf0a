"""Runs in several processes: equal to one process without batch norms, resumed, and ended by a process that dies."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers import image_runs, process_kill
from helpers.paths import PROGRAM
from helpers.ranks import run_ranks, train_in_ranks
from helpers.scene_runs import make_toys
from pickclutter_lang.training.checkpoint import epoch_folder, saved_epochs

COMMAND = [*PROGRAM, "train-affordance"]
TRAINING = [
    "-c",
    "import sys; from helpers.scene_runs import SceneRun, config; SceneRun.open(config(*sys.argv[1:])).train()",
]
"""It trains alone, without evaluation."""
STEP = "pickclutter_lang.training.logger:TrainingLogger.step"
PHASES = {"distill": 1e-5, "few_shot": 1e-5, "crop_classifier": 1e-4}
"""What losses and weights of each phase may differ by; the last one starts from the differences of the others."""
SHORT = (
    "method=best",  # all terms of the loss, and texts that are drawn
    "student.output_stride=null",
    "distill.epochs=5",  # of 3 steps
    "distill.batch_size=7",  # one of two processes has a row more than the other
    "few_shot.epochs=1",
    "crop_classifier=default",
    "crop_classifier.epochs=1",
    "crop_classifier.optimizer=sgd",  # AdamW makes steps of its length of gradients that are nothing but rounding
)
IMAGES = (
    "student.output_stride=null", "crops.fixed_crops=2", "out=run",
    "objective.cls=1", "objective.im_cst=1", "objective.vlprox=1", "objective.mse=1",
    "distill.epochs=4", "distill.batch_size=7", "few_shot.epochs=2",
)  # fmt: skip
PLAIN, DROPOUT = "student.name=helpers.tiny_student:tiny", "student.name=helpers.tiny_student:tiny_with_dropout"


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("toys")
    return [*make_toys(folder), *SHORT, f"teacher.cache={folder / 'cache'}", "out=run"]


@pytest.fixture(scope="module")
def pair(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes, of a student with batch norms and dropout."""
    folder = tmp_path_factory.mktemp("pair")
    said, other = train_in_ranks([*COMMAND, *toys, DROPOUT], 2, folder)
    assert "run/report.html" in said and other == ""  # rank 0 alone speaks
    return folder / "run"


def last_epoch(run: Path, phase: str) -> Path:
    return epoch_folder(run / phase, saved_epochs(run / phase)[-1])


def content(run: Path) -> dict[str, bytes]:
    """Return weights and optimizer of the last epoch of each phase."""
    files = [(phase, name) for phase in PHASES for name in ("model", "optimizer", "rng")]
    return {f"{phase}/{name}": (last_epoch(run, phase) / f"{name}.safetensors").read_bytes() for phase, name in files}


def check_equal(run: Path, other: Path, tolerances: Mapping[str, float]) -> None:
    """Check losses and weights of each phase."""
    for phase, tolerance in tolerances.items():
        found, expected = (
            [json.loads(line) for line in (folder / phase / "log.jsonl").read_text().splitlines()]
            for folder in (run, other)
        )
        for row, wanted in zip(found, expected, strict=True):
            terms = {name for name, value in wanted.items() if isinstance(value, float) and name != "seconds"}
            assert "loss" in terms
            for name in terms:
                assert row[name] == pytest.approx(wanted[name], rel=1e-6, abs=tolerance), (phase, row["epoch"], name)
        weights, others = (load_file(last_epoch(folder, phase) / "model.safetensors") for folder in (run, other))
        for name, value in others.items():
            torch.testing.assert_close(weights[name], value, rtol=0, atol=tolerance, msg=f"{phase}: {name}")


@pytest.mark.slow
def test_losses_and_weights_on_scenes_are_those_of_one_process(toys: list[str], tmp_path: Path) -> None:
    for count in (1, 2):
        (tmp_path / f"{count}").mkdir()
        train_in_ranks([*TRAINING, *toys, PLAIN], count, tmp_path / f"{count}")
    check_equal(tmp_path / "2" / "run", tmp_path / "1" / "run", PHASES)


@pytest.mark.slow
def test_losses_and_weights_on_images_are_those_of_one_process(tmp_path: Path) -> None:
    words = [*PROGRAM, "train-image-student", *image_runs.make_toys(tmp_path), PLAIN, *IMAGES]
    for count in (1, 2):
        (tmp_path / f"{count}").mkdir()
        train_in_ranks(words, count, tmp_path / f"{count}")
    check_equal(tmp_path / "2" / "run", tmp_path / "1" / "run", {"distill": 1e-5, "few_shot": 1e-5})


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_which_resumes_to_the_bit(toys: list[str], pair: Path, tmp_path: Path) -> None:
    command = [*COMMAND, *toys, DROPOUT, "num_workers=1"]
    survivor, killed = run_ranks([command, [process_kill.__file__, STEP, "17", *command]], tmp_path)
    assert killed[0] == -signal.SIGKILL and survivor[0] == 2
    assert "RankError" in survivor[2].splitlines()[-1] and "Traceback" not in survivor[2]
    assert [max(saved_epochs(tmp_path / "run" / phase), default=0) for phase in PHASES] == [5, 0, 0]
    train_in_ranks([*TRAINING, *command[3:]], 2, tmp_path)
    assert content(tmp_path / "run") == content(pair)


@pytest.mark.slow
def test_too_many_processes_are_one_line(toys: list[str], tmp_path: Path) -> None:
    ended = run_ranks([[*COMMAND, *toys, PLAIN, "distill.batch_size=2"]] * 3, tmp_path)
    assert [status for status, *_ in ended] == [2, 2, 2] and len(ended[0][2].splitlines()) == 1
    assert not (tmp_path / "run" / "settings.json").exists()
