"""`ImageRun`: one experiment on single images, with the teacher, data set and student that its configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from pickclutter_lang.datasets.images import ImageDataset, Split, load_image_dataset
from pickclutter_lang.distillation import IMAGE_LOSS_NAMES, ImageObjective
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.comparison import comparable_config
from pickclutter_lang.experiments.images.class_texts import class_texts
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.experiments.images.image_crops import ImageCrops
from pickclutter_lang.experiments.images.image_provenance import annotated, captions_of, describe_data, describe_texts
from pickclutter_lang.experiments.images.image_student import ImageStudent, architecture_signature
from pickclutter_lang.experiments.images.image_task import ImageTask, TrainingData
from pickclutter_lang.experiments.stages import CONTINUAL, DISTILL, FEW_SHOT
from pickclutter_lang.experiments.teacher_keys import teacher_keys
from pickclutter_lang.students.student import resolve_bf16
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.teachers.training_images import check_untrained_images
from pickclutter_lang.training.experiment import MultiPhaseExperiment, Phase, configure_torch
from pickclutter_lang.training.parallel import main_first
from pickclutter_lang.training.sampling import balanced_batches, shuffled_batches
from pickclutter_lang.training.trainer import Batch, seed_everything


class ImageRun(MultiPhaseExperiment):
    """A student of single images with everything that training or evaluation needs; created by `open`."""

    kind, command = "images", "pickclutter train-image-student"
    config: ImageTrainConfig
    comparable_config = staticmethod(comparable_config)

    def __init__(
        self, config: ImageTrainConfig, teacher: Teacher, data: ImageDataset, split: Split, report: str = ""
    ) -> None:
        super().__init__(config, teacher)
        self.data, self.split, self.report = data, split, report
        self.keep_last = config.average_last_epochs
        self.crops = ImageCrops(data.images, config.crops, config.image_size, config.center_crop, config.num_workers)
        self.labels = torch.from_numpy(data.labels)

    @classmethod
    def open(cls, config: ImageTrainConfig) -> ImageRun:
        """Open the data set and the teacher, and check a run that is already in the folder.

        :raises PickClutterError: DatasetError, MissingAssetsError, TeacherError, CheckpointError or
            InvalidArgumentError
        """
        from pickclutter_lang.teachers import load_teacher  # takes seconds

        configure_torch(config)
        data, split, report = load_image_dataset(config.data)
        if config.data.half:
            check_untrained_images(data, config.teacher.checkpoint)
        bf16 = resolve_bf16(config.precision, config.device)
        teacher = load_teacher(config.teacher.name, config.teacher.checkpoint, device=config.device, use_bf16=bf16)
        run = cls(config, teacher, data, split, annotated(report, data, teacher, config))
        run.validate_run_dir()
        return run

    @property
    def name(self) -> str:
        """The row of a table."""
        return self.config.name

    @property
    def data_provenance(self) -> dict[str, Any]:
        """Provenance of the run: the data set, and hashes of class texts and captions."""
        return describe_data(self.data, self.split) | describe_texts(self.config, self.data, self.split)

    @cached_property
    def _texts(self) -> list[str]:
        """The text of each class, without a learned template."""
        return class_texts(self.config.text, self.data.classes)

    @cached_property
    def model(self) -> ImageStudent:
        """The model with the weights that the seed gives."""
        seed_everything(self.config.seed)
        model = ImageStudent(self.config, self.teacher, self.data.classes)
        return model.to(device=self.config.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @property
    def architecture(self) -> dict[str, Any]:
        """What a checkpoint must share with the model."""
        return architecture_signature(self.config, self.teacher, self.data.classes)

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """Distillation, fine-tuning on the few-shot images and, where configured, on those of half of Y_ood."""

        def phase(name: str) -> Phase:
            start = None if name == DISTILL else lambda: self.load_weights(DISTILL)
            return Phase(name, self.config.phases[name], lambda: self.model, lambda: self._task(name), start)

        return {name: phase(name) for name in self.config.phases}

    @property
    def unseen_halves(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Y_ood in two halves (Table 11)."""
        half = (len(self.split.unseen) + 1) // 2
        return self.split.unseen[:half], self.split.unseen[half:]

    @cached_property
    def cache(self) -> FeatureCache:
        """Cache of the teacher's features."""
        return FeatureCache(self.config.teacher.cache)

    @cached_property
    def teacher_image_features(self) -> Tensor:
        """The teacher's features [N, D] of all images."""
        return self.crops.image_features(self.teacher, self.cache)

    @cached_property
    def teacher_keys(self) -> Tensor:
        """The teacher's features [M, V, D] of V views of the few-shot images, for retrieval."""
        rows, views, images = self.split.fewshot, self.config.retrieval.key_views, self.data.images
        image_ids = images.content_hash, f"side={images.image_size} upright"
        return teacher_keys(self.teacher, self.cache, images.load, rows, views, image_ids)

    def train(self) -> None:
        """Train every phase; whatever is finished is left as it is.

        :raises InvalidArgumentError: when a setting does not fit, before the teacher encodes any image
        """
        with self.training():
            self._train_batches(0)
            for phase in [*self.phases][1:]:
                self._few_shot_batches(phase, 0)
            self._try_sizes()
            with main_first():
                _ = self._training_data, self.teacher_image_features
                if self.config.retrieval.keys == "teacher" and not self.config.text.closed_set:
                    _ = self.teacher_keys  # the last use of the image encoder
            self.teacher.free_image_encoder()
            self.train_phases()

    def _try_sizes(self) -> None:
        """Run the student on an image of every size of the training.

        :raises InvalidArgumentError: when it cannot read one
        """
        config, model = self.config, self.model
        for size in {config.image_size, *config.distill.image_size_schedule, *config.few_shot.image_size_schedule}:
            try:
                with torch.no_grad():
                    model.eval().features(torch.zeros(2, 3, size, size, dtype=torch.uint8))
            except (AssertionError, RuntimeError, ValueError) as error:
                raise InvalidArgumentError(
                    f"the student {config.student.name} cannot take images of {size} px ({error}); "
                    "choose another image_size"
                ) from error

    def _task(self, phase: str) -> ImageTask:
        """Return the training task of a phase: Y_id on X_train, then also the few-shot images of Y_ood."""
        seen, unseen = self.split.seen, self.split.unseen
        added = () if phase == DISTILL else self.unseen_halves[0] if phase == CONTINUAL else unseen
        groups = [seen, added] if self.config.text.closed_set else [(*seen, *added)]
        return ImageTask(
            name=phase,
            group=DISTILL if phase == DISTILL else FEW_SHOT,
            config=self.config.phases[phase],
            model=self.model,
            architecture=self.architecture,
            objective=self._objective,
            training_data=self._training_data,
            classes=[group for group in groups if group],
            class_names=[item.name for item in self.data.classes],
            order=self._train_batches if phase == DISTILL else lambda epoch: self._few_shot_batches(phase, epoch),
            key=(self.config.seed, [*self.phases].index(phase)),
            validation=self.split.id,
        )

    def _train_batches(self, epoch: int) -> list[Batch]:
        rows, size = self.split.train, self.config.distill.batch_size
        key = (self.config.seed, 0, epoch)
        passes = [shuffled_batches(len(rows), size, (*key, n)) for n in range(self.config.epoch_repeats)]
        return [[(0, rows[n]) for n in batch] for batches in passes for batch in batches]

    def _few_shot_batches(self, phase: str, epoch: int) -> list[Batch]:
        tune, train = self.config.few_shot, self.split.train
        few_shot = self.split.fewshot
        if phase == CONTINUAL:
            few_shot = tuple(row for row in few_shot if int(self.labels[row]) in self.unseen_halves[0])
        key = (self.config.seed, [*self.phases].index(phase), epoch)
        rows = train, few_shot
        batches = balanced_batches(len(train), len(few_shot), tune, key)
        return [[(source, rows[source][row]) for source, row in batch] for batch in batches]

    @cached_property
    def _objective(self) -> ImageObjective:
        values = self.config.objective
        return ImageObjective(
            {name: getattr(values, name) for name in IMAGE_LOSS_NAMES},
            temperature=values.temperature,
            similarity=values.similarity,  # type: ignore[arg-type]  # checked by its settings
            top_k=values.top_k,
            filter_vlprox=values.filter_vlprox,
            filter_im_cst=values.filter_im_cst,
            extra=values.extra,
        )

    @cached_property
    def _training_data(self) -> TrainingData:
        rows, needs = (*self.split.train, *self.split.fewshot), self._objective.needs
        row_of_image = torch.full((len(self.labels),), -1)
        row_of_image[list(rows)] = torch.arange(len(rows))
        teacher = None
        if needs("teacher") and self.config.crops.fixed_crops:
            teacher = self.crops.crop_features(self.teacher, self.cache, rows)
        elif needs("teacher"):
            teacher = self.teacher_image_features[list(rows)][:, None]
        return TrainingData(
            self.crops, self.labels, row_of_image, teacher, self.caption_features(rows) if needs("captions") else None
        )

    def caption_features(self, rows: Sequence[int]) -> Tensor:
        """Return the teacher's features [n, D] of the captions of some images.

        :raises InvalidArgumentError: when one of them has none
        """
        captions = captions_of(self.data, rows)
        texts = sorted(set(captions))
        features = self.teacher.encode_text(texts, self.config.text.truncate)
        number = {text: n for n, text in enumerate(texts)}
        return features[[number[text] for text in captions]].cpu()

    def teacher_texts(self) -> Tensor:
        """Return the teacher's features [C, D] of the texts of all classes, by their names in a closed set."""
        return self.teacher.encode_text(self._texts, self.config.text.truncate).cpu()
