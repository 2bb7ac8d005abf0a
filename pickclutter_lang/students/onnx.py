"""ONNX export of a student with a fixed vocabulary: images to probabilities and attention maps, without text."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pickclutter_lang.errors import ExportError

INPUT, OUTPUTS = "images", ("probabilities", "maps")


class FixedVocabularyStudent(nn.Module):
    """A `PromptedStudent` with fixed labels: images to (probabilities, attention maps)."""

    def __init__(self, student: nn.Module, labels: Sequence[str]) -> None:
        super().__init__()
        self.student = student
        self.labels = list(labels)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities [N, C] and attention maps [N, C, h, w] of images [N, K, S, S]."""
        scores = self.student(images, self.labels)
        return scores.probabilities, scores.attention


@torch.no_grad()
def export_onnx(model: FixedVocabularyStudent, images: Tensor, metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of an ONNX model with the input `images` and the outputs `probabilities` and `maps`.

    The batch size N is dynamic, the image size is that of the example. Text features and image normalization are part
    of the model. Paths of this machine are not.

    :param model: in eval mode
    :param images: an example [1 or more, K, S, S]
    :param metadata: goes into `metadata_props`
    :raises ExportError: when torch cannot turn the network into ONNX
    """
    example = images[:1].repeat(2, 1, 1, 1)  # with a single image, torch.export takes N = 1 for a constant
    model(example)  # encodes the labels here, so that the text encoder is not traced
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's exporter warns about itself
            program = torch.onnx.export(
                model,
                (example,),
                dynamo=True,
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_shapes=({0: torch.export.Dim("N")},),
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
