"""Networks of a student: what torch and ONNX Runtime both compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from pickclutter_lang.policy_folder.folder import TextFeatures
from pickclutter_lang.utils.typing import Float32Array

SCORES = ("probabilities", "attention", "cell_logits")
"""Outputs of the ONNX network of scores, in the order of `StudentOutput`."""


class StudentOutput(NamedTuple):
    """What a student predicts for C names.

    `scores` [C] in 0..1, `attention` [C, h, w] with sum 1 each, and `cell_logits` [C, h, w]: the log odds of each name
    by each cell alone.
    """

    scores: Float32Array
    attention: Float32Array
    cell_logits: Float32Array


class Networks(Protocol):
    """The networks of a student; `TorchNetworks` and `OnnxNetworks` are such."""

    @property
    def names(self) -> list[str]:
        """Names whose text features are known."""
        ...

    def encode_names(self, names: Sequence[str]) -> TextFeatures:
        """Return the text features of C names."""
        ...

    def score(self, images: Float32Array, text: TextFeatures) -> StudentOutput:
        """Score texts on an image [1, K, S, S]."""
        ...

    def classify_crops(self, images: Float32Array, masks: Float32Array) -> Float32Array:
        """Return logits [n, C] of the folder's names for object crops [n, 3, S, S] and their masks [n, S, S]."""
        ...

    def encode_crops(self, crops: Float32Array, teacher_only: bool = False) -> Float32Array:
        """Return features [n, F] of crops [n, 3, S, S] in 0..1 of objects by themselves.

        They are those of the embedded teacher, then those of ImageNet's network, each L2-normalized.

        :param teacher_only: without those of ImageNet's network
        """
        ...
