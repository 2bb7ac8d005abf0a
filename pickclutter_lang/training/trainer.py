"""`Trainer`: one training phase with epochs, validation, checkpoints and exact resume."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.training.batches import Batch
from pickclutter_lang.training.checkpoint import (
    PhaseState,
    check_fits,
    epoch_folder,
    load_checkpoint,
    prune,
    restore,
    save_checkpoint,
    saved_epochs,
)
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.logger import NO_TRACKERS, TrackerGroup, TrainingLogger
from pickclutter_lang.training.parallel import (
    backward,
    from_main,
    seed_own_draws,
    wait_for_all,
    whole_batch_norm,
)
from pickclutter_lang.utils.io import write_json_lines
from pickclutter_lang.utils.ranks import is_main

log = logging.getLogger(__name__)
LOG_FILE = "log.jsonl"


class Task(Protocol):
    """The task of one phase: batches, loss and validation; scenes and single images implement it.

    `labels` are the names that are scored, stored in checkpoints. With `selection_metric` the epoch that
    is best by this metric of `validate` is the result, without it the last one.
    """

    @property
    def name(self) -> str:
        """The phase's name."""

    @property
    def config(self) -> PhaseConfig:
        """How it is optimized."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""

    @property
    def architecture(self) -> dict[str, Any]:
        """What a checkpoint must share with the model, as JSON values."""

    @property
    def labels(self) -> Sequence[str]:
        """Names that are scored."""

    @property
    def selection_metric(self) -> str | None:
        """Metric of `validate` that chooses the epoch."""

    def batches(self, epoch: int) -> Sequence[Batch]:
        """Return the batches of an epoch (from 1); their number is the same in every epoch, 0 included."""

    def iter_batches(self, epoch: int) -> Iterator[Any]:
        """Yield what `loss` needs of each batch of an epoch, in order; it does not depend on the model."""

    def loss(self, prepared: Any, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch with gradient, and its named terms without."""

    def validate(self) -> dict[str, float] | None:
        """Return metrics of the model as it is now, or None where there is nothing to validate on."""


def best_epoch(history: Sequence[dict[str, Any]], select: str | None) -> int:
    """Return the epoch (from 1) that is the result: the best by `select` on X_id, or the last without a validation."""
    if not history or select is None or "validation" not in history[0]:
        return len(history)
    scores = [row["validation"][select] for row in history]
    if np.isnan(np.array(scores, float)).all():
        raise InvalidArgumentError(f"expected scenes of X_id with at least one object to choose the epoch by {select}")
    return 1 + int(np.nanargmax(scores))


def check_finite(values: Tensor, epoch: int, group: str, config: PhaseConfig) -> None:
    """Check that a student's output in training, or its weights, are finite.

    :param group: of the settings, such as `distill`
    :raises InvalidArgumentError: when the training diverged
    """
    if not bool(values.isfinite().all()):
        raise _diverged(epoch, group, config)


def _diverged(epoch: int, group: str, config: PhaseConfig) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"the training diverged in epoch {epoch} (the student is not finite any more); "
        f"lower {group}.lr, now {config.lr}"
    )


class Trainer:
    """Trains the model of a task in a folder; a folder with a checkpoint is resumed.

    In several processes all train, and rank 0 alone validates and writes.
    """

    def __init__(self, task: Task, folder: Path, teacher: dict[str, Any], keep_last: int = 1, seed: int = 0) -> None:
        """Build optimizer and schedule.

        :param teacher: `embed_dim` and `fingerprint`, stored in checkpoints
        :param keep_last: number of last epochs whose checkpoints are retained, at least 1; the best one is too
        :param seed: of what each of several processes draws for its own rows; see `own_draws`
        """
        self.task, self.folder, self.teacher, self.keep_last, self.seed = task, folder, teacher, keep_last, seed
        self.epoch_steps = len(task.batches(0))
        self.optimizer = build_optimizer(task.model, task.config)
        self.schedule = build_schedule(self.optimizer, task.config, self.epoch_steps)
        self.history: list[dict[str, Any]] = []

    @property
    def done(self) -> int:
        """Epochs that are finished."""
        return len(self.history)

    @property
    def best(self) -> int:
        """The epoch (from 1) that is the result so far."""
        return best_epoch(self.history, self.task.selection_metric)

    def resume(self) -> bool:
        """Go back to the last checkpoint in the folder; return whether there is one.

        :raises CheckpointError: when it is damaged or of another architecture
        :raises TeacherError: when it was trained with another teacher
        """
        epochs = saved_epochs(self.folder)
        if not epochs:
            if is_main():
                self._prune()
            return False
        checkpoint = load_checkpoint(epoch_folder(self.folder, epochs[-1]), PhaseState)
        check_fits(checkpoint.state, self.task.architecture, self.teacher)
        restore(checkpoint, self.task.model, self.optimizer, self.schedule)
        self.history = checkpoint.state["history"]
        if is_main():
            write_json_lines(self.folder / LOG_FILE, self.history)
            self._prune()
        if self.done < self.task.config.epochs:
            log.info("%s goes on after epoch %d of %d", self.task.name, self.done, self.task.config.epochs)
        return True

    def run(self, log_folder: Path, trackers: TrackerGroup = NO_TRACKERS) -> Path:
        """Train to the last epoch; return the folder of the resulting checkpoint."""
        name, epochs, done = self.task.name, self.task.config.epochs, self.done
        total, start = self.epoch_steps * epochs, self.epoch_steps * done
        if done < epochs:
            with TrainingLogger(f"{name} ({epochs} epochs)", log_folder, total, start, name, trackers) as monitor:
                for epoch in range(done + 1, epochs + 1):
                    self._run_epoch(epoch, monitor)
        wait_for_all()  # until the last checkpoint is written
        return epoch_folder(self.folder, self.best)

    def _run_epoch(self, epoch: int, monitor: TrainingLogger) -> None:
        start = time.perf_counter()
        self.task.model.train()
        seed_own_draws((self.seed, epoch))
        sums: dict[str, float] = {}
        for number, prepared in enumerate(self.task.iter_batches(epoch)):
            scalars = self.step(prepared, epoch)
            sums = {name: sums.get(name, 0.0) + value for name, value in scalars.items()}
            monitor.step((epoch - 1) * self.epoch_steps + number, scalars)
        weights = torch.stack([weight.detach().abs().sum() for weight in self.task.model.parameters()])
        check_finite(weights, epoch, self.task.name, self.task.config)
        means = {name: value / self.epoch_steps for name, value in sums.items()}
        try:
            validation = from_main(self.task.validate)
        except InvalidArgumentError as error:  # of metrics: large weights give scores that are no numbers
            raise _diverged(epoch, self.task.name, self.task.config) from error
        row = {
            "phase": self.task.name, "epoch": epoch, **means,
            **({} if validation is None else {"validation": validation}), "seconds": time.perf_counter() - start,
        }  # fmt: skip
        self.history.append(row)
        monitor.epoch(epoch * self.epoch_steps - 1, row)  # first: an epoch that is saved is never logged again
        if is_main():
            self._save(epoch)

    def step(self, prepared: Any, epoch: int) -> dict[str, float]:
        """Take one step on a batch of `task.iter_batches(epoch)`; return the loss, its terms and the learning rate."""
        with whole_batch_norm():
            loss, terms = self.task.loss(prepared, epoch)
            self.optimizer.zero_grad()
            backward(loss, self.task.model)
        self.optimizer.step()
        rate = self.schedule.get_last_lr()[0]
        self.schedule.step()
        scalars = {"loss": loss.detach(), **terms}
        return {**{name: float(value) for name, value in scalars.items()}, "lr": float(rate)}

    def _save(self, epoch: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "phase": self.task.name,
            "epoch": epoch,
            "labels": list(self.task.labels),
            "architecture": self.task.architecture,
            "teacher": self.teacher,
            "schedule": self.schedule.state_dict(),
            "history": self.history,
        }
        save_checkpoint(epoch_folder(self.folder, epoch), self.task.model, self.optimizer, state)
        write_json_lines(self.folder / LOG_FILE, self.history)
        self._prune()

    def _prune(self) -> None:
        prune(self.folder, {*range(self.done - self.keep_last + 1, self.done + 1), self.best})


def build_optimizer(model: nn.Module, config: PhaseConfig) -> torch.optim.Optimizer:
    """Build SGD (momentum 0.9) or AdamW; norms, biases and single numbers take no weight decay."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=0.9, fused=True)
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


def build_schedule(optimizer: torch.optim.Optimizer, config: PhaseConfig, epoch_steps: int) -> LRScheduler:
    """Build the schedule, stepped after every batch.

    `one_cycle` is torch's, with its cycle of the momentum (of AdamW: beta1) from 0.95 to 0.85 and back.

    :param epoch_steps: batches in an epoch
    """
    total = epoch_steps * config.epochs
    if config.schedule == "one_cycle":
        return OneCycleLR(optimizer, max_lr=config.lr, total_steps=total + 1)

    def factor(step: int) -> float:
        if config.schedule == "multistep":
            return config.gamma ** sum(step >= epoch_steps * milestone for milestone in config.milestones)
        return cosine(step, total, round(config.warmup_fraction * total))

    return LambdaLR(optimizer, factor)


def cosine(step: int, total: int, warmup: int) -> float:
    """Return the factor on the learning rate: linear up over `warmup` steps, then half a cosine down to 0."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))


def phase_seed(seed: int, number: int) -> int:
    """Return the seed of a phase's global generators, from the run's and the phase's number, from 0.

    The first phase has the seed of the run. Later ones mix both, so that no other run's phase has the same stream.
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0]) if number else seed


def seed_everything(seed: int) -> None:
    """Seed the global generators of python, numpy and torch, which libraries draw from (dropout, first weights)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
