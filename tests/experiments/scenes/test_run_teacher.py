"""Runs of version 0.2.0 named their teacher `pocket`; it is `pocket_scans` now, and they go on with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.scene_data import make_toy_stores
from helpers.scene_runs import SMALL, config
from pickclutter_lang.errors import TeacherError
from pickclutter_lang.experiments.run_teacher import load_run_teacher
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.load import load_run_config
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.teachers import load_teacher


@pytest.fixture(scope="module")
def old_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run as version 0.2.0 left it: with the weights of `pocket_scans`, under the name of that time."""
    root = tmp_path_factory.mktemp("old")
    scenes = f"scenes={make_toy_stores(root / 'scenes')}"
    short = ("method=cls_imcst", "distill.epochs=1", "few_shot.epochs=1", "few_shot.repeats=1")
    SceneRun.open(config(scenes, *SMALL, *short, "teacher=pocket_scans", f"out={root / 'run'}")).train()
    for path in (root / "run").rglob("*.json"):
        path.write_text(path.read_text().replace("pocket_scans", "pocket"))
    return root / "run"


def overrides(run: Path) -> list[str]:
    short = ("method=cls_imcst", "distill.epochs=1", "few_shot.epochs=1", "few_shot.repeats=1")
    return [f"scenes={run.parent / 'scenes'}", *SMALL, *short, f"out={run}"]


def test_it_is_evaluated_and_goes_on(old_run: Path) -> None:
    assert json.loads((old_run / "settings.json").read_text())["teacher"]["name"] == "pocket"
    evaluated = SceneRun.open(load_run_config(EvaluateConfig(str(old_run))))
    assert evaluated.teacher.fingerprint == load_teacher("pocket_scans").fingerprint
    assert evaluate_run(evaluated)["teacher"]["fingerprint"] == evaluated.teacher.fingerprint
    SceneRun.open(config(*overrides(old_run))).train()


def test_its_new_name_is_taken_too(old_run: Path) -> None:
    run = SceneRun.open(config(*overrides(old_run), "teacher=pocket_scans"))
    assert run.teacher.fingerprint == load_teacher("pocket_scans").fingerprint


def test_another_teacher_is_refused(old_run: Path, tmp_path: Path) -> None:
    settings = json.loads((old_run / "settings.json").read_text())
    (tmp_path / "settings.json").write_text(json.dumps(settings | {"teacher": settings["teacher"] | {"name": "x"}}))
    assert load_run_teacher(config(f"out={tmp_path}")).fingerprint == load_teacher("pocket").fingerprint
    with pytest.raises(TeacherError, match="fingerprint"):
        SceneRun.open(config(*overrides(old_run), f"teacher.checkpoint={Path('assets/pocket_teacher').resolve()}"))
