"""`ImageRun`: one experiment on single images, with its student, phases, teacher and data set."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from pickclutter_lang.datasets.images.dataset import ImageClass, ImageDataset
from pickclutter_lang.datasets.images.loading import load_image_dataset
from pickclutter_lang.datasets.images.splits import Split
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.images.class_texts import (
    build_class_encoder,
    captions_of,
    class_texts,
    describe_data,
)
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.experiments.images.image_crops import ImageCrops
from pickclutter_lang.experiments.stages import CONTINUAL, DISTILL, FEW_SHOT
from pickclutter_lang.experiments.teacher_keys import teacher_keys
from pickclutter_lang.metrics import mean_class_accuracy
from pickclutter_lang.students.student import build_student, normalize_rgb, resolve_bf16
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.teachers.known_words import unknown_words_note
from pickclutter_lang.teachers.training_images import check_untrained_images, note_of_trained_images
from pickclutter_lang.training.batches import Batch, balanced_batches, shuffled_batches
from pickclutter_lang.training.experiment import MultiPhaseExperiment, configure_torch
from pickclutter_lang.training.parallel import gather_rows, main_first, own_draws
from pickclutter_lang.training.trainer import Phase, seed_everything

_BATCH = 128
ImageBatch = tuple[list[int], Tensor, list[int]]
"""Rows of n images, the images, and the number of each one's fixed crop."""


class ImageStudent(nn.Module):
    """From images to features, and from classes to features; an answer is the class that is nearest."""

    def __init__(self, config: ImageTrainConfig, teacher: Teacher, classes: Sequence[ImageClass]) -> None:
        """Build the network; weights come from torch's global generator, so seed it first.

        :raises InvalidArgumentError: when a setting does not fit
        """
        super().__init__()
        use_bf16 = resolve_bf16(config.precision, config.device)
        self.student = build_student(config.student, 3, teacher.embed_dim, use_bf16)
        self._names = [item.name for item in classes]
        self.classes = build_class_encoder(config.text, teacher, classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the features [N, D], not normalized, of images, uint8 [N, 3, S, S] on any device."""
        on_device = images.to(next(self.parameters()).device).float() / 255
        return self.student.global_features(normalize_rgb(on_device)).float()

    def text(self, classes: Sequence[int]) -> Tensor:
        """Return the unit features [n, D] of classes, by their index in the data set."""
        return self.classes.encode([self._names[index] for index in classes]).positive


class ImageRun(MultiPhaseExperiment):
    """A student of single images with everything that training or evaluation needs; created by `open`."""

    kind, command = "images", "pickclutter train-image-student"
    config: ImageTrainConfig

    def __init__(
        self, config: ImageTrainConfig, teacher: Teacher, data: ImageDataset, split: Split, report: str = ""
    ) -> None:
        super().__init__(config, teacher)
        self.data, self.split, self.report = data, split, report
        self.keep_last, self.trained_rows = config.average_last_epochs, (*split.train, *split.fewshot)
        self.crops = ImageCrops(data.images, config.crops, config.image_size, config.center_crop, config.num_workers)
        self.labels = torch.from_numpy(data.labels)
        self.objective = config.objective.build()
        self.cache = FeatureCache(config.teacher.cache)

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
        return describe_data(self.config, self.data, self.split)

    @cached_property
    def model(self) -> ImageStudent:
        """The model with the weights that the seed gives."""
        seed_everything(self.config.seed)
        model = ImageStudent(self.config, self.teacher, self.data.classes)
        return model.to(device=self.config.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @cached_property
    def phases(self) -> dict[str, ImagePhase]:
        """Distillation, fine-tuning on the few-shot images and, where configured, on those of half of Y_ood."""
        return {name: ImagePhase(self, name) for name in self.config.phases}

    @property
    def unseen_halves(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Y_ood in two halves (Table 11)."""
        half = (len(self.split.unseen) + 1) // 2
        return self.split.unseen[:half], self.split.unseen[half:]

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

    @cached_property
    def teacher_targets(self) -> Tensor | None:
        """The teacher's features [n, V, D] of V crops of the n `trained_rows`; None where no loss needs them."""
        if not self.objective.needs("teacher"):
            return None
        if self.config.crops.fixed_crops:
            return self.crops.crop_features(self.teacher, self.cache, self.trained_rows)
        return self.teacher_image_features[list(self.trained_rows)][:, None]

    @cached_property
    def caption_targets(self) -> Tensor | None:
        """The teacher's features [n, D] of the captions of the `trained_rows`; None where no loss needs them.

        :raises InvalidArgumentError: when an image has no caption
        """
        if not self.objective.needs("captions"):
            return None
        captions = captions_of(self.data, self.trained_rows)
        texts = sorted(set(captions))
        features = self.teacher.encode_text(texts, self.config.text.truncate)
        number = {text: n for n, text in enumerate(texts)}
        return features[[number[text] for text in captions]].cpu()

    @cached_property
    def target_row(self) -> Tensor:
        """Row of each image [N] in the targets, -1 for images that are not trained on."""
        rows = torch.full((len(self.labels),), -1)
        rows[list(self.trained_rows)] = torch.arange(len(self.trained_rows))
        return rows

    def teacher_texts(self) -> Tensor:
        """Return the teacher's features [C, D] of the texts of all classes, by their names in a closed set."""
        texts = class_texts(self.config.text, self.data.classes)
        return self.teacher.encode_text(texts, self.config.text.truncate).cpu()

    def train(self) -> None:
        """Train every phase; whatever is finished is left as it is.

        :raises InvalidArgumentError: when a setting does not fit
        """
        with self.training():
            self._try_sizes()
            with main_first():
                _ = self.teacher_targets, self.caption_targets, self.teacher_image_features
                if self.config.retrieval.keys == "teacher" and not self.config.text.closed_set:
                    _ = self.teacher_keys  # the last use of the image encoder
            self.teacher.free_image_encoder()
            self.train_phases()

    @torch.no_grad()
    def _try_sizes(self) -> None:
        """Run the student on an image of every size of the training, before the teacher encodes any."""
        config, model = self.config, self.model.eval()
        for size in {config.image_size, *config.distill.image_size_schedule, *config.few_shot.image_size_schedule}:
            try:
                model.features(torch.zeros(2, 3, size, size, dtype=torch.uint8))
            except (AssertionError, RuntimeError, ValueError) as error:
                raise InvalidArgumentError(
                    f"expected image_size that {config.student.name} takes, but got {size} ({error})"
                ) from error


class ImagePhase(Phase):
    """Trains Y_id on X_train, then few-shot images of Y_ood too.

    `classes` are those of the phase, as indices of the data set, in groups that are classified separately: one group,
    but for a closed set with separate classifiers. After every epoch the accuracy on X_id is noted, which chooses
    nothing.
    """

    def __init__(self, run: ImageRun, name: str) -> None:
        self.run = run
        self.name = name
        self.rate_key = f"{DISTILL if name == DISTILL else FEW_SHOT}.lr"
        self.config, self.num_workers = run.config.phases[name], run.config.num_workers
        seen, unseen = run.split.seen, run.split.unseen
        added = () if name == DISTILL else run.unseen_halves[0] if name == CONTINUAL else unseen
        groups = [seen, added] if run.config.text.closed_set else [(*seen, *added)]
        self.classes = [group for group in groups if group]

    @property
    def starts_from(self) -> str | None:
        """All but the distillation start from the distilled weights."""
        return None if self.name == DISTILL else DISTILL

    @cached_property
    def model(self) -> ImageStudent:
        """The student of the run."""
        return self.run.model

    def batches(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch: of X_train, and after the distillation of few-shot images too.

        A sample is its source (0: X_train, 1: few-shot images) and the row of the image.
        """
        split, config, key = self.run.split, self.run.config, self._key(epoch)
        if self.name == DISTILL:
            passes = [
                shuffled_batches(len(split.train), config.distill.batch_size, (*key, n))
                for n in range(config.epoch_repeats)
            ]
            return [[(0, split.train[n]) for n in batch] for batches in passes for batch in batches]
        few_shot = split.fewshot
        if self.name == CONTINUAL:
            few_shot = tuple(row for row in few_shot if int(self.run.labels[row]) in self.run.unseen_halves[0])
        rows = split.train, few_shot
        batches = balanced_batches(len(split.train), len(few_shot), config.few_shot, key)
        return [[(source, rows[source][row]) for source, row in batch] for batch in batches]

    def _key(self, epoch: int) -> tuple[int, int, int]:
        return self.run.config.seed, [*self.run.phases].index(self.name), epoch

    def load(self, batch: Batch, epoch: int, number: int) -> ImageBatch:
        """Return the rows of a batch, their images, and which crops these are."""
        rows = [row for _, row in batch]
        return rows, *self.run.crops.train_images(rows, (*self._key(epoch), number), self.config.image_size(epoch))

    def loss(self, prepared: ImageBatch, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the objective's value on a batch, and its terms."""
        rows, images, crops = prepared
        with own_draws():
            student = gather_rows(self.model.features(images), len(rows))
        labels, loss = self.run.labels[rows], student.new_zeros(())
        terms = {name: student.new_zeros(()) for name in self.run.objective.weights}
        for group in self.classes:  # the mean over the images, whatever the groups
            members = torch.isin(labels, torch.tensor(group)).nonzero()[:, 0]
            if len(members):
                share, (value, parts) = len(members) / len(rows), self._group_loss(student, group, members, rows, crops)
                loss, terms = loss + share * value, {name: terms[name] + share * parts[name] for name in terms}
        return loss, terms

    def validate(self) -> dict[str, float]:
        """Return the mean accuracy of the classes on X_id."""
        rows = self.run.split.id
        self.model.eval()
        features, text = student_features(self.model, self.run.crops, rows), self.model.text(self.run.split.seen)
        predicted = nearest_class(features, text.detach().cpu(), self.run.split.seen)
        return {"accuracy": mean_class_accuracy(predicted, self.run.labels[list(rows)])}

    def _group_loss(
        self, student: Tensor, group: Sequence[int], members: Tensor, rows: Sequence[int], crops: Sequence[int]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return value and terms on the images of one group of classes.

        :param members: their places in the batch
        """
        image_rows = torch.tensor(rows)[members]
        labels = (self.run.labels[image_rows][:, None] == torch.tensor(group)).nonzero()[:, 1]
        given: dict[str, Tensor] = {}
        target_rows = self.run.target_row[image_rows]
        if self.run.teacher_targets is not None:
            given["teacher"] = self.run.teacher_targets[target_rows, torch.tensor(crops)[members]].to(student.device)
        if self.run.caption_targets is not None:
            given["captions"] = self.run.caption_targets[target_rows].to(student.device)
        text = self.model.text(group)
        return self.run.objective(student=student[members], text=text, labels=labels.to(student.device), **given)


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


@torch.no_grad()
def student_features(model: ImageStudent, crops: ImageCrops, rows: Sequence[int]) -> Tensor:
    """Return the student's features [n, D] of full images, on the CPU; the model must be in eval mode."""
    return torch.cat([model.features(images).cpu() for images in crops.eval_batches(rows, _BATCH)])


def nearest_class(features: Tensor, text: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the class [n] whose unit feature, a row of `text` [C, D], is nearest to each of `features` [n, D]."""
    return torch.tensor(list(classes))[(features @ text.T).argmax(dim=1)]
