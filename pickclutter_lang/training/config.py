"""Configuration of a training run, of its phases (optimizer, schedule, epochs, batches), and of retrieval."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.teachers.config import TeacherConfig
from pickclutter_lang.training.logger import check_report_to
from pickclutter_lang.utils.validation import (
    MAX_BATCH_SIZE,
    MAX_WORKERS,
    above,
    at_least,
    check_image_size,
    check_path,
    check_seed,
    check_threads,
    one_of,
    within,
)


@dataclass
class PhaseConfig:
    """One phase of training. Its evaluation is always at the image size of the data."""

    optimizer: str = "adamw"
    """`adamw`, or `sgd` with momentum 0.9. `one_cycle` moves the momentum, and beta1, between 0.85 and 0.95."""
    lr: float = 0.002
    """Highest learning rate."""
    weight_decay: float = 0.05
    """Weight decay of the optimizer."""
    schedule: str = "cosine"
    """Learning rate over time: `cosine` (a warm-up, then half a cosine to zero), `one_cycle`, or `multistep`."""
    warmup_fraction: float = 0.1
    """Fraction of the steps over which a `cosine` schedule warms up."""
    milestones: list[int] = field(default_factory=list)
    """Epochs at which a `multistep` schedule multiplies the learning rate by `gamma`."""
    gamma: float = 1.0
    """Factor of a `multistep` schedule."""
    epochs: int = 8
    """Passes over the training data."""
    batch_size: int = 16
    """Images in a batch."""
    image_size_schedule: list[int] = field(default_factory=list)
    """Sides of the images in equal parts of the epochs. [64, 96, 128] starts small, which costs less. []: one size."""

    def image_size(self, epoch: int) -> int | None:
        """Return the side of the images in an epoch (from 1); None for the data's own."""
        if not self.image_size_schedule:
            return None
        return self.image_size_schedule[(epoch - 1) * len(self.image_size_schedule) // self.epochs]

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed; `name` is the key of this phase."""
        one_of(f"{name}.optimizer", self.optimizer, ("sgd", "adamw"))
        one_of(f"{name}.schedule", self.schedule, ("multistep", "cosine", "one_cycle"))
        above(f"{name}.lr", self.lr, 0.0)
        at_least(f"{name}.weight_decay", self.weight_decay, 0.0)
        within(f"{name}.warmup_fraction", self.warmup_fraction, 0.0, 1.0)
        above(f"{name}.gamma", self.gamma, 0.0)
        at_least(f"{name}.epochs", self.epochs, 1)
        within(f"{name}.batch_size", self.batch_size, 2, MAX_BATCH_SIZE)
        for epoch in self.milestones:
            at_least(f"{name}.milestones", epoch, 1)
        for size in self.image_size_schedule:
            check_image_size(f"{name}.image_size_schedule", size)
        if len(self.image_size_schedule) > self.epochs:
            raise InvalidArgumentError(
                f"expected {name}.image_size_schedule to have at most one size an epoch, but got "
                f"{len(self.image_size_schedule)} sizes for {self.epochs}; set {name}.image_size_schedule=[]"
            )


@dataclass
class FewShotConfig(PhaseConfig):
    """Fine-tuning on few samples. They fill at most half of a batch, but for the last one of `epoch_over=training`."""

    schedule: str = "one_cycle"
    warmup_fraction: float = 0.0
    epoch_over: str = "few_shot"
    """What an epoch passes over: `few_shot` samples, or all `training` samples, as in the paper's program."""
    repeats: int = 4
    """How often an epoch passes over them."""

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate(name)
        one_of(f"{name}.epoch_over", self.epoch_over, ("few_shot", "training"))
        at_least(f"{name}.repeats", self.repeats, 1)


@dataclass
class RetrievalConfig:
    """Few-shot without training: a cache of the few-shot samples beside the zero-shot logits (Table 10)."""

    keys: str = "student"
    """Features in the cache: the `student`'s, or the `teacher`'s, as in the paper's program."""
    key_views: int = 1
    """With keys=teacher: the features of each sample, of its image and of RandAugment(2, 9) of it."""
    alpha: float | None = None
    """Weight of the cache. null: the best on the few-shot samples, each left out of the cache."""
    beta: float | None = None
    """Sharpness of the cache's affinities. null: as for `alpha`."""
    temperature: float | None = None
    """Temperature of the zero-shot cosines that the cache is added to. null: the student's in training."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        one_of("retrieval.keys", self.keys, ("student", "teacher"))
        at_least("retrieval.key_views", self.key_views, 1)
        if self.keys == "student" and self.key_views > 1:
            raise InvalidArgumentError(
                f"expected retrieval.key_views=1 with the student's keys, but got {self.key_views}; "
                "choose retrieval.keys=teacher"
            )
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if value is not None:
                at_least(f"retrieval.{name}", value, 0.0)
        if self.temperature is not None:
            above("retrieval.temperature", self.temperature, 0.0)


@dataclass
class RunConfig:
    """What runs on scenes and on single images share: teacher, student, phases, and where they are computed."""

    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    student: StudentConfig = field(default_factory=StudentConfig)
    distill: PhaseConfig = field(default_factory=PhaseConfig)
    few_shot: FewShotConfig = field(default_factory=FewShotConfig)
    retrieval: RetrievalConfig = field(default_factory=RetrievalConfig)
    precision: str = "auto"
    """Precision of the student and of the teacher's image encoder: `float32`, `bfloat16`, or `auto` (bfloat16 where
    the CPU has it in hardware)."""
    seed: int = 0
    """Seed of the weights, the batches and the augmentation. Fixed crops are the same for every seed."""
    num_threads: int | None = None
    """Threads of torch. null: torch's default. Two are faster on two idle cores, with OMP_WAIT_POLICY=passive."""
    num_workers: int = 0
    """Processes that prefetch training images, such as 8 with a GPU. They change no result."""
    device: str = "cpu"
    """torch's name of the device."""
    out: str = "runs/student"
    """Folder of the run. An interrupted run in it resumes."""
    report_to: list[str] = field(default_factory=list)
    """Trackers beside TensorBoard: `wandb`. They change no result."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        self.student.validate()
        self.distill.validate("distill")
        self.few_shot.validate("few_shot")
        self.retrieval.validate()
        one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        check_seed(self.seed)
        check_threads(self.num_threads)
        within("num_workers", self.num_workers, 0, MAX_WORKERS)
        check_report_to(self.report_to)
        check_path("out", self.out)

    @property
    def phases(self) -> dict[str, PhaseConfig]:
        """How each phase is optimized, by its name, in their order."""
        return {"distill": self.distill, "few_shot": self.few_shot}

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as nested JSON values."""
        return asdict(self)


_IGNORED: Mapping[str, Sequence[str]] = {
    "": (
        "out", "num_threads", "num_workers", "device", "scenes", "distilled_run", "report_to", "run", "policy",
        "workers", "n_videos", "objects_root", "trust_code",
    ),
    # The content of stores, data sets and texts is compared by its hash.
    "data": (
        "train", "id", "ood", "fewshot", "unlabeled", "few_shot_draw", "scene_subsets", "max_cache_bytes",
        "root", "half", "cache", "extra_views", "author_lists", "captions", "classes", "descriptions",
    ),
    "teacher": ("cache", "checkpoint", "name"),  # its weights are compared by their fingerprint
    "student": ("activation_checkpointing",),
    "text": ("style_dir", "truncate"),  # without `truncate` a text that is too long is an error
}  # fmt: skip
"""Group -> its settings that change no result: where files lie, and on what a run is computed."""


def comparable_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run that its result depends on, the seed among them.

    :param config: nested values of a run
    """
    comparable = copy.deepcopy({key: value for key, value in config.items() if key not in _IGNORED[""]})
    for group, keys in _IGNORED.items():
        if isinstance(comparable.get(group), dict):
            comparable[group] = {key: value for key, value in comparable[group].items() if key not in keys}
    return comparable
