"""A student with fixed labels as an ONNX model: images to probabilities and maps, without torch and without text."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pickclutter_lang.errors import ExportError

INPUT, OUTPUTS = "images", ("probabilities", "maps")


class FixedVocabularyStudent(nn.Module):
    """A scorer of any labels (`training.PromptedStudent`) as one of these labels: images to (probabilities, maps)."""

    def __init__(self, scorer: nn.Module, labels: Sequence[str]) -> None:
        super().__init__()
        self.scorer = scorer
        self.labels = list(labels)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities [N, C] and maps [N, C, h, w] of images [N, K, S, S]."""
        scores = self.scorer(images, self.labels)
        return scores.probabilities, scores.attention


@torch.no_grad()
def export_onnx(model: FixedVocabularyStudent, images: Tensor, metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of an ONNX model with the input `images` and the outputs `probabilities` and `maps`.

    The number of images N is free; their size is that of the example. The text features are numbers in the model, and
    so is what the scorer does to images before its network; where things lie on this machine is not in it.

    :param model: in eval mode
    :param images: an example [1 or more, K, S, S]
    :param metadata: goes into `metadata_props`
    :raises ExportError: when torch cannot turn the network into ONNX
    """
    example = images[:1].repeat(2, 1, 1, 1)  # with a single image, torch.export takes N = 1 for a constant
    model(example)  # the scorer encodes the labels here, so that the text tower is not traced
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about torch's own ways
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
