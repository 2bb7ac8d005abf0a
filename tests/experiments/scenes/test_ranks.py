"""A run on scenes in several processes: equal to one process, resumed, and ended by a process that dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from helpers import process_kill
from helpers.paths import SCRIPTS, TESTS
from helpers.process_kill import wait_until
from helpers.ranks import free_port, run_ranks, train_in_ranks
from helpers.scene_runs import make_toys
from pickclutter_lang.results.record import RESULT_FILE
from pickclutter_lang.training.checkpoint import epoch_folder, saved_epochs

COMMAND, TRAINING = SCRIPTS / "train_affordance.py", TESTS / "helpers" / "train_scenes.py"
STEP = "pickclutter_lang.training.logger:TrainingLogger.step"
PHASES = {"distill": 1e-5, "few_shot": 1e-5, "crop_classifier": 1e-4}
"""What losses and weights of each phase may differ by; the last one starts from the differences of the others."""
SHORT = (
    "method=best",  # all terms of the loss, and texts that are drawn
    "student.output_stride=null",
    "distill.epochs=7",  # of 3 steps
    "distill.batch_size=7",  # one of two processes has a row more than the other
    "few_shot.epochs=1",
    "crop_classifier=default",
    "crop_classifier.epochs=1",
    "crop_classifier.optimizer=sgd",  # AdamW makes steps of its length of gradients that are nothing but rounding
)
PLAIN, DROPOUT = "student.name=helpers.tiny_student:tiny", "student.name=helpers.tiny_student:tiny_with_dropout"


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("toys")
    return [*make_toys(folder), *SHORT, f"teacher.cache={folder / 'cache'}", "out=run"]


@pytest.fixture(scope="module")
def alone(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one process."""
    folder = tmp_path_factory.mktemp("alone")
    train_in_ranks(TRAINING, [*toys, PLAIN], 1, folder)
    return folder / "run"


@pytest.fixture(scope="module")
def pair(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, list[str]]]]:
    """A run of two processes, of a student with dropout; what each said and wrote."""
    folder = tmp_path_factory.mktemp("pair")
    said = train_in_ranks(COMMAND, [*toys, DROPOUT], 2, folder)
    return folder / "run", said


def last_epoch(run: Path, phase: str) -> Path:
    return epoch_folder(run / phase, saved_epochs(run / phase)[-1])


def content(run: Path) -> dict[str, bytes]:
    """Return weights and optimizer of the last epoch of each phase."""
    files = [(phase, name) for phase in PHASES for name in ("model", "optimizer", "rng")]
    return {f"{phase}/{name}": (last_epoch(run, phase) / f"{name}.safetensors").read_bytes() for phase, name in files}


def rows(run: Path, phase: str) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / phase / "log.jsonl").read_text().splitlines()]


def check_equal(run: Path, other: Path) -> None:
    """Check losses and weights of each phase."""
    for phase, tolerance in PHASES.items():
        for row, wanted in zip(rows(run, phase), rows(other, phase), strict=True):
            terms = {name for name, value in wanted.items() if isinstance(value, float) and name != "seconds"}
            assert "loss" in terms
            for name in terms:
                assert row[name] == pytest.approx(wanted[name], rel=1e-6, abs=tolerance), (phase, row["epoch"], name)
        weights, expected = (load_file(last_epoch(folder, phase) / "model.safetensors") for folder in (run, other))
        for name, value in expected.items():
            torch.testing.assert_close(weights[name], value, rtol=0, atol=tolerance, msg=f"{phase}: {name}")


@pytest.mark.slow
def test_losses_and_weights_are_those_of_one_process(toys: list[str], alone: Path, tmp_path: Path) -> None:
    train_in_ranks(TRAINING, [*toys, PLAIN], 2, tmp_path)
    check_equal(tmp_path / "run", alone)


@pytest.mark.slow
def test_rank_0_alone_writes_and_speaks(pair: tuple[Path, list[tuple[str, list[str]]]]) -> None:
    run, ((said, written), (said_by_other, written_by_other)) = pair
    assert "report: run/report.html" in said and {"run/.lock", "run/result.json"} <= {*written}
    assert (said_by_other, written_by_other) == ("", [])
    assert (run / "report.html").exists() and not list(run.rglob(".epoch*"))


def check_ended(status: int, error: str) -> None:
    assert status == 2
    assert error.splitlines()[-1].startswith("RankError: another of the 2 processes of this training ended"), error
    assert "Traceback" not in error


def train_until_one_dies(overrides: Sequence[str], dying: int, call: int, folder: Path) -> None:
    """Train in two processes, of which one is killed at a step; the other must end soon, and say why."""
    kill = [process_kill.__file__, STEP, str(call), str(COMMAND), *overrides]
    commands = [kill if rank == dying else [str(COMMAND), *overrides] for rank in range(2)]
    ended = run_ranks(commands, folder)
    assert ended[dying][0] == -signal.SIGKILL
    check_ended(ended[1 - dying][0], ended[1 - dying][2])


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_which_resumes_to_the_bit(
    toys: list[str], pair: tuple[Path, list[tuple[str, list[str]]]], tmp_path: Path
) -> None:
    overrides = [*toys, DROPOUT, "num_workers=1"]
    train_until_one_dies(overrides, 1, 23, tmp_path)
    assert [max(saved_epochs(tmp_path / "run" / phase), default=0) for phase in PHASES] == [7, 0, 0]
    train_in_ranks(TRAINING, overrides, 2, tmp_path)
    assert content(tmp_path / "run") == content(pair[0])


@pytest.mark.slow
def test_a_run_goes_on_in_another_number_of_processes(toys: list[str], alone: Path, tmp_path: Path) -> None:
    overrides = [*toys, PLAIN]
    train_until_one_dies(overrides, 0, 11, tmp_path)
    assert max(saved_epochs(tmp_path / "run" / "distill")) == 3
    train_in_ranks(TRAINING, overrides, 1, tmp_path)
    check_equal(tmp_path / "run", alone)


def child_of_rank(parent: int, rank: int) -> int | None:
    """Return the process of a rank that torchrun has started."""
    for entry in Path("/proc").iterdir():
        try:
            if not entry.name.isdigit():
                continue
            is_child = (entry / "stat").read_text().rpartition(")")[2].split()[1] == str(parent)
            if is_child and f"RANK={rank}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                return int(entry.name)
        except OSError:  # it has ended meanwhile
            continue
    return None


@pytest.mark.slow
def test_torchrun_ends_when_a_process_dies(toys: list[str], tmp_path: Path) -> None:
    torchrun, pickclutter = (str(Path(sys.executable).with_name(name)) for name in ("torchrun", "pickclutter"))
    launcher = [torchrun, "--nproc-per-node", "2", "--master-port", str(free_port()), "--no-python", pickclutter]
    command = [*launcher, "train-affordance", *toys, PLAIN, "distill.epochs=500"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: bool(saved_epochs(tmp_path / "run" / "distill")), seconds=300)
        child = child_of_rank(process.pid, 1)
        assert child is not None
        os.kill(child, signal.SIGKILL)
        _, error = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert process.returncode not in (0, -signal.SIGKILL)
    assert error.count("RankError: ") <= 1 and "unexpected" not in error
    assert not (tmp_path / "run" / RESULT_FILE).exists()


@pytest.mark.parametrize(
    ("script", "overrides", "line"),
    [
        ("train_affordance", ["distill.batch_size=2"], "expected at most 2 processes, the rows of the smallest batch"),
        ("verify_scenes", [], "expected one process of verify-scenes, but torchrun started 3"),
    ],
)
def test_too_many_processes_are_one_line(
    toys: list[str], script: str, overrides: list[str], line: str, tmp_path: Path
) -> None:
    arguments = [*toys, PLAIN, *overrides] if script == "train_affordance" else ["scenes=nowhere"]
    ended = run_ranks([[str(SCRIPTS / f"{script}.py"), *arguments]] * 3, tmp_path)
    assert [status for status, *_ in ended] == [2, 2, 2]
    (_, _, error), *others = ended
    assert line in error and len(error.splitlines()) == 1
    assert not (tmp_path / "run" / "settings.json").exists()
    assert script == "train_affordance" or [said for _, *texts in others for said in texts] == [""] * 4
