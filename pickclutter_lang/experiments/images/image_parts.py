"""What a run on single images is made of: student, data set, crops, and what the losses need of the teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from pickclutter_lang.datasets.images.dataset import ImageClass, ImageDataset
from pickclutter_lang.datasets.images.splits import Split
from pickclutter_lang.distillation import ImageObjective
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.images.class_texts import build_class_encoder, captions_of, class_texts
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.experiments.images.image_crops import ImageCrops
from pickclutter_lang.students.student import build_student, normalize_rgb, resolve_bf16
from pickclutter_lang.teachers import FeatureCache, Teacher
from pickclutter_lang.training.trainer import seed_everything

_BATCH = 128


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


@dataclass(frozen=True)
class ImageParts:
    """The settings of a run, its teacher, data set and split; all else is made of these at its first use."""

    config: ImageTrainConfig
    teacher: Teacher
    data: ImageDataset
    split: Split

    @cached_property
    def crops(self) -> ImageCrops:
        """What cuts and scales the images."""
        config = self.config
        return ImageCrops(self.data.images, config.crops, config.image_size, config.center_crop, config.num_workers)

    @cached_property
    def cache(self) -> FeatureCache:
        """Where features of the teacher are kept."""
        return FeatureCache(self.config.teacher.cache)

    @cached_property
    def labels(self) -> Tensor:
        """Class of each image, [N]."""
        return torch.from_numpy(self.data.labels)

    @property
    def trained_rows(self) -> tuple[int, ...]:
        """Rows of the images that are trained on."""
        return (*self.split.train, *self.split.fewshot)

    @cached_property
    def model(self) -> ImageStudent:
        """The model with the weights that the seed gives."""
        seed_everything(self.config.seed)
        model = ImageStudent(self.config, self.teacher, self.data.classes)
        return model.to(device=self.config.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @cached_property
    def objective(self) -> ImageObjective:
        """What the student is trained with."""
        return self.config.objective.build()

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

    @torch.no_grad()
    def try_sizes(self) -> None:
        """Run the student on an image of every size of the training, before the teacher encodes any."""
        config = self.config
        model = self.model.eval()
        for size in {config.image_size, *config.distill.image_size_schedule, *config.few_shot.image_size_schedule}:
            try:
                model.features(torch.zeros(2, 3, size, size, dtype=torch.uint8))
            except (AssertionError, RuntimeError, ValueError) as error:
                raise InvalidArgumentError(
                    f"expected image_size that {config.student.name} takes, but got {size} ({error})"
                ) from error


@torch.no_grad()
def student_features(model: ImageStudent, crops: ImageCrops, rows: Sequence[int]) -> Tensor:
    """Return the student's features [n, D] of full images, on the CPU; the model must be in eval mode."""
    return torch.cat([model.features(images).cpu() for images in crops.eval_batches(rows, _BATCH)])


def nearest_class(features: Tensor, text: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the class [n] whose unit feature, a row of `text` [C, D], is nearest to each of `features` [n, D]."""
    return torch.tensor(list(classes))[(features @ text.T).argmax(dim=1)]
