"""The scripts of the page on several machines, run as SLURM runs them: a task after the other, with its variables."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.scene_runs import make_toys

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs" / "how_to" / "clusters.md").read_text()
_, SWEEP, LAUNCHER = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SHORT = ("distill.epochs=1", "few_shot.epochs=1")


def run(line: list[str], folder: Path, **variables: str) -> str:
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": places, "OMP_NUM_THREADS": "1", **variables}
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_array(script: str, tasks: range, folder: Path) -> None:
    assert script.startswith("#!/bin/bash\n#SBATCH --array=")
    for task in tasks:
        run(["bash", "-c", script], folder, SLURM_ARRAY_TASK_ID=str(task), SLURM_ARRAY_TASK_COUNT=str(len(tasks)))


def test_a_grid_by_an_array_and_by_the_launcher_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra slurm")
    toys = [word for word in make_toys(tmp_path / "toys", size=48) if word.split("=")[0] not in _keys(SHORT)]
    given = [*(word for word in toys if word != "num_threads=1"), *SHORT]
    settings = "experiment=table12_cpu scenes=runs/scenes workers=4"
    assert settings in SWEEP
    small = shlex.join(["experiment=table12_cpu", "methods=[cls]", "workers=1", *given])
    run_array(SWEEP.replace(settings, small), range(2), tmp_path)
    table = run(["pickclutter", "reproduce-table12", "tables_only=true", "out=runs/table12"], tmp_path)

    line = shlex.split(LAUNCHER.partition("\n")[2].replace("\\\n", " ").replace("submitit_slurm", "submitit_local"))
    keys = {"hydra.launcher.partition", "hydra.launcher.cpus_per_task", "method", "seed", "scenes", "out"}
    assert keys <= _keys(line)
    kept = [word for word in line if word.split("=")[0] not in keys - {"out"}]
    kept = [word.replace("runs/table12", "grid") for word in kept]
    run([*kept, "method=cls", "seed=0,1", *given], tmp_path)
    same = run(["pickclutter", "reproduce-table12", "tables_only=true", "out=grid"], tmp_path)
    rows = [[row for row in text.splitlines() if row.startswith("|")] for text in (table, same)]
    assert rows[0] == rows[1] and any("cls" in row for row in rows[0]), table
    results = [sorted((tmp_path / place).rglob("result.json")) for place in ("runs/table12", "grid")]
    seeds = [[json.loads(path.read_text())["seed"] for path in found] for found in results]
    assert seeds == [[0, 1], [0, 1]]


def _keys(words: tuple[str, ...] | list[str]) -> set[str]:
    return {word.split("=")[0] for word in words}
