"""The settings of a training run. Their values live in `configs/`; here are their types and what is allowed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.training.ranges import above, at_least, one_of, within

LABELS = ("present", "visible", "graspable")
CAMERAS = ("hand", "base")


@dataclass
class AugmentationSettings:
    """How one training picture is changed, drawn per picture and epoch.

    `flips`: any of `horizontal`, `vertical`, each with probability 1/2. `shift`: largest shift, as a share of the
    side, in both directions. `brightness` and `contrast`: largest relative change.
    """

    flips: list[str]
    shift: float
    brightness: float
    contrast: float

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for flip in self.flips:
            one_of("data.augmentation.flips", flip, ("horizontal", "vertical"))
        for name in ("shift", "brightness", "contrast"):
            within(f"data.augmentation.{name}", getattr(self, name), 0.0, 1.0)


@dataclass
class DataSettings:
    """Which scenes, seen by which cameras, with which label.

    `train`, `id`, `ood`, `fewshot` are the folders of four scene stores; `splits` has for any of them the path of a
    JSON list of the scene ids that are used. `view` is the side in pixels of the centre of the stored picture that is
    used, `image_size` the side to which it is resized. Labels: `present`, `visible` or `graspable`. Stores up to
    `memory_limit` bytes of pictures are kept in memory, larger ones are read per batch.
    """

    train: str
    id: str
    ood: str
    fewshot: str
    splits: dict[str, str]
    cameras: list[str]
    depth: bool
    view: int | None
    image_size: int
    label: str
    memory_limit: int
    augmentation: AugmentationSettings

    @property
    def channels(self) -> int:
        """Number of channels of a picture: 3 or 4 for each camera."""
        return len(self.cameras) * (4 if self.depth else 3)

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        one_of("data.label", self.label, LABELS)
        for name in self.splits:
            one_of("a key of data.splits", name, ("train", "id", "ood", "fewshot"))
        for camera in self.cameras:
            one_of("data.cameras", camera, CAMERAS)
        if "hand" not in self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise InvalidArgumentError(f"expected data.cameras to be [hand] or [hand, base], but got {self.cameras}")
        at_least("data.image_size", self.image_size, 16)
        at_least("data.memory_limit", self.memory_limit, 0)
        if self.view is not None:
            at_least("data.view", self.view, 16)
        self.augmentation.validate()


@dataclass
class TeacherSettings:
    """The teacher's name, a local file or folder with its weights, and where its features are kept.

    See `pickclutter_lang.teachers.load_teacher` for names and `checkpoint`.
    """

    name: str
    checkpoint: str | None
    cache: str


@dataclass
class StudentSettings:
    """Network, input size over map size (null: as its library has it), temperature of the spatial softmax.

    See `pickclutter_lang.students.build_student` for names, `pretrained`, `dropout` and `recompute`.
    """

    name: str
    output_stride: int | None
    pretrained: bool
    dropout: bool
    temperature: float
    recompute: bool = False  # runs of before are without

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if self.output_stride is not None:
            one_of("student.output_stride", self.output_stride, (8, 16, 32))
        above("student.temperature", self.temperature, 0.0)


@dataclass
class PromptSettings:
    """What stands for a label.

    `tokens` context vectors are learned for each of the positive and the negative prompt, from the words `positive` and
    `negative` on (null: random numbers). `descriptions` says what follows a label's name: nothing (null), the
    catalogue's sentence (`catalogue`), or a file or style of descriptions (see `pickclutter_lang.language.describe`).
    `variants` are further ones: in training, each label of a batch is told by one of them all, drawn at random, and
    afterwards by the mean of their features. A text that is too long for the teacher is an error unless it may be cut
    (`truncate`). With `closed_set` a label is a learned vector and no text at all.
    """

    tokens: int
    positive: str | None
    negative: str | None
    descriptions: str | None
    variants: list[str]
    truncate: bool
    closed_set: bool

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        at_least("prompts.tokens", self.tokens, 1)


@dataclass
class ObjectiveSettings:
    """Weights of the terms, and the parameters of the losses; see `pickclutter_lang.distillation.Objective`.

    `bank` is the number of teacher features of other training pictures that are drawn for each batch as further
    negatives of `im_cst`; `words` that of texts of the vocabulary that are drawn for `pairwise`. `word_temperature`
    is that of `local_prox` and `pairwise` (null: the teacher's own).
    """

    cls: float
    im_cst: float
    local_cst: float
    local_prox: float
    pairwise: float
    bank: int
    words: int
    word_temperature: float | None
    top_words: int
    gamma_negative: float
    gamma_positive: float
    clip: float
    temperature: float
    local_cls: float = 0.0  # runs of before are without

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        weights = ("cls", "im_cst", "local_cls", "local_cst", "local_prox", "pairwise")
        for name in (*weights, "gamma_negative", "gamma_positive"):
            at_least(f"objective.{name}", getattr(self, name), 0.0)
        within("objective.clip", self.clip, 0.0, 1.0)
        at_least("objective.bank", self.bank, 0)
        for name in ("words", "top_words"):
            at_least(f"objective.{name}", getattr(self, name), 1)
        above("objective.temperature", self.temperature, 0.0)
        if self.word_temperature is not None:
            above("objective.word_temperature", self.word_temperature, 0.0)


@dataclass
class PhaseSettings:
    """One phase of optimisation: optimiser, learning rate, schedule, epochs, batch size.

    `optimizer` is `sgd` (momentum 0.9) or `adamw`. `schedule` is `steps` (the rate is multiplied by `gamma` at the
    epochs `milestones`), `cosine` (warm-up over `warmup` of the steps, then a half cosine to zero) or `one_cycle`.
    `image_sizes` are the sides of the pictures in equal parts of the epochs: [64, 96, 128] starts with small ones,
    which cost less. Empty: `data.image_size` throughout. Evaluation is always at `data.image_size`.
    """

    optimizer: str
    lr: float
    weight_decay: float
    schedule: str
    warmup: float
    milestones: list[int]
    gamma: float
    epochs: int
    batch_size: int
    image_sizes: list[int]

    def image_size(self, epoch: int) -> int | None:
        """Return the side of the pictures in an epoch (from 1); None for the data's own."""
        if not self.image_sizes:
            return None
        return self.image_sizes[(epoch - 1) * len(self.image_sizes) // self.epochs]

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed; `name` is the group of these settings."""
        one_of(f"{name}.optimizer", self.optimizer, ("sgd", "adamw"))
        one_of(f"{name}.schedule", self.schedule, ("steps", "cosine", "one_cycle"))
        above(f"{name}.lr", self.lr, 0.0)
        at_least(f"{name}.weight_decay", self.weight_decay, 0.0)
        within(f"{name}.warmup", self.warmup, 0.0, 1.0)
        above(f"{name}.gamma", self.gamma, 0.0)
        at_least(f"{name}.epochs", self.epochs, 1)
        at_least(f"{name}.batch_size", self.batch_size, 2)
        for size in self.image_sizes:
            at_least(f"{name}.image_sizes", size, 16)


@dataclass
class FewShotSettings(PhaseSettings):
    """The second phase. An epoch goes `passes` times over the few-shot scenes, which fill at most half of a batch."""

    passes: int

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate(name)
        at_least(f"{name}.passes", self.passes, 1)


@dataclass
class CloseUpSettings(FewShotSettings):
    """The third phase: a second student names single objects, on cut-outs with a side of `size` pixels.

    An epoch goes `passes` times over the objects of the few-shot scenes, which fill at most half of a batch.
    """

    size: int

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate(name)
        at_least(f"{name}.size", self.size, 16)
        if self.image_sizes:
            raise InvalidArgumentError(f"expected no {name}.image_sizes: cut-outs have one size, {name}.size")


@dataclass
class TrainSettings:
    """A run: distillation on `data.train` (`distill`), then fine-tuning on `data.fewshot` (`fewshot`).

    With `closeups` a second student, which starts from the first, is trained to name single objects (null: none).

    `method` names the row of Table 12 that the settings make (configs/method).
    `scenes` is the folder under which the stores lie by default. `select` is the metric on X_id by which the best
    epoch is chosen; the evaluation on X_ood never chooses anything. `threads` is torch's number of threads (null: its
    own choice); `device` is torch's name of a device. `precision` of the student's network: `float32`, `bfloat16`, or
    `auto`, which is `bfloat16` where the CPU multiplies it in hardware, and `float32` elsewhere. `num_workers`
    processes prepare pictures ahead of the training (0: none), which changes no result.
    """

    method: str
    scenes: str
    data: DataSettings
    teacher: TeacherSettings
    student: StudentSettings
    prompts: PromptSettings
    objective: ObjectiveSettings
    distill: PhaseSettings
    fewshot: FewShotSettings
    select: str
    precision: str
    seed: int
    threads: int | None
    device: str
    out: str
    num_workers: int = 0
    closeups: CloseUpSettings | None = None  # runs of before are without

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for part in (self.data, self.student, self.prompts, self.objective):
            part.validate()
        self.distill.validate("distill")
        self.fewshot.validate("fewshot")
        if self.closeups is not None:
            self.closeups.validate("closeups")
            if list(self.data.cameras) != ["hand"] or self.data.depth:
                raise InvalidArgumentError(
                    "expected data=hand_rgb for close-ups, which are cut out of the hand camera's RGB; choose it, or "
                    "closeups=none"
                )
        one_of("select", self.select, ("map", "f1"))
        one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        at_least("seed", self.seed, 0)
        at_least("num_workers", self.num_workers, 0)
        if self.threads is not None:
            at_least("threads", self.threads, 1)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as nested JSON values."""
        return asdict(self)


@dataclass
class EvaluateSettings:
    """Which run to evaluate again; `scenes` is where its stores lie now, if they were moved.

    `report_only`: write the report from `result.json` and the saved predictions; no scenes are needed and no teacher.
    """

    run: str
    scenes: str | None
    threads: int | None
    device: str
    report_only: bool = False
