"""The sweep runner: parallel processes, skipped runs, named failures, and children that end with their parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.forkserver import PythonProcess, run_python
from helpers.paths import PROGRAM, TESTS
from helpers.process_kill import wait_until
from helpers.scene_data import make_toy_store, make_toy_stores
from helpers.scene_runs import make_toys
from helpers.sweep_jobs import compose_run, make_jobs
from pickclutter_lang.errors import InvalidArgumentError, LockedError, MismatchError
from pickclutter_lang.experiments.scenes.config import ReproduceTable12Config
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12, plan_table12
from pickclutter_lang.experiments.sweep import Job, forwarded_overrides, run_sweep
from pickclutter_lang.results.record import Replicate
from pickclutter_lang.results.runs import load_runs
from pickclutter_lang.training.checkpoint import load_checkpoint
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
(out / "report.html").write_text("")
"""
# A sweep in another process, which tests can kill.
GRID = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from helpers.sweep_jobs import make_jobs
from pickclutter_lang.experiments.sweep import run_sweep
run_sweep(make_jobs(Path({out!r}), ["slow", "slow2"]), [sys.executable, {script!r}], Path({out!r}), 2)
"""


def plan(out: Path, overrides: Sequence[str] = (), **changes: Any) -> list[Job]:
    values: dict[str, Any] = {
        "methods": ["cls", "closed_set"],
        "seeds": [0, 1],
        "workers": 1,
        "out": str(out),
        **changes,
    }
    return plan_table12(ReproduceTable12Config(**values), "quickstart", overrides, compose_run)


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


def test_a_failed_run_is_named_and_the_others_go_on(tmp_path: Path, script: Path) -> None:
    jobs = make_jobs(tmp_path / "out", ["good", "bad", "killed", "good2", "waits"])
    jobs[4] = replace(jobs[4], waits_for=jobs[1])
    failures = run_sweep(jobs, [sys.executable, str(script)], tmp_path / "out", 2)
    assert [(f.name, f.status) for f in failures] == [
        ("bad/seed0", "exit status 1"),
        ("killed/seed0", "ended by SIGKILL"),
        ("waits/seed0", "not started"),
    ]
    assert "the disk is full" in str(failures[0])
    assert [job.done for job in jobs] == [True, False, False, True, False]
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


def test_runs_that_take_over_a_distillation_come_after_those_that_distill(tmp_path: Path, script: Path) -> None:
    out = tmp_path / "out"
    first, other = make_jobs(out, ["good", "good2"])
    after = Job("after", out / "after", ["method=good", f'out="{out / "after"}"'], first.config, first)
    assert run_sweep([first, after, other], [sys.executable, str(script)], out, 2) == []
    started = [json.loads((job.folder / "result.json").read_text())["started"] for job in (first, other, after)]
    assert started[2] == max(started)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with a parent that was killed")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_end_with_the_sweep(tmp_path: Path, script: Path, number: signal.Signals) -> None:
    out = tmp_path / "out"
    code = GRID.format(paths=[str(TESTS)], out=str(out), script=str(script))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(alive(out)) == 2)
    with pytest.raises(LockedError, match=str(process.pid)), dir_lock(out):
        pass
    os.kill(process.pid, number)
    assert process.wait(30) != 0
    wait_until(lambda: not alive(out))
    with dir_lock(out):
        pass


def test_every_run_of_the_sweep_is_planned_seed_after_seed(tmp_path: Path) -> None:
    assert forwarded_overrides(["seeds=[0]", "+distill.epochs=3"], ["seeds", "out"]) == ["+distill.epochs=3"]
    make_toy_store(tmp_path / "scenes" / "train", "train", 2)
    jobs = plan(tmp_path / "a b", ["distill.epochs=3", f"scenes={tmp_path / 'scenes'}"])
    assert [job.name for job in jobs] == ["cls/seed0", "closed_set/seed0", "cls/seed1", "closed_set/seed1"]
    configs: list[Any] = [job.config for job in jobs]
    assert [config.prompts.closed_set for config in configs] == [False, True] * 2
    assert {config.distill.epochs for config in configs} == {3} and {config.num_threads for config in configs} == {1}
    assert configs[2].out == str(tmp_path / "a b" / "cls" / "seed1") == str(jobs[2].folder)


def test_draws_share_the_distillation_of_the_first_and_splits_have_scenes_of_their_own(tmp_path: Path) -> None:
    make_toy_store(tmp_path / "scenes" / "train", "train", 2)
    make_toy_stores(tmp_path / "scenes" / "split1", object_split=1)
    overrides = [f"scenes={tmp_path / 'scenes'}"]
    jobs = plan(tmp_path / "out", overrides, methods=["cls"], object_splits=[0, 1], seeds=[0], draws=[0, 2])
    names = ["cls/seed0", "cls/seed0_draw2", "cls/split1_seed0", "cls/split1_seed0_draw2"]
    assert [job.name for job in jobs] == names and [str(job.folder) for job in jobs] == [
        str(tmp_path / "out" / name) for name in names
    ]
    assert [job.waits_for for job in jobs] == [None, jobs[0], None, jobs[2]]
    configs = [compose_run(job.arguments) for job in jobs]
    assert [config.distilled_run for config in configs] == [None, str(jobs[0].folder), None, str(jobs[2].folder)]
    few_shot = [Path(config.data.stores["fewshot"]).relative_to(tmp_path / "scenes") for config in configs]
    assert [*map(str, few_shot)] == ["fewshot", "fewshot_2", "split1/fewshot", "split1/fewshot_2"]


def test_scenes_of_another_object_split_are_refused(tmp_path: Path) -> None:
    make_toy_store(tmp_path / "split2" / "train", "train", 2, object_split=1)
    with pytest.raises(MismatchError, match="object_split=1"):
        plan(tmp_path / "out", [f"scenes={tmp_path}"], object_splits=[2])


@pytest.mark.parametrize(
    ("changes", "overrides", "key"),
    [
        ({"methods": ["nonsense"]}, (), "nonsense"),
        ({}, ("data.few_shot_draw=1",), "data.few_shot_draw"),
        ({}, ("distill.epochs=0",), "distill.epochs"),
        ({}, ("seed=3",), "seed"),
    ],
)
def test_a_mistake_is_named_before_anything_starts(
    tmp_path: Path, changes: dict[str, Any], overrides: tuple[str, ...], key: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=key):
        plan(tmp_path, overrides, **changes)
    assert not list(tmp_path.iterdir())


def test_a_finished_run_is_planned_as_done_and_one_of_other_settings_or_texts_refused(tmp_path: Path) -> None:
    toys = [*make_toys(tmp_path / "toys"), "prompts.descriptions=succinct", "distill.epochs=1", "few_shot.epochs=1"]
    folder = tmp_path / "out" / "cls" / "seed0"
    run = SceneRun.open(compose_run([*toys, "experiment=quickstart", "method=cls", "seed=0", f"out={folder}"]))
    run.train()
    result = evaluate_run(run)
    result["config"]["teacher"]["checkpoint"] = "elsewhere"
    (folder / "result.json").write_text(json.dumps(result))
    overrides = [toy for toy in toys if not toy.startswith("num_threads")]
    assert [job.done for job in plan(tmp_path / "out", overrides, methods=["cls"])] == [True, False]
    with pytest.raises(MismatchError, match="region_cls"):
        plan(tmp_path / "out", [*overrides, "objective.region_cls=1"], methods=["cls"])
    result["descriptions"]["succinct"]["content"] = "edited"
    (folder / "result.json").write_text(json.dumps(result))
    with pytest.raises(MismatchError, match="succinct"):
        plan(tmp_path / "out", overrides, methods=["cls"])


@pytest.mark.slow
def test_a_killed_sweep_over_splits_and_draws_resumes(tmp_path: Path) -> None:
    """With real runs: draws have the weights of one distillation, splits have others, and each run is whole."""
    scenes = tmp_path / "toys" / "scenes"
    toys = [toy for toy in make_toys(tmp_path / "toys") if not toy.startswith("num_threads")]
    make_toy_stores(scenes / "split1", object_split=1)
    for folder, object_split in ((scenes, 0), (scenes / "split1", 1)):
        make_toy_store(folder / "fewshot_1", "fewshot", 6, seed=1, object_split=object_split)
    command = [
        *PROGRAM, "reproduce-table12", *toys, "methods=[cls]", "seeds=[0]", "out=grid",
        "object_splits=[0,1]", "draws=[0,1]", "workers=2", "distill.epochs=1", "few_shot.epochs=1",
    ]  # fmt: skip
    cls = tmp_path / "grid" / "cls"
    process = PythonProcess(command, tmp_path)
    wait_until(lambda: (cls / "seed0" / "distill" / "log.jsonl").is_file() or process.poll() is not None, 600)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    time.sleep(0.2)
    done = run_python(command, tmp_path)
    assert done.returncode == 0 and (tmp_path / "grid" / "table12.md").is_file(), done.stderr

    results = load_runs(tmp_path / "grid", TABLE12)
    keys = [Replicate(0, 0, 0), Replicate(0, 0, 1), Replicate(1, 0, 0), Replicate(1, 0, 1)]
    assert tuple(results.of("cls")) == tuple(keys)
    weights = {key: load_checkpoint(results.folders["cls", key] / "distill" / "epoch_0001").model for key in keys}
    for name in weights[keys[0]]:
        assert torch.equal(weights[keys[0]][name], weights[keys[1]][name])
        assert torch.equal(weights[keys[2]][name], weights[keys[3]][name])
    assert any(not torch.equal(value, weights[keys[2]][name]) for name, value in weights[keys[0]].items())
    hashes = {key: results.records["cls"][key]["data"]["fewshot"]["content"] for key in keys}
    assert hashes[keys[0]] != hashes[keys[1]] and results.records["cls"][keys[1]]["history"]["distill"]
    unseen = [{*results.records["cls"][key]["metrics"]["zero_shot"]["ood_on_ood"]["classes"]} for key in keys]
    assert unseen[0] == unseen[1] != unseen[2] == unseen[3]
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "grid").rglob("result.json")}
    assert run_python(command, tmp_path).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times
