"""The training and evaluation commands as processes: output, kill and resume, one-line errors."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from helpers.forkserver import run_python
from helpers.paths import SCRIPTS
from helpers.process_kill import run_killed
from helpers.scene_runs import make_toys
from pickclutter_lang.training.checkpoint import epoch_folder, saved_epochs


def call(script: str, *overrides: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return run_python([str(SCRIPTS / script), *overrides], folder)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return make_toys(tmp_path_factory.mktemp("toys"))


def weights(out: Path) -> bytes:
    return b"".join(
        (epoch_folder(out / phase, saved_epochs(out / phase)[-1]) / "model.safetensors").read_bytes()
        for phase in ("distill", "few_shot")
    )


@pytest.mark.slow
def test_train_kill_resume_evaluate_report(toys: list[str], tmp_path: Path) -> None:
    finished = call("train_affordance.py", *toys, "out=whole", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "report: whole/report.html" in finished.stdout and "all-positive" in finished.stdout
    assert 50 < json.loads((tmp_path / "whole" / "result.json").read_text())["peak_memory_mb"] < 2000

    script = SCRIPTS / "train_affordance.py"
    run_killed(script, [*toys, "out=killed"], "pickclutter_lang.training.logger:TrainingLogger.step", 5, tmp_path)
    assert saved_epochs(tmp_path / "killed" / "distill") == [1]
    assert call("train_affordance.py", *toys, "out=killed", folder=tmp_path).returncode == 0
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")

    before = (tmp_path / "whole" / "result.json").read_bytes()
    again = call("train_affordance.py", *toys, "out=whole", folder=tmp_path)
    assert again.returncode == 0 and "this run is done" in again.stdout
    assert (tmp_path / "whole" / "result.json").read_bytes() == before

    evaluated = call("evaluate_affordance.py", "run=whole", "num_threads=1", folder=tmp_path)
    assert evaluated.returncode == 0, evaluated.stderr
    after = json.loads((tmp_path / "whole" / "result.json").read_text())
    assert after["metrics"] == json.loads(before)["metrics"]

    assert call("evaluate_affordance.py", "report_only=true", "run=killed", folder=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "whole"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["distill.epochs=-3"], "InvalidArgumentError: expected distill.epochs to be at least 1, but got -3"),
        (["distill.epochs=many"], "distill.epochs"),
        (["+distill.momentum=0.9"], "distill.momentum"),
        (["scenes=nowhere"], "DatasetError: expected a scene store at nowhere/train"),
        (["teacher.checkpoint=nowhere"], "TeacherError: expected a pocket teacher at nowhere"),
        (["device=abacus"], "InvalidArgumentError: expected device to be one that torch can use here"),
        (["student.name=squeezenet"], "InvalidArgumentError: expected a student network"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    toys: list[str], tmp_path: Path, overrides: list[str], message: str
) -> None:
    done = call("train_affordance.py", *toys, *overrides, "out=run", folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize("name", ["train_affordance", "evaluate_affordance"])
def test_help_shows_the_command_and_leaves_no_files(tmp_path: Path, name: str) -> None:
    done = call(f"{name}.py", "--help", folder=tmp_path)
    assert done.returncode == 0 and f"pickclutter {name.replace('_', '-')} " in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("report_only", ["false", "true"])
def test_a_folder_without_a_run_is_named(tmp_path: Path, report_only: str) -> None:
    done = call("evaluate_affordance.py", "run=nowhere", f"report_only={report_only}", folder=tmp_path)
    assert done.returncode == 2 and "CheckpointError" in done.stderr and "nowhere" in done.stderr
