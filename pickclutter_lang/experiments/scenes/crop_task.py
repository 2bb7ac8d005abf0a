"""A phase of training on single objects, cut out of scenes: which of the names each has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.object_crops import ObjectCropDataset
from pickclutter_lang.experiments.scenes.config import CropClassifierPhaseConfig
from pickclutter_lang.students.crop_classifier import CropClassifier
from pickclutter_lang.training.sampling import balanced_batches
from pickclutter_lang.training.trainer import Batch, check_finite
from pickclutter_lang.utils.prefetch import prefetch_map

_VALIDATED = 256

CropBatch = tuple[Tensor, Tensor, Tensor]
"""Images [n, 3, S, S], masks [n, S, S], and the position [n] of each object's name."""


@dataclass(frozen=True)
class CropTask:
    """See `pickclutter_lang.training.trainer.Task`.

    `train` and `few` are the objects of the training and of the few-shot scenes, in equal parts in a batch, `known`
    those of X_id.
    """

    name: str
    config: CropClassifierPhaseConfig
    model: CropClassifier
    architecture: dict[str, Any]
    labels: Sequence[str]
    train: ObjectCropDataset
    few_shot: ObjectCropDataset
    validation: ObjectCropDataset
    key: tuple[int, int]
    num_workers: int = 0
    selection_metric: str | None = None

    @cached_property
    def _frequency(self) -> Tensor:
        """How often each label [C] is shown in an epoch, on average; 1 for what is shown less often or not at all."""
        few, train = (
            torch.bincount(own.labels, minlength=len(self.labels)).double() for own in (self.few_shot, self.train)
        )
        shown = sum(len(batch) for batch in self.batches(0))
        share = (shown - self.config.repeats * len(self.few_shot)) / len(self.train)
        return (self.config.repeats * few + share * train).clamp(min=1)

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch."""
        config = self.config
        rows = balanced_batches(
            len(self.few_shot), len(self.train), config.batch_size, config.repeats, (*self.key, epoch)
        )
        return [[(0, row) for row in rest] + [(1, row) for row in own] for own, rest in rows]

    def iter_batches(self, epoch: int) -> Iterator[CropBatch]:
        """Yield the object crops of each batch, turned and moved."""
        batches = self.batches(epoch)
        return prefetch_map(
            lambda number: self._load(batches[number], (*self.key, epoch, number)), len(batches), self.num_workers
        )

    def loss(self, prepared: CropBatch, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross-entropy over the names (L_cls, Eq. 1) of logits to which the logarithm of how often each is
        shown is added (logit adjustment, Menon et al. 2021, Eq. 10): names that few objects have are not put behind
        those that many have when nothing is added.

        :raises InvalidArgumentError: when the training diverged
        """
        device = self.model.log_scale.device
        images, masks, labels = (part.to(device) for part in prepared)
        logits = self.model(images, masks)
        check_finite(logits, epoch, self.name, self.config)
        loss = functional.cross_entropy(logits + self._frequency.log().to(logits), labels)
        return loss, {"cls": loss.detach()}

    @torch.no_grad()
    def validate(self) -> dict[str, float] | None:
        """Return the share of objects of X_id, of 256 of them at most, that get their name, among all names."""
        if not len(self.validation):
            return None
        self.model.eval()
        device = self.model.log_scale.device
        rows = np.unique(np.linspace(0, len(self.validation) - 1, _VALIDATED).round().astype(int)).tolist()
        right = []
        for first in range(0, len(rows), self.config.batch_size):
            part = rows[first : first + self.config.batch_size]
            images, masks = self.validation.load(part, self.config.crop_size)
            logits = self.model(images.to(device), masks.to(device))
            right.append(logits.argmax(dim=1).cpu() == self.validation.labels[part])
        return {"accuracy": float(torch.cat(right).float().mean())}

    def _load(self, batch: Batch, key: Sequence[int]) -> CropBatch:
        rng, parts = np.random.default_rng(list(key)), []
        for number, source in enumerate((self.train, self.few_shot)):
            rows = [row for which, row in batch if which == number]
            if rows:
                parts.append((*source.load(rows, self.config.crop_size, rng), source.labels[rows]))
        images, masks, labels = (torch.cat(each) for each in zip(*parts, strict=True))
        return images, masks, labels
