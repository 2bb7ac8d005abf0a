"""Runs by torchrun, and by hydra's launcher for SLURM, whose local form starts the jobs as processes here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from helpers.forkserver import run_python
from helpers.paths import PROGRAM
from helpers.scene_runs import config, make_toys
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun


@pytest.mark.slow
def test_a_grid_of_the_launcher_is_that_of_single_commands(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra cluster")
    program = [*PROGRAM, "train-affordance"]
    toys = dict(word.split("=", 1) for word in make_toys(tmp_path / "toys", size=48))
    short = {**toys, "distill.epochs": "1", "few_shot.epochs": "1"}
    settings = ["experiment=table12_cpu", "method=cls", *(f"{key}={value}" for key, value in short.items())]
    launched = ["-m", "hydra/launcher=submitit_local", "seed=0,1", *settings, "out=grid/seed${seed}"]
    done = run_python([*program, *launched], tmp_path, {**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    run = SceneRun.open(config(*settings, "seed=1", f"out={tmp_path / 'single'}"))
    run.train()
    evaluate_run(run)
    single, grid, other = (
        json.loads((tmp_path / name / "result.json").read_text()) for name in ("single", "grid/seed1", "grid/seed0")
    )
    assert grid["metrics"] == single["metrics"] and (grid["seed"], other["seed"]) == (1, 0)


@pytest.mark.slow
def test_torchrun_trains_one_student_in_two_processes(tmp_path: Path) -> None:
    toys = [*make_toys(tmp_path / "toys", size=48), "distill.epochs=1", "few_shot.epochs=1", "out=run"]
    program = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *PROGRAM]
    done = run_python([*program, "train-affordance", *toys], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("report: ") == 1 and (tmp_path / "run" / "result.json").is_file()
