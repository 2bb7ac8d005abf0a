"""`ImagePhase`: one training of a student on single images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from pickclutter_lang.experiments.images.image_parts import ImageParts, ImageStudent, nearest_class, student_features
from pickclutter_lang.experiments.stages import CONTINUAL, DISTILL, FEW_SHOT
from pickclutter_lang.metrics import mean_class_accuracy
from pickclutter_lang.training.batches import Batch, balanced_batches, shuffled_batches
from pickclutter_lang.training.parallel import gather_rows, own_draws
from pickclutter_lang.training.trainer import Phase

ImageBatch = tuple[list[int], Tensor, list[int]]
"""Rows of n images, the images, and the number of each one's fixed crop."""


class ImagePhase(Phase):
    """Trains Y_id on X_train, then few-shot images of Y_ood too.

    `classes` are those of the phase, as indices of the data set, in groups that are classified separately: one group,
    but for a closed set with separate classifiers. After every epoch the accuracy on X_id is noted, which chooses
    nothing.
    """

    def __init__(self, parts: ImageParts, name: str) -> None:
        self.parts = parts
        self.name = name
        self.rate_key = f"{DISTILL if name == DISTILL else FEW_SHOT}.lr"
        self.config, self.num_workers = parts.config.phases[name], parts.config.num_workers
        seen, unseen = parts.split.seen, parts.split.unseen
        added = () if name == DISTILL else parts.unseen_halves[0] if name == CONTINUAL else unseen
        groups = [seen, added] if parts.config.text.closed_set else [(*seen, *added)]
        self.classes = [group for group in groups if group]

    @property
    def starts_from(self) -> str | None:
        """All but the distillation start from the distilled weights."""
        return None if self.name == DISTILL else DISTILL

    @cached_property
    def model(self) -> ImageStudent:
        """The student, which all phases train."""
        return self.parts.model

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch: of X_train, and after the distillation of few-shot images too.

        A sample is its source (0: X_train, 1: few-shot images) and the row of the image.
        """
        split = self.parts.split
        config = self.parts.config
        key = self._key(epoch)
        if self.name == DISTILL:
            passes = [
                shuffled_batches(len(split.train), config.distill.batch_size, (*key, n))
                for n in range(config.epoch_repeats)
            ]
            return [[(0, split.train[n]) for n in batch] for batches in passes for batch in batches]
        few_shot = split.fewshot
        if self.name == CONTINUAL:
            few_shot = tuple(row for row in few_shot if int(self.parts.labels[row]) in self.parts.unseen_halves[0])
        rows = split.train, few_shot
        batches = balanced_batches(len(split.train), len(few_shot), config.few_shot, key)
        return [[(source, rows[source][row]) for source, row in batch] for batch in batches]

    def _key(self, epoch: int) -> tuple[int, int, int]:
        return self.parts.config.seed, [*self.parts.config.phases].index(self.name), epoch

    def load(self, batch: Batch, epoch: int, number: int) -> ImageBatch:
        """Return the rows of a batch, their images, and which crops these are."""
        rows = [row for _, row in batch]
        return rows, *self.parts.crops.train_images(rows, (*self._key(epoch), number), self.config.image_size(epoch))

    def loss(self, prepared: ImageBatch, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the objective's value on a batch, and its terms."""
        rows, images, crops = prepared
        with own_draws():
            student = gather_rows(self.model.features(images), len(rows))
        labels = self.parts.labels[rows]
        loss = student.new_zeros(())
        terms = {name: student.new_zeros(()) for name in self.parts.objective.weights}
        for group in self.classes:  # the mean over the images, whatever the groups
            members = torch.isin(labels, torch.tensor(group)).nonzero()[:, 0]
            if len(members):
                share, (value, parts) = len(members) / len(rows), self._group_loss(student, group, members, rows, crops)
                loss = loss + share * value
                terms = {name: terms[name] + share * parts[name] for name in terms}
        return loss, terms

    def validate(self) -> dict[str, float]:
        """Return the mean accuracy of the classes on X_id."""
        rows = self.parts.split.id
        self.model.eval()
        features = student_features(self.model, self.parts.crops, rows)
        text = self.model.text(self.parts.split.seen)
        predicted = nearest_class(features, text.detach().cpu(), self.parts.split.seen)
        return {"accuracy": mean_class_accuracy(predicted, self.parts.labels[list(rows)])}

    def _group_loss(
        self, student: Tensor, group: Sequence[int], members: Tensor, rows: Sequence[int], crops: Sequence[int]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return value and terms on the images of one group of classes.

        :param members: their places in the batch
        """
        image_rows = torch.tensor(rows)[members]
        labels = (self.parts.labels[image_rows][:, None] == torch.tensor(group)).nonzero()[:, 1]
        given: dict[str, Tensor] = {}
        target_rows = self.parts.target_row[image_rows]
        if self.parts.teacher_targets is not None:
            given["teacher"] = self.parts.teacher_targets[target_rows, torch.tensor(crops)[members]].to(student.device)
        if self.parts.caption_targets is not None:
            given["captions"] = self.parts.caption_targets[target_rows].to(student.device)
        text = self.model.text(group)
        return self.parts.objective(student=student[members], text=text, labels=labels.to(student.device), **given)
