"""Export of a finished student as an ONNX file, which is compared with torch before it is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pickclutter_lang.datasets.config import CameraKey, CameraSpec
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import OnnxExportConfig
from pickclutter_lang.experiments.scenes.trained_run import TrainedStudent, load_trained_run
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.students.onnx import (
    INPUT,
    OUTPUTS,
    ScoreNetwork,
    check_export_packages,
    compare_onnx,
    export_onnx,
)
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.locks import file_lock

_COMPARED, _MAX_DEPTH_M = 16, 2.0


class Exported(NamedTuple):
    """The file, its labels, and the largest difference between a number of onnxruntime and of torch."""

    path: Path
    names: list[str]
    difference: float


def export_student(config: OnnxExportConfig) -> Exported:
    """Write a student as ONNX: `images` float32 [N, K, S, S] to `probabilities` [N, C] and `maps` [N, C, h, w].

    A student that was trained in bfloat16 is exported, and compared, in float32. Scenes are not needed, and the teacher
    for new names alone.

    Images are those of `preprocess_images`: RGB in 0..1 and, for students with depth, meters (0 = no measurement, at
    most 2), camera after camera. They are the central `view` pixels of the camera's image, resized to S. The text
    features of the labels are constants of the model. `metadata_props` has `input`, `view`, `image_size`, `cameras`,
    `depth`, `names` (the C labels as a JSON list), `label` (what the probabilities are of), `student`, `phase`,
    `teacher` and `teacher_fingerprint`.

    :raises MissingExtraError: without the extra `export`
    :raises ExportError: when the student has no ONNX form, or onnxruntime gives other numbers than torch
    :raises PickClutterError: what `load_trained_run` raises; InvalidArgumentError or UnknownObjectError for a wrong
        name; DatasetError when the file cannot be written; LockedError when another process writes it
    """
    check_export_packages()
    path = Path(config.out)
    if path.is_dir():
        raise InvalidArgumentError(f"expected out to be a file such as student.onnx, but {path} is a folder")
    requested = None if config.names is None else validate_label_names(config.names)
    # Runtimes offer float32 everywhere, bfloat16 almost nowhere.
    student = load_trained_run(config, precision="float32")
    names = list(student.labels.names) if requested is None else requested
    images = _random_images(student)
    with file_lock(path):
        model = ScoreNetwork(student.model, names)
        data = export_onnx(model, {INPUT: images}, OUTPUTS, {INPUT: "N"}, _metadata(student, names))
        difference = max(compare_onnx(data, model, {INPUT: part}, OUTPUTS) for part in (images, images[:1]))
        atomic_write(path, data)
    return Exported(path, names, difference)


def _random_images(student: TrainedStudent) -> Tensor:
    """Return noise in the range of camera images [16, K, S, S], on which a model is compared with torch."""
    data = student.config.data
    generator = torch.Generator().manual_seed(0)
    size = (_COMPARED, data.camera_spec.channels, data.image_size, data.image_size)
    images = torch.rand(size, generator=generator)
    depths = [n for n, (_, kind) in enumerate(_channels(data.camera_spec)) if kind == "depth"]
    images[:, depths] = (images[:, depths] * 1.1 - 0.1).clamp(min=0) * _MAX_DEPTH_M  # some without a measurement
    return images.contiguous(memory_format=torch.channels_last)


def _channels(cameras: CameraSpec) -> list[CameraKey]:
    """Return the camera and kind of each channel."""
    return [key for key in cameras.keys for _ in range(3 if key[1] == "rgb" else 1)]


def _metadata(student: TrainedStudent, names: Sequence[str]) -> dict[str, str]:
    data, cameras = student.config.data, student.config.data.camera_spec
    channels = ", ".join(f"{camera} {'RGB' if kind == 'rgb' else kind}" for camera, kind in cameras.keys)
    return {
        "names": json.dumps(list(names)),
        "label": data.target_label,
        "input": f"float32 [N, {cameras.channels}, {data.image_size}, {data.image_size}]: {channels}; "
        f"RGB in 0..1, depth in meters (0 = no measurement, at most {_MAX_DEPTH_M:g})",
        "view": str(student.crop_size),
        "image_size": str(data.image_size),
        "cameras": json.dumps(data.cameras),
        "depth": json.dumps(data.depth),
        "student": student.config.student.name,
        "phase": student.phase,
        "teacher": student.teacher.name,
        "teacher_fingerprint": student.teacher.fingerprint,
    }
