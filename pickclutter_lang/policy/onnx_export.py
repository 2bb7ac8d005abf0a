"""Export of a policy folder for use without torch, and text features of further names."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.phrases import COLORS, color_alone, color_phrase
from pickclutter_lang.policy.bundle import load_pretrained
from pickclutter_lang.policy.manifest import (
    CROPS_FILE,
    NETWORK_FILE,
    TEXT_FILE,
    load_catalog,
    policy_folder,
    write_folder,
)
from pickclutter_lang.policy.name_features import NameFeatures, save_name_features
from pickclutter_lang.policy.onnx_student import SCORES
from pickclutter_lang.policy.quantization import quantize_student
from pickclutter_lang.policy.replay import scene_to_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.runtime_config import NameEncodingConfig, OpenedPolicyConfig, RuntimeExportConfig
from pickclutter_lang.students.onnx import OpenVocabularyStudent, check_export_packages, compare_onnx, export_onnx
from pickclutter_lang.utils.io import ensure_dir
from pickclutter_lang.utils.json_files import read_file
from pickclutter_lang.utils.locks import dir_lock, file_lock

_COMPARED = 8
"""Random images, and crops, on which ONNX Runtime is compared with torch."""


class ExportedRuntime(NamedTuple):
    """The folder, and the largest difference between a number of ONNX Runtime and of torch, both float32.

    `of_8_bits` is the mean difference between a score of 8-bit networks and of these, on the calibration's scenes.
    """

    folder: Path
    difference: float
    of_8_bits: float | None = None


def export_runtime(config: RuntimeExportConfig, looks: Iterable[Mapping[str, Any]] | None = None) -> ExportedRuntime:
    """Write the student of a policy folder as ONNX networks, which `OnnxStudent.load` opens without torch.

    `student.onnx` maps `images` [1, K, S, S] (see `preprocess_images`) and the text features of any C names, `positive`
    and `negative` [C, D], to `probabilities` [1, C], `attention` and `cell_logits`, both [1, C, h, w].
    `crop_classifier.onnx` maps object crops, `images` [N, 3, S, S] and their `masks` [N, S, S], to `logits` [N, C] of
    the folder's names. All inputs and outputs are float32. Thresholds, text features and catalog are those of the
    policy.

    :param looks: observations that calibrate networks of 8-bit integers; by default scenes of `config.calibration`
    :raises MissingExtraError: without the extra `export`
    :raises ExportError: when a network has no ONNX form, or ONNX Runtime gives other numbers than torch
    :raises CheckpointError: when the policy is missing or damaged, or names code that is not trusted
    :raises InvalidArgumentError: when `out` is the folder of the policy
    :raises DatasetError, LockedError: when the folder cannot be written
    """
    check_export_packages()
    _set_threads(config)
    policy, out = policy_folder(config.policy), Path(config.out)
    if policy.resolve() == out.resolve():
        raise InvalidArgumentError(f"expected out to be another folder than policy, but both are {out}")
    loaded, weights, text = load_pretrained(policy, config.trust_code)
    spec = replace(loaded.student, precision="float32")  # ONNX Runtime has bfloat16 almost nowhere
    student = StudentRuntime(spec, weights, text, loaded.thresholds)
    with dir_lock(out):
        if looks is None and config.calibration is not None:
            looks = _calibration(config.calibration, config.calibration_scenes)
        scores, difference = _scores(student)
        files = {NETWORK_FILE: scores, TEXT_FILE: read_file(policy / TEXT_FILE)}
        if spec.object_crop_size is not None:
            files[CROPS_FILE], of_crops = _crops(student, spec.object_crop_size)
            difference = max(difference, of_crops)
        of_8_bits = None
        if looks is not None:
            networks = {name: data for name, data in files.items() if name != TEXT_FILE}
            features = _name_features(student, spec.names, policy)
            found, of_8_bits = quantize_student(spec, loaded.thresholds, networks, features, looks)
            files, spec = files | found, replace(spec, precision="int8")
        write_folder(out, replace(loaded, student=spec), files, load_catalog(policy))
    return ExportedRuntime(out, difference, of_8_bits)


def encode_names(config: NameEncodingConfig) -> NameFeatures:
    """Write the text features of names for a student without torch (`OnnxStudent.add_names`).

    A color alone, "red one", brings those of all colors, which it competes with.

    :raises CheckpointError: when the policy is missing or damaged, or names code that is not trusted
    :raises InvalidArgumentError, UnknownObjectError: for a name that cannot be encoded
    :raises TeacherError: when a name is new to the policy, and its teacher is missing or another one
    :raises DatasetError, LockedError: when the file cannot be written
    """
    _set_threads(config)
    student, path = StudentRuntime.load(config.policy, config.trust_code), Path(config.out)
    colors = map(color_phrase, COLORS) if any(map(color_alone, config.names)) else ()
    features = _name_features(student, list(dict.fromkeys([*map(str.strip, config.names), *colors])), student.folder)
    ensure_dir(path.parent)
    with file_lock(path):
        save_name_features(path, features)
    return features


def _name_features(student: StudentRuntime, names: Sequence[str], policy: Path) -> NameFeatures:
    """Return the text features of names for a student without torch; `policy` is the student's folder."""
    text = student.encode_names(names)
    assert text.negative is not None  # a policy has them
    of_policy, stripped = hashlib.sha256(read_file(policy / TEXT_FILE)).hexdigest(), tuple(map(str.strip, names))
    return NameFeatures(stripped, text.positive.float().numpy(), text.negative.float().numpy(), of_policy)


def _calibration(store: str, count: int) -> list[dict[str, Any]]:
    """Return looks at `count` scenes of a store, evenly spaced."""
    scenes = SceneDataset(SceneStore.open(store), SceneDataConfig(crop_size=None, target_label="present"))
    rows = np.linspace(0, len(scenes) - 1, min(count, len(scenes))).round().astype(int)
    return [scene_to_observation(scenes, row) for row in rows.tolist()]


def _set_threads(config: OpenedPolicyConfig) -> None:
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)


def _scores(student: StudentRuntime) -> tuple[bytes, float]:
    """Return the network of scores as ONNX, and its largest difference from torch."""
    config = student.config
    text = student.encode_names(config.names)
    assert text.negative is not None
    images = _noise(_COMPARED, config.camera_spec.channels, config.image_size, config.image_size)
    texts = {"positive": text.positive.float(), "negative": text.negative.float()}
    model, example = OpenVocabularyStudent(student.scorer), {"images": images[:1], **texts}
    data = export_onnx(model, example, SCORES, {"positive": "C", "negative": "C"}, {"names": "inputs"})
    few = {key: value[:1] for key, value in texts.items()}
    inputs = [{"images": image[None], **some} for image in images for some in (texts, few)]
    return data, _largest_difference(data, model, inputs, SCORES)


def _crops(student: StudentRuntime, size: int) -> tuple[bytes, float]:
    """Return the crop classifier as ONNX, and its largest difference from torch."""
    crops = {"images": _noise(_COMPARED, 3, size, size), "masks": _noise(_COMPARED, size, size).round()}
    model = student.crop_classifier
    assert model is not None
    data = export_onnx(model, crops, ["logits"], {"images": "N", "masks": "N"}, {})
    return data, _largest_difference(data, model, [crops, {key: value[:1] for key, value in crops.items()}], ["logits"])


def _largest_difference(
    data: bytes, model: nn.Module, inputs: list[dict[str, Tensor]], outputs: list[str] | tuple[str, ...]
) -> float:
    return max(compare_onnx(data, model, given, outputs) for given in inputs)


def _noise(*shape: int) -> Tensor:
    """Return noise in 0..1."""
    return torch.rand(math.prod(shape), generator=torch.Generator().manual_seed(0)).reshape(shape)
