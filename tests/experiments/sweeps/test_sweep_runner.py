"""The sweep runner: parallel processes, skipped runs, named failures, and children that end with their parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import ROOT, TESTS
from helpers.scene_runs import make_toys
from pickclutter_lang.commands.hydra_app import compose_config
from pickclutter_lang.errors import InvalidArgumentError, LockedError
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.table12_sweep import SWEEP_KEYS, Table12SweepConfig, plan_table12
from pickclutter_lang.experiments.sweeps.sweep_planner import forwarded_overrides
from pickclutter_lang.experiments.sweeps.sweep_runner import Job, run_sweep
from pickclutter_lang.utils.locks import dir_lock

# A small run: an epoch in its log, then the outcome that its method names.
RUN = """
import json, pathlib, sys, time
values = dict(argument.split("=", 1) for argument in sys.argv[1:])
out = pathlib.Path(values["out"].strip('"'))
(out / "distill").mkdir(parents=True, exist_ok=True)
with (out / "distill" / "log.jsonl").open("a") as log:
    log.write("{}\\n")
print("threads", __import__("os").environ["OMP_NUM_THREADS"], flush=True)
if values["method"] == "slow":
    time.sleep(60)
if values["method"] == "bad":
    sys.exit("DatasetError: the disk is full")
if values["method"] == "killed":
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(0.3)
(out / "result.json").write_text(json.dumps({"started": time.time()}))
"""
# A sweep in another process, which tests can kill.
GRID = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from test_sweep_runner import make_jobs
from pickclutter_lang.experiments.sweeps.sweep_runner import run_sweep
run_sweep(make_jobs(Path({out!r}), ["slow", "slow2"]), [sys.executable, {script!r}], Path({out!r}), 2)
"""


def compose_run(overrides: list[str]) -> TrainConfig:
    return compose_config(TrainConfig, "train_affordance", overrides)


def grid_settings(out: Path, **changes: Any) -> Table12SweepConfig:
    values = {"methods": ["cls", "closed_set"], "seeds": [0, 1], "workers": 1, "overrides": []}
    return Table12SweepConfig(**{"experiment": "quickstart", "out": str(out), **values, **changes})


def make_jobs(out: Path, methods: list[str]) -> list[Job]:
    config = compose_run([])
    return [
        Job(f"{name}/seed0", out / name, [f"method={name.rstrip('2')}", f'out="{out / name}"'], config)
        for name in methods
    ]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "run.py"
    path.write_text(RUN)
    return path


def alive(out: Path) -> list[int]:
    """Processes whose command names a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f'out="{out}' in command:
            found.append(int(entry.parent.name))
    return found


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_failed_run_is_named_and_the_others_go_on(
    tmp_path: Path, script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = make_jobs(tmp_path / "out", ["good", "bad", "killed", "good2"])
    failures = run_sweep(jobs, [sys.executable, str(script)], tmp_path / "out", 2)
    assert [(f.name, f.status) for f in failures] == [
        ("bad/seed0", "exit status 1"),
        ("killed/seed0", "ended by SIGKILL"),
    ]
    assert "the disk is full" in str(failures[0]) and str(tmp_path / "out" / "logs" / "bad-seed0.log") in str(
        failures[0]
    )
    assert [job.done for job in jobs] == [True, False, False, True]
    shown = capsys.readouterr().err
    assert "bad/seed0 failed (exit status 1)" in shown and "2/4 runs, 2 failed" in shown and "left" in shown
    assert "threads 1" in (tmp_path / "out" / "logs" / "good-seed0.log").read_text()


def test_finished_runs_are_skipped_and_failed_ones_tried_again(tmp_path: Path, script: Path) -> None:
    out = tmp_path / "out"
    jobs = make_jobs(out, ["good", "bad"])
    run_sweep(jobs, [sys.executable, str(script)], out, 1)
    before = (out / "good" / "result.json").read_bytes()
    [failure] = run_sweep(jobs, [sys.executable, str(script)], out, 1)
    assert (out / "good" / "result.json").read_bytes() == before
    assert len((out / "bad" / "distill" / "log.jsonl").read_text().splitlines()) == 2
    assert failure.end.count("the disk is full") == 1  # of this attempt alone


def test_workers_run_in_parallel(tmp_path: Path, script: Path) -> None:
    jobs = make_jobs(tmp_path / "out", ["good", "good2"])
    run_sweep(jobs, [sys.executable, str(script)], tmp_path / "out", 2)
    first, second = (json.loads((job.folder / "result.json").read_text())["started"] for job in jobs)
    assert abs(first - second) < 0.6  # one after the other, each would take as long as python needs to start as well


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with a parent that was killed")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_end_with_the_sweep(tmp_path: Path, script: Path, number: signal.Signals) -> None:
    out = tmp_path / "out"
    code = GRID.format(paths=[str(Path(__file__).parent), str(TESTS)], out=str(out), script=str(script))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(alive(out)) == 2)
    with pytest.raises(LockedError, match=f"process {process.pid} .* is at work there"), dir_lock(out):
        pass
    os.kill(process.pid, number)
    assert process.wait(30) != 0
    wait_until(lambda: not alive(out), 5)
    with dir_lock(out):
        pass


def test_progress_counts_epochs(tmp_path: Path, script: Path) -> None:
    [job] = make_jobs(tmp_path, ["good"])
    assert job.epochs_done == 0 and not job.done
    for phase, lines in (("distill", 5), ("few_shot", 3)):
        (job.folder / phase).mkdir(parents=True)
        (job.folder / phase / "log.jsonl").write_text("{}\n" * lines)
    assert job.epochs_done == 8 and job.epochs == sum(phase.epochs for phase in job.config.phases.values()) + 1
    run_sweep([job], [sys.executable, str(script)], tmp_path, 1)
    assert job.epochs_done == job.epochs


def test_every_run_of_the_sweep_is_planned_seed_after_seed(tmp_path: Path) -> None:
    overrides = ["methods=[cls]", "seeds=[0]", "workers=2", "out=x", "experiment=quickstart", "distill.epochs=3"]
    assert forwarded_overrides(overrides, SWEEP_KEYS) == ["distill.epochs=3"]
    jobs = plan_table12(grid_settings(tmp_path / "a b", overrides=["distill.epochs=3"]), compose_run)
    assert [job.name for job in jobs] == ["cls/seed0", "closed_set/seed0", "cls/seed1", "closed_set/seed1"]
    assert [job.config.prompts.closed_set for job in jobs] == [False, True] * 2
    assert {job.config.distill.epochs for job in jobs} == {3} and {job.config.num_threads for job in jobs} == {1}
    assert jobs[2].config.out == str(tmp_path / "a b" / "cls" / "seed1") == str(jobs[2].folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": ["nonsense"]}, "got .nonsense."),
        ({"overrides": ["distill.epochs=0"]}, "distill.epochs"),
        ({"overrides": ["distill.steps=3"]}, "distill.steps"),
        ({"methods": []}, "methods as a list without repeats"),
        ({"seeds": [0, 0]}, "seeds as a list without repeats"),
        ({"workers": 0}, "workers to lie between 1"),
        ({"overrides": ["seed=3"]}, "got seed=3"),
    ],
)
def test_a_mistake_is_named_before_anything_starts(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    config = grid_settings(tmp_path, **changes)
    with pytest.raises(InvalidArgumentError, match=message):
        config.validate()
        plan_table12(config, compose_run)
    assert not list(tmp_path.iterdir())


def test_a_finished_run_from_before_a_setting_is_planned_as_done(tmp_path: Path) -> None:
    toys = [*make_toys(tmp_path / "toys"), "distill.epochs=1", "few_shot.epochs=1"]
    folder = tmp_path / "out" / "cls" / "seed0"
    run = SceneRun.open(compose_run([*toys, "experiment=quickstart", "method=cls", "seed=0", f"out={folder}"]))
    run.train()
    result = evaluate_run(run)
    del result["config"]["objective"]["region_cls"], result["config"]["crop_classifier"]
    result["config"]["teacher"]["checkpoint"] = "elsewhere"
    (folder / "result.json").write_text(json.dumps(result))
    overrides = [toy for toy in toys if not toy.startswith("num_threads")]
    sweep = grid_settings(tmp_path / "out", methods=["cls"], overrides=overrides)
    assert [job.done for job in plan_table12(sweep, compose_run)] == [True, False]
    sweep.overrides = [*overrides, "objective.region_cls=1"]
    with pytest.raises(InvalidArgumentError, match=r"objective\.region_cls: 0\.0 / 1\.0"):
        plan_table12(sweep, compose_run)


@pytest.mark.slow
def test_a_killed_sweep_resumes_and_writes_the_table(tmp_path: Path) -> None:
    """With real runs: SIGKILL, a scene store that is gone, then the full sweep, then a changed setting."""
    toys = [toy for toy in make_toys(tmp_path / "toys") if not toy.startswith("num_threads")]
    command = [
        sys.executable, str(ROOT / "scripts" / "reproduce_table12.py"), *toys, "methods=[closed_set,cls]", "seeds=[0]",
        "out=grid", "workers=2", "distill.epochs=2", "few_shot.epochs=1",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    log = tmp_path / "grid" / "cls" / "seed0" / "distill" / "log.jsonl"
    wait_until(lambda: log.is_file() or process.poll() is not None, 600)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    time.sleep(0.2)

    id_scenes, hidden = tmp_path / "toys" / "scenes" / "id", tmp_path / "toys" / "hidden"
    id_scenes.rename(hidden)
    failed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert failed.returncode == 1 and "cls/seed0 failed (exit status 2); the end of grid/logs" in failed.stderr
    assert "DatasetError: expected a scene store" in failed.stderr and "2 of 2 runs failed" in failed.stderr
    hidden.rename(id_scenes)

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "2/2 runs, 0 failed" in done.stderr and "table: grid/table12.md" in done.stdout
    page = (tmp_path / "grid" / "table12.md").read_text()
    assert page.index("| `closed_set` | 1 |") < page.index("| `cls` | 1 |") and "`prompts.closed_set`" in page
    started = [path.stat().st_mtime_ns for path in sorted((tmp_path / "grid").rglob("result.json"))]

    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert again.returncode == 0 and "2 of 2 runs are done already" in again.stderr
    assert [path.stat().st_mtime_ns for path in sorted((tmp_path / "grid").rglob("result.json"))] == started
    other = subprocess.run([*command, "distill.lr=0.1"], cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert other.returncode == 2 and "distill.lr: 0.002 / 0.1" in other.stderr
    assert len(other.stderr.strip().splitlines()) == 1
