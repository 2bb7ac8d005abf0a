"""Runs ended by SIGKILL resume to the same bytes as uninterrupted ones; a seed determines all of them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.paths import SCRIPTS
from helpers.process_kill import run_killed
from helpers.scene_runs import config, make_toys
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.training.checkpoint import epoch_folder, saved_epochs

SCRIPT = SCRIPTS / "train_affordance.py"
STEP = "pickclutter_lang.training.logger:TrainingLogger.step"
PHASES = ("distill", "few_shot")


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return make_toys(tmp_path_factory.mktemp("toys"))


def train(overrides: list[str], out: Path) -> None:
    """Train in this process, whose random generators are anywhere."""
    random.seed(out.name)
    torch.manual_seed(random.randrange(1000))
    np.random.seed(random.randrange(1000))
    SceneRun.open(config(*overrides, f"out={out}")).train()


def content(out: Path) -> dict[str, bytes]:
    """Return weights and optimizer of the last epoch of each phase."""
    folders = {phase: epoch_folder(out / phase, saved_epochs(out / phase)[-1]) for phase in PHASES}
    return {
        f"{phase}/{name}": (folder / f"{name}.safetensors").read_bytes()
        for phase, folder in folders.items()
        for name in ("model", "optimizer")
    }


@pytest.fixture(scope="module")
def uninterrupted(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("whole")
    train(toys, out)
    return content(out)


# 3 epochs of 3 steps, then 2 of 8. A checkpoint calls `save` three times, for model, optimizer and generators.
MOMENTS = {
    "before any checkpoint": (STEP, 2, ([], [])),
    "in an epoch": (STEP, 6, ([1], [])),
    "while a checkpoint is written": ("pickclutter_lang.training.checkpoint:save", 5, ([1], [])),
    "before an older checkpoint is deleted": ("pickclutter_lang.training.trainer:prune", 2, ([1, 2], [])),
    "between the phases": ("pickclutter_lang.training.experiment:MultiPhaseExperiment.load_weights", 1, ([3], [])),
    "in the first epoch of the few-shot phase": (STEP, 11, ([3], [])),
    "in the second epoch of the few-shot phase": (STEP, 20, ([3], [1])),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_resumed_is_uninterrupted(
    toys: list[str], uninterrupted: dict[str, bytes], tmp_path: Path, moment: str
) -> None:
    function, call, saved = MOMENTS[moment]
    run_killed(SCRIPT, [*toys, "out=run"], function, call, tmp_path)
    found = [saved_epochs(tmp_path / "run" / phase) for phase in PHASES]
    # The best epoch so far is retained next to the last.
    assert all(set(wanted) <= set(epochs) for wanted, epochs in zip(saved, found, strict=True)), found
    assert [max(epochs, default=0) for epochs in found] == [max(wanted, default=0) for wanted in saved]
    train(toys, tmp_path / "run")
    assert content(tmp_path / "run") == uninterrupted


@pytest.mark.slow
def test_a_run_killed_twice_is_uninterrupted(toys: list[str], uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    for _ in range(2):  # after epoch 2, then after the first of the few-shot phase
        run_killed(SCRIPT, [*toys, "out=run"], "pickclutter_lang.training.trainer:prune", 2, tmp_path)
    train(toys, tmp_path / "run")
    assert content(tmp_path / "run") == uninterrupted


@pytest.mark.slow
def test_prefetching_processes_change_nothing(toys: list[str], uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    run_killed(SCRIPT, [*toys, "num_workers=2", "out=run"], STEP, 6, tmp_path)
    train([*toys, "num_workers=1"], tmp_path / "run")
    assert content(tmp_path / "run") == uninterrupted


@pytest.mark.slow
def test_equal_seeds_give_equal_weights_and_other_seeds_others(
    toys: list[str], uninterrupted: dict[str, bytes], tmp_path: Path
) -> None:
    for name, seed, hash_seed in (("same", 0, "1"), ("other", 1, "0")):
        command = [sys.executable, str(SCRIPT), *toys, f"seed={seed}", f"out={name}"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=300)
    assert content(tmp_path / "same") == uninterrupted
    other = content(tmp_path / "other")
    assert all(other[name] != uninterrupted[name] for name in uninterrupted)
