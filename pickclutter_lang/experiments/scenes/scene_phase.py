"""One training phase on scenes: batches, the student's output and what the objective needs of the teacher, the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import UNLABELED, label_coverage
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, flip_index, sample_augmentation
from pickclutter_lang.experiments.scenes.scene_parts import DataSource, SceneParts
from pickclutter_lang.experiments.scenes.trained_run import names_of
from pickclutter_lang.experiments.stages import DISTILL
from pickclutter_lang.metrics import multilabel_row
from pickclutter_lang.students.student import MultiLabelStudent, StudentFeatures, predict_scenes
from pickclutter_lang.teachers.scene_features import region_coverage
from pickclutter_lang.training.batches import (
    Batch,
    balanced_batches,
    shuffled_batches,
    with_unlabeled,
)
from pickclutter_lang.training.config import FewShotConfig
from pickclutter_lang.training.parallel import gather_rows, own_draws, own_slice
from pickclutter_lang.training.trainer import Phase

_VOCABULARY = 1  # distinguishes this random stream of a batch
_SCORED_TEXTS = 24
"""Texts of the vocabulary that are drawn for each batch."""
_Part = tuple[int, list[int], list[AugmentationParams]]


@dataclass(frozen=True)
class SceneBatch:
    """A batch of scenes, which its `parts` name: number of a source, and rows and augmentations of its scenes.

    `images` [n, K, S, S] are of the `own_slice` of this process, `targets` [N, C] of all; `labeled` [N] says which
    targets are known, others are zeros (None: all are). `sampled` texts of the vocabulary are scored.
    """

    parts: Sequence[_Part]
    images: Tensor
    targets: Tensor
    labeled: Tensor | None
    sampled: Sequence[int]


class ScenePhase(Phase):
    """Distills or fine-tunes the student of scenes. All draws depend on (seed, phase, epoch, batch or scene) only.

    Distillation passes over the first source, with scenes of the second as unlabeled ones, and scores every epoch on
    X_id. Fine-tuning passes over the second one, the few-shot scenes.
    """

    def __init__(self, parts: SceneParts, name: str) -> None:
        self.parts = parts
        self.name = name
        self.config = parts.config.phases[name]
        self.selection_metric = parts.config.selection_metric
        self.num_workers = parts.config.num_workers
        distilled = name == DISTILL
        self.labels = names_of(parts.unseen, "id") if distilled else list(parts.unseen)
        self.stores = [name for name in ("train", UNLABELED if distilled else "fewshot") if name in parts.scenes]
        self.validation = parts.scenes["id"] if distilled else None
        self._key = parts.config.seed, [*parts.config.phases].index(name)

    @property
    def starts_from(self) -> str | None:
        """Fine-tuning starts from the distilled weights."""
        return None if self.name == DISTILL else DISTILL

    @cached_property
    def model(self) -> MultiLabelStudent:
        """The student of the run."""
        return self.parts.model

    @cached_property
    def sources(self) -> list[DataSource]:
        """What it is trained on."""
        return [self.parts.sources[name] for name in self.stores]

    @cached_property
    def _columns(self) -> list[int]:
        known = self.sources[0].scenes.label_names
        return [known.index(name) for name in self.labels]

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch."""
        counts = [len(source.scenes) for source in self.sources]
        config = self.config
        key = (*self._key, epoch)
        if isinstance(config, FewShotConfig):
            return balanced_batches(counts[0], counts[1], config, key)
        rows = shuffled_batches(counts[0], config.batch_size, key)
        return with_unlabeled(rows, sum(counts[1:]), self.parts.config.data.unlabeled_batch_size, key)

    def load(self, batch: Batch, epoch: int, number: int) -> SceneBatch:
        """Return a batch as the student sees it, with its targets."""
        drawn = []
        for source, row in batch:
            scenes = self.sources[source].scenes
            of_image = (*self._key, epoch, source, row)
            drawn.append((source, row, sample_augmentation(scenes.config.augmentation, scenes.crop_size, of_image)))
        own = _by_source(drawn[own_slice()])
        size = self.config.image_size(epoch)
        images = [self.sources[source].scenes.batch(rows, draws, size) for source, rows, draws in own]
        parts = _by_source(drawn)
        sampled = list[int]()
        targets = [
            self.sources[source].scenes.labels[rows][:, self._columns]
            if self.sources[source].labeled
            else torch.zeros(len(rows), len(self.labels), dtype=torch.bool)
            for source, rows, _ in parts
        ]
        known = torch.tensor([self.sources[source].labeled for source, rows, _ in parts for _ in rows])
        vocabulary = self.parts.vocabulary
        if vocabulary is not None and self.parts.objective.needs("vocabulary_probabilities"):
            count = len(vocabulary.texts)
            rng = np.random.default_rng((*self._key, epoch, number, _VOCABULARY))
            sampled = rng.choice(count, min(_SCORED_TEXTS, count), replace=False).tolist()
        return SceneBatch(parts, torch.cat(images), torch.cat(targets), None if known.all() else known, sampled)

    def loss(self, prepared: SceneBatch, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the objective's value on a batch, and its terms."""
        device = next(self.model.parameters()).device
        count = len(self.labels)
        images = prepared.images.to(device)
        with own_draws():
            own = self.model.features(images)
        features = StudentFeatures(*(gather_rows(part.float(), len(prepared.targets)) for part in own))
        vocabulary = self.parts.vocabulary
        texts = [vocabulary.texts[n] for n in prepared.sampled] if vocabulary is not None else []
        scores = self.model.score(features, self.model.prompts.encode(self.labels, texts))
        return self.parts.objective(
            targets=prepared.targets.to(device),
            labeled=None if prepared.labeled is None else prepared.labeled.to(device),
            student=features.pooled,
            probabilities=scores.probabilities[:, :count],
            vocabulary_probabilities=scores.probabilities[:, count:],
            cell_logits=scores.cell_logits[:, :count].flatten(2),
            attention=scores.attention[:, :count].flatten(2),
            **self._teacher_values(prepared, features.spatial),
        )

    def _teacher_values(self, batch: SceneBatch, spatial: Tensor) -> dict[str, Any]:
        """Return what the objective needs of teacher and masks.

        :param spatial: [N, D, h, w] of the student
        """
        values: dict[str, Any] = {}
        needs = self.parts.objective.needs
        device = spatial.device
        cells = (spatial.shape[2], spatial.shape[3])
        if needs("coverage"):
            coverage = [
                label_coverage(source.scenes, rows, draws, self._columns, cells)
                if source.labeled
                else torch.zeros(len(rows), len(self.labels), cells[0] * cells[1])
                for source, rows, draws in self._sources_of(batch)
            ]
            values["coverage"] = torch.cat(coverage).to(device)
        if needs("teacher"):
            features = []
            for source, rows, draws in self._sources_of(batch):
                assert source.features is not None
                flips = source.scenes.config.augmentation.flips  # the teacher sees the same flip
                features.append(source.features[rows, [flip_index(draw, flips) for draw in draws]])
            values["teacher"] = torch.cat(features).to(device)
        if needs("region_features", "teacher_region_features"):
            values |= self._region_features(batch, spatial)
        if self.parts.vocabulary is not None:
            known = self.parts.vocabulary.features
            present, absent = (part[list(batch.sampled)] for part in (known.present, known.absent))
            values["vocabulary"] = known._replace(present=present, absent=absent)
        return values

    def _region_features(self, batch: SceneBatch, spatial: Tensor) -> dict[str, Tensor]:
        """Return the student's features [R, D] of the objects in a batch, and the teacher's of their crops."""
        cells = functional.normalize(spatial.flatten(2), dim=1)
        size = (spatial.shape[2], spatial.shape[3])
        objects = []
        crops = []
        start = 0
        for source, rows, draws in self._sources_of(batch):
            assert source.crops is not None
            owners, coverage, features = region_coverage(source.scenes, source.crops, rows, draws, size)
            objects.append(torch.einsum("rdk,rk->rd", cells[owners.to(cells.device) + start], coverage.to(cells)))
            crops.append(features.to(cells.device))
            start += len(rows)
        return {"region_features": torch.cat(objects), "teacher_region_features": torch.cat(crops)}

    def _sources_of(self, batch: SceneBatch) -> Iterator[tuple[DataSource, list[int], list[AugmentationParams]]]:
        return ((self.sources[number], rows, draws) for number, rows, draws in batch.parts)

    def validate(self) -> dict[str, float] | None:
        """Return the metrics of the labels on the scenes of the validation."""
        if self.validation is None:
            return None
        probabilities = predict_scenes(self.model, self.validation, self.labels)
        return multilabel_row(probabilities, self.validation.labels[:, self._columns])


def _by_source(drawn: Sequence[tuple[int, int, AugmentationParams]]) -> list[_Part]:
    """Group scenes (source, row, augmentation) by their source."""
    groups = [(number, list(group)) for number, group in groupby(drawn, itemgetter(0))]
    return [(number, [row for _, row, _ in group], [draw for *_, draw in group]) for number, group in groups]
