"""Runs that take over the distillation of another run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from helpers.scene_data import make_toy_store
from helpers.scene_runs import config, make_teacher, make_toys
from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.training.checkpoint import Checkpoint, epoch_folder, load_checkpoint, saved_epochs


def last(run: SceneRun, phase: str) -> Checkpoint:
    folder = run.folder / phase
    return load_checkpoint(epoch_folder(folder, saved_epochs(folder)[-1]))


def equal(one: Checkpoint, other: Checkpoint) -> bool:
    return one.model.keys() == other.model.keys() and all(
        torch.equal(value, other.model[name]) for name, value in one.model.items()
    )


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("toys")
    overrides = make_toys(folder)
    make_toy_store(folder / "scenes" / "fewshot_1", "fewshot", 6, seed=1)
    return overrides


@pytest.fixture(scope="module")
def first(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> SceneRun:
    run = SceneRun.open(config(*toys, f"out={tmp_path_factory.mktemp('runs') / 'first'}"))
    run.train()
    return run


def test_a_second_draw_shares_the_distillation_and_equals_a_run_of_its_own(
    toys: list[str], first: SceneRun, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(first.folder, source)
    draw = [*toys, "data.few_shot_draw=1", "method=cls_imcst"]
    run = SceneRun.open(config(*draw, f"distilled_run={source}", f"out={tmp_path / 'shared'}"))
    run.train()
    alone = SceneRun.open(config(*draw, f"out={tmp_path / 'alone'}"))
    alone.train()
    assert equal(last(run, "distill"), last(first, "distill"))
    assert equal(last(run, "few_shot"), last(alone, "few_shot")) and not equal(
        last(run, "few_shot"), last(first, "few_shot")
    )
    assert last(run, "distill").state["history"] == last(first, "distill").state["history"]

    shutil.rmtree(source)  # the run is whole without it
    again = SceneRun.open(config(*draw, f"distilled_run={source}", f"out={tmp_path / 'shared'}"))
    again.train()
    result = evaluate_run(again)
    assert (result["object_split"], result["few_shot_draw"]) == (0, 1)
    assert len(result["history"]["distill"]) == 3 and (run.folder / "distill" / "log.jsonl").is_file()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("distill.lr=0.5", r"distill\.lr"),
        ("data.id={other}", r"data\.id"),
        ("teacher.checkpoint={teacher}", r"teacher\.fingerprint"),
    ],
)
def test_another_distillation_is_refused_with_the_differences(
    toys: list[str], first: SceneRun, tmp_path: Path, change: str, named: str
) -> None:
    if "other" in change:
        make_toy_store(tmp_path / "other", "id", 8, seed=5)
    if "teacher" in change:
        make_teacher(tmp_path / "teacher", seed=1)
    change = change.format(other=tmp_path / "other", teacher=tmp_path / "teacher")
    with pytest.raises(MismatchError, match=named):
        SceneRun.open(config(*toys, change, f"distilled_run={first.folder}", f"out={tmp_path / 'out'}"))


def test_a_run_that_is_not_finished_is_refused(toys: list[str], first: SceneRun, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(first.identity))
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        SceneRun.open(config(*toys, f"out={tmp_path / 'out'}", f"distilled_run={tmp_path}"))


def test_stores_of_two_object_splits_are_refused(toys: list[str], tmp_path: Path) -> None:
    make_toy_store(tmp_path / "ood", "ood", 4, object_split=1)
    with pytest.raises(MismatchError, match="object_split"):
        SceneRun.open(config(*toys, f"data.ood={tmp_path / 'ood'}", f"out={tmp_path / 'out'}"))
