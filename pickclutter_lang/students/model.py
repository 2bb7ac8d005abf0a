"""The student with its prompts: from images and label names to probabilities and maps, in one function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.students import LocalAggregation, StudentFeatures, build_student
from pickclutter_lang.students.label_encoders import build_label_encoder
from pickclutter_lang.teachers import Teacher

_RGB_MEAN, _RGB_STD = 0.5, 0.25


class Prediction(NamedTuple):
    """`probabilities` [N, C] in 0..1, `maps` [N, C, h, w] with sum 1 each, `odds` [N, C, h, w] of each cell (see
    `LabelScores`), and the student's features, not normalized: `global_` [N, D], `local` [N, D, h, w].
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

    def __init__(self, config: TrainConfig, embed_dim: int) -> None:
        """Build the network; weights come from torch's global generator, so seed it first.

        :param embed_dim: width of the text features
        :raises InvalidArgumentError: when a setting does not fit
        """
        super().__init__()
        student = config.student
        self.student = build_student(
            student.name,
            channels=config.data.channels,
            embed_dim=embed_dim,
            output_stride=student.output_stride,
            pretrained=student.pretrained,
            dropout=student.dropout,
            recompute=student.activation_checkpointing,
        )
        self.use_bf16 = resolve_bf16(config.precision, config.device)
        self.cameras, self.depth = list(config.data.cameras), config.data.depth
        self.aggregation = LocalAggregation(temperature=student.temperature)
        self.register_buffer("depth_mean", torch.zeros(len(self.cameras)))
        self.register_buffer("depth_std", torch.ones(len(self.cameras)))

    def score(self, images: Tensor, text: PromptFeatures) -> Prediction:
        """Score texts on images.

        :param images: float32 [N, K, S, S]: RGB in 0..1 and, with depth, meters (0 = nothing), camera after camera
        :param text: features of C texts, with negative ones
        :raises InvalidArgumentError: for another number of channels, or without negative features
        """
        if text.negative is None:
            raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
        features = self.features(images)
        local = features.spatial.float()
        scores = self.aggregation(local, text.positive, text.negative)
        return Prediction(scores.probabilities, scores.attention, scores.cell_logits, features.pooled.float(), local)

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
        if not self.depth:
            return normalize_rgb(images)
        images = images.clone()
        for camera in range(len(self.cameras)):
            rgb, depth = images[:, 4 * camera : 4 * camera + 3], images[:, 4 * camera + 3]
            seen = depth > 0  # nothing there becomes the mean depth
            rgb.sub_(_RGB_MEAN).div_(_RGB_STD)
            depth.sub_(self.depth_mean[camera]).div_(self.depth_std[camera]).mul_(seen)
        return images


class PromptedStudent(MultiLabelStudent):
    """A scorer with learned prompts, which turn any label names into text features."""

    def __init__(self, config: TrainConfig, teacher: Teacher, labels: Sequence[str]) -> None:
        """Build the model.

        :param settings: of the run
        :param teacher: its text tower encodes the prompts; it is no part of this module
        :param labels: names of the labels that `predict` scores by default
        :raises InvalidArgumentError: when a setting does not fit, or prompts are too long for the teacher
        """
        super().__init__(config, teacher.embed_dim)
        self.labels = list(labels)
        self.prompts = build_label_encoder(config.prompts, teacher, self.labels)
        self.architecture = architecture_signature(config, teacher)
        self._texts: dict[tuple[tuple[str, ...], tuple[str, ...]], PromptFeatures] = {}

    def predict(self, images: Tensor, labels: Sequence[str] | None = None, words: Sequence[str] = ()) -> Prediction:
        """Score labels on images.

        In eval mode without gradient the prompts of a set of labels are encoded once and kept.

        :param images: as in `score`
        :param labels: C names, by default the model's own
        :param words: V other texts, scored after the labels: columns C and on
        :raises InvalidArgumentError: for another number of channels or a prompt too long for the teacher
        """
        return self.score(images, self._encode(self.labels if labels is None else labels, words))

    forward = predict

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
        return self._texts[key]


def architecture_signature(config: TrainConfig, teacher: Teacher) -> dict[str, Any]:
    """Return what a checkpoint must share with a model to be loaded into it, as JSON values."""
    return {
        "student": config.student.name,
        "output_stride": config.student.output_stride,
        "temperature": config.student.temperature,
        "cameras": list(config.data.cameras),
        "depth": config.data.depth,
        "crop_size": config.data.crop_size,
        "image_size": config.data.image_size,
        "embed_dim": teacher.embed_dim,
        "n_ctx": config.prompts.n_ctx,
        "descriptions": config.prompts.descriptions,
        "extra_descriptions": list(config.prompts.extra_descriptions),
        "truncate": config.prompts.truncate,
        "closed_set": config.prompts.closed_set,
    }


def resolve_bf16(precision: str, device: str) -> bool:
    """Return whether a student's network computes in bfloat16: with `auto` on CPUs with matrix units for it (AMX),
    where plain convolutions are twice as fast.
    """
    # Older versions of torch do not tell.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = torch.device(device).type == "cpu" and bool(capabilities.get("amx_bf16", False))
    return precision == "bfloat16" or (precision == "auto" and fast)


def normalize_rgb(images: Tensor) -> Tensor:
    """Return images in 0..1 with a mean near 0 and a deviation near 1."""
    return (images - _RGB_MEAN) / _RGB_STD
