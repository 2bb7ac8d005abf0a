"""The student with its prompts: from images and label names to probabilities and maps, in one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from pickclutter_lang.datasets.config import CameraSpec
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.students.heads import LocalAggregation
from pickclutter_lang.students.label_encoders import LabelEncoder
from pickclutter_lang.students.student import StudentFeatures, build_student
from pickclutter_lang.utils.caches import keep_recent

_RGB_MEAN, _RGB_STD = 0.5, 0.25
_MAX_LABEL_SETS = 16
"""Sets of labels whose encoded prompts are kept."""


class Prediction(NamedTuple):
    """What a student predicts for C labels on N images.

    `probabilities` [N, C] in 0..1, `attention` [N, C, h, w] with sum 1 each, `cell_logits` [N, C, h, w] (see
    `LabelScores`), and the student's features, not normalized: `pooled` [N, D], `spatial` [N, D, h, w].
    """

    probabilities: Tensor
    attention: Tensor
    cell_logits: Tensor
    pooled: Tensor
    spatial: Tensor


class MultiLabelStudent(nn.Module):
    """Student and local aggregation: from images and text features to probabilities and maps."""

    depth_mean: Tensor
    depth_std: Tensor

    def __init__(self, student: StudentConfig, cameras: CameraSpec, embed_dim: int, use_bf16: bool = False) -> None:
        """Build the network; weights come from torch's global generator, so seed it first.

        :param student: its architecture
        :param cameras: the images that it takes
        :param embed_dim: width of the text features
        :param use_bf16: compute the network in bfloat16; the aggregation is always in float32
        :raises InvalidArgumentError: when a setting does not fit
        """
        super().__init__()
        self.student = build_student(
            student.name,
            channels=cameras.channels,
            embed_dim=embed_dim,
            output_stride=student.output_stride,
            pretrained=student.pretrained,
            dropout=student.dropout,
            activation_checkpointing=student.activation_checkpointing,
        )
        self.use_bf16, self.cameras = use_bf16, cameras
        self.aggregation = LocalAggregation(
            temperature=student.temperature,
            negative_attention=student.negative_attention,  # type: ignore[arg-type]  # checked by its settings
        )
        self.register_buffer("depth_mean", torch.zeros(len(cameras.cameras)))
        self.register_buffer("depth_std", torch.ones(len(cameras.cameras)))

    def score(self, images: Tensor, text: PromptFeatures) -> Prediction:
        """Score texts on images.

        :param images: float32 [N, K, S, S]: RGB in 0..1 and, with depth, meters (0 = nothing), camera after camera
        :param text: features of C texts, with negative ones
        :raises InvalidArgumentError: for another number of channels, or without negative features
        """
        return self.score_features(self.features(images), text)

    def score_features(self, features: StudentFeatures, text: PromptFeatures) -> Prediction:
        """Score texts on images whose features are given; arguments and errors otherwise as of `score`."""
        if text.negative is None:
            raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
        spatial = features.spatial.float()
        scores = self.aggregation(spatial, text.positive, text.negative)
        return Prediction(scores.probabilities, scores.attention, scores.cell_logits, features.pooled.float(), spatial)

    def features(self, images: Tensor) -> StudentFeatures:
        """Return the student's features of images, given as in `score`."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.use_bf16):
            features: StudentFeatures = self.student(self._normalize(images))
        return features

    def set_depth_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set mean and standard deviation [cameras] of depth in meters, by which it is normalized."""
        self.depth_mean.copy_(mean)
        self.depth_std.copy_(std.clamp(min=1e-3))

    def _normalize(self, images: Tensor) -> Tensor:
        if not self.cameras.depth:
            return normalize_rgb(images)
        images = images.clone()
        for camera in range(len(self.cameras.cameras)):
            rgb, depth = images[:, 4 * camera : 4 * camera + 3], images[:, 4 * camera + 3]
            measured = depth > 0  # pixels without a measurement get the mean depth
            rgb.sub_(_RGB_MEAN).div_(_RGB_STD)
            depth.sub_(self.depth_mean[camera]).div_(self.depth_std[camera]).mul_(measured)
        return images


class PromptedStudent(MultiLabelStudent):
    """A student with a label encoder (`prompts`), which turns any label names into text features."""

    def __init__(
        self,
        student: StudentConfig,
        cameras: CameraSpec,
        embed_dim: int,
        build_encoder: Callable[[], LabelEncoder],
        labels: Sequence[str],
        use_bf16: bool = False,
    ) -> None:
        """Build the model.

        :param build_encoder: makes the label encoder, after the network: both draw from torch's global generator
        :param labels: names of the labels that `predict` scores by default
        :raises InvalidArgumentError: when a setting does not fit; what `build_encoder` raises
        """
        super().__init__(student, cameras, embed_dim, use_bf16)
        self.labels = list(labels)
        self.prompts = build_encoder()
        self._texts: dict[tuple[tuple[str, ...], tuple[str, ...]], PromptFeatures] = {}

    def predict(self, images: Tensor, labels: Sequence[str] | None = None, words: Sequence[str] = ()) -> Prediction:
        """Score labels on images.

        In eval mode without gradient the prompts of a set of labels are encoded once, unless many others came since.
        Other weights (`load_state_dict`) and other modes (`train`, `eval`) forget them.

        :param images: as in `score`
        :param labels: C names, by default the model's own
        :param words: V other texts, scored after the labels: columns C and on
        :raises InvalidArgumentError: for another number of channels or a prompt too long for the teacher
        """
        return self.predict_features(self.features(images), labels, words)

    def predict_features(
        self, features: StudentFeatures, labels: Sequence[str] | None = None, words: Sequence[str] = ()
    ) -> Prediction:
        """Score labels on images whose features are given; arguments and errors otherwise as of `predict`."""
        return self.score_features(features, self._encode(self.labels if labels is None else labels, words))

    forward = predict

    def _load_from_state_dict(self, *arguments: Any, **named: Any) -> None:
        self._texts.clear()
        super()._load_from_state_dict(*arguments, **named)

    def _apply(self, *arguments: Any, **named: Any) -> PromptedStudent:
        self._texts.clear()
        super()._apply(*arguments, **named)  # type: ignore[no-untyped-call]
        return self

    def train(self, mode: bool = True) -> PromptedStudent:
        """Switch between training and evaluation; encoded prompts are forgotten."""
        self._texts.clear()
        super().train(mode)
        return self

    def _encode(self, labels: Sequence[str], words: Sequence[str]) -> PromptFeatures:
        if torch.is_grad_enabled() or self.training:
            return self.prompts.encode(labels, words)
        key = (tuple(labels), tuple(words))
        if key not in self._texts:
            self._texts[key] = self.prompts.encode(labels, words)
        keep_recent(self._texts, [key], _MAX_LABEL_SETS)
        return self._texts[key]


def resolve_bf16(precision: str, device: str) -> bool:
    """Return whether a student's network computes in bfloat16.

    With `auto` it does on CPUs with instructions for it (AMX or AVX-512 BF16), where plain convolutions are 1.7 to 2
    times as fast.

    :param precision: `float32`, `bfloat16` or `auto`
    :param device: torch's name of a device
    """
    # Older versions of torch lack this function.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    has_bf16 = any(capabilities.get(key, False) for key in ("amx_bf16", "avx512_bf16"))
    fast = torch.device(device).type == "cpu" and has_bf16
    return precision == "bfloat16" or (precision == "auto" and fast)


def normalize_rgb(images: Tensor) -> Tensor:
    """Return RGB in 0..1 normalized for a student: about zero mean and unit deviation."""
    return (images - _RGB_MEAN) / _RGB_STD
