"""Configuration of one training phase (optimizer, schedule, epochs, batches), and of retrieval in place of one."""

from __future__ import annotations

from dataclasses import dataclass, field

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import MAX_BATCH_SIZE, above, at_least, check_image_size, one_of, within


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
