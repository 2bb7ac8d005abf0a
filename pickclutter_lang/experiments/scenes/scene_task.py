"""One training phase on scenes: batches, with what the objective needs of the teacher, loss and validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import SceneDataset, label_coverage
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, flip_index, sample_augmentation
from pickclutter_lang.distillation import SceneInputs, SceneObjective, VocabularyFeatures
from pickclutter_lang.metrics import multilabel_row
from pickclutter_lang.students.student import MultiLabelStudent, StudentFeatures, predict_scenes
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.teachers.scene_features import RegionFeatures, region_coverage
from pickclutter_lang.teachers.zero_shot import ABSENT_TEMPLATE, PHOTO_TEMPLATE, PRESENT_TEMPLATE
from pickclutter_lang.training.batches import Batch, draw_others, prefetch_map
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.parallel import gather_rows, own_draws
from pickclutter_lang.training.trainer import check_finite
from pickclutter_lang.utils.ranks import own_rows

_VOCABULARY, _BANK = 1, 2  # distinguish the random streams of a batch


@dataclass(frozen=True)
class DataSource:
    """Scenes to train on, and what the objective needs of the teacher: features [N, V, D] of the images (V as in
    `flip_variants`), and features of the objects in them. Labels of scenes that are not `labeled` are never read.
    """

    scenes: SceneDataset
    features: Tensor | None = None
    crops: RegionFeatures | None = None
    labeled: bool = True


@dataclass(frozen=True)
class Vocabulary:
    """Texts without an article and the teacher's features of them; `sampled` of them are scored for each batch."""

    texts: Sequence[str]
    features: VocabularyFeatures
    sampled: int


def encode_vocabulary(teacher: Teacher, texts: Sequence[str], sampled: int) -> Vocabulary:
    """Return texts with the teacher's features of them."""
    forms = (PHOTO_TEMPLATE, PRESENT_TEMPLATE, ABSENT_TEMPLATE)
    features = (teacher.encode_text([form.format(label=text) for text in texts]) for form in forms)
    return Vocabulary(texts, VocabularyFeatures(*features), sampled)


@dataclass(frozen=True)
class SceneBatch:
    """`images` [n, K, S, S], `targets` [n, C], and which texts of the vocabulary are scored on them.

    Of several processes each has the images of its `own_rows` alone.

    `labeled` [n] says which targets are known; the others are zeros. None: all are.
    """

    batch: Batch
    draws: Sequence[AugmentationParams]
    images: Tensor
    targets: Tensor
    key: tuple[int, int]
    sampled: Sequence[int]
    texts: Sequence[str]
    labeled: Tensor | None = None


class BatchLoader:
    """Makes the batches of one phase; everything random depends on (seed, phase, epoch, batch or scene) alone."""

    def __init__(
        self,
        sources: Sequence[DataSource],
        columns: Sequence[int],
        key: tuple[int, int],
        objective: SceneObjective,
        *,
        bank: int,
        vocabulary: Vocabulary | None,
    ) -> None:
        """Set up the loader.

        :param columns: label columns of the targets
        :param key: seed and number of the phase
        :param objective: determines which teacher targets are needed
        :param bank: teacher features of other images of the first source that each batch is contrasted with
        """
        self._sources, self.label_indices, self._key = sources, list(columns), key
        self.objective, self._bank, self._vocabulary = objective, bank, vocabulary

    @property
    def labels(self) -> list[str]:
        """Names of the label columns."""
        return [self._sources[0].scenes.label_names[column] for column in self.label_indices]

    def load(self, batch: Batch, key: tuple[int, int], image_size: int | None) -> SceneBatch:
        """Return the images and targets of a batch.

        :param key: epoch and number of the batch
        :param image_size: side of the images, by default that of the data's settings
        """
        draws = [
            sample_augmentation(
                self._sources[source].scenes.config.augmentation,
                self._sources[source].scenes.crop_size,
                (*self._key, key[0], source, row),
            )
            for source, row in batch
        ]
        own = own_rows(len(batch))
        parts = self._parts([batch[n] for n in own], [draws[n] for n in own])
        images = [source.scenes.batch(rows, params, image_size) for source, rows, params in parts]
        targets = [self._targets(source, row) for source, row in batch]
        known = torch.tensor([self._sources[source].labeled for source, _ in batch])
        sampled = self._sampled_texts(key)
        texts = [self._vocabulary.texts[n] for n in sampled] if self._vocabulary is not None else []
        labeled = None if known.all() else known
        return SceneBatch(batch, draws, torch.cat(images), torch.stack(targets), key, sampled, texts, labeled)

    def _targets(self, source: int, row: int) -> Tensor:
        """Return the targets [C] of a scene, zeros for one without labels."""
        if not self._sources[source].labeled:
            return torch.zeros(len(self.label_indices), dtype=torch.bool)
        return self._sources[source].scenes.labels[row][self.label_indices]

    def teacher_targets(self, loaded: SceneBatch, local: Tensor) -> dict[str, Any]:
        """Return what the objective needs of teacher and masks for one batch, by the names of its arguments.

        :param local: [n, D, h, w] of the student
        """
        out: dict[str, Any] = {}
        if self.objective.needs("coverage"):
            out["coverage"] = self._coverage(loaded, (local.shape[2], local.shape[3])).to(local.device)
        if self.objective.needs("teacher"):
            out["teacher"] = self._teacher(loaded).to(local.device)
            out["bank"] = self._other_images(loaded, local.device)
        if self.objective.needs("teacher_region_features"):
            out |= self._objects(loaded, local)
        if self._vocabulary is not None:
            features, sampled = self._vocabulary.features, list(loaded.sampled)
            out["vocabulary"] = features._replace(present=features.present[sampled], absent=features.absent[sampled])
        return out

    def _parts(
        self, batch: Batch, draws: Sequence[AugmentationParams]
    ) -> Iterator[tuple[DataSource, list[int], list[AugmentationParams]]]:
        """Yield the rows and augmentations of a batch, grouped by source."""
        for number, source in enumerate(self._sources):
            chosen = [n for n, (which, _) in enumerate(batch) if which == number]
            if chosen:
                yield source, [batch[n][1] for n in chosen], [draws[n] for n in chosen]

    def _sampled_texts(self, key: tuple[int, int]) -> list[int]:
        """Draw the texts of the vocabulary that a batch is scored on."""
        if self._vocabulary is None or not self.objective.needs("vocabulary_probabilities"):
            return []
        count = len(self._vocabulary.texts)
        rng = np.random.default_rng((*self._key, *key, _VOCABULARY))
        sampled: list[int] = rng.choice(count, min(self._vocabulary.sampled, count), replace=False).tolist()
        return sampled

    def _teacher(self, loaded: SceneBatch) -> Tensor:
        """Return the teacher's features [n, D] of the images, flipped as they are."""
        features = []
        for source, rows, params in self._parts(loaded.batch, loaded.draws):
            if source.features is not None:
                flips = source.scenes.config.augmentation.flips
                features.append(source.features[rows, [flip_index(draw, flips) for draw in params]])
        return torch.cat(features)

    def _other_images(self, loaded: SceneBatch, device: torch.device) -> Tensor | None:
        """Return teacher features [M, D] of images of the first source that are not in the batch."""
        features = self._sources[0].features
        if not self._bank or features is None:
            return None
        in_batch = {row for source, row in loaded.batch if source == 0}
        rng = np.random.default_rng((*self._key, *loaded.key, _BANK))
        rows = draw_others(len(features), in_batch, self._bank, rng)
        return features[rows, 0].to(device) if rows else None

    def _coverage(self, loaded: SceneBatch, cells: tuple[int, int]) -> Tensor:
        """Return how much of each cell of a map the object of each label covers, [n, C, h * w]."""
        parts = self._parts(loaded.batch, loaded.draws)
        return torch.cat(
            [
                label_coverage(source.scenes, rows, params, self.label_indices, cells)
                if source.labeled
                else torch.zeros(len(rows), len(self.label_indices), cells[0] * cells[1])
                for source, rows, params in parts
            ]
        )

    def _objects(self, loaded: SceneBatch, local: Tensor) -> dict[str, Tensor]:
        """Return the student's features [R, D] of the objects in a batch, and the teacher's of their crops."""
        cells = functional.normalize(local.flatten(2), dim=1)
        size = (local.shape[2], local.shape[3])
        objects, crops, start = [], [], 0
        for source, rows, params in self._parts(loaded.batch, loaded.draws):
            if source.crops is not None:
                owners, coverage, features = region_coverage(source.scenes, source.crops, rows, params, size)
                seen = cells[owners.to(local.device) + start]
                objects.append(torch.einsum("rdk,rk->rd", seen, coverage.to(local.device)))
                crops.append(features.to(local.device))
            start += len(rows)
        return {"region_features": torch.cat(objects), "teacher_region_features": torch.cat(crops)}


@dataclass(frozen=True)
class SceneTask:
    """See `pickclutter_lang.training.trainer.Task`.

    `loader` builds batches of the (source, scene) pairs of `order(epoch)`. With `validation` every epoch is
    scored on it, and the best by `selection_metric` is the result; without, the last one is. `num_workers` as in
    `prefetch_map`.
    """

    name: str
    config: PhaseConfig
    model: MultiLabelStudent
    architecture: dict[str, Any]
    loader: BatchLoader
    order: Callable[[int], list[Batch]]
    validation: SceneDataset | None
    selection_metric: str
    num_workers: int = 0

    @cached_property
    def labels(self) -> Sequence[str]:
        """Names of the label columns that are scored."""
        return self.loader.labels

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch."""
        return self.order(epoch)

    def iter_batches(self, epoch: int) -> Iterator[SceneBatch]:
        """Yield the batches of an epoch as the student sees them, with their targets."""
        batches, size = self.order(epoch), self.config.image_size(epoch)
        return prefetch_map(
            lambda number: self.loader.load(batches[number], (epoch, number), size), len(batches), self.num_workers
        )

    def loss(self, prepared: SceneBatch, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the objective's value on a batch, and its terms.

        :raises InvalidArgumentError: when the training diverged
        """
        images = prepared.images.to(next(self.model.parameters()).device)
        with own_draws():
            own = self.model.features(images)
        features = StudentFeatures(*(gather_rows(part.float(), len(prepared.batch)) for part in own))
        prediction = self.model.predict_features(features, self.labels, prepared.texts)
        probabilities, count = prediction.probabilities, len(self.labels)
        check_finite(probabilities, epoch, self.name, self.config)
        inputs = SceneInputs(
            probabilities=probabilities[:, :count],
            targets=prepared.targets.to(images.device),
            labeled=None if prepared.labeled is None else prepared.labeled.to(images.device),
            student=prediction.pooled,
            vocabulary_probabilities=probabilities[:, count:],
            cell_logits=prediction.cell_logits[:, :count].flatten(2),
            attention=prediction.attention[:, :count].flatten(2),
            **self.loader.teacher_targets(prepared, prediction.spatial),
        )
        return self.loader.objective(inputs)

    def validate(self) -> dict[str, float] | None:
        """Return the metrics of the labels on the scenes of the validation."""
        if self.validation is None:
            return None
        probabilities = predict_scenes(self.model, self.validation, self.labels)
        return multilabel_row(probabilities, self.validation.labels[:, list(self.loader.label_indices)])
