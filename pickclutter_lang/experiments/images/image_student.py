"""`ImageStudent`: a student network together with its label encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pickclutter_lang.datasets.images import ImageClass
from pickclutter_lang.experiments.images.class_texts import build_class_encoder
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.students import build_student
from pickclutter_lang.students.student import normalize_rgb, resolve_bf16
from pickclutter_lang.teachers import Teacher


class ImageStudent(nn.Module):
    """From images to features, and from classes to features; an answer is the class that is nearest."""

    def __init__(self, config: ImageTrainConfig, teacher: Teacher, classes: Sequence[ImageClass]) -> None:
        """Build the network; weights come from torch's global generator, so seed it first.

        :raises InvalidArgumentError: when a setting does not fit
        """
        super().__init__()
        student = config.student
        self.student = build_student(
            student.name,
            channels=3,
            embed_dim=teacher.embed_dim,
            output_stride=student.output_stride,
            pretrained=student.pretrained,
            dropout=student.dropout,
            activation_checkpointing=student.activation_checkpointing,
        )
        self._names = [item.name for item in classes]
        self.classes = build_class_encoder(config.text, teacher, classes)
        self.mixed = resolve_bf16(config.precision, config.device)

    def features(self, images: Tensor) -> Tensor:
        """Return the features [N, D], not normalized, of images, uint8 [N, 3, S, S] on any device."""
        on_device = images.to(next(self.parameters()).device).float() / 255
        with torch.autocast(on_device.device.type, torch.bfloat16, enabled=self.mixed):
            features = self.student.global_features(normalize_rgb(on_device))
        return features.float()

    def text(self, classes: Sequence[int]) -> Tensor:
        """Return the unit features [n, D] of classes, by their index in the data set."""
        return self.classes.encode([self._names[index] for index in classes]).positive


def architecture_signature(config: ImageTrainConfig, teacher: Teacher, classes: Sequence[ImageClass]) -> dict[str, Any]:
    """Return what a checkpoint must share with a model to be loaded into it, as JSON values."""
    return {
        "student": config.student.name,
        "output_stride": config.student.output_stride,
        "image_size": config.image_size,
        "embed_dim": teacher.embed_dim,
        "n_ctx": config.text.n_ctx,
        "closed_set": len(classes) if config.text.closed_set else 0,
    }
