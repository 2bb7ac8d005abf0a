"""The training phase `crop_classifier` of a run on scenes: a second student, which names single objects by crops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import ObjectCropDataset
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.experiments.scenes.config import CropClassifierPhaseConfig
from pickclutter_lang.experiments.stages import CROP_CLASSIFIER, FEW_SHOT
from pickclutter_lang.students.student import CropClassifier, MultiLabelStudent, resolve_bf16
from pickclutter_lang.training.batches import Batch, balanced_batches, prefetch_map
from pickclutter_lang.training.experiment import Phase
from pickclutter_lang.training.parallel import gather_rows, own_draws, own_slice
from pickclutter_lang.training.trainer import check_finite

if TYPE_CHECKING:
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun


_VALIDATED = 256

CropBatch = tuple[Tensor, Tensor, Tensor]
"""Images [n, 3, S, S], masks [n, S, S], and the position [n] of each object's name."""


@dataclass(frozen=True)
class CropTask:
    """See `pickclutter_lang.training.trainer.Task`.

    `train` and `few_shot` are the object crops of the training and of the few-shot scenes, in equal parts in a batch,
    `validation` those of X_id. `key` is the seed of the run and the number of the phase.
    """

    config: CropClassifierPhaseConfig
    model: CropClassifier
    architecture: dict[str, Any]
    labels: Sequence[str]
    train: ObjectCropDataset
    few_shot: ObjectCropDataset
    validation: ObjectCropDataset
    key: tuple[int, int]
    num_workers: int
    name: str = CROP_CLASSIFIER
    selection_metric: None = None

    @cached_property
    def _frequency(self) -> Tensor:
        """Mean number of samples of each label [C] in an epoch, at least 1."""
        few_shot, train = (
            torch.bincount(crops.labels, minlength=len(self.labels)).double() for crops in (self.few_shot, self.train)
        )
        sources = [source for batch in self.batches(0) for source, _ in batch]
        train_passes, few_shot_passes = sources.count(0) / len(self.train), sources.count(1) / len(self.few_shot)
        return (few_shot_passes * few_shot + train_passes * train).clamp(min=1)

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch."""
        return balanced_batches(len(self.train), len(self.few_shot), self.config, (*self.key, epoch))

    def iter_batches(self, epoch: int) -> Iterator[CropBatch]:
        """Yield the object crops of each batch, rotated and shifted."""
        batches = self.batches(epoch)
        return prefetch_map(
            lambda number: self._load(batches[number], (*self.key, epoch, number)), len(batches), self.num_workers
        )

    def loss(self, prepared: CropBatch, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross-entropy over the names (L_cls, Eq. 1) with logit adjustment (Menon et al. 2021,
        Eq. 10): in training the log frequency of each name is added, so that inference does not favor frequent names.
        """
        device = self.model.log_scale.device
        images, masks, labels = (part.to(device) for part in prepared)
        with own_draws():
            logits = gather_rows(self.model(images[own_slice()], masks[own_slice()]), len(labels))
        check_finite(logits, epoch, self.name, self.config)
        loss = functional.cross_entropy(logits + self._frequency.log().to(logits), labels)
        return loss, {"cls": loss.detach()}

    @torch.no_grad()
    def validate(self) -> dict[str, float] | None:
        """Return the top-1 accuracy on at most 256 objects of X_id, among all names."""
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


_ALL = ("id", "ood")


def crop_classifier_phase(run: SceneRun, config: CropClassifierPhaseConfig) -> Phase:
    """Return the phase, which starts from the student of scenes after fine-tuning."""
    names, columns = run.label_names(_ALL), run.label_indices(_ALL)

    @cache
    def model() -> CropClassifier:
        train = run.config
        untrained = replace(train.student, pretrained=False)  # its weights come from the student of scenes
        classifier = CropClassifier(
            MultiLabelStudent(untrained, train.data.camera_spec, run.teacher.embed_dim).student,
            len(names),
            use_bf16=resolve_bf16(train.precision, train.device),
        )
        return classifier.to(device=train.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def task() -> CropTask:
        train, few_shot, validation = (
            ObjectCropDataset(run.scenes[store], columns) for store in ("train", "fewshot", "id")
        )
        return CropTask(
            config=config,
            model=model(),
            architecture=run.architecture,
            labels=names,
            train=train,
            few_shot=few_shot,
            validation=validation,
            key=(run.config.seed, 2),
            num_workers=run.config.num_workers,
        )

    @torch.no_grad()
    def initialize() -> None:
        run.load_weights(FEW_SHOT)
        model().student.load_state_dict(run.model.student.state_dict())
        model().set_class_embeddings(run.model.prompts.encode(names).positive)  # by prompts learned for scenes

    return Phase(CROP_CLASSIFIER, config, model, task, initialize, check=lambda: _check_stores(run))


def _check_stores(run: SceneRun) -> None:
    """Check that the stores have what objects are cut out by and, in a policy, their thresholds come from."""
    try:
        for name in ("train", "id", "fewshot"):
            run.scenes[name].segmentation([0])
            run.scenes[name].instance_ids([0], [0])
            if name != "train":
                run.scenes[name].load_images("hand", "depth", [0])
    except DatasetError as error:
        raise DatasetError(
            f"{error}; object crops need it: collect the scenes again, or train with crop_classifier=none"
        ) from error
