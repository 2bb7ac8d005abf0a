"""`ImageTask`: one training phase of a student of single images, with batches, loss and validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pickclutter_lang.distillation import ImageObjective
from pickclutter_lang.experiments.images.image_crops import ImageCrops
from pickclutter_lang.experiments.images.image_student import ImageStudent
from pickclutter_lang.metrics import mean_class_accuracy
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.parallel import gather_rows, own_draws
from pickclutter_lang.training.trainer import Batch, check_finite

_BATCH = 128
ImageBatch = tuple[list[int], Tensor, list[int]]


@dataclass(frozen=True)
class TrainingData:
    """What a student learns from: images, the class of each [N], and the teacher's features of those trained on.

    `row_of_image` [N] is the row of an image's features in `teacher` [n, V, D], of V crops, and in `captions` [n, D].
    These are None where no loss needs them.
    """

    crops: ImageCrops
    labels: Tensor
    row_of_image: Tensor
    teacher: Tensor | None
    captions: Tensor | None


@dataclass(frozen=True)
class ImageTask:
    """See `pickclutter_lang.training.trainer.Task`; the second number of a batch's pairs is the row of an image.

    `group` is that of the `settings`. `classes` are those of the phase, as indices of the data set, in groups that are
    classified separately: one group, but for a closed set with separate classifiers. `order(epoch)` gives the
    batches, `key` names seed and phase, and after every epoch the accuracy on the rows `validation` is noted, which
    chooses nothing.
    """

    name: str
    group: str
    config: PhaseConfig
    model: ImageStudent
    architecture: dict[str, Any]
    objective: ImageObjective
    training_data: TrainingData
    classes: Sequence[Sequence[int]]
    class_names: Sequence[str]
    order: Callable[[int], list[Batch]]
    key: tuple[int, int]
    validation: Sequence[int]
    selection_metric: str | None = None

    @property
    def labels(self) -> list[str]:
        """Names of the classes."""
        return [self.class_names[number] for group in self.classes for number in group]

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch."""
        return self.order(epoch)

    def iter_batches(self, epoch: int) -> Iterator[ImageBatch]:
        """Yield the rows of each batch, their images, and which crops these are."""
        batches = [[row for _, row in batch] for batch in self.order(epoch)]
        loaded = self.training_data.crops.train_batches(batches, (*self.key, epoch), self.config.image_size(epoch))
        for rows, (images, crops) in zip(batches, loaded, strict=True):
            yield rows, images, crops

    def loss(self, prepared: ImageBatch, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the objective's value on a batch, and its terms.

        :raises InvalidArgumentError: when the training diverged
        """
        rows, images, crops = prepared
        with own_draws():
            student = gather_rows(self.model.features(images), len(rows))
        check_finite(student, epoch, self.group, self.config)
        targets = self.training_data.labels[rows]
        parts = []
        for group in self.classes:
            in_group = torch.isin(targets, torch.tensor(group))
            if bool(in_group.any()):
                parts.append((int(in_group.sum()), self._group_loss(student[in_group], group, in_group, rows, crops)))
        # A mean over the images, whatever the groups.
        loss = sum((n / len(rows) * total for n, (total, _) in parts), start=student.new_zeros(()))
        terms = {
            name: sum((n / len(rows) * found[name] for n, (_, found) in parts), start=student.new_zeros(()))
            for name in self.objective.weights
        }
        return loss, terms

    def validate(self) -> dict[str, float] | None:
        """Return the mean accuracy of the classes on the validation."""
        if not self.validation:
            return None
        self.model.eval()
        labels = self.training_data.labels[list(self.validation)]
        classes = sorted({int(label) for label in labels})
        features = student_features(self.model, self.training_data.crops, self.validation)
        return {"accuracy": mean_class_accuracy(nearest_class(self.model, features, classes), labels)}

    def _group_loss(
        self, student: Tensor, group: Sequence[int], in_group: Tensor, rows: Sequence[int], crops: Sequence[int]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        members = [n for n, member in enumerate(in_group.tolist()) if member]
        image_rows = torch.tensor([rows[n] for n in members])
        number_of = {number: n for n, number in enumerate(group)}
        labels = torch.tensor([number_of[int(label)] for label in self.training_data.labels[image_rows]])
        given: dict[str, Tensor] = {}
        feature_rows = self.training_data.row_of_image[image_rows]
        if self.training_data.teacher is not None:
            given["teacher"] = self.training_data.teacher[feature_rows, torch.tensor([crops[n] for n in members])].to(
                student.device
            )
        if self.training_data.captions is not None:
            given["captions"] = self.training_data.captions[feature_rows].to(student.device)
        return self.objective(student=student, text=self.model.text(group), labels=labels.to(student.device), **given)


@torch.no_grad()
def student_features(model: ImageStudent, views: ImageCrops, rows: Sequence[int]) -> Tensor:
    """Return the student's features [n, D] of full images, on the CPU; the model must be in eval mode."""
    return torch.cat([model.features(images).cpu() for images in views.eval_batches(rows, _BATCH)])


@torch.no_grad()
def nearest_class(model: ImageStudent, features: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the class [n], as an index of the data set, whose text is nearest to each feature [n, D]."""
    return nearest_class_features(features, model.text(classes).cpu(), classes)


def nearest_class_features(features: Tensor, text: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the class [n] whose unit feature, a row of `text` [C, D], is nearest to each of `features` [n, D]."""
    return torch.tensor(list(classes))[(features @ text.T).argmax(dim=1)]
