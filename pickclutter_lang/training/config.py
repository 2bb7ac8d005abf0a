"""Configuration of one phase of optimization."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.utils.validation import above, at_least, one_of, within


@dataclass
class PhaseConfig:
    """One phase of optimisation: optimizer, learning rate, schedule, epochs, batch size.

    `optimizer` is `sgd` (momentum 0.9) or `adamw`. `schedule` is `multistep` (the rate is multiplied by `gamma` at the
    epochs `milestones`), `cosine` (warm-up over `warmup_fraction` of the steps, then a half cosine to zero) or
    `one_cycle`. `image_size_schedule` are the sides of the images in equal parts of the epochs: [64, 96, 128] starts
    with small ones, which cost less. Empty: `data.image_size` throughout. Evaluation is always at `data.image_size`.
    """

    optimizer: str
    lr: float
    weight_decay: float
    schedule: str
    warmup_fraction: float
    milestones: list[int]
    gamma: float
    epochs: int
    batch_size: int
    image_size_schedule: list[int]

    def image_size(self, epoch: int) -> int | None:
        """Return the side of the images in an epoch (from 1); None for the data's own."""
        if not self.image_size_schedule:
            return None
        return self.image_size_schedule[(epoch - 1) * len(self.image_size_schedule) // self.epochs]

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed; `name` is the group of these settings."""
        one_of(f"{name}.optimizer", self.optimizer, ("sgd", "adamw"))
        one_of(f"{name}.schedule", self.schedule, ("multistep", "cosine", "one_cycle"))
        above(f"{name}.lr", self.lr, 0.0)
        at_least(f"{name}.weight_decay", self.weight_decay, 0.0)
        within(f"{name}.warmup_fraction", self.warmup_fraction, 0.0, 1.0)
        above(f"{name}.gamma", self.gamma, 0.0)
        at_least(f"{name}.epochs", self.epochs, 1)
        at_least(f"{name}.batch_size", self.batch_size, 2)
        for size in self.image_size_schedule:
            at_least(f"{name}.image_size_schedule", size, 16)


@dataclass
class FewShotConfig(PhaseConfig):
    """The second phase. An epoch goes `passes` times over the few-shot scenes, which fill at most half of a batch."""

    repeats: int

    def validate(self, name: str) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate(name)
        at_least(f"{name}.repeats", self.repeats, 1)
