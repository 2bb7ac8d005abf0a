"""Parts from a package outside the tree, by the commands that docs/how_to/extend.md shows; their code is the page's."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import image_runs, scene_runs
from helpers.forkserver import run_python
from helpers.image_data import paint
from helpers.paths import PROGRAM, ROOT
from pickclutter_lang.datasets.scene_images import load_scene_datasets
from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.manipulation.gripper import GraspCandidates, checked_candidates
from pickclutter_lang.teachers import load_teacher
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

def no_load(config):
    return []

def no_backbone(channels, output_stride, pretrained):
    return 3

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


def succeed(outside: Path, folder: Path, *words: str, status: int = 0) -> str:
    path = os.pathsep.join(filter(None, (str(outside), os.environ.get("PYTHONPATH"))))
    done = run_python([*PROGRAM, *words], folder, {**os.environ, "PYTHONPATH": path})
    assert done.returncode == status and "Traceback" not in done.stderr, done.stderr
    return done.stderr


def fail(outside: Path, folder: Path, *words: str) -> str:
    return succeed(outside, folder, *words, status=2).splitlines()[-1]  # after a bar of progress


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_a_loss_and_a_method_of_ones_own_work_for_a_sweep_which_checks_them(
    outside: Path, scenes: list[str], tmp_path: Path
) -> None:
    config_dir = ("--config-dir", str(outside / "my_configs"))
    line = ("reproduce-table12", *config_dir, "methods=[cosine]", "seeds=[0]")
    own = [word for word in scenes if "num_threads" not in word]
    succeed(outside, tmp_path, *line, *own, "out=table", "workers=1")
    one = ("train-affordance", *config_dir, *own, "experiment=table12_cpu", "method=cosine", "out=table/cosine/seed0")
    succeed(outside, tmp_path, *one)  # the sweep's run is this one, and finished
    assert "`cosine`" in (tmp_path / "table" / "table12.md").read_text()
    assert 0 < rows(tmp_path / "table" / "cosine" / "seed0" / "distill" / "log.jsonl")[0][COSINE] < 2
    changed = r"objective.extra={my_package.losses\:cosine_loss: 0.25}"
    assert COSINE in fail(outside, tmp_path, *line, *own, "out=table", "workers=1", changed)


@pytest.mark.slow
def test_a_data_set_and_a_loss_work_for_single_images(outside: Path, images: list[str], tmp_path: Path) -> None:
    species = ("fly_agaric", "cep", "chanterelle", "morel")
    for number in range(48):
        paint(tmp_path / "data" / "photos" / f"{number}.png", number)
    lines = [f"{number}.png,{species[number % len(species)]}" for number in range(48)]
    (tmp_path / "data" / "labels.csv").write_text("\n".join(lines) + "\n")
    chosen = ("dataset=image_folder", "data.name=my_package.data:load", "objective.cls=1", "data.shots=2")
    extra = r"objective.extra={my_package.losses\:cosine_loss: 0.5}"
    own = [word for word in images if not word.startswith("data.root")]
    line = ("train-image-student", *own, *chosen, extra, "data.root=data")
    succeed(outside, tmp_path, *line, "out=run")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["config"]["data"]["name"] == "my_package.data:load"
    assert 0 < rows(tmp_path / "run" / "distill" / "log.jsonl")[0][COSINE] < 2
    assert "my_package.wrong:no_load" in fail(
        outside, tmp_path, *line, "data.name=my_package.wrong:no_load", "out=other"
    )


@pytest.fixture(scope="module")
def trained(outside: Path, scenes: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run of a network from outside, `run`, and its policy folder, `policy`."""
    folder = tmp_path_factory.mktemp("trained")
    own = [word for word in scenes if not word.startswith("student.")]
    succeed(outside, folder, "train-affordance", *own, NETWORK, "student.output_stride=16", "out=run")
    succeed(outside, folder, "export-policy", "run=run", "out=policy")
    policy = json.loads((folder / "policy" / "policy.json").read_text())
    assert policy["student"]["network"]["name"] == NETWORK.removeprefix("student.name=")
    return folder


@pytest.mark.slow
def test_a_policy_folder_that_names_code_is_refused_unless_it_is_trusted(
    outside: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pickclutter_lang.policy.policy import LanguagePickPolicy
    from pickclutter_lang.policy.runtime import StudentRuntime

    for name in [name for name in sys.modules if name.partition(".")[0] == "my_package"]:  # of another test
        monkeypatch.delitem(sys.modules, name)
    for load in (StudentRuntime.load, LanguagePickPolicy.load):
        with pytest.raises(CheckpointError, match="plain_network"):
            load(trained / "policy")
    assert "my_package.networks" not in sys.modules
    with pytest.raises(InvalidArgumentError, match="PYTHONPATH"):
        StudentRuntime.load(trained / "policy", trust_code=True)
    monkeypatch.syspath_prepend(str(outside))
    assert StudentRuntime.load(trained / "policy", trust_code=True).map_size == 2


@pytest.mark.sim
def test_a_kind_is_generated_in_workers(outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is a new process, which has a kind only from the module that the variable names."""
    monkeypatch.setenv("PICKCLUTTER_KINDS", "my_package.kinds")
    pytest.importorskip("sapien")
    kinds = ("kinds=[traffic cone,mug,banana,fork]", "instances=2")
    line = ("collect-scenes", "objects=kinds", *kinds, "split=id", "scenes=8", "min_objects=3", "max_objects=4")
    succeed(outside, tmp_path, *line, "image_size=32", "shard_size=4", "workers=2", "out=scenes")
    store = SceneStore.open(tmp_path / "scenes")
    cones = store.array("actors") == store.model_ids.index("traffic_cone")
    assert cones.any() and set(store.array("instances")[cones]) <= {1000000, 1000001}


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("my_package.no_kinds", "PYTHONPATH"),
        ("my_package.two_mugs", "mug"),
        ("my_package.no_words", "spinning wheel"),
        ("my_package.no_hypernym", "hypernym"),
        ("", "PICKCLUTTER_KINDS"),
    ],
)
def test_a_wrong_kind_is_named(
    outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, said: str
) -> None:
    monkeypatch.setenv("PICKCLUTTER_KINDS", module)
    head = "from pickclutter_lang.kinds import KindWords, generates\n"
    words = "'things', 'a thing', (0.1, 0.2)"
    decorators = {
        "two_mugs": f"generates(KindWords('mug', (), ('thing',), {words}))",
        "no_words": "generates('spinning wheel')",
        "no_hypernym": f"generates(KindWords('spinning wheel', (), (), {words}))",
    }
    for name, decorator in decorators.items():
        (outside / "my_package" / f"{name}.py").write_text(f"{head}@{decorator}\ndef sample(rng): pass\n")
    line = ("render-object-sheet", "objects=[kinds]", "kinds=[traffic cone]", "out=sheet.png")
    assert said in fail(outside, tmp_path, *line)


@pytest.mark.sim
@pytest.mark.slow
def test_a_detector_and_a_proposer_act_in_the_environment(outside: Path, trained: Path) -> None:
    pytest.importorskip("sapien")
    detector = "my_package.detectors:NearestObject"
    line = ("evaluate-policy", "policy=policy", f"variants=[oracle,{detector}]", "episodes=1", "workers=1")
    own = (*line, "picker=my_package.grasps:from_above", "out=own", "absent_probability=0")
    assert "trust_code=true" in fail(outside, trained, *own)
    succeed(outside, trained, *own, "trust_code=true")
    episodes = rows(trained / "own" / "episodes.jsonl")
    assert sorted(episode["variant"] for episode in episodes) == [detector, "oracle"]
    assert {e["score"] for e in episodes if e["variant"] == detector} == {1.0}
    assert any(episode["grasp_found"] for episode in episodes)
    other = fail(outside, trained, *line, "out=own", "absent_probability=0", "trust_code=true")
    assert "picker" in other
    wrong = (*line, "trust_code=true", "variants=[my_package.wrong:no_detector]", "out=wrong")
    assert "my_package.wrong:no_detector" in fail(outside, trained, *wrong)


@pytest.mark.slow
@pytest.mark.parametrize(
    "word", ["student.name=my_package.wrong:no_backbone", r"objective.extra={my_package.wrong\:no_scalar: 1}"]
)
def test_a_wrong_part_of_a_student_is_named(outside: Path, scenes: list[str], tmp_path: Path, word: str) -> None:
    own = [word for word in scenes if not word.startswith("student.")]
    assert "my_package.wrong:no_" in fail(outside, tmp_path, "train-affordance", *own, word, "out=run")


@pytest.mark.parametrize(
    "name", ["my_package.losses", "no_such_package.data:load", "my_package.losses:xyz", "my_package.wrong:number"]
)
def test_a_name_that_leads_nowhere_is_refused(outside: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.syspath_prepend(str(outside))
    with pytest.raises(InvalidArgumentError, match=r"data\.name"):
        resolve(name, "data.name")


def test_a_run_in_python_takes_any_teacher(scenes: list[str], tmp_path: Path) -> None:
    class Wrapped:
        def __getattr__(self, name: str) -> Any:
            return getattr(teacher, name)

    config = scene_runs.config(*scenes, f"out={tmp_path / 'run'}")
    teacher: Any = load_teacher("pocket", config.teacher.checkpoint)
    wrapped: Any = Wrapped()
    SceneRun(config, wrapped, load_scene_datasets(config.data)).train()
    assert read_run(tmp_path / "run", "")["teacher"]["fingerprint"] == teacher.fingerprint


def test_what_a_proposer_gives_is_checked() -> None:
    wrong: Any
    for wrong in ([], GraspCandidates(np.zeros((2, 3)), np.zeros((3, 3)))):
        with pytest.raises(InvalidArgumentError):
            checked_candidates(wrong)
