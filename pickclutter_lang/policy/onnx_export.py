"""Export of a policy folder for use without torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.numpy import save
from torch import Tensor, nn

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import COLORS, color_alone, color_phrase
from pickclutter_lang.policy.command_configs import RuntimeExportConfig
from pickclutter_lang.policy.folder import (
    CROPS_FILE,
    NETWORK_FILE,
    TEXT_FILE,
    load_catalog,
    policy_folder,
    write_folder,
)
from pickclutter_lang.policy.runtime import SCORES, TextFeatures
from pickclutter_lang.policy.torch_networks import TorchNetworks, load_pretrained
from pickclutter_lang.students.onnx import ScoreNetwork, check_export_packages, compare_onnx, export_onnx
from pickclutter_lang.utils.locks import dir_lock

_COMPARED = 8
"""Random images, and crops, on which ONNX Runtime is compared with torch."""


class ExportedRuntime(NamedTuple):
    """The folder, and the largest difference between a number of ONNX Runtime and of torch."""

    folder: Path
    difference: float


def export_runtime(config: RuntimeExportConfig) -> ExportedRuntime:
    """Write the student of a policy folder as ONNX networks, which `StudentRuntime.load` opens without torch.

    `student.onnx` maps `images` [1, K, S, S] (see `StudentRuntime.preprocess`) and the text features of any C names,
    `positive` and `negative` [C, D], to `probabilities` [1, C], `attention` and `cell_logits`, both [1, C, h, w].
    `crop_classifier.onnx` maps object crops, `images` [N, 3, S, S] and their `masks` [N, S, S], to `logits` [N, C] of
    the folder's names. All inputs and outputs are float32. Thresholds and catalog are those of the policy, and text
    features those of its names and of `config.names`. A color alone, "red one", brings those of all colors, which it
    competes with.

    :raises MissingExtraError: without the extra `export`
    :raises ExportError: when a network has no ONNX form, or ONNX Runtime gives other numbers than torch
    :raises CheckpointError: when the policy is missing or damaged, or names code that is not trusted
    :raises InvalidArgumentError: when `out` is the folder of the policy, or for a name that cannot be encoded
    :raises TeacherError: when a name is new to the policy, and its teacher is missing or another one
    :raises DatasetError, LockedError: when the folder cannot be written
    """
    check_export_packages()
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    policy, out = policy_folder(config.policy), Path(config.out)
    if policy.resolve() == out.resolve():
        raise InvalidArgumentError(f"expected out to be another folder than policy, but both are {out}")
    loaded, weights, text = load_pretrained(policy, config.trust_code)
    spec = replace(loaded.student, precision="float32")  # ONNX Runtime has bfloat16 almost nowhere
    colors = map(color_phrase, COLORS) if any(map(color_alone, config.names)) else ()
    asked = dict.fromkeys([*map(str.strip, config.names), *colors])
    further = tuple(name for name in asked if name not in spec.names)
    networks = TorchNetworks(spec, weights, text)
    with dir_lock(out):
        features = networks.encode_names([*spec.names, *further])
        files = {TEXT_FILE: save(features._asdict())}
        files[NETWORK_FILE], difference = _scores(networks, spec.camera_spec.channels, spec.image_size, features)
        if networks.crop_classifier is not None and spec.object_crop_size is not None:
            files[CROPS_FILE], of_crops = _crops(networks.crop_classifier, spec.object_crop_size)
            difference = max(difference, of_crops)
        write_folder(out, replace(loaded, student=spec, further_names=further), files, load_catalog(policy))
    return ExportedRuntime(out, difference)


def _scores(networks: TorchNetworks, channels: int, size: int, text: TextFeatures) -> tuple[bytes, float]:
    """Return the network of scores as ONNX, and its largest difference from torch."""
    images = _noise(_COMPARED, channels, size, size)
    texts = {key: torch.from_numpy(value) for key, value in text._asdict().items()}
    model, example = ScoreNetwork(networks.model), {"images": images[:1], **texts}
    data = export_onnx(model, example, SCORES, {"positive": "C", "negative": "C"}, {"names": "inputs"})
    few = {key: value[:1] for key, value in texts.items()}
    inputs = [{"images": image[None], **some} for image in images for some in (texts, few)]
    return data, _largest_difference(data, model, inputs, SCORES)


def _crops(model: nn.Module, size: int) -> tuple[bytes, float]:
    """Return the crop classifier as ONNX, and its largest difference from torch."""
    crops = {"images": _noise(_COMPARED, 3, size, size), "masks": _noise(_COMPARED, size, size).round()}
    data = export_onnx(model, crops, ["logits"], {"images": "N", "masks": "N"}, {})
    return data, _largest_difference(data, model, [crops, {key: value[:1] for key, value in crops.items()}], ["logits"])


def _largest_difference(
    data: bytes, model: nn.Module, inputs: list[dict[str, Tensor]], outputs: Sequence[str]
) -> float:
    return max(compare_onnx(data, model, given, outputs) for given in inputs)


def _noise(*shape: int) -> Tensor:
    """Return noise in 0..1."""
    return torch.rand(math.prod(shape), generator=torch.Generator().manual_seed(0)).reshape(shape)
