"""The training phase `crop_classifier` of a run on scenes: a second student, which names single objects by crops."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import ObjectCropDataset
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.experiments.scenes.config import CropClassifierPhaseConfig
from pickclutter_lang.experiments.scenes.scene_parts import SceneParts
from pickclutter_lang.experiments.stages import CROP_CLASSIFIER, FEW_SHOT
from pickclutter_lang.students.student import CropClassifier, build_student, resolve_bf16
from pickclutter_lang.training.batches import Batch, balanced_batches
from pickclutter_lang.training.parallel import gather_rows, own_draws, own_slice
from pickclutter_lang.training.trainer import Phase
from pickclutter_lang.utils.sampling import evenly_spaced

_VALIDATED = 256

CropBatch = tuple[Tensor, Tensor, Tensor]
"""Images [n, 3, S, S], masks [n, S, S], and the position [n] of each object's name."""


class CropPhase(Phase):
    """Trains a student that names object crops, from the student of scenes after fine-tuning.

    A batch has crops of the training and of the few-shot scenes in equal parts; the validation is on those of X_id.
    """

    name = CROP_CLASSIFIER
    starts_from = FEW_SHOT
    config: CropClassifierPhaseConfig

    def __init__(self, parts: SceneParts, config: CropClassifierPhaseConfig) -> None:
        self.parts = parts
        self.config = config
        self.labels = list(parts.unseen)
        self.num_workers = parts.config.num_workers
        self._key = parts.config.seed, 2

    @cached_property
    def model(self) -> CropClassifier:
        """The classifier of crops; its first weights come from the student of scenes."""
        train = self.parts.config
        untrained = replace(train.student, pretrained=False)
        use_bf16 = resolve_bf16(train.precision, train.device)
        width = self.parts.teacher.embed_dim
        student = build_student(untrained, train.data.camera_spec.channels, width, use_bf16)
        classifier = CropClassifier(student, len(self.labels))
        return classifier.to(device=train.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @cached_property
    def crops(self) -> dict[str, ObjectCropDataset]:
        """The object crops of each store."""
        columns = range(len(self.labels))
        return {name: ObjectCropDataset(self.parts.scenes[name], columns) for name in ("train", "fewshot", "id")}

    def check(self) -> None:
        """Check that the stores have what objects are cut out by and, in a policy, their thresholds come from."""
        try:
            for name in ("train", "id", "fewshot"):
                self.parts.scenes[name].segmentation([0])
                self.parts.scenes[name].instance_ids([0], [0])
                if name != "train":
                    self.parts.scenes[name].load_images("hand", "depth", [0])
        except DatasetError as error:
            raise DatasetError(
                f"{error}; object crops need it: collect the scenes again, or train with crop_classifier=none"
            ) from error

    @torch.no_grad()
    def initialize(self) -> None:
        """Start from the student of scenes, and from the prompts that it learned."""
        self.model.student.load_state_dict(self.parts.model.student.state_dict())
        self.model.set_class_embeddings(self.parts.model.prompts.encode(self.labels).positive)

    @cached_property
    def _frequency(self) -> Tensor:
        """Mean number of samples of each label [C] in an epoch, at least 1."""
        train, few_shot = self.crops["train"].labels, self.crops["fewshot"].labels
        of_train, of_few_shot = (torch.bincount(of, minlength=len(self.labels)).double() for of in (train, few_shot))
        sources = [source for batch in self.batches(0) for source, _ in batch]
        train_passes, few_shot_passes = sources.count(0) / len(train), sources.count(1) / len(few_shot)
        return (few_shot_passes * of_few_shot + train_passes * of_train).clamp(min=1)

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch."""
        counts = len(self.crops["train"]), len(self.crops["fewshot"])
        return balanced_batches(*counts, self.config, (*self._key, epoch))

    def loss(self, prepared: CropBatch, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross-entropy over the names (L_cls, Eq. 1) with logit adjustment (Menon et al. 2021,
        Eq. 10): in training the log frequency of each name is added, so that inference does not favor frequent names.
        """
        device = self.model.log_scale.device
        images, masks, labels = (part.to(device) for part in prepared)
        with own_draws():
            logits = gather_rows(self.model(images[own_slice()], masks[own_slice()]), len(labels))
        loss = functional.cross_entropy(logits + self._frequency.log().to(logits), labels)
        return loss, {"cls": loss.detach()}

    @torch.no_grad()
    def validate(self) -> dict[str, float] | None:
        """Return the top-1 accuracy on at most 256 objects of X_id, among all names."""
        validation = self.crops["id"]
        if not len(validation):
            return None
        self.model.eval()
        device = self.model.log_scale.device
        rows = evenly_spaced(len(validation), _VALIDATED)
        right = []
        for first in range(0, len(rows), self.config.batch_size):
            part = rows[first : first + self.config.batch_size]
            images, masks = validation.load(part, self.config.crop_size)
            logits = self.model(images.to(device), masks.to(device))
            right.append(logits.argmax(dim=1).cpu() == validation.labels[part])
        return {"accuracy": float(torch.cat(right).float().mean())}

    def load(self, batch: Batch, epoch: int, number: int) -> CropBatch:
        """Return the object crops of a batch, rotated and shifted."""
        rng = np.random.default_rng([*self._key, epoch, number])
        parts = []
        for which, source in enumerate((self.crops["train"], self.crops["fewshot"])):
            rows = [row for of, row in batch if of == which]
            if rows:
                parts.append((*source.load(rows, self.config.crop_size, rng), source.labels[rows]))
        images, masks, labels = (torch.cat(each) for each in zip(*parts, strict=True))
        return images, masks, labels
