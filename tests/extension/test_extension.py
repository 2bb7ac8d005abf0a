"""Parts from a package outside the tree, by the commands that docs/how_to/extend.md shows; their code is the page's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers import image_runs, scene_runs
from helpers.forkserver import run_python
from helpers.image_data import paint
from helpers.paths import ROOT
from pickclutter_lang.datasets.scene_images import load_scene_datasets
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, TeacherError
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.teachers import Teacher, load_teacher
from pickclutter_lang.training.experiment import read_run
from pickclutter_lang.utils.plugins import resolve

PAGES = ("docs/how_to/extend.md", "docs/how_to/own_images.md")
SHORT = ("distill.epochs=1", "few_shot.epochs=1")
NETWORK = "student.name=my_package.networks:plain_network"
COSINE = "my_package.losses:cosine_loss"


def write_package(folder: Path) -> Path:
    """Write the code of the pages as a package, and their methods as a folder of configuration groups."""
    extend, own_images = ((ROOT / page).read_text() for page in PAGES)
    files = re.findall(r"^```python\n# (my_package/\w+\.py)\n(.*?)^```$", extend, re.DOTALL | re.MULTILINE)
    files += [("my_package/data.py", re.findall(r"^```python\n(.*?)^```$", own_images, re.DOTALL | re.MULTILINE)[-1])]
    methods = re.findall(r"^```yaml\n(.*?)^```$", extend, re.DOTALL | re.MULTILINE)
    files += [(f"my_configs/method/{re.findall(r'method: (.*)', text)[0]}.yaml", text) for text in methods]
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "my_package" / "wrong.py").write_text(WRONG)
    return folder


WRONG = """
number = 3

def no_scalar(student):
    return student

def other_argument(student, gravity):
    return student.sum()

def no_load(config):
    return []

def no_backbone(channels, output_stride, pretrained):
    return 3

def no_map(channels, output_stride, pretrained):
    from torch import nn
    from pickclutter_lang.students.backbones import Backbone
    return Backbone(nn.Conv2d(channels, 8, 3), width=16)

def no_detector(student):
    return 3
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("outside"))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [*scene_runs.make_toys(tmp_path_factory.mktemp("scenes"), size=48), *SHORT]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [*image_runs.make_toys(tmp_path_factory.mktemp("images")), *SHORT]


def call(outside: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(outside), os.environ.get("PYTHONPATH"))))
    return run_python(["-m", "pickclutter_lang.commands", *words], folder, {**os.environ, "PYTHONPATH": path})


def succeed(outside: Path, folder: Path, *words: str) -> str:
    done = call(outside, folder, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fail(outside: Path, folder: Path, *words: str) -> str:
    done = call(outside, folder, *words)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]  # after a bar of progress


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_a_loss_and_a_method_of_ones_own_work_for_a_run_which_checks_them_when_it_resumes(
    outside: Path, scenes: list[str], tmp_path: Path
) -> None:
    line = ("train-affordance", "--config-dir", str(outside / "my_configs"), *scenes, "out=run", "method=cosine")
    succeed(outside, tmp_path, *line)
    (first,) = rows(tmp_path / "run" / "distill" / "log.jsonl")
    assert 0 < first[COSINE] < 2
    error = fail(outside, tmp_path, *line, r"objective.extra={my_package.losses\:cosine_loss: 0.25}")
    assert "other settings" in error and f"{COSINE}: 0.5 / 0.25" in error


@pytest.mark.slow
def test_a_method_of_ones_own_works_for_a_sweep(outside: Path, scenes: list[str], tmp_path: Path) -> None:
    line = ("reproduce-table12", "--config-dir", str(outside / "my_configs"), "methods=[cosine]", "seeds=[0]")
    own = [word for word in scenes if "num_threads" not in word]
    succeed(outside, tmp_path, *line, *own, "out=table", "workers=1")
    assert "`cosine`" in (tmp_path / "table" / "table12.md").read_text()
    assert 0 < rows(tmp_path / "table" / "cosine" / "seed0" / "distill" / "log.jsonl")[0][COSINE] < 2


@pytest.mark.slow
def test_a_loss_works_for_single_images(outside: Path, images: list[str], tmp_path: Path) -> None:
    extra = r"objective.extra={my_package.losses\:cosine_loss: 0.5}"
    succeed(outside, tmp_path, "train-image-student", *images, extra, "out=run")
    assert 0 < rows(tmp_path / "run" / "distill" / "log.jsonl")[0][COSINE] < 2


@pytest.mark.slow
def test_a_data_set_is_chosen_on_the_command_line(outside: Path, images: list[str], tmp_path: Path) -> None:
    species = ("fly_agaric", "cep", "chanterelle", "morel")
    for number in range(48):
        paint(tmp_path / "data" / "photos" / f"{number}.png", number)
    lines = [f"{number}.png,{species[number % len(species)]}" for number in range(48)]
    (tmp_path / "data" / "labels.csv").write_text("\n".join(lines) + "\n")
    chosen = ("dataset=image_folder", "data.name=my_package.data:load", "objective.cls=1", "data.shots=2")
    own = [word for word in images if not word.startswith("data.root")]
    succeed(outside, tmp_path, "train-image-student", *own, *chosen, "data.root=data", "out=run")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["config"]["data"]["name"] == "my_package.data:load"


@pytest.fixture(scope="module")
def trained(outside: Path, scenes: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run of a network from outside, `run`, and its policy folder, `policy`."""
    folder = tmp_path_factory.mktemp("trained")
    own = [word for word in scenes if not word.startswith("student.")]
    succeed(outside, folder, "train-affordance", *own, NETWORK, "student.output_stride=16", "out=run")
    succeed(outside, folder, "export-policy", "run=run", "out=policy")
    return folder


@pytest.mark.slow
def test_a_network_is_trained_and_exported(outside: Path, trained: Path) -> None:
    assert json.loads((trained / "policy" / "policy.json").read_text())["student"]["network"]["name"] == NETWORK[13:]
    pytest.importorskip("onnxruntime")
    succeed(outside, trained, "export-onnx", "run=run", "out=student.onnx")
    assert (trained / "student.onnx").is_file()


@pytest.mark.slow
def test_a_policy_folder_that_names_code_is_refused_unless_it_is_trusted(
    outside: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pickclutter_lang.policy.policy import LanguagePickPolicy
    from pickclutter_lang.policy.runtime import StudentRuntime

    for load in (StudentRuntime.load, LanguagePickPolicy.load):
        with pytest.raises(CheckpointError, match=r"my_package.networks:plain_network.*trust_code=True"):
            load(trained / "policy")
    assert "my_package.networks" not in sys.modules
    with pytest.raises(InvalidArgumentError, match="PYTHONPATH"):
        StudentRuntime.load(trained / "policy", trust_code=True)
    monkeypatch.syspath_prepend(str(outside))
    assert StudentRuntime.load(trained / "policy", trust_code=True).map_size == 2


@pytest.mark.sim
@pytest.mark.slow
def test_a_detector_and_a_proposer_act_in_the_environment(outside: Path, trained: Path) -> None:
    pytest.importorskip("sapien")
    detector = "my_package.detectors:NearestObject"
    line = ("evaluate-policy", "policy=policy", f"variants=[oracle,{detector}]", "episodes=2", "workers=1")
    own = (*line, "proposer=my_package.grasps:grasp_from_above", "out=own", "absent_probability=0")
    assert "trust_code=true" in fail(outside, trained, *own)
    succeed(outside, trained, *own, "trust_code=true")
    episodes = rows(trained / "own" / "episodes.jsonl")
    assert sorted(episode["variant"] for episode in episodes) == [detector, detector, "oracle", "oracle"]
    assert {e["score"] for e in episodes if e["variant"] == detector} == {1.0}
    assert any(episode["grasp_found"] for episode in episodes)
    assert detector in (trained / "own" / "report.html").read_text()
    other = fail(outside, trained, *line, "out=own", "absent_probability=0", "trust_code=true")
    assert "proposer" in other and "another student or environment" in other


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["variants=[my_package.detectors:Nearest]"], "no Nearest; did you mean NearestObject"),
        (["variants=[my_package.wrong:no_detector]"], "make a pickclutter_lang.policy.detectors.TargetDetector"),
        (["proposer=grasp_from_above"], "expected proposer as module:attribute"),
    ],
)
def test_a_wrong_detector_or_proposer_is_named(
    outside: Path, trained: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    pytest.importorskip("sapien")
    line = ("evaluate-policy", "policy=policy", "trust_code=true", "episodes=1", f"out={tmp_path / 'out'}")
    assert message in fail(outside, trained, *line, *words)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["student.name=my_package.wrong:no_backbone"], "to return a pickclutter_lang.students.backbones.Backbone"),
        (["student.name=my_package.wrong:no_map"], r"feature maps \[N, 16, h, w\], but got \[8, 8, "),
        ([r"objective.extra={my_package.wrong\:no_scalar: 1}"], "to return a scalar tensor, but got"),
        ([r"objective.extra={my_package.wrong\:other_argument: 1}"], "probabilities.*, but got gravity"),
        ([r"objective.extra={my_loss: 1}"], "expected objective.extra as module:attribute"),
    ],
)
def test_a_wrong_part_of_a_student_is_named(
    outside: Path, scenes: list[str], tmp_path: Path, words: list[str], message: str
) -> None:
    own = [word for word in scenes if not word.startswith("student.")]
    assert re.search(message, fail(outside, tmp_path, "train-affordance", *own, *words, "out=run"))


@pytest.mark.slow
def test_a_wrong_data_set_is_named(outside: Path, images: list[str], tmp_path: Path) -> None:
    line = ("train-image-student", *images, "objective.cls=1", "out=run", "dataset=image_folder")
    assert "LoadResult, but got list" in fail(outside, tmp_path, *line, "data.name=my_package.wrong:no_load")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_package.losses", "expected data.name as module:attribute"),
        ("my package:load", "expected data.name as module:attribute"),
        ("my_package:data:load", "expected data.name as module:attribute"),
        ("no_such_package.data:load", "No module named 'no_such_package'; install its package.*PYTHONPATH=FOLDER"),
        ("my_package.losses:cosine", r"my_package/losses.py\), but it has no cosine; did you mean cosine_loss?"),
        ("my_package.losses:xyz", "but it has no xyz$"),
        ("my_package.wrong:number", "to be a function or a class, but got int"),
    ],
)
def test_a_name_that_leads_nowhere_is_explained(
    outside: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.syspath_prepend(str(outside))
    with pytest.raises(InvalidArgumentError, match=message):
        resolve(name, "data.name")


class _Wrapped:
    """A teacher that is no `OpenClipTeacher`."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher

    def __getattr__(self, name: str) -> Any:
        return getattr(self._teacher, name)


def test_a_run_in_python_takes_any_teacher_and_a_command_none_by_its_module(scenes: list[str], tmp_path: Path) -> None:
    config = scene_runs.config(*scenes, f"out={tmp_path / 'run'}")
    teacher = load_teacher("pocket", config.teacher.checkpoint)
    run = SceneRun(config, _Wrapped(teacher), load_scene_datasets(config.data))
    run.train()
    assert read_run(tmp_path / "run", "")["teacher"]["fingerprint"] == teacher.fingerprint
    with pytest.raises(TeacherError, match=r"open_clip architecture>:<pretrained tag>', but got 'my_package:teacher'"):
        SceneRun.open(scene_runs.config(*scenes, "teacher.name=my_package:teacher", f"out={tmp_path / 'other'}"))


def test_what_a_proposer_gives_is_checked() -> None:
    import numpy as np

    from pickclutter_lang.manipulation.gripper import GraspCandidates, checked_candidates

    with pytest.raises(InvalidArgumentError, match="GraspCandidates"):
        checked_candidates([])
    with pytest.raises(InvalidArgumentError, match=r"\[G, 3\]"):
        checked_candidates(GraspCandidates(np.zeros((2, 3)), np.zeros((3, 3))))
    with pytest.raises(InvalidArgumentError, match=r"widths \[2\], but got \(3,\)"):
        checked_candidates(GraspCandidates(np.zeros((2, 3)), np.zeros((2, 3, 3)), widths=np.zeros(3)))
