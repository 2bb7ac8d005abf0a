"""Commands on scenes: killed runs resume to the same bytes, a seed determines all of them, a mistake is one line."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.forkserver import run_python
from helpers.paths import PROGRAM
from helpers.process_kill import run_killed
from helpers.scene_runs import config, make_toys
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.training.checkpoint import epoch_folder, saved_epochs

COMMAND = [*PROGRAM, "train-affordance"]
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


@pytest.mark.slow
def test_a_run_killed_while_it_writes_a_checkpoint_is_uninterrupted(
    toys: list[str], uninterrupted: dict[str, bytes], tmp_path: Path
) -> None:
    """A checkpoint calls `save` three times: the fifth is for the optimizer of the second epoch."""
    run_killed([*COMMAND, *toys, "out=run"], "pickclutter_lang.training.checkpoint:save", 5, tmp_path)
    assert [saved_epochs(tmp_path / "run" / phase) for phase in PHASES] == [[1], []]
    train(toys, tmp_path / "run")
    assert content(tmp_path / "run") == uninterrupted


@pytest.mark.slow
def test_the_commands_train_evaluate_and_report(
    toys: list[str], uninterrupted: dict[str, bytes], tmp_path: Path
) -> None:
    """With another order of hashes the weights are those of this process; another seed gives others."""

    def call(command: str, *overrides: str) -> dict[str, Any]:
        done = run_python([*PROGRAM, command, *overrides], tmp_path)
        assert done.returncode == 0, done.stderr
        record: dict[str, Any] = json.loads((tmp_path / "run" / "result.json").read_text())
        return record

    first = [sys.executable, *COMMAND, *toys, "out=run"]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    subprocess.run(first, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=300)
    assert content(tmp_path / "run") == uninterrupted
    before = (tmp_path / "run" / "result.json").read_bytes()
    record = call("train-affordance", *toys, "out=run")
    assert (tmp_path / "run" / "result.json").read_bytes() == before  # it is done
    assert 50 < record["peak_memory_mb"] < 2000 and (tmp_path / "run" / "report.html").is_file()
    assert call("evaluate-affordance", "run=run", "num_threads=1")["metrics"] == record["metrics"]
    call("evaluate-affordance", "report_only=true", "run=run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    train([*toys, "seed=1"], tmp_path / "other")
    other = content(tmp_path / "other")
    assert all(other[name] != uninterrupted[name] for name in uninterrupted)
