"""Configuration of runs on single images, of their sweep, and of captions of the images."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

from pickclutter_lang.datasets.images.config import IMAGE_CACHE, ImageDataConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.teachers.config import TeacherConfig
from pickclutter_lang.training.config import FewShotConfig, PhaseConfig, RunConfig
from pickclutter_lang.utils.constants import TEMPERATURE
from pickclutter_lang.utils.validation import (
    MAX_BATCH_SIZE,
    above,
    at_least,
    check_device,
    check_image_size,
    check_path,
    check_values,
    has_fields,
    one_of,
    within,
)

if TYPE_CHECKING:
    from pickclutter_lang.distillation import ImageObjective


@dataclass
class ImageCropConfig:
    """Random crops and changes of a training image."""

    min_crop_area: Annotated[float, within, 0.01, 1.0] = 0.5
    """Least fraction of the image's area in a crop (torchvision's RandomResizedCrop)."""
    flip: bool = True
    """Mirror half of the crops."""
    rand_augment: bool = False
    """Apply torchvision's RandAugment(2, 9) before the crop."""
    fixed_crops: Annotated[int, at_least, 0] = 4
    """Crops of each image, which the teacher sees too. 0: new crops each epoch, and full images for the teacher."""


@dataclass
class ClassTextConfig:
    """Text of a class (section 5 of the paper)."""

    template: Annotated[str, has_fields, "name"] = "a photo of a {name}"
    """Text of a class."""
    descriptions: str | None = None
    """null (none), `own` (of the data set or of `data.descriptions`), a style, or the path of a .json file. Styles:
    `standard`, `succinct`, `detailed`, `distinct`, and `blind`, `blind_succinct`, ..., written from only the names."""
    style_dir: str | None = None
    """Folder with `standard.json`, `succinct.json`, `detailed.json` and `distinct.json`, which are those of the blind
    styles too. null: the package's folder, for its 26 objects."""
    n_ctx: Annotated[int, at_least, 0] = 0
    """Learned context vectors in place of the template (CoOp); the paper learns 8. 0: the template."""
    context_init: str | None = "a photo of a"
    """Words that the context starts from. null: random vectors."""
    truncate: bool = False
    """Cut texts that are too long for the teacher, instead of an error."""
    closed_set: bool = False
    """A learned vector for each class instead of text."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if self.closed_set and (self.n_ctx or self.descriptions):
            raise InvalidArgumentError("expected a closed set without text.n_ctx and text.descriptions: it has no text")


@dataclass
class ImageObjectiveConfig:
    """Weights of the losses (0: not computed) and their parameters; see `distillation.ImageObjective`."""

    cls: float = 0.0
    """Weight of L_cls (Eq. 1)."""
    mse: float = 0.0
    """Weight of L_mse (Eq. 2)."""
    im_cst: float = 0.0
    """Weight of L_im-cst (Eq. 3)."""
    vlprox: float = 0.0
    """Weight of L_vlprox (Eq. 6)."""
    cap: float = 0.0
    """Weight of L_cap (Eq. 8)."""
    temperature: Annotated[float, above, 0.0] = TEMPERATURE
    """Temperature of the losses."""
    similarity: Annotated[str, one_of, ("squared_distance", "cosine")] = "squared_distance"
    """Similarity of `im_cst`: `squared_distance`, as in the paper, or `cosine`, as in its program."""
    top_k: Annotated[int, at_least, 1] = 256
    """k of `vlprox`."""
    filter_vlprox: bool = True
    """Leave out images that the teacher misclassifies from `vlprox`."""
    filter_im_cst: bool = False
    """Leave out images that the teacher misclassifies from `im_cst`."""
    extra: dict[str, float] | None = None
    """Weights of losses of your own, {module:attribute: weight}; see `distillation.Objective`."""

    def build(self) -> ImageObjective:
        """Return what a student is trained with.

        :raises InvalidArgumentError: for weights that are not allowed, or none above 0
        """
        from pickclutter_lang.distillation import ImageObjective  # loads torch

        return ImageObjective.of_settings(vars(self))


@dataclass
class ImageTrainConfig(RunConfig):
    """A run: distillation on X_train, then fine-tuning on the few-shot images of Y_ood."""

    name: str = "run"
    """Name of the method, a row of a table."""
    data: ImageDataConfig = field(default_factory=ImageDataConfig)
    image_size: Annotated[int, check_image_size] = 64
    """Side in pixels of the images that the student sees."""
    center_crop: int | None = None
    """Side in pixels of the center crop for evaluation. null: the full image."""
    crops: ImageCropConfig = field(default_factory=ImageCropConfig)
    teacher: TeacherConfig = field(default_factory=lambda: TeacherConfig(cache=IMAGE_CACHE))
    student: StudentConfig = field(default_factory=lambda: StudentConfig("timm/resnet18.tv_in1k", output_stride=None))
    text: ClassTextConfig = field(default_factory=ClassTextConfig)
    objective: ImageObjectiveConfig = field(default_factory=ImageObjectiveConfig)
    distill: PhaseConfig = field(default_factory=lambda: PhaseConfig(epochs=15, batch_size=64))
    few_shot: FewShotConfig = field(default_factory=lambda: FewShotConfig(lr=0.0005, batch_size=64))
    epoch_repeats: Annotated[int, at_least, 1] = 1
    """How often an epoch passes over X_train."""
    average_last_epochs: int = 1
    """Accuracies are means over so many last epochs of a phase."""
    continual_split: bool = False
    """Fine-tune on half of Y_ood in another phase, and evaluate on the other half too (Table 11)."""
    out: str = "runs/image_student"

    def __post_init__(self) -> None:
        """Keep images where the teacher's features are, unless the data says where."""
        self.data = replace(self.data, cache=self.data.cache or self.teacher.cache)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        self.data.validate()
        self.text.validate()
        objective = self.objective.build()
        within("average_last_epochs", self.average_last_epochs, 1, min(self.distill.epochs, self.few_shot.epochs))
        if self.center_crop is not None:
            within("center_crop", self.center_crop, 16, self.data.image_size)
        for name in ("temperature", "negative_attention"):
            if getattr(self.student, name) != getattr(StudentConfig(), name):
                raise InvalidArgumentError(
                    f"expected no student.{name} for single images, whose students pool no map by a label, but got "
                    f"{getattr(self.student, name)!r}; the losses take objective.temperature"
                )
        if self.text.closed_set and [*objective.weights] != ["cls"]:
            raise InvalidArgumentError("expected only objective.cls with text.closed_set=true: nothing is distilled")

    @property
    def phases(self) -> dict[str, PhaseConfig]:
        """How each phase is optimized, by its name, in their order."""
        return super().phases | ({"continual": self.few_shot} if self.continual_split else {})


@dataclass
class ReproduceTablesConfig:
    """A sweep over the runs on single images that tables and figures need, and these tables and figures."""

    table: Any = None
    """1 to 11, a list such as [1,5], or `all`. Table 12 has a command of its own."""
    figure: Any = None
    """1 (bars), 2b (UMAP), 4 (eigenvalues), a list of them, or `all`."""
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    """Seeds of each run."""
    class_splits: list[int] = field(default_factory=lambda: [0])
    """Draws of what is unseen (`data.seed`): each number draws another half of the classes, and other images of each.
    Where the dataset says which classes are unseen, as `object_views` does, it draws only the images."""
    vit_recipe: str | None = None
    """Preset of `recipe` for the runs whose student is a ViT-B/32 (Table 8), such as `paper_vit`. null: as all runs."""
    workers: int = 2
    """Runs side by side, each with one thread."""
    out: str = "runs/tables/${data.name}"
    """Folder of the runs (RUN/seedS, RUN/splitK_seedS), of their logs, of tables and figures."""


@dataclass
class CaptionConfig:
    """Captions of images by an image captioning model (BLIP, GIT), for the loss `cap`."""

    data: ImageDataConfig = field(default_factory=ImageDataConfig)
    model: str = "Salesforce/blip-image-captioning-base"
    """Folder with configuration, *.safetensors, processor and tokenizer, or a name on the Hugging Face hub."""
    revision: str | None = None
    """Branch or commit on the hub. null: one that is known to have safetensors, or `main`."""
    max_tokens: Annotated[int, at_least, 1] = 30
    """Longest caption in tokens."""
    batch_size: Annotated[int, within, 1, MAX_BATCH_SIZE] = 16
    """Images in a batch."""
    device: str = "cpu"
    """torch's name of the device."""
    out: Annotated[str, check_path, ".jsonl"] = "captions.jsonl"
    """File of the captions. `OUT.card.json` next to it names their model."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        self.data.validate()
        check_values(self)
        check_device(self.device)
