"""`ImageRun`: one experiment on single images, with its student, phases, teacher and data set."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from torch import Tensor

from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.loading import load_image_dataset
from pickclutter_lang.datasets.images.splits import Split
from pickclutter_lang.experiments.images.class_texts import describe_data
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.experiments.images.image_parts import ImageParts, ImageStudent
from pickclutter_lang.experiments.images.image_phase import ImagePhase
from pickclutter_lang.experiments.teacher_keys import teacher_keys
from pickclutter_lang.students.student import resolve_bf16
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.teachers.known_words import unknown_words_note
from pickclutter_lang.teachers.training_images import check_untrained_images, note_of_trained_images
from pickclutter_lang.training.experiment import MultiPhaseExperiment, configure_torch
from pickclutter_lang.training.parallel import main_first


class ImageRun(MultiPhaseExperiment):
    """A student of single images with everything that training or evaluation needs; created by `open`."""

    kind, command = "images", "pickclutter train-image-student"
    config: ImageTrainConfig

    def __init__(
        self, config: ImageTrainConfig, teacher: Teacher, data: ImageDataset, split: Split, report: str = ""
    ) -> None:
        super().__init__(config, teacher)
        self.parts = ImageParts(config, teacher, data, split)
        self.report = report
        self.keep_last = config.average_last_epochs

    @classmethod
    def open(cls, config: ImageTrainConfig) -> ImageRun:
        """Open the data set and the teacher, and check a run that is already in the folder.

        :raises PickClutterError: DatasetError, MissingAssetsError, TeacherError, CheckpointError or
            InvalidArgumentError
        """
        configure_torch(config)
        run = cls(config, *open_data(config, device=config.device))
        run.validate_run_dir()
        return run

    @property
    def name(self) -> str:
        """The row of a table."""
        return self.config.name

    @property
    def data_provenance(self) -> dict[str, Any]:
        """Provenance of the run: the data set, and hashes of class texts and captions."""
        return describe_data(self.config, self.parts.data, self.parts.split)

    @property
    def model(self) -> ImageStudent:
        """The student, which all phases train."""
        return self.parts.model

    @cached_property
    def phases(self) -> dict[str, ImagePhase]:
        """Distillation, fine-tuning on the few-shot images and, where configured, on those of half of Y_ood."""
        return {name: ImagePhase(self.parts, name) for name in self.config.phases}

    @cached_property
    def teacher_keys(self) -> Tensor:
        """The teacher's features [M, V, D] of V views of the few-shot images, for retrieval."""
        rows, views, images = self.parts.split.fewshot, self.config.retrieval.key_views, self.parts.data.images
        image_ids = images.content_hash, f"side={images.image_size} upright"
        return teacher_keys(self.teacher, self.parts.cache, images.load, rows, views, image_ids)

    def train(self) -> None:
        """Train every phase; whatever is finished is left as it is.

        :raises InvalidArgumentError: when a setting does not fit
        """
        with self.training():
            self.parts.try_sizes()
            with main_first():
                _ = self.parts.teacher_targets, self.parts.caption_targets, self.parts.teacher_image_features
                if self.config.retrieval.keys == "teacher" and not self.config.text.closed_set:
                    _ = self.teacher_keys  # the last use of the image encoder
            self.teacher.free_image_encoder()
            self.train_phases()


def open_data(config: ImageTrainConfig, device: str = "cpu") -> tuple[Teacher, ImageDataset, Split, str]:
    """Open the teacher and the data set of a run.

    :param device: of the teacher
    :return: teacher, images, split, and a report to print, with what the teacher has to do with the images
    :raises PickClutterError: as `load_image_dataset` and `load_teacher`; MismatchError for images of `data.half` that
        the teacher was trained on
    """
    from pickclutter_lang.teachers import load_teacher  # takes seconds

    data, split, report = load_image_dataset(config.data)
    if config.data.half:
        check_untrained_images(data, config.teacher.checkpoint)
    use_bf16 = resolve_bf16(config.precision, device)
    teacher = load_teacher(config.teacher.name, config.teacher.checkpoint, device=device, use_bf16=use_bf16)
    names = [] if config.text.closed_set else [item.name for item in data.classes]
    notes = note_of_trained_images(data, config.teacher.checkpoint), unknown_words_note(teacher, names)
    return teacher, data, split, "\n".join([report, *(f"- {note}" for note in notes if note)])
