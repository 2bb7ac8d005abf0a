"""Configuration of a training run, of its phases (optimizer, schedule, epochs, batches), and of retrieval."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.teachers.config import TeacherConfig
from pickclutter_lang.training.logger import check_report_to
from pickclutter_lang.utils.validation import (
    MAX_BATCH_SIZE,
    MAX_SEED,
    MAX_WORKERS,
    above,
    at_least,
    check_image_size,
    check_path,
    check_values,
    one_of,
    within,
)


@dataclass
class PhaseConfig:
    """One phase of training. Its evaluation is always at the image size of the data."""

    optimizer: Annotated[str, one_of, ("sgd", "adamw")] = "adamw"
    """`adamw`, or `sgd` with momentum 0.9. `one_cycle` moves the momentum, and beta1, between 0.85 and 0.95."""
    lr: Annotated[float, above, 0.0] = 0.002
    """Highest learning rate."""
    weight_decay: Annotated[float, at_least, 0.0] = 0.05
    """Weight decay of the optimizer."""
    schedule: Annotated[str, one_of, ("multistep", "cosine", "one_cycle")] = "cosine"
    """Learning rate over time: `cosine` (a warm-up, then half a cosine to zero), `one_cycle`, or `multistep`."""
    warmup_fraction: Annotated[float, within, 0.0, 1.0] = 0.1
    """Fraction of the steps over which a `cosine` schedule warms up."""
    milestones: list[Annotated[int, at_least, 1]] = field(default_factory=list)
    """Epochs at which a `multistep` schedule multiplies the learning rate by `gamma`."""
    gamma: Annotated[float, above, 0.0] = 1.0
    """Factor of a `multistep` schedule."""
    epochs: Annotated[int, at_least, 1] = 8
    """Passes over the training data."""
    batch_size: Annotated[int, within, 2, MAX_BATCH_SIZE] = 16
    """Images in a batch."""
    image_size_schedule: list[Annotated[int, check_image_size]] = field(default_factory=list)
    """Sides of the images in equal parts of the epochs. [64, 96, 128] starts small, which costs less. []: one size."""

    def image_size(self, epoch: int) -> int | None:
        """Return the side of the images in an epoch (from 1); None for the data's own."""
        if not self.image_size_schedule:
            return None
        return self.image_size_schedule[(epoch - 1) * len(self.image_size_schedule) // self.epochs]

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed; `name` is the key of this phase."""
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
    epoch_over: Annotated[str, one_of, ("few_shot", "training")] = "few_shot"
    """What an epoch passes over: `few_shot` samples, or all `training` samples, as in the paper's program."""
    repeats: Annotated[int, at_least, 1] = 4
    """How often an epoch passes over them."""


@dataclass
class RetrievalConfig:
    """Few-shot without training: a cache of the few-shot samples beside the zero-shot logits (Table 10)."""

    keys: Annotated[str, one_of, ("student", "teacher")] = "student"
    """Features in the cache: the `student`'s, or the `teacher`'s, as in the paper's program."""
    key_views: Annotated[int, at_least, 1] = 1
    """With keys=teacher: the features of each sample, of its image and of RandAugment(2, 9) of it."""
    alpha: Annotated[float, at_least, 0.0] | None = None
    """Weight of the cache. null: the best on the few-shot samples, each left out of the cache."""
    beta: Annotated[float, at_least, 0.0] | None = None
    """Sharpness of the cache's affinities. null: as for `alpha`."""
    temperature: Annotated[float, above, 0.0] | None = None
    """Temperature of the zero-shot cosines that the cache is added to. null: the student's in training."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if self.keys == "student" and self.key_views > 1:
            raise InvalidArgumentError(
                f"expected retrieval.key_views=1 with the student's keys, but got {self.key_views}; "
                "choose retrieval.keys=teacher"
            )


@dataclass
class RunConfig:
    """What runs on scenes and on single images share: teacher, student, phases, and where they are computed."""

    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    student: StudentConfig = field(default_factory=StudentConfig)
    distill: PhaseConfig = field(default_factory=PhaseConfig)
    few_shot: FewShotConfig = field(default_factory=FewShotConfig)
    retrieval: RetrievalConfig = field(default_factory=RetrievalConfig)
    precision: Annotated[str, one_of, ("auto", "float32", "bfloat16")] = "auto"
    """Precision of the student and of the teacher's image encoder: `float32`, `bfloat16`, or `auto` (bfloat16 where
    the device has it in hardware; on CUDA with TF32 for what stays in float32)."""
    seed: Annotated[int, within, 0, MAX_SEED] = 0
    """Seed of the weights, the batches and the augmentation. Fixed crops are the same for every seed."""
    num_threads: Annotated[int, within, 1, MAX_WORKERS] | None = None
    """Threads of torch. null: torch's default. Two are faster on two idle cores, with OMP_WAIT_POLICY=passive."""
    num_workers: Annotated[int, within, 0, MAX_WORKERS] = 0
    """Processes that prefetch training images, such as 8 with a GPU. They change no result."""
    device: str = "cpu"
    """torch's name of the device."""
    out: Annotated[str, check_path] = "runs/student"
    """Folder of the run. An interrupted run in it resumes."""
    report_to: list[str] = field(default_factory=list)
    """Trackers beside TensorBoard: `wandb`. They change no result."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_values(self)
        self.student.validate()
        self.distill.validate("distill")
        self.few_shot.validate("few_shot")
        self.retrieval.validate()
        check_report_to(self.report_to)

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
