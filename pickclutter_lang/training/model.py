"""The student with its prompts: from pictures and label names to probabilities and maps, in one function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.students import LocalAggregation, StudentFeatures, build_student
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.training.config import TrainSettings
from pickclutter_lang.training.labels import build_labels

_RGB_MEAN, _RGB_STD = 0.5, 0.25


class Prediction(NamedTuple):
    """`probabilities` [N, C] in 0..1, `maps` [N, C, h, w] with sum 1 each, `odds` [N, C, h, w] of each cell (see
    `LabelScores`), and the student's features, not normalised: `global_` [N, D], `local` [N, D, h, w].
    """

    probabilities: Tensor
    maps: Tensor
    odds: Tensor
    global_: Tensor
    local: Tensor


class Scorer(nn.Module):
    """Student and local aggregation: from pictures and text features to probabilities and maps."""

    depth_mean: Tensor
    depth_std: Tensor

    def __init__(self, settings: TrainSettings, embed_dim: int) -> None:
        """Build the network; weights come from torch's global generator, so seed it first.

        :param embed_dim: width of the text features
        :raises InvalidArgumentError: when a setting does not fit
        """
        super().__init__()
        student = settings.student
        self.student = build_student(
            student.name,
            channels=settings.data.channels,
            embed_dim=embed_dim,
            output_stride=student.output_stride,
            pretrained=student.pretrained,
            dropout=student.dropout,
            recompute=student.recompute,
        )
        self.mixed = takes_bfloat16(settings.precision, settings.device)
        self.cameras, self.depth = list(settings.data.cameras), settings.data.depth
        self.aggregation = LocalAggregation(temperature=student.temperature)
        self.register_buffer("depth_mean", torch.zeros(len(self.cameras)))
        self.register_buffer("depth_std", torch.ones(len(self.cameras)))

    def score(self, images: Tensor, text: PromptFeatures) -> Prediction:
        """Score texts on pictures.

        :param images: float32 [N, K, S, S]: RGB in 0..1 and, with depth, metres (0 = nothing), camera after camera
        :param text: features of C texts, with negative ones
        :raises InvalidArgumentError: for another number of channels, or without negative features
        """
        if text.negative is None:
            raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
        features = self.features(images)
        local = features.local.float()
        scores = self.aggregation(local, text.positive, text.negative)
        return Prediction(scores.probabilities, scores.maps, scores.odds, features.global_.float(), local)

    def features(self, images: Tensor) -> StudentFeatures:
        """Return the student's features of pictures, given as in `score`."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.mixed):
            features: StudentFeatures = self.student(self._normalise(images))
        return features

    def set_depth_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set mean and standard deviation [cameras] of depth in metres, by which it is normalised."""
        self.depth_mean.copy_(mean)
        self.depth_std.copy_(std.clamp(min=1e-3))

    def _normalise(self, images: Tensor) -> Tensor:
        if not self.depth:
            return normalise_rgb(images)
        images = images.clone()
        for camera in range(len(self.cameras)):
            rgb, depth = images[:, 4 * camera : 4 * camera + 3], images[:, 4 * camera + 3]
            seen = depth > 0  # nothing there becomes the mean depth
            rgb.sub_(_RGB_MEAN).div_(_RGB_STD)
            depth.sub_(self.depth_mean[camera]).div_(self.depth_std[camera]).mul_(seen)
        return images


class AffordanceModel(Scorer):
    """A scorer with learned prompts, which turn any label names into text features."""

    def __init__(self, settings: TrainSettings, teacher: Teacher, labels: Sequence[str]) -> None:
        """Build the model.

        :param settings: of the run
        :param teacher: its text tower encodes the prompts; it is no part of this module
        :param labels: names of the labels that `predict` scores by default
        :raises InvalidArgumentError: when a setting does not fit, or prompts are too long for the teacher
        """
        super().__init__(settings, teacher.embed_dim)
        self.labels = list(labels)
        self.prompts = build_labels(settings.prompts, teacher, self.labels)
        self.architecture = describe_architecture(settings, teacher)
        self._texts: dict[tuple[tuple[str, ...], tuple[str, ...]], PromptFeatures] = {}

    def predict(self, images: Tensor, labels: Sequence[str] | None = None, words: Sequence[str] = ()) -> Prediction:
        """Score labels on pictures.

        In eval mode without gradient the prompts of a set of labels are encoded once and kept.

        :param images: as in `score`
        :param labels: C names, by default the model's own
        :param words: V other texts, scored after the labels: columns C and on
        :raises InvalidArgumentError: for another number of channels or a prompt too long for the teacher
        """
        return self.score(images, self._encode(self.labels if labels is None else labels, words))

    forward = predict

    def train(self, mode: bool = True) -> AffordanceModel:
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


def describe_architecture(settings: TrainSettings, teacher: Teacher) -> dict[str, Any]:
    """Return what a checkpoint must share with a model to be loaded into it, as JSON values."""
    return {
        "student": settings.student.name,
        "output_stride": settings.student.output_stride,
        "temperature": settings.student.temperature,
        "cameras": list(settings.data.cameras),
        "depth": settings.data.depth,
        "view": settings.data.view,
        "image_size": settings.data.image_size,
        "embed_dim": teacher.embed_dim,
        "context_tokens": settings.prompts.tokens,
        "descriptions": settings.prompts.descriptions,
        "variants": list(settings.prompts.variants),
        "truncate": settings.prompts.truncate,
        "closed_set": settings.prompts.closed_set,
    }


def takes_bfloat16(precision: str, device: str) -> bool:
    """Return whether a student's network computes in bfloat16: with `auto` on CPUs with matrix units for it (AMX),
    where plain convolutions are twice as fast.
    """
    # Older versions of torch do not tell.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = torch.device(device).type == "cpu" and bool(capabilities.get("amx_bf16", False))
    return precision == "bfloat16" or (precision == "auto" and fast)


def normalise_rgb(images: Tensor) -> Tensor:
    """Return pictures in 0..1 with a mean near 0 and a deviation near 1."""
    return (images - _RGB_MEAN) / _RGB_STD
