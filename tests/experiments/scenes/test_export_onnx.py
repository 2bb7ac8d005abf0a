"""ONNX export: equal numbers without torch, any names, and named errors."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.forkserver import run_python
from helpers.paths import PROGRAM, ROOT
from helpers.scene_runs import config, make_toys, names_of_objects
from pickclutter_lang.errors import (
    ExportError,
    MissingExtraError,
    TeacherError,
)
from pickclutter_lang.experiments.scenes.config import OnnxExportConfig
from pickclutter_lang.experiments.scenes.export_onnx import export_student
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.trained_run import load_trained_run
from pickclutter_lang.students.onnx import INPUT, OUTPUTS, ScoreNetwork, compare_onnx, export_onnx
from pickclutter_lang.training.experiment import CONFIG_FILE

NEW_NAMES = ["banana", "a red teapot", "the blue object"]
needs_the_extra = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="needs the extra `export`",
)


def trained(folder: Path, *overrides: str, **stores: Any) -> Path:
    short = ("distill.epochs=1", "few_shot.epochs=1", f"out={folder / 'run'}")
    SceneRun.open(config(*make_toys(folder, **stores), *overrides, *short)).train()
    return folder / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("rgb"))


@pytest.fixture(scope="module")
def rgbd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cameras = ("hand", "base")
    return trained(tmp_path_factory.mktemp("rgbd"), "data=both_rgbd", "student=small_resnet", cameras=cameras)


def request(run: Path, out: Path, names: list[str] | None = None, phase: str = "few_shot") -> OnnxExportConfig:
    return OnnxExportConfig(run=str(run), phase=phase, scenes=None, num_threads=1, names=names, out=str(out))


@needs_the_extra
@pytest.mark.parametrize(
    ("kind", "names", "phase"),
    [("run", None, "few_shot"), ("run", NEW_NAMES, "distill"), ("rgbd", NEW_NAMES, "few_shot")],
)
def test_the_file_alone_predicts_what_the_student_predicts(
    kind: str, names: list[str] | None, phase: str, request_of: Callable[..., OnnxExportConfig], tmp_path: Path
) -> None:
    import onnxruntime

    wanted = request_of(kind, tmp_path / "student.onnx", names, phase)
    done = export_student(wanted)
    assert done.difference < 1e-5 and [path.name for path in tmp_path.iterdir()] == ["student.onnx"]
    session = onnxruntime.InferenceSession(str(done.path), providers=["CPUExecutionProvider"])
    opened = load_trained_run(wanted)
    for rows in ([0], [3, 1, 2]):
        images = opened.scenes["id"].batch(rows)
        probabilities, maps = session.run(["probabilities", "maps"], {"images": images.contiguous().numpy()})
        with torch.no_grad():
            expected = opened.model.predict(images, done.names)
        np.testing.assert_allclose(probabilities, expected.probabilities, atol=1e-5)
        np.testing.assert_allclose(maps, expected.attention, atol=1e-5)
        np.testing.assert_allclose(maps.sum((2, 3)), 1, atol=1e-5)


@pytest.fixture
def request_of(run: Path, rgbd: Path) -> Callable[..., OnnxExportConfig]:
    return lambda kind, *rest: request({"run": run, "rgbd": rgbd}[kind], *rest)


@needs_the_extra
def test_the_file_describes_itself(rgbd: Path, tmp_path: Path) -> None:
    import onnxruntime

    done = export_student(request(rgbd, tmp_path / "student.onnx"))
    session = onnxruntime.InferenceSession(str(done.path), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    teacher = json.loads((rgbd / "settings.json").read_text())["teacher"]
    assert set(json.loads(metadata["names"])) == {*names_of_objects("id"), *names_of_objects("ood")}
    assert metadata["teacher_fingerprint"] == teacher["fingerprint"] and metadata["label"] == "graspable"
    assert (metadata["image_size"], metadata["depth"]) == ("32", "true")
    shapes = [value.shape for value in (*session.get_inputs(), *session.get_outputs())]
    assert shapes == [["N", 8, 32, 32], ["N", 26], ["N", 26, 4, 4]]


@needs_the_extra
def test_neither_scenes_nor_teacher_are_needed(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    path = tmp_path / "run" / CONFIG_FILE
    path.write_text(path.read_text().replace(str(run.parent), str(tmp_path / "nowhere")))
    done = export_student(request(tmp_path / "run", tmp_path / "student.onnx"))
    expected = export_student(request(run, tmp_path / "expected.onnx"))
    assert done.names == expected.names and done.difference < 1e-5
    assert done.path.read_bytes() == expected.path.read_bytes()
    with pytest.raises(TeacherError, match="nowhere"):
        export_student(request(tmp_path / "run", tmp_path / "student.onnx", NEW_NAMES))


@needs_the_extra
def test_neither_paths_nor_the_text_tower_are_in_the_file(run: Path, tmp_path: Path) -> None:
    data = export_student(request(run, tmp_path / "student.onnx", NEW_NAMES)).path.read_bytes()
    assert str(ROOT).encode() not in data and b"site-packages" not in data
    students = sum(p.numel() for p in load_trained_run(request(run, tmp_path)).model.student.parameters())
    assert len(data) < 4 * students + 100_000


@needs_the_extra
def test_other_numbers_than_torchs_are_refused(rgbd: Path, tmp_path: Path) -> None:
    opened = load_trained_run(request(rgbd, tmp_path))
    images = opened.scenes["ood"].batch([0, 1, 2])
    model = ScoreNetwork(opened.model, NEW_NAMES)
    data = export_onnx(model, {INPUT: images}, OUTPUTS, {INPUT: "N"}, {})
    assert compare_onnx(data, model, {INPUT: images}, OUTPUTS) < 1e-5
    with torch.no_grad():
        opened.model.depth_mean.add_(0.05)
    with pytest.raises(ExportError, match="differ"):
        compare_onnx(data, model, {INPUT: images}, OUTPUTS)


def test_the_missing_extra_is_named(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match="export"):
        export_student(request(run, tmp_path / "a.onnx"))


@pytest.mark.slow
@needs_the_extra
def test_the_command(run: Path, tmp_path: Path) -> None:
    command = [*PROGRAM, "export-onnx", "out=a.onnx", "names=[banana,a red teapot]"]
    done = run_python([*command, f"run={run}", "num_threads=1"], tmp_path)
    assert done.returncode == 0 and done.stderr == "" and [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
    wrong = run_python([*command, "run=nowhere", "phase=middle"], tmp_path)
    assert wrong.returncode == 2 and "phase" in wrong.stderr and len(wrong.stderr.splitlines()) == 1
