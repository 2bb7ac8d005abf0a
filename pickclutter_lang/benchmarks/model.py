"""The student of single pictures with what stands for the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pickclutter_lang.benchmarks.classes import build_classes
from pickclutter_lang.benchmarks.settings import BenchmarkSettings
from pickclutter_lang.pictures import ImageClass
from pickclutter_lang.students import build_student
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.training.model import normalise_rgb, takes_bfloat16


class PictureModel(nn.Module):
    """From pictures to features, and from classes to features; an answer is the class that is nearest."""

    def __init__(self, settings: BenchmarkSettings, teacher: Teacher, classes: Sequence[ImageClass]) -> None:
        """Build the network; weights come from torch's global generator, so seed it first.

        :raises InvalidArgumentError: when a setting does not fit
        """
        super().__init__()
        student = settings.student
        self.student = build_student(
            student.name,
            channels=3,
            embed_dim=teacher.embed_dim,
            output_stride=student.output_stride,
            pretrained=student.pretrained,
            dropout=student.dropout,
            recompute=student.recompute,
        )
        self.classes = build_classes(settings.text, teacher, classes)
        self.mixed = takes_bfloat16(settings.precision, settings.device)

    def features(self, images: Tensor) -> Tensor:
        """Return the features [N, D], not normalised, of pictures, uint8 [N, 3, S, S] on any device."""
        there = images.to(next(self.parameters()).device).float() / 255
        with torch.autocast(there.device.type, torch.bfloat16, enabled=self.mixed):
            features = self.student.global_features(normalise_rgb(there))
        return features.float()

    def text(self, classes: Sequence[int]) -> Tensor:
        """Return the unit features [n, D] of classes, by their index in the data set."""
        return self.classes.encode(classes)


def describe_architecture(
    settings: BenchmarkSettings, teacher: Teacher, classes: Sequence[ImageClass]
) -> dict[str, Any]:
    """Return what a checkpoint must share with a model to be loaded into it, as JSON values."""
    return {
        "student": settings.student.name,
        "output_stride": settings.student.output_stride,
        "image_size": settings.image_size,
        "embed_dim": teacher.embed_dim,
        "context_tokens": settings.text.tokens,
        "closed_set": len(classes) if settings.text.closed_set else 0,
    }
