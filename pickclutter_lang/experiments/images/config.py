"""The settings of a run on single images. Their values live in `configs/`; here are their types."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pickclutter_lang.datasets.images import ImageDataConfig
from pickclutter_lang.distillation import IMAGE_LOSS_NAMES
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.teachers.config import TeacherConfig
from pickclutter_lang.training.config import FewShotConfig, PhaseConfig
from pickclutter_lang.utils.validation import above, at_least, one_of, within


@dataclass
class ImageCropConfig:
    """How a image is shown in training, drawn for each image and epoch.

    A crop has between `smallest` and all of the image's area (torchvision's RandomResizedCrop); `flip` mirrors half
    of them; `rand_augment` is torchvision's RandAugment(2, 9). With `crops` above 0 a image has so many fixed crops,
    and the teacher's feature is of the very crop; with 0 every crop is new and the teacher sees the whole image, as
    in the paper's program.
    """

    min_crop_area: float
    flip: bool
    rand_augment: bool
    fixed_crops: int

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        within("crops.min_crop_area", self.min_crop_area, 0.01, 1.0)
        at_least("crops.fixed_crops", self.fixed_crops, 0)


@dataclass
class ClassTextConfig:
    """What stands for a class (section 5).

    `template` takes `{name}`; `described` takes `{description}` too and is used where there are `descriptions`: null
    for none, `own` for those of the data set or of the file `data.descriptions`, the path of a file, or a style, which
    is the file `<style>.json` in the folder `styles`, or without one the package's own of its 26 objects (see
    `language.descriptions.read_descriptions`).
    With `tokens` above 0 so many context vectors are learned in the template's place (CoOp), from the words `context`
    on; behind them stands `{name} . {description}`. A text that is too long for the teacher is an error unless it may
    be cut (`truncate`). With `closed_set` a class is a learned vector and no text at all.
    """

    template: str
    description_template: str
    descriptions: str | None
    style_dir: str | None
    n_ctx: int
    context_init: str | None
    truncate: bool
    closed_set: bool

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for key, parts in (("template", ("{name}",)), ("description_template", ("{name}", "{description}"))):
            text = getattr(self, key)
            try:
                text.format(name="", **({} if key == "template" else {"description": ""}))
                fits = all(part in text for part in parts)
            except (KeyError, IndexError, ValueError):
                fits = False
            if not fits:
                raise InvalidArgumentError(
                    f"expected text.{key} with {' and '.join(parts)} in it and no other braces, but got {text!r}"
                )
        at_least("text.n_ctx", self.n_ctx, 0)
        if self.closed_set and (self.n_ctx or self.descriptions):
            raise InvalidArgumentError("expected a closed set without text.n_ctx and text.descriptions: it has no text")


@dataclass
class ImageObjectiveConfig:
    """Weights of the terms and their parameters; see `pickclutter_lang.distillation.ImageObjective`."""

    cls: float
    mse: float
    im_cst: float
    vlprox: float
    cap: float
    temperature: float
    similarity: str
    top_k: int
    filter_vlprox: bool
    filter_im_cst: bool

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for name in IMAGE_LOSS_NAMES:
            at_least(f"objective.{name}", getattr(self, name), 0.0)
        if not any(getattr(self, name) for name in IMAGE_LOSS_NAMES):
            raise InvalidArgumentError(
                "expected a loss with a weight, such as objective.cls=1 objective.im_cst=1; "
                f"there are {', '.join(IMAGE_LOSS_NAMES)}"
            )
        above("objective.temperature", self.temperature, 0.0)
        one_of("objective.similarity", self.similarity, ("squared_distance", "cosine"))
        at_least("objective.top_k", self.top_k, 1)


@dataclass
class ImageTrainConfig:
    """A run: distillation on X_train (`distill`), then fine-tuning on the few-shot images of Y_ood (`fewshot`).

    `name` is the row of a table that the settings make. An epoch goes `repeats` times over X_train. `image_size` is
    the side of the images that the student sees; evaluation shows the middle `center` pixels of what is kept (null:
    all). Accuracies are means of those of the `average_last_epochs` of a phase.
    `continual` adds a phase that is fine-tuned on half of Y_ood alone (Table 11). `precision`, `num_threads` and
    `device` are as in `TrainConfig`; `num_workers` processes cut and change images ahead of the training (0: none),
    which changes no result.
    """

    name: str
    data: ImageDataConfig
    image_size: int
    center_crop: int | None
    crops: ImageCropConfig
    teacher: TeacherConfig
    student: StudentConfig
    text: ClassTextConfig
    objective: ImageObjectiveConfig
    distill: PhaseConfig
    few_shot: FewShotConfig
    epoch_repeats: int
    average_last_epochs: int
    continual_split: bool
    precision: str
    seed: int
    num_threads: int | None
    num_workers: int
    device: str
    out: str

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for part in (self.data, self.crops, self.student, self.text, self.objective):
            part.validate()
        self.distill.validate("distill")
        self.few_shot.validate("few_shot")
        at_least("image_size", self.image_size, 16)
        at_least("epoch_repeats", self.epoch_repeats, 1)
        within("average_last_epochs", self.average_last_epochs, 1, min(self.distill.epochs, self.few_shot.epochs))
        one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        at_least("seed", self.seed, 0)
        at_least("num_workers", self.num_workers, 0)
        if self.center_crop is not None:
            within("center_crop", self.center_crop, 16, self.data.image_size)
        if self.num_threads is not None:
            at_least("num_threads", self.num_threads, 1)
        if self.text.closed_set and [name for name in IMAGE_LOSS_NAMES if getattr(self.objective, name)] != ["cls"]:
            raise InvalidArgumentError("expected objective.cls alone with text.closed_set=true: nothing is distilled")

    @property
    def phases(self) -> dict[str, PhaseConfig]:
        """How each phase is optimized, by its name, in their order."""
        phases: dict[str, PhaseConfig] = {"distill": self.distill, "few_shot": self.few_shot}
        return phases | {"continual": self.few_shot} if self.continual_split else phases

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as nested JSON values."""
        return asdict(self)
