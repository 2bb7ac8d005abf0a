"""Evaluation of a policy: rates and intervals, the command with resume and worker processes, videos."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
import safetensors.torch
from PIL import Image

from helpers.episodes import episode
from helpers.forkserver import PythonProcess, run_python
from helpers.paths import SCRIPTS
from helpers.process_kill import run_killed, wait_until, worker_processes
from helpers.scene_runs import make_finished_run
from pickclutter_lang.evaluation.plots import plot_outcomes
from pickclutter_lang.evaluation.rollout_metrics import (
    RATES,
    compute_rates,
    outcome_of,
    summary,
    tables,
    wilson_interval,
)
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.reports.charts import save_png

SCRIPT = SCRIPTS / "evaluate_policy.py"
SIDE = 48


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The interval as Wilson's formula has it."""
    z, p = 1.959963984540054, hits / count
    center = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return center - half, center + half


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (3, 7), (50, 50), (120, 200)])
def test_intervals_are_wilsons(hits: int, count: int) -> None:
    found = wilson_interval(hits, count)
    assert (found.low, found.high) == pytest.approx(wilson(hits, count), abs=1e-9)
    assert found.value == hits / count


def test_a_rate_of_nothing_is_none() -> None:
    assert np.isnan(wilson_interval(0, 0).value) and str(wilson_interval(0, 0)) == "-"


def test_every_outcome_is_counted_once(tmp_path: Path) -> None:
    absent = {"present": False, "visible": False, "graspable": False}
    played = [
        episode(),
        episode(success=False, wrong_objects=2),
        episode(success=False, declared_absent=True, located=False),
        episode(success=True, graspable=False),
        episode(**absent, declared_absent=True, seen=False, target="dice"),
        episode(**absent, success=False, seen=False, target="dice"),
        episode(present=True, visible=False, graspable=False, success=False, declared_absent=True),
    ]
    found = {key: (one.hits, one.count) for key, one in compute_rates(played).items()}
    assert found == {
        "success": (3, 7),
        "graspable_picked": (1, 3),
        "present_picked": (2, 5),
        "located": (3, 4),
        "false_absence": (1, 4),
        "present_absent": (2, 5),
        "absence_detected": (1, 2),
        "wrong_object": (1, 7),
    }
    assert set(found) == set(RATES)
    assert [outcome_of(one) for one in played] == [
        "placed",
        "wrong object picked",
        "present, predicted absent",
        "placed",
        "absence detected",
        "absence missed",
        "present, predicted absent",
    ]
    assert outcome_of(episode(success=False)) == "not placed"
    save_png(plot_outcomes(played), tmp_path / "outcomes.png")
    with Image.open(tmp_path / "outcomes.png") as image:
        counts: Any = image.convert("RGB").getcolors(1 << 20)
        colors = {color for _, color in counts}
    assert (0x1B, 0x8A, 0x3A) in colors and (0x9A, 0xA0, 0xA6) in colors  # the legend has those that are not there
    table = summary([*played, episode(variant="random", success=False)])
    assert table["few_shot"]["unseen"]["absence_detected"]["hits"] == 1
    assert table["few_shot"]["unseen"]["present_picked"] == {
        "rate": None, "hits": 0, "count": 0, "low": None, "high": None,
    }  # fmt: skip
    assert table["few_shot"]["objects"]["dice"]["success"]["count"] == 2
    assert table["random"]["episodes"] == 1 and json.loads(json.dumps(table)) == table
    text = tables(played)
    assert "| `few_shot` | 43 (16 to 75; 3/7) |" in text and "| dice | 0/0, 0/0 |" in text


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evaluation")
    make_finished_run(root, SIDE)
    return root


def call(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    return run_python([str(SCRIPT), *overrides], folder)


@pytest.mark.sim
@pytest.mark.slow
def test_the_killed_script_resumes(run_folder: Path) -> None:
    common = [
        "run=run",
        "variants=[oracle,zero_shot,teacher]",
        "episodes=1",
        "workers=1",
        "n_videos=1",
        "absent_probability=0.5",
    ]
    run_killed(SCRIPT, [*common, "out=killed"], "pickclutter_lang.evaluation.evaluate:write_report", 1, run_folder)
    path = run_folder / "killed" / "episodes.jsonl"
    lines = path.read_text().splitlines()
    assert len(lines) == 3 and not (run_folder / "killed" / "result.json").exists()
    path.write_text("\n".join(lines[:2]) + '\n{"variant": "zero')  # as if it had been killed while writing
    done = call(run_folder, *common, "out=killed", "workers=2")
    assert done.returncode == 0, done.stderr
    table, _, last = done.stdout.strip().rpartition("\n")
    assert last == "report: killed/report.html" and table.startswith("Targets: all\n| variant | success |")
    assert len(table.splitlines()) == 6 and "| `teacher` |" in table
    assert "![Outcomes of the episodes](outcomes.png)" in (run_folder / "killed" / "report.md").read_text()
    page = (run_folder / "killed" / "report.html").read_text()
    assert page.count("<video ") == len(list((run_folder / "killed" / "videos").glob("*.mp4"))) > 0
    assert (run_folder / "killed" / "outcomes.png").is_file()

    def plain(episodes: Any) -> Any:
        return [{k: v for k, v in e.items() if k != "seconds"} for e in episodes]

    again = [json.loads(line) for line in path.read_text().splitlines()]
    before = [json.loads(line) for line in lines]
    key = lambda e: (e["variant"], e["seed"])  # noqa: E731
    assert plain(sorted(again, key=key)) == plain(
        sorted(before, key=key)
    )  # equal seeds, equal outcomes, in one process or two
    result = json.loads((run_folder / "killed" / "result.json").read_text())
    assert set(result["variants"]) == {"oracle", "zero_shot", "teacher"} and result["videos"]
    for video in result["videos"]:
        assert imageio_ffmpeg.count_frames_and_secs(str(run_folder / "killed" / video))[0] > 10
        assert video in (run_folder / "killed" / "report.md").read_text()
    assert not list((run_folder / "killed").glob(".policies*"))
    (run_folder / "killed" / "config.json").rename(run_folder / "settings")
    (run_folder / "killed" / "config.json").write_text("{")
    damaged = call(run_folder, *common, "out=killed")
    assert damaged.returncode == 2 and "config.json is damaged" in damaged.stderr
    (run_folder / "settings").rename(run_folder / "killed" / "config.json")
    refused = call(run_folder, *common, "out=killed", "split=id")
    assert refused.returncode == 2 and "another student or environment" in refused.stderr and "split" in refused.stderr


@pytest.mark.sim
@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_no_episode_is_lost(run_folder: Path) -> None:
    overrides = ["run=run", "variants=[oracle]", "episodes=4", "workers=2", "n_videos=0"]
    process = PythonProcess([str(SCRIPT), *overrides, "out=replaced"], run_folder)
    episodes = run_folder / "replaced" / "episodes.jsonl"
    wait_until(lambda: episodes.is_file(), 300)
    os.kill(worker_processes(process.pid)[0], signal.SIGKILL)
    _, output = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "ended unexpectedly" in output
    rows = [json.loads(line) for line in episodes.read_text().splitlines()]
    assert sorted(row["seed"] for row in rows) == [*range(4)]


@pytest.mark.sim
@pytest.mark.slow
def test_an_exported_policy_is_evaluated_without_its_run(run_folder: Path) -> None:
    export = [str(SCRIPT.with_name("export_policy.py")), "run=run", "phase=few_shot", "out=exported"]
    assert run_python(export, run_folder).returncode == 0
    arguments = ["policy=exported", "episodes=1", "workers=1", "n_videos=0"]
    refused = call(run_folder, *arguments, "variants=[zero_shot]")
    assert refused.returncode == 2 and "the student of one phase, but got zero_shot" in refused.stderr
    done = call(run_folder, *arguments)
    assert done.returncode == 0, done.stderr
    result = json.loads((run_folder / "exported" / "evaluation" / "result.json").read_text())
    assert list(result["variants"]) == ["oracle", "few_shot", "random"] and result["teacher_thresholds"] is None
    exported = json.loads((run_folder / "exported" / "policy.json").read_text())["student"]["teacher"]
    assert result["teachers"] == {"few_shot": {key: exported[key] for key in ("name", "fingerprint")}}
    assert "The teacher did not act" in (run_folder / "exported" / "evaluation" / "report.md").read_text()
    refused = call(run_folder, *arguments, "variants=[teacher]")
    assert refused.returncode == 2 and "scenes=" in refused.stderr


@pytest.mark.sim
@pytest.mark.slow
def test_an_oracle_acts_on_kinds(tmp_path: Path) -> None:
    kinds = ["apple", "lemon", "mug", "soda can", "toy car"]
    arguments = ["objects=kinds", f"kinds=[{','.join(kinds)}]", "instances=2", "objects_root=models", "episodes=2"]
    arguments += ["variants=[oracle]", "workers=1", "n_videos=0", "out=out"]
    done = call(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    episodes = [json.loads(line) for line in (tmp_path / "out" / "episodes.jsonl").read_text().splitlines()]
    assert [episode["variant"] for episode in episodes] == ["oracle"] * 2
    assert {episode["target"] for episode in episodes} <= set(kinds)
    assert all(episode["seen"] == (episode["target"] != "lemon") for episode in episodes)  # lemons are of Y_ood
    models = list((tmp_path / "models").glob("kinds-*/models/*"))
    assert models and {int(model.name.rpartition("-")[2]) for model in models} <= {MAX_INSTANCES, MAX_INSTANCES + 1}
    other = call(tmp_path, *arguments, "instances=3")
    assert other.returncode == 2 and "another student or environment" in other.stderr and "meshes" in other.stderr


@pytest.mark.sim
@pytest.mark.slow
def test_an_oracle_acts_with_a_moved_camera_that_the_folder_is_of(tmp_path: Path) -> None:
    arguments = ["variants=[oracle]", "episodes=1", "seed=1", "absent_probability=0", "workers=1", "n_videos=0"]
    arguments += ["out=out"]
    moved = ["camera.x=0.02", "camera.y=-0.02", "camera.z=0.02", "camera.pitch=8", "camera.roll=20", "camera.fov=70"]
    done = call(tmp_path, *arguments, *moved, "appearance.table=tan")
    assert done.returncode == 0, done.stderr
    (episode,) = [json.loads(line) for line in (tmp_path / "out" / "episodes.jsonl").read_text().splitlines()]
    assert episode["success"] and episode["picked"] == [episode["target"]]
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["config"]["camera"]["fov"] == 70 and result["config"]["appearance"]["table"] == "tan"
    for other, named in (([], "camera"), ([*moved, "appearance.table=red"], "appearance")):
        refused = call(tmp_path, *arguments, *other)
        assert refused.returncode == 2 and "another student or environment" in refused.stderr
        assert f"{named}: {{" in refused.stderr and len(refused.stderr.splitlines()) == 1


@pytest.mark.sim
@pytest.mark.slow
def test_what_a_worker_lacks_is_named(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = call(run_folder, "run=run", f"out={tmp_path / 'x'}", "objects=ycb", f"objects_root={tmp_path / 'empty'}")
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("MissingAssetsError: ")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("variants=[best]", "oracle, few_shot"),
        ("episodes=-1", "at least 0"),
        ("objects=lego", "proxy"),
        ("split=train", "id, ood"),
        ("control_mode=pd_joint_vel", "pd_ee_delta_pose"),
        ("run=nowhere", "CheckpointError"),
        ("policy=exported", "either run="),
    ],
)
def test_wrong_settings_are_one_line(run_folder: Path, tmp_path: Path, override: str, message: str) -> None:
    done = call(run_folder, "run=run", f"out={tmp_path / 'x'}", override)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.sim
@pytest.mark.slow
def test_an_agent_learns_on_the_students_features(run_folder: Path) -> None:
    pytest.importorskip("stable_baselines3")
    training = ["policy=policy", "out=agent", "steps=40", "episode_steps=20"]
    for name, arguments in (("export_policy.py", ["run=run", "out=policy"]), ("train_ppo.py", training)):
        done = run_python([str(SCRIPT.with_name(name)), *arguments], run_folder)
        assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("curves: agent/curves.png")
    with Image.open(run_folder / "agent" / "curves.png") as image:
        assert image.size == (1080, 360)
    rows = (run_folder / "agent" / "episodes.monitor.csv").read_text().splitlines()
    assert rows[1] == "r,l,t,success" and len(rows) == 4  # two episodes
    weights = safetensors.torch.load_file(run_folder / "agent" / "agent.safetensors")
    assert any(name.startswith("features_extractor.scorer") for name in weights)
