"""Files of a store, a run, a policy, a teacher and an image that a disk or a person has changed: one line for each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.policies import random_policy
from helpers.scene_runs import make_finished_run
from pickclutter_lang.commands import main
from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.policy.networks import SCORES
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_folder.folder import CONFIG_FILE, NETWORK_FILE
from pickclutter_lang.policy_making.config import PolicyExportConfig, RuntimeExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy
from pickclutter_lang.policy_making.export_runtime import export_runtime

EXPORT = "export-policy run=run out=exported num_threads=1"
LOOK = "look image=pile.png names=[mug] checkpoint=teacher"
READERS = {
    "scenes/ood/manifest.json": "verify-scenes store=scenes/ood",
    "scenes/ood/shards/*.h5": "verify-scenes store=scenes/ood",
    "run/settings.json": EXPORT,
    "run/result.json": "evaluate-affordance run=run report_only=true num_threads=1",
    "run/few_shot/*/state.json": EXPORT,
    "run/few_shot/*/model.safetensors": EXPORT,
    "policy/policy.json": "export-runtime policy=policy out=exported num_threads=1",
    "policy/*.safetensors": "export-runtime policy=policy out=exported num_threads=1",
    "teacher/open_clip_config.json": LOOK,
    "teacher/open_clip_model.safetensors": LOOK,
    "pile.png": LOOK,
}
"""File -> a command that reads it."""


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


BINARY: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: os.truncate(path, 0),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "flipped": _flip,
    "huge": lambda path: os.truncate(path, 2**40),
    "pipe": _pipe,
}
IMAGE = {name: damage for name, damage in BINARY.items() if name != "flipped"}  # nothing holds its hash
TEXT = BINARY | {
    "flipped": lambda path: path.write_text("[]"),
    "deep": lambda path: path.write_text("[" * 100_000),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with scenes, a teacher, a finished run and its policy."""
    root: Path = tmp_path_factory.mktemp("whole")
    make_finished_run(root, 48)
    export_policy(PolicyExportConfig(str(root / "run"), out=str(root / "policy")))
    Image.new("RGB", (48, 48)).save(root / "pile.png")
    return root


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy with ONNX networks."""
    pytest.importorskip("onnxscript", reason="needs the extra export")
    return export_runtime(RuntimeExportConfig(str(random_policy(tmp_path_factory.mktemp("policies"))))).folder


@pytest.mark.slow
@pytest.mark.parametrize("pattern", READERS)
def test_damage_is_one_line_that_names_the_file(
    pattern: str, whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "work"))
    monkeypatch.chdir(folder)
    path = sorted(folder.glob(pattern))[-1]
    whole_file = whole / path.relative_to(folder)
    for name, damage in {".json": TEXT, ".png": IMAGE}.get(path.suffix, BINARY).items():
        path.unlink()
        damage(Path(shutil.copy(whole_file, path)))
        with pytest.raises(SystemExit) as ended:
            main(READERS[pattern].split())
        said = capfd.readouterr().err
        assert ended.value.code == 2 and len(said.splitlines()) == 1, (name, said)
        assert path.name in said or path.parent.name in said, (name, said)
        assert not (folder / "exported").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "keys", "value"),
    [
        ("policy/policy.json", ("sha256", "../evil"), "0" * 64),
        ("scenes/ood/manifest.json", ("shards", 0, "file"), "../x"),
    ],
)
def test_a_manifest_names_files_of_its_folder_alone(
    path: str,
    keys: tuple[str | int, ...],
    value: str,
    whole: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "work"))
    monkeypatch.chdir(folder)
    manifest = json.loads((folder / path).read_text())
    part = manifest
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    (folder / path).write_text(json.dumps(manifest))
    kind = path.split("/")[0]
    for line in (READERS[path], f"fetch repository=file://{folder / path}/.. kind={kind} out=fetched"):
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        said = capfd.readouterr().err
        assert ended.value.code == 2 and len(said.splitlines()) == 1 and Path(path).name in said, said


@pytest.mark.slow
@pytest.mark.parametrize("form", ["other outputs", "other shapes", "no probabilities", "endless"])
def test_a_network_that_is_none_of_a_student_is_refused(
    form: str, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(runtime, tmp_path / "runtime"))
    monkeypatch.setattr("pickclutter_lang.policy.onnx_networks.MAX_SECONDS", 0.5)
    network = _network(form)
    (folder / NETWORK_FILE).write_bytes(network)
    content = json.loads((folder / CONFIG_FILE).read_text())
    content["sha256"][NETWORK_FILE] = hashlib.sha256(network).hexdigest()
    (folder / CONFIG_FILE).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=NETWORK_FILE):
        StudentRuntime.load(folder)


def _network(form: str) -> bytes:
    """Return a network with the inputs of a student's for one name, whose outputs are wrong."""
    from onnx import TensorProto, helper, numpy_helper

    shapes: dict[str, list[str | int | None]] = {
        "images": [1, 3, 32, 32],
        "positive": ["C", 16],
        "negative": ["C", 16],
    }
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    scores = np.full((1, 7) if form == "other shapes" else (1, 1), np.nan if form == "no probabilities" else 0.5)
    values = dict(zip(SCORES, (scores, np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2))), strict=True))
    names = list(SCORES[: 2 if form == "other outputs" else 3])
    given = {f"value of {name}": values[name].astype(np.float32) for name in names}
    given |= {"turns": np.array(2**62), "go": np.array(True)}
    nodes = [helper.make_node("Identity", [f"value of {name}"], [name]) for name in names]
    if form == "endless":
        of_turn = [("number", TensorProto.INT64, []), ("go", TensorProto.BOOL, []), ("x", TensorProto.FLOAT, [1, 1])]
        after = [("going", TensorProto.BOOL, []), ("y", TensorProto.FLOAT, [1, 1])]
        turn = [helper.make_node("Identity", ["go"], ["going"]), helper.make_node("Identity", ["x"], ["y"])]
        given_to_turn, left = ([helper.make_tensor_value_info(*one) for one in part] for part in (of_turn, after))
        body = helper.make_graph(turn, "turn", given_to_turn, left)
        nodes[0] = helper.make_node("Loop", ["turns", "go", f"value of {names[0]}"], [names[0]], body=body)
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    constants = [numpy_helper.from_array(value, name) for name, value in given.items()]
    graph = helper.make_graph(nodes, "network", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())
