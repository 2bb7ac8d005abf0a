"""ONNX export of students, and the comparison of what ONNX Runtime and torch compute."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pickclutter_lang.errors import ExportError, MissingExtraError
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.students.student import MultiLabelStudent

INPUT, OUTPUTS = "images", ("probabilities", "maps")
TOLERANCE = 1e-4
"""Largest difference between a number of ONNX Runtime and of torch."""
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


class ScoreNetwork(nn.Module):
    """A `MultiLabelStudent` as ONNX takes it: the text features of names are inputs, or constants of fixed labels."""

    def __init__(self, model: MultiLabelStudent, labels: Sequence[str] | None = None) -> None:
        """Take a student.

        :param labels: None: text features are inputs
        """
        super().__init__()
        self.model, self.labels = model, labels

    def forward(self, images: Tensor, positive: Tensor | None = None, negative: Tensor | None = None) -> Any:
        """Return probabilities [N, C] and attention maps [N, C, h, w]; with text features also logits of cells.

        :param images: [N, K, S, S]
        :param positive: features of the names' positive prompts [C, D]
        :param negative: those of their negative prompts [C, D]
        """
        if positive is None:
            return self.model.predict(images, self.labels)[:2]
        return self.model.score(images, PromptFeatures(positive, negative))[:3]


def check_export_packages() -> None:
    """Raise MissingExtraError without the extra `export`."""
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "export")


@torch.no_grad()
def export_onnx(
    model: nn.Module,
    example: Mapping[str, Tensor],
    outputs: Sequence[str],
    dynamic: Mapping[str, str],
    metadata: Mapping[str, str],
) -> bytes:
    """Return the bytes of an ONNX model.

    Image normalization is part of the model. Paths of this machine are not.

    :param model: in eval mode
    :param example: name of each input -> an example of it, in the order of the model's arguments
    :param outputs: names of the outputs
    :param dynamic: name of an input -> name of its first axis, for those whose length is not that of the example
    :param metadata: goes into `metadata_props`
    :raises ExportError: when torch cannot turn the network into ONNX
    """
    # With a single row, torch.export takes the length 1 for a constant.
    given = {key: value[:1].repeat_interleave(2, dim=0) if key in dynamic else value for key, value in example.items()}
    axes = {name: torch.export.Dim(name) for name in dynamic.values()}
    model(*given.values())  # encodes labels here, so that a text encoder is not traced
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
    return bytes(proto.SerializeToString())


@torch.no_grad()
def compare_onnx(data: bytes, model: nn.Module, given: Mapping[str, Tensor], outputs: Sequence[str]) -> float:
    """Return the largest difference between outputs of ONNX Runtime and of torch.

    :param given: name of each input -> its value, in the order of the model's arguments
    :raises ExportError: when it is above `TOLERANCE`
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found = session.run(list(outputs), {key: np.ascontiguousarray(value.numpy()) for key, value in given.items()})
    expected = model(*given.values())
    expected = [expected] if isinstance(expected, Tensor) else expected
    largest = 0.0
    for output, ours, theirs in zip(outputs, expected, found, strict=True):
        gap = float(np.abs(ours.numpy() - theirs).max()) if ours.shape == theirs.shape else float("inf")
        if not gap <= TOLERANCE:
            raise ExportError(
                f"expected {output} of the ONNX model within {TOLERANCE:g} of torch's, but they differ by "
                f"{gap:.2g}; no file was written: this network needs another torch or onnxruntime"
            )
        largest = max(largest, gap)
    return largest
