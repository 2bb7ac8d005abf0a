"""Folders of revision 3ef96b3 are converted as a whole, and are then read as folders of today."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers import image_runs, scene_runs
from helpers.forkserver import run_python
from helpers.old_files import OLD, write_old_folders
from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.experiments.images.image_run import ImageRun
from pickclutter_lang.experiments.result import read_result
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.load import load_run_config
from pickclutter_lang.experiments.scenes.scene_report import write_report
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.language.descriptions import read_descriptions
from pickclutter_lang.migration.migrate import migrate
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.training.checkpoint import epoch_folder, load_checkpoint, save_checkpoint

MIGRATE = ["-m", "pickclutter_lang.commands", "migrate"]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    write_old_folders(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_policy_answers_as_it_did(old: Path) -> None:
    recorded = json.loads((OLD / "answers.json").read_text())
    with pytest.raises(CheckpointError, match="pickclutter migrate"):
        StudentRuntime.load(old / "policy_fewshot")
    migrate(old / "policy_fewshot")
    student = StudentRuntime.load(old / "policy_fewshot")
    rgb = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    names = list(student.names)
    assert student.predict({("hand", "rgb"): rgb}, names).scores == pytest.approx(recorded["scores"], abs=1e-4)
    assert [student.threshold(name) for name in names] == recorded["thresholds"]
    mask = np.zeros((48, 48), bool)
    mask[10:30, 12:34] = True
    assert student.classify_crops(rgb, [mask])[0] == pytest.approx(recorded["crop"], abs=1e-2)


def test_a_run_on_scenes_is_finished_and_reported(old: Path) -> None:
    scene_runs.make_toys(old, size=48)  # the scenes and the teacher that it was trained with
    lines, backup = migrate(old / "run")
    assert "fewshot/epoch_0001/state.json -> few_shot/epoch_0001/state.json" in lines
    assert contents(backup).keys() == contents(OLD / "run").keys() | {
        name.removeprefix("run/") for name in json.loads((OLD / "tensors.json").read_text()) if name.startswith("run/")
    }
    run = SceneRun.open(load_run_config(EvaluateConfig(str(old / "run"), None, 1, "cpu")))
    before = contents(old / "run")
    run.train()
    assert contents(old / "run").keys() >= before.keys()
    assert all((old / "run" / name).read_bytes() == data for name, data in before.items() if "epoch_" in name)
    assert [row["phase"] for row in run.load_weights("few_shot")] == ["few_shot"]
    result = read_result(old / "run", "scenes")
    assert result["config"]["method"] == "best_no_region" and result["config"]["prompts"]["descriptions"] == "catalog"
    assert (
        "region_cls" in result["history"]["distill"][0]
        and "model_matched_fpr" in result["metrics"]["zero_shot"]["id_on_id"]
    )
    assert write_report(str(old / "run")).is_file()


def test_a_run_on_images_is_finished(old: Path) -> None:
    (old / "pic").mkdir()
    overrides = image_runs.make_toys(old / "pic")
    migrate(old / "image_run")
    own = (
        "student.name=timm/resnet10t",
        "objective.cls=1",
        "objective.im_cst=1",
        "text.descriptions=standard",
        "continual_split=true",
    )
    run = ImageRun.open(image_runs.config(*overrides, *own, f"out={old / 'image_run'}"))
    run.train()
    assert len(run.load_weights("few_shot")) == len(run.load_weights("continual")) == 1
    assert read_result(old / "image_run", "images")["data"]["seen"] == run.data_provenance["seen"]


def test_the_catalog_of_a_run_on_images(old: Path) -> None:
    for name in ("settings.json", "result.json"):
        path = old / "image_run" / name
        path.write_text(path.read_text().replace('"descriptions": "standard"', '"descriptions": "catalogue"'))
    migrate(old / "image_run")
    settings = json.loads((old / "image_run" / "settings.json").read_text())["settings"]
    assert read_result(old / "image_run", "images")["config"]["text"] == settings["text"]
    assert read_descriptions(settings["text"]["descriptions"]).of(["banana"])


def test_a_checkpoint_of_a_teacher(tmp_path: Path) -> None:
    import torch

    model = torch.nn.Linear(2, 2)
    folder = epoch_folder(tmp_path / "teacher" / "checkpoints", 1)
    settings = {"view": 40, "steps": 9, "scene_batch": 4, "language_weight": 0.5, "warmup": 0.1, "exclude": "ood"}
    save_checkpoint(folder, model, torch.optim.AdamW(model.parameters()), {"step": 1, "settings": settings})
    migrate(tmp_path / "teacher")
    state = load_checkpoint(folder).state
    assert state["settings"] == {
        "min_crop_size": 40, "steps": 9, "scene_batch_size": 4, "sentence_weight": 0.5, "warmup_fraction": 0.1,
        "exclude_split": "ood",
    }  # fmt: skip
    lines, _ = migrate(tmp_path / "teacher")
    assert lines == ["all of it, by an earlier migration"] and load_checkpoint(folder).state == state
    shutil.rmtree(tmp_path / "teacher.0.1.0")
    with pytest.raises(CheckpointError, match="none; scene stores"):  # as a run of today
        migrate(tmp_path / "teacher")


def test_a_folder_of_many_runs(old: Path) -> None:
    shutil.copytree(old / "run", old / "sweep" / "cls" / "seed0")
    shutil.copytree(old / "policy_fewshot", old / "sweep" / "cls" / "seed0" / "policy")
    shutil.copytree(old / "image_run", old / "sweep" / "table" / "seed1")
    migrate(old / "sweep")
    assert (old / "sweep" / "cls" / "seed0" / "crop_classifier").is_dir()
    assert json.loads((old / "sweep" / "cls" / "seed0" / "policy" / "policy.json").read_text())["schema"] == 3
    assert (old / "sweep" / "table" / "seed1" / "few_shot" / "epoch_0001" / "model.safetensors").is_file()


def test_a_dry_run_changes_nothing(old: Path) -> None:
    before = contents(old)
    lines, backup = migrate(old / "policy_fewshot", dry_run=True)
    assert lines == ["policy.json"] and not backup.exists() and contents(old) == before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda root: (root / "run/fewshot/epoch_0001/state.json").write_text("{"), "state.json is damaged"),
        (lambda root: (root / "run/result.json").write_text('{"schema": 3}'), "result.json is not as version 0.1.0"),
        (lambda root: (root / "run/predictions/zero_shot_id.npz").write_bytes(b"PK"), "zero_shot_id.npz is damaged"),
    ],
)
def test_what_is_damaged_is_left_as_it_was(old: Path, damage: Callable[[Path], object], words: str) -> None:
    damage(old)
    before = contents(old)
    with pytest.raises(CheckpointError, match=words):
        migrate(old / "run")
    assert contents(old) == before


def test_a_folder_is_migrated_once(old: Path) -> None:
    migrate(old / "policy_fewshot")
    before = contents(old)
    assert migrate(old / "policy_fewshot") == (
        ["all of it, by an earlier migration"],
        old / "policy_fewshot.0.1.0",
    )
    assert contents(old) == before
    shutil.rmtree(old / "policy_fewshot.0.1.0")
    with pytest.raises(CheckpointError, match="none; scene stores"):
        migrate(old / "policy_fewshot")
    assert contents(old / "policy_fewshot") == {
        name.removeprefix("policy_fewshot/"): data
        for name, data in before.items()
        if name.startswith("policy_fewshot/")
    }


def test_old_files_are_not_hidden_by_an_earlier_migration(old: Path) -> None:
    shutil.copytree(old / "policy_fewshot", old / "policy_fewshot.0.1.0")
    before = contents(old)
    with pytest.raises(CheckpointError, match=r"was migrated before, and holds files of version 0\.1\.0 again"):
        migrate(old / "policy_fewshot")
    assert contents(old) == before


def test_a_dry_run_ends_no_migration(old: Path) -> None:
    folder = old / "policy_fewshot"
    migrate(folder)
    folder.rename(old / ".policy_fewshot.migrated")  # as a kill before the last step leaves it
    before = contents(old)
    assert migrate(folder, dry_run=True)[0] == ["all of it, by a migration that had been ended at its last step"]
    assert contents(old) == before and not folder.exists()
    migrate(folder)
    assert folder.is_dir()


def test_a_link_to_a_folder_is_not_lost(old: Path) -> None:
    (old / "run").rename(old / "disk")
    (old / "sweep").mkdir()
    (old / "sweep" / "run").symlink_to(old / "disk")
    shutil.copytree(old / "policy_fewshot", old / "sweep" / "policy")
    with pytest.raises(CheckpointError, match=r"sweep/run is a link to one; put the folder itself there"):
        migrate(old / "sweep")
    assert (old / "sweep" / "run").is_symlink()


def test_what_lies_above_the_folder_does_not_matter(old: Path) -> None:
    with pytest.raises(CheckpointError, match=r"fewshot is a part of .*run: migrate that"):
        migrate(old / "run" / "fewshot")
    (old / "settings.json").write_text("// of an editor")
    migrate(old / "run")
    assert (old / "run" / "few_shot").is_dir()


@pytest.mark.parametrize("call", [1, 2, 3])
def test_killed_at_a_step_it_is_done_again(old: Path, call: int) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
rename, calls = Path.rename, 0
def counting(self, target):
    global calls
    calls += not self.name.endswith(".tmp")
    if calls == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.rename = counting
from pickclutter_lang.migration.migrate import migrate
migrate({str(old / "policy_fewshot")!r})
"""
    before = contents(old / "policy_fewshot")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    again = run_python([*MIGRATE, str(old / "policy_fewshot")])
    assert again.returncode == 0, again.stderr
    assert json.loads((old / "policy_fewshot" / "policy.json").read_text())["schema"] == 3
    assert contents(old / "policy_fewshot.0.1.0") == before
    assert sorted(path.name for path in old.iterdir() if "policy" in path.name) == [
        "policy_fewshot",
        "policy_fewshot.0.1.0",
    ]


def test_the_command_prints_what_it_did(old: Path) -> None:
    done = run_python([*MIGRATE, "policy_fewshot"], old)
    assert done.returncode == 0 and "1 files changed" in done.stdout and "policy.json" in done.stdout, done.stderr
    wrong = run_python([*MIGRATE, "nowhere"], old)
    assert wrong.returncode == 2 and wrong.stderr.startswith("CheckpointError: expected a folder at nowhere")
