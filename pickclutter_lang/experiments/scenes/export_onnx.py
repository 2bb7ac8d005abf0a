"""A finished student as an ONNX file that was compared with torch before it was written."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.errors import ExportError, InvalidArgumentError, MissingExtraError
from pickclutter_lang.experiments.scenes.command_configs import OnnxExportConfig
from pickclutter_lang.experiments.scenes.load import load_trained_run, validate_label_names
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.students.model import PromptedStudent
from pickclutter_lang.students.onnx import INPUT, OUTPUTS, FixedVocabularyStudent, export_onnx
from pickclutter_lang.utils.io import atomic_write

TOLERANCE = 1e-4
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_COMPARED = 16


class Exported(NamedTuple):
    """The file, its labels, and the largest difference between a number of onnxruntime and of torch."""

    path: Path
    names: list[str]
    difference: float


def export_student(config: OnnxExportConfig) -> Exported:
    """Write a student as ONNX: `images` float32 [N, K, S, S] to `probabilities` [N, C] and `maps` [N, C, h, w].

    A student that was trained in bfloat16 is exported, and compared, in float32.

    Images are what `SceneDataset.batch` gives: RGB in 0..1 and, for students with depth, meters (0 = nothing, at most
    2), camera after camera, the center of `view` pixels of the camera's image resized to S. The text features of the
    labels are baked in. `metadata_props` say all this (`input`, `view`, `image_size`, `cameras`, `depth`), and `names`
    (the C labels as a JSON list), `label` (what the probabilities are of), `student`, `phase`, `teacher` and
    `teacher_fingerprint`.

    :raises MissingExtraError: without the extra `export`
    :raises ExportError: when the student has no ONNX form, or onnxruntime gives other numbers than torch
    :raises PickClutterError: what `load_trained_run` raises; InvalidArgumentError or UnknownObjectError for a wrong
        name; DatasetError when the file cannot be written
    """
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "export")
    path = Path(config.out)
    if path.is_dir():
        raise InvalidArgumentError(f"expected out to be a file such as student.onnx, but {path} is a folder")
    wanted = None if config.names is None else validate_label_names(config.names)
    run = load_trained_run(config)
    run.model.use_bf16 = False  # runtimes offer float32 everywhere, bfloat16 almost nowhere
    names = run.label_names(("id", "ood")) if wanted is None else wanted
    scenes = run.scenes["ood"]
    images = scenes.batch(range(min(_COMPARED, len(scenes))))
    data = export_onnx(FixedVocabularyStudent(run.model, names), images, _metadata(run, config.phase, names))
    difference = compare_onnx(data, run.model, images, names)
    atomic_write(path, data)
    return Exported(path, names, difference)


@torch.no_grad()
def compare_onnx(data: bytes, model: PromptedStudent, images: Tensor, names: Sequence[str]) -> float:
    """Return the largest difference between what onnxruntime and torch say, on all images and on the first alone.

    :raises ExportError: when it is above `TOLERANCE`
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    largest = 0.0
    for part in (images, images[:1]):
        expected = model.predict(part, names)
        found = session.run(list(OUTPUTS), {INPUT: np.ascontiguousarray(part.numpy())})
        for output, ours, theirs in zip(OUTPUTS, (expected.probabilities, expected.attention), found, strict=True):
            gap = float(np.abs(ours.numpy() - theirs).max()) if ours.shape == theirs.shape else float("inf")
            if not gap <= TOLERANCE:
                raise ExportError(
                    f"expected {output} of the ONNX model within {TOLERANCE:g} of torch's, but they differ by "
                    f"{gap:.2g}; no file was written: this network needs another torch or onnxruntime"
                )
            largest = max(largest, gap)
    return largest


def _metadata(run: SceneRun, phase: str, names: Sequence[str]) -> dict[str, str]:
    data = run.config.data
    channels = ", ".join(f"{camera} {kind}" for camera in data.cameras for kind in ("RGB", "depth")[: 1 + data.depth])
    return {
        "names": json.dumps(list(names)),
        "label": data.target_label,
        "input": f"float32 [N, {data.channels}, {data.image_size}, {data.image_size}]: {channels}; "
        "RGB in 0..1, depth in meters (0 = nothing, at most 2)",
        "view": str(run.scenes["ood"].crop_size),
        "image_size": str(data.image_size),
        "cameras": json.dumps(data.cameras),
        "depth": json.dumps(data.depth),
        "student": run.config.student.name,
        "phase": phase,
        "teacher": run.config.teacher.name,
        "teacher_fingerprint": run.teacher.fingerprint,
    }
