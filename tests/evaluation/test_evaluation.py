"""Evaluation of a policy: metrics, the command with resume and worker processes, thresholds, videos, comparison."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

from helpers.paths import PROGRAM
from helpers.process_kill import run_killed
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.evaluate import evaluate_policy
from pickclutter_lang.evaluation.metrics import outcome_of, paired, scores_of, share_of, summary, tables
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.results.comparison import load_comparison, write_comparison
from pickclutter_lang.results.config import CompareRunsConfig
from pickclutter_lang.results.record import number_at, read_record
from pickclutter_lang.results.scores import Scores


def episode(**changes: Any) -> Any:
    """Return a made-up episode, as the log has it."""
    plain = {
        "variant": "few_shot", "seed": 0, "target": "lemon", "seen": True, "present": True, "visible": True,
        "graspable": True, "success": True, "declared_absent": False, "wrong_objects": 0, "located": True,
        "seconds": 0.1, "steps": 9, "kind": "drawn", "expected": ["lemon"], "picked": ["lemon"], "reference": "lemon",
        "followed": True, "refused": False, "instruction": "lift the lemon", "grasp_found": True, "score": 0.8,
        "threshold": 0.5, "revision": None,
    }  # fmt: skip
    return plain | changes


COMMAND = [*PROGRAM, "evaluate-policy"]
SIDE = 48
ABSENT: dict[str, Any] = {"present": False, "visible": False, "graspable": False, "seen": False, "target": "dice"}
PLAYED = [
    episode(seed=0),
    episode(seed=1, success=False, wrong_objects=2),
    episode(seed=2, success=False, declared_absent=True, located=False),
    episode(seed=3, success=True, graspable=False),
    episode(seed=4, **ABSENT, declared_absent=True),
    episode(seed=5, **ABSENT, success=False),
    episode(seed=6, visible=False, graspable=False, success=False, declared_absent=True),
]
COUNTS = {
    "success": (3, 7), "graspable_picked": (1, 3), "present_picked": (2, 5), "located": (3, 4),
    "false_absence": (1, 4), "present_absent": (2, 5), "absence_detected": (1, 2), "wrong_object": (1, 7),
}  # fmt: skip


def test_measures_count_their_episodes() -> None:
    cells = {key: scores_of(PLAYED, "picking", "").cell("few_shot", key) for key in COUNTS}
    assert {key: (cell.predicted.any(axis=1).sum(), len(cell.items)) for key, cell in cells.items()} == COUNTS
    shares = {key: share_of(PLAYED, "few_shot", key) for key in COUNTS}
    assert {key: (one.hits, one.total) for key, one in shares.items()} == COUNTS
    assert share_of(PLAYED, "few_shot", "absence_detected", "unseen").mean == 0.5
    assert share_of(PLAYED, "few_shot", "graspable_picked", "unseen").total == 0
    assert [outcome_of(one) for one in PLAYED] == [
        "placed", "wrong object picked", "present, called absent", "placed", "absence detected", "absence missed",
        "present, called absent",
    ]  # fmt: skip
    assert outcome_of(episode(success=False)) == "not placed"
    played = [*PLAYED, *(episode(variant="random", seed=seed, success=False) for seed in range(3, 9))]
    table = summary(played, "picking")
    assert json.loads(json.dumps(table)) == table and table["random"]["episodes"] == 6
    assert table["few_shot"]["unseen"]["success"]["rate"] == 0.5 and "located" not in table["few_shot"]["unseen"]
    found = paired(played, ("few_shot", "success"), ("random", "success"))
    assert found is not None and (found.total, found.mean) == (4, 0.5)
    text = tables(played, "picking")
    assert "`few_shot` - `random`" in text


def config(**changes: Any) -> PolicyEvalConfig:
    return PolicyEvalConfig(**{"episodes": 1, "workers": 1, "n_videos": 0, "camera_size": SIDE, **changes})


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]


@pytest.mark.sim
@pytest.mark.slow
def test_the_killed_command_resumes_and_is_compared(exported: Path, tmp_path: Path) -> None:
    run = str(exported / "run")
    killed = [f"run={run}", "variants=[oracle,zero_shot,teacher]", "episodes=1", "absent_probability=0.5", "n_videos=1"]
    killed += ["out=killed", "workers=1"]
    run_killed([*COMMAND, *killed], "pickclutter_lang.evaluation.evaluate:write_report", 1, tmp_path)
    folder = tmp_path / "killed"
    before = rows(folder)
    text = (folder / "episodes.jsonl").read_text().splitlines()
    assert len(before) == 3 and not list(folder.glob("*.html"))
    (folder / "episodes.jsonl").write_text("\n".join(text[:2]) + '\n{"variant": "zero')  # killed while writing
    settings = config(
        run=run, variants=["oracle", "zero_shot", "teacher"], absent_probability=0.5, n_videos=1,
        out=str(folder), workers=2,
    )  # fmt: skip
    done = evaluate_policy(settings)
    assert "| `teacher` |" in done.tables and not list(folder.glob(".policies*"))

    def plain(episodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ordered = sorted(episodes, key=lambda e: (e["variant"], e["seed"]))
        return [{k: v for k, v in e.items() if k != "seconds"} for e in ordered]

    assert plain(rows(folder)) == plain(before)  # equal seeds, equal outcomes, in one process or two
    record = read_record(folder, "policy")
    played = Scores.load(folder).cell("oracle", "success")
    success = number_at(record, "oracle.all.success.rate")
    assert success == played.predicted.any(axis=1).mean() and set(record["metrics"]) == {
        "oracle",
        "zero_shot",
        "teacher",
    }
    page = (folder / "report.html").read_text()
    assert page.count("<video ") == len(record["videos"]) > 0
    assert all(imageio_ffmpeg.count_frames_and_secs(str(folder / video))[0] > 10 for video in record["videos"])
    again = config(run=settings.run, variants=["oracle", "zero_shot"], absent_probability=0.5, out=str(tmp_path / "b"))
    evaluate_policy(again)
    runs = [str(folder), str(tmp_path / "b")]
    difference = load_comparison(runs).difference(runs[1].rpartition("/")[2], ("oracle", "success"), "recall")
    assert not isinstance(difference, str | None) and difference.mean == 0
    assert write_comparison(CompareRunsConfig(runs, str(tmp_path / "comparison"))).is_file()
    with pytest.raises(MismatchError, match="split"):
        evaluate_policy(config(**{**vars(again), "split": "id"}))


@pytest.mark.sim
@pytest.mark.slow
def test_an_exported_policy_is_evaluated_without_its_run(exported: Path, tmp_path: Path) -> None:
    policy = str(exported / "few_shot")
    with pytest.raises(InvalidArgumentError, match="zero_shot"):
        evaluate_policy(config(policy=policy, variants=["zero_shot"], out=str(tmp_path)))
    record = read_record(evaluate_policy(config(policy=policy, out=str(tmp_path / "out"))).folder)
    assert list(record["metrics"]) == ["oracle", "few_shot", "random"] and record["teacher_thresholds"] is None
    taught = LanguagePickPolicy.load(policy)
    taught.teach(np.zeros((48, 48, 3), np.uint8), "zorb", mask=np.eye(48, dtype=bool))
    taught.save_pretrained(tmp_path / "taught")
    with pytest.raises(MismatchError):  # episodes of another policy
        evaluate_policy(config(policy=str(tmp_path / "taught"), variants=["few_shot"], out=str(tmp_path / "out")))


@pytest.mark.sim
@pytest.mark.slow
def test_an_oracle_acts_on_kinds_with_a_moved_camera_that_the_folder_is_of(tmp_path: Path) -> None:
    from pickclutter_lang.envs.randomization import HandCameraConfig

    kinds = ["apple", "lemon", "mug", "soda can", "toy car"]
    camera = HandCameraConfig(x=0.02, pitch=8.0, roll=20.0)
    given: dict[str, Any] = {"objects": "kinds", "kinds": kinds, "instances": 2, "objects_root": str(tmp_path / "m")}
    given |= {"variants": ["oracle"], "absent_probability": 0.0, "episodes": 2, "out": str(tmp_path / "out")}
    evaluate_policy(config(**given, camera=camera))
    played = rows(tmp_path / "out")
    assert {one["target"] for one in played} <= {*kinds} and any(one["success"] for one in played)
    assert all(one["seen"] == (one["target"] != "lemon") for one in played)  # lemons are of Y_ood
    models = list((tmp_path / "m").glob("kinds-*/models/*"))
    assert models and {int(model.name.rpartition("-")[2]) for model in models} <= {MAX_INSTANCES, MAX_INSTANCES + 1}
    with pytest.raises(MismatchError, match="camera"):
        evaluate_policy(config(**given))
    with pytest.raises(MismatchError, match="meshes"):
        evaluate_policy(config(**{**given, "instances": 3}, camera=camera))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"variants": ["best"]}, "variants"),
        ({"episodes": -1}, "episodes"),
        ({"split": "train"}, "split"),
        ({"run": None, "variants": ["oracle", "few_shot"]}, "run="),
        ({"policy": "exported"}, "policy="),
    ],
)
def test_wrong_settings_are_named(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidArgumentError, match=key):
        config(**{"run": "run", **changes}).validate()
