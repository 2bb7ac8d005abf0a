"""Export of a policy folder for use without torch."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pickclutter_lang.datasets.transforms.resampling import OBJECT_SIZE
from pickclutter_lang.errors import ExportError, InvalidArgumentError, MissingExtraError
from pickclutter_lang.language.instructions import COLORS, color_alone, color_phrase
from pickclutter_lang.policy.example_memory import load_examples
from pickclutter_lang.policy.networks import SCORES
from pickclutter_lang.policy.torch_networks import CropEncoder, TorchNetworks, load_pretrained
from pickclutter_lang.policy_folder.folder import (
    CROP_ENCODER_FILE,
    CROPS_FILE,
    NETWORK_FILE,
    TEXT_FILE,
    check_nothing_lost,
    load_catalog,
    pictures_of,
    policy_folder,
    text_bytes,
    write_folder,
)
from pickclutter_lang.policy_making.config import RuntimeExportConfig
from pickclutter_lang.students.prompts import PromptFeatures
from pickclutter_lang.students.student import MultiLabelStudent
from pickclutter_lang.utils.batch_norms import noise
from pickclutter_lang.utils.locks import dir_lock

_COMPARED = 8
"""Random images, and crops, on which ONNX Runtime is compared with torch."""
TOLERANCE = 1e-4
"""Largest difference between a number of ONNX Runtime and of torch."""


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
    features those of its names and of `config.names`. A color by itself, "red one", brings those of all colors, which
    it competes with.

    :raises MissingExtraError: without the extra `export`
    :raises ExportError: when a network has no ONNX form, or ONNX Runtime gives other numbers than torch
    :raises CheckpointError: when the policy is missing or damaged, or names code that is not trusted
    :raises InvalidArgumentError: when `out` is the folder of the policy, or one that learned what would be lost, and
        for a name that cannot be encoded
    :raises TeacherError: when a name is new to the policy, and its teacher is missing or another one
    :raises DatasetError, LockedError: when the folder cannot be written
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "export")
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
    examples = load_examples(policy)
    check_nothing_lost(out, examples.files())
    with dir_lock(out):
        features = networks.encode_names([*spec.names, *further])
        files = {TEXT_FILE: text_bytes([*spec.names, *further], features)}
        size = spec.image_size
        images = noise(_COMPARED, spec.camera_spec.channels, size, size)
        texts = {key: torch.from_numpy(value) for key, value in features._asdict().items()}
        few = {key: value[:1] for key, value in texts.items()}
        files[NETWORK_FILE], difference = export_onnx(
            ScoreNetwork(networks.model),
            [{"images": image[None], **some} for image in images for some in (texts, few)],
            SCORES,
            {"positive": "C", "negative": "C"},
            {"names": "inputs"},
        )
        if networks.crop_classifier is not None and spec.object_crop_size is not None:
            size = spec.object_crop_size
            crops = {"images": noise(_COMPARED, 3, size, size), "masks": noise(_COMPARED, size, size).round()}
            compared = [crops, {key: value[:1] for key, value in crops.items()}]
            files[CROPS_FILE], of_crops = export_onnx(
                networks.crop_classifier, compared, ["logits"], {"images": "N", "masks": "N"}, {}
            )
            difference = max(difference, of_crops)
        if examples.taught or loaded.thresholds.second_look is not None:
            encoder = CropEncoder(use_bf16=False).eval()
            alone = noise(_COMPARED, 3, OBJECT_SIZE, OBJECT_SIZE)
            files[CROP_ENCODER_FILE], of_crops = export_onnx(
                encoder, [{"crops": alone}, {"crops": alone[:1]}], ["features"], {"crops": "N"}, {}
            )
            difference = max(difference, of_crops)
        learned = pictures_of(policy, examples.taught) | examples.files()
        made = replace(loaded, student=spec, further_names=further)
        write_folder(out, made, files, load_catalog(policy), learned)
    return ExportedRuntime(out, difference)


class ScoreNetwork(nn.Module):
    """A `MultiLabelStudent` as ONNX takes it: the text features of names are inputs."""

    def __init__(self, model: MultiLabelStudent) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, positive: Tensor, negative: Tensor) -> Any:
        """Return probabilities [N, C], attention maps and logits of cells [N, C, h, w]."""
        return self.model.score(self.model.features(images), PromptFeatures(positive, negative))[:3]


@torch.no_grad()
def export_onnx(
    model: nn.Module,
    inputs: Sequence[Mapping[str, Tensor]],
    outputs: Sequence[str],
    dynamic: Mapping[str, str],
    metadata: Mapping[str, str],
) -> tuple[bytes, float]:
    """Return the bytes of an ONNX model, and the largest difference of its outputs from torch's.

    Image normalization is part of the model. Paths of this machine are not.

    :param model: in eval mode
    :param inputs: examples: name of each input -> its value, in the order of the model's arguments; the model is traced
        with the first, and compared on all
    :param outputs: names of the outputs
    :param dynamic: name of an input -> name of its first axis, for those whose length is not that of the example
    :param metadata: goes into `metadata_props`
    :raises ExportError: when torch cannot turn the network into ONNX, or a difference is above `TOLERANCE`
    """
    # With a single row, torch.export takes the length 1 for a constant.
    given = {key: v[:1].repeat_interleave(2, dim=0) if key in dynamic else v for key, v in inputs[0].items()}
    axes = {name: torch.export.Dim(name) for name in dynamic.values()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's exporter warns about itself
            program = torch.onnx.export(
                model,
                tuple(given.values()),
                dynamo=True,
                input_names=list(given),
                output_names=list(outputs),
                dynamic_shapes=tuple({0: axes[dynamic[key]]} if key in dynamic else None for key in given),
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ExportError(
            f"torch cannot turn this student into ONNX: {str(error).strip().splitlines()[0]}; "
            "train another student network (student.name)"
        ) from error
    if program is None:
        raise ExportError("expected torch.onnx.export to give a model, but got none; use torch 2.6 or newer")
    program.model.metadata_props.update(metadata)
    proto = program.model_proto
    for node in proto.graph.node:
        del node.metadata_props[:]  # stack traces with paths of this machine
    data = bytes(proto.SerializeToString())
    return data, _largest_difference(data, model, inputs, outputs)


def _largest_difference(
    data: bytes, model: nn.Module, inputs: Sequence[Mapping[str, Tensor]], outputs: Sequence[str]
) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    largest = 0.0
    for given in inputs:
        found = session.run(list(outputs), {key: np.ascontiguousarray(value.numpy()) for key, value in given.items()})
        expected = model(*given.values())
        for output, ours, theirs in zip(outputs, [expected] if len(outputs) == 1 else expected, found, strict=True):
            gap = float(np.abs(ours.numpy() - theirs).max()) if ours.shape == theirs.shape else float("inf")
            if not gap <= TOLERANCE:
                raise ExportError(
                    f"expected {output} of the ONNX model within {TOLERANCE:g} of torch's, but they differ by "
                    f"{gap:.2g}; no file was written: this network needs another torch or onnxruntime"
                )
            largest = max(largest, gap)
    return largest
