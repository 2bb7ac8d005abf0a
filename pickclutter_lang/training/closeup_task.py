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

from pickclutter_lang.students.closeup import CloseUpStudent
from pickclutter_lang.training.ahead import computed_ahead
from pickclutter_lang.training.config import CloseUpSettings
from pickclutter_lang.training.cutouts import CutOuts
from pickclutter_lang.training.data import balanced_batches
from pickclutter_lang.training.loop import Batch, check_finite
from pickclutter_lang.training.model import normalise_rgb

_VALIDATED = 256

Shown = tuple[Tensor, Tensor, Tensor]
"""Pictures [n, 3, S, S], masks [n, S, S], and the position [n] of each object's name."""


@dataclass(frozen=True)
class CloseUpTask:
    """See `pickclutter_lang.training.loop.Task`.

    `train` and `few` are the objects of the training and of the few-shot scenes, in equal parts in a batch, `known`
    those of X_id.
    """

    name: str
    settings: CloseUpSettings
    model: CloseUpStudent
    architecture: dict[str, Any]
    labels: Sequence[str]
    train: CutOuts
    few: CutOuts
    known: CutOuts
    key: tuple[int, int]
    num_workers: int = 0
    select: str | None = None

    @cached_property
    def _frequency(self) -> Tensor:
        """How often each label [C] is shown in an epoch, in the mean; 1 for what is shown less often or not at all."""
        few, train = (torch.bincount(own.labels, minlength=len(self.labels)).double() for own in (self.few, self.train))
        shown = sum(len(batch) for batch in self.batches(0))
        share = (shown - self.settings.passes * len(self.few)) / len(self.train)
        return (self.settings.passes * few + share * train).clamp(min=1)

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch."""
        settings = self.settings
        rows = balanced_batches(
            len(self.few), len(self.train), settings.batch_size, settings.passes, (*self.key, epoch)
        )
        return [[(0, row) for row in rest] + [(1, row) for row in own] for own, rest in rows]

    def prepared(self, epoch: int) -> Iterator[Shown]:
        """Yield the cut-outs of each batch, turned and moved."""
        batches = self.batches(epoch)
        return computed_ahead(
            lambda number: self._load(batches[number], (*self.key, epoch, number)), len(batches), self.num_workers
        )

    def loss(self, prepared: Shown, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross-entropy over the names (L_cls, Eq. 1) of logits to which the logarithm of how often each is
        shown is added (logit adjustment, Menon et al. 2021, Eq. 10): names that few objects have are not put behind
        those that many have when nothing is added.

        :raises InvalidArgumentError: when the training diverged
        """
        device = self.model.log_scale.device
        pictures, masks, labels = (part.to(device) for part in prepared)
        logits = self.model(normalise_rgb(pictures), masks)
        check_finite(logits, epoch, self.name, self.settings)
        loss = functional.cross_entropy(logits + self._frequency.log().to(logits), labels)
        return loss, {"cls": loss.detach()}

    @torch.no_grad()
    def validate(self) -> dict[str, float] | None:
        """Return the share of objects of X_id, of 256 of them at most, that get their name, among all names."""
        if not len(self.known):
            return None
        self.model.eval()
        device = self.model.log_scale.device
        rows = np.unique(np.linspace(0, len(self.known) - 1, _VALIDATED).round().astype(int)).tolist()
        right = []
        for first in range(0, len(rows), self.settings.batch_size):
            part = rows[first : first + self.settings.batch_size]
            pictures, masks = self.known.show(part, self.settings.size)
            logits = self.model(normalise_rgb(pictures.to(device)), masks.to(device))
            right.append(logits.argmax(dim=1).cpu() == self.known.labels[part])
        return {"accuracy": float(torch.cat(right).float().mean())}

    def _load(self, batch: Batch, key: Sequence[int]) -> Shown:
        rng, parts = np.random.default_rng(list(key)), []
        for number, source in enumerate((self.train, self.few)):
            rows = [row for which, row in batch if which == number]
            if rows:
                parts.append((*source.show(rows, self.settings.size, rng), source.labels[rows]))
        pictures, masks, labels = (torch.cat(each) for each in zip(*parts, strict=True))
        return pictures, masks, labels
