"""Commands as processes: interrupted, killed while they write, side by side."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from safetensors.torch import load_file

from helpers.forkserver import run_python
from helpers.paths import PROGRAM
from helpers.process_kill import run_killed
from helpers.scene_runs import config, make_toys
from helpers.small_disk import call
from helpers.torture import only_torture
from pickclutter_lang.errors import LockedError
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy
from pickclutter_lang.utils.locks import dir_lock

pytestmark = pytest.mark.slow
SHORT = ("distill.epochs=1", "few_shot.epochs=1", "few_shot.repeats=1")
INTERRUPT = """
import os, signal, sys
from importlib.abc import MetaPathFinder
module = sys.argv[1]
class Interrupt(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == module:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from pickclutter_lang.commands import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [*make_toys(tmp_path_factory.mktemp("toys")), *SHORT]


@pytest.fixture(scope="module")
def finished(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    run = SceneRun.open(config(*toys, f"out={tmp_path_factory.mktemp('finished') / 'run'}"))
    run.train()
    evaluate_run(run)
    return run.folder


def content(folder: Path) -> Mapping[str, str]:
    """Return a hash of the tensors in each file that lasts; safetensors writes its metadata in any order."""
    found = {}
    for path in folder.rglob("*.safetensors"):
        digest = hashlib.sha256()
        for name, tensor in sorted(load_file(path).items()):
            digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode() + tensor.numpy().tobytes())
        found[str(path.relative_to(folder))] = digest.hexdigest()
    return {name: value for name, value in found.items() if not name.endswith("rng.safetensors")}


def leftovers(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob(".*")]


def test_an_interruption_while_modules_are_imported_is_one_line(tmp_path: Path) -> None:
    done = call(sys.executable, "-c", INTERRUPT, "torch", "train-affordance", f"scenes={tmp_path}", f"out={tmp_path}/o")
    assert done.returncode == 130, done.stderr
    assert done.stderr == "interrupted; run the same command again to resume\n"


def test_an_error_without_a_name_is_one_line_that_says_how_to_see_more(tmp_path: Path) -> None:
    code = "import sys; from pickclutter_lang.commands import main; "
    code += "import pickclutter_lang.datasets.scenes as s; s.verify_store = lambda path: 1 / 0; sys.exit(main())"
    words = (sys.executable, "-c", code, "verify-scenes", f"store={tmp_path}")
    done = call(*words)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "unexpected ZeroDivisionError: division by zero; PICKCLUTTER_DEBUG=1 shows the traceback" in done.stderr
    assert "pickclutter check-install report=true" in done.stderr
    for debugged in (call(*words, PICKCLUTTER_DEBUG="1"), call(*words, "--debug")):
        assert "Traceback" in debugged.stderr
        assert debugged.returncode == 1 and debugged.stderr.splitlines()[-1] == done.stderr.strip()


def test_two_trainings_do_not_meet_in_a_folder(toys: list[str], tmp_path: Path) -> None:
    run = SceneRun.open(config(*toys, f"out={tmp_path / 'run'}"))
    with dir_lock(tmp_path / "run"), pytest.raises(LockedError, match=rf"process {os.getpid()} \("):
        run.train()
    assert not (tmp_path / "run").exists()  # nothing was written, and the lock is gone


def test_checkpoints_that_a_killed_training_had_no_time_to_delete_are_deleted(
    toys: list[str], finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    for phase in ("distill", "few_shot"):
        shutil.copytree(finished / phase / "epoch_0001", tmp_path / "run" / phase / "epoch_0000")
        (tmp_path / "run" / phase / ".epoch_0001.tmp").mkdir()
    SceneRun.open(config(*toys, f"out={tmp_path / 'run'}")).train()
    assert content(tmp_path / "run") == content(finished)
    assert leftovers(tmp_path) == []


@only_torture
def test_an_export_that_is_killed_while_it_writes_goes_on(finished: Path, tmp_path: Path) -> None:
    words = ["export-policy", f"run={finished}", f"out={tmp_path / 'policy'}"]
    run_killed([*PROGRAM, *words], "pickclutter_lang.utils.io:fsync", 3, tmp_path)
    assert any(name.endswith(".tmp") for name in leftovers(tmp_path))
    assert run_python([*PROGRAM, *words]).returncode == 0
    whole = export_policy(PolicyExportConfig(str(finished), out=str(tmp_path / "whole")))
    assert content(tmp_path / "policy") == content(whole) != {}
    assert leftovers(tmp_path) == []


def test_a_setting_of_a_foreign_run_is_never_resolved(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    path = tmp_path / "run" / "settings.json"
    values = json.loads(path.read_text())
    values["settings"]["method"] = "${oc.env:SECRET}"
    path.write_text(json.dumps(values))
    words = [*PROGRAM, "evaluate-affordance", f"run={tmp_path / 'run'}"]
    done = run_python(words, env={**os.environ, "SECRET": "do-not-tell"})
    assert done.returncode == 0, done.stderr
    assert "do-not-tell" not in done.stderr + done.stdout + (tmp_path / "run" / "result.json").read_text()
