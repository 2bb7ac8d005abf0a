"""`SceneTask`: one training phase on scenes, multi-label and validated on X_id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.distillation import SceneInputs
from pickclutter_lang.experiments.scenes.scene_batches import BatchLoader, SceneBatch
from pickclutter_lang.metrics import multilabel_row
from pickclutter_lang.students.student import MultiLabelStudent, StudentFeatures, predict_scenes
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.parallel import gather_rows, own_draws
from pickclutter_lang.training.trainer import Batch, check_finite
from pickclutter_lang.utils.prefetch import prefetch_map


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
