"""`Trainer`: one training phase with epochs, validation, checkpoints and exact resume."""

from __future__ import annotations

import logging
import math
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.training.batches import Batch, prefetch_map
from pickclutter_lang.training.checkpoint import (
    epoch_folder,
    load_checkpoint,
    prune,
    restore,
    save_checkpoint,
    saved_epochs,
)
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.logger import Tracker, TrainingLogger
from pickclutter_lang.training.parallel import from_main, seed_own_draws, synchronized, wait_for_all
from pickclutter_lang.utils.io import write_json_lines
from pickclutter_lang.utils.ranks import is_main

log = logging.getLogger(__name__)
LOG_FILE = "log.jsonl"


class Phase(ABC):
    """One phase of an experiment: what it trains, on which batches, by which loss.

    - `name`, and `config`: how it is optimized
    - `rate_key`: of its learning rate among the settings; "": that of the settings `name`
    - `selection_metric`: of `validate`, chooses the epoch that is the result; None: the last one
    - `num_workers`: processes that load batches early
    """

    name: str
    config: PhaseConfig
    rate_key: str = ""
    selection_metric: str | None = None
    num_workers: int = 0

    @property
    @abstractmethod
    def model(self) -> nn.Module:
        """What is trained; it has the weights that the seed gives until others are loaded."""

    @property
    def starts_from(self) -> str | None:
        """The phase whose result is loaded before it begins; None: it has the weights that the seed gives."""
        return None

    def check(self) -> None:  # noqa: B027  # not every phase needs something
        """Raise DatasetError where the data lacks what the phase needs."""

    def initialize(self) -> None:  # noqa: B027
        """Take over what it starts from, if that is not the weights of its model; those before it are loaded."""

    def build_optimizer(self) -> torch.optim.Optimizer:
        """Build SGD (momentum 0.9) or AdamW; norms, biases and single numbers take no weight decay."""
        trained = [p for p in self.model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": self.config.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        if self.config.optimizer == "sgd":
            return torch.optim.SGD(groups, lr=self.config.lr, momentum=0.9, fused=True)
        return torch.optim.AdamW(groups, lr=self.config.lr, fused=True)

    @abstractmethod
    def batches(self, epoch: int) -> Sequence[Batch]:
        """Return the batches of an epoch (from 1); their number is the same in every epoch, 0 included."""

    @abstractmethod
    def load(self, batch: Batch, epoch: int, number: int) -> Any:
        """Return what `loss` needs of a batch of an epoch, by its number; it does not depend on the model."""

    def iter_batches(self, epoch: int) -> Iterator[Any]:
        """Yield what `loss` needs of each batch of an epoch, in order."""
        batches = self.batches(epoch)
        return prefetch_map(lambda number: self.load(batches[number], epoch, number), len(batches), self.num_workers)

    @abstractmethod
    def loss(self, prepared: Any, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch with gradient, and its named terms without."""

    @abstractmethod
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


class Trainer:
    """Trains the model of a phase in a folder; a folder with a checkpoint is resumed.

    In several processes all train, and only rank 0 validates and writes.
    """

    def __init__(self, phase: Phase, folder: Path, keep_last: int = 1, seed: int = 0) -> None:
        """Build optimizer and schedule.

        :param keep_last: number of last epochs whose checkpoints are retained, at least 1; the best one is too
        :param seed: of what each of several processes draws for its own rows; see `own_draws`
        """
        self.phase, self.folder, self.keep_last, self.seed = phase, folder, keep_last, seed
        self.epoch_steps = len(phase.batches(0))
        self.optimizer = phase.build_optimizer()
        self.schedule = build_schedule(self.optimizer, phase.config, self.epoch_steps)
        self.history: list[dict[str, Any]] = []

    @property
    def done(self) -> int:
        """Epochs that are finished."""
        return len(self.history)

    @property
    def best(self) -> int:
        """The epoch (from 1) that is the result so far."""
        return best_epoch(self.history, self.phase.selection_metric)

    def resume(self) -> bool:
        """Go back to the last checkpoint in the folder; return whether there is one.

        :raises CheckpointError: when it is damaged, or does not fit the model
        """
        epochs = saved_epochs(self.folder)
        if not epochs:
            if is_main():
                self._prune()
            return False
        checkpoint = load_checkpoint(epoch_folder(self.folder, epochs[-1]))
        restore(checkpoint, self.phase.model, self.optimizer, self.schedule)
        self.history = checkpoint.state["history"]
        if is_main():
            write_json_lines(self.folder / LOG_FILE, self.history)
            self._prune()
        if self.done < self.phase.config.epochs:
            log.info("%s goes on after epoch %d of %d", self.phase.name, self.done, self.phase.config.epochs)
        return True

    def run(self, log_folder: Path, tracker: Tracker | None = None) -> Path:
        """Train to the last epoch; return the folder of the resulting checkpoint.

        :raises InvalidArgumentError: when the training diverges: the loss, a weight or a score is not finite
        """
        name = self.phase.name
        epochs = self.phase.config.epochs
        done = self.done
        total, start = self.epoch_steps * epochs, self.epoch_steps * done
        if done < epochs:
            with TrainingLogger(
                f"{name} ({epochs} epochs)", log_folder, total, start, name, tracker or Tracker()
            ) as monitor:
                for epoch in range(done + 1, epochs + 1):
                    self._run_epoch(epoch, monitor)
        wait_for_all()  # until the last checkpoint is written
        return epoch_folder(self.folder, self.best)

    def _run_epoch(self, epoch: int, monitor: TrainingLogger) -> None:
        start = time.perf_counter()
        self.phase.model.train()
        seed_own_draws((self.seed, epoch))
        sums: dict[str, float] = {}
        for number, prepared in enumerate(self.phase.iter_batches(epoch)):
            scalars = self.step(prepared, epoch)
            sums = {name: sums.get(name, 0.0) + value for name, value in scalars.items()}
            monitor.step((epoch - 1) * self.epoch_steps + number, scalars)
        weights = torch.stack([weight.detach().abs().sum() for weight in self.phase.model.parameters()])
        if not bool(weights.isfinite().all()):
            raise self._diverged(epoch)
        means = {name: value / self.epoch_steps for name, value in sums.items()}
        try:
            validation = from_main(self.phase.validate)
        except InvalidArgumentError as error:  # of metrics: large weights give scores that are no numbers
            raise self._diverged(epoch) from error
        row = {
            "phase": self.phase.name, "epoch": epoch, **means,
            **({} if validation is None else {"validation": validation}), "seconds": time.perf_counter() - start,
        }  # fmt: skip
        self.history.append(row)
        monitor.epoch(epoch * self.epoch_steps - 1, row)  # first: an epoch that is saved is never logged again
        if is_main():
            self._save(epoch)

    def step(self, prepared: Any, epoch: int) -> dict[str, float]:
        """Take one step on a batch of `phase.iter_batches(epoch)`; return the loss, its terms and the learning rate."""
        loss, terms = self._loss(prepared, epoch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        rate = self.schedule.get_last_lr()[0]
        self.schedule.step()
        named = {"loss": loss.detach()} | terms
        values = torch.stack([value.detach().float() for value in named.values()]).tolist()  # CUDA is waited for once
        scalars = dict(zip(named, values, strict=True))
        if not math.isfinite(scalars["loss"]):
            raise self._diverged(epoch)
        return scalars | {"lr": float(rate)}

    @cached_property
    def _loss(self) -> Callable[[Any, int], tuple[Tensor, dict[str, Tensor]]]:
        return synchronized(self.phase.model, self.phase.loss)

    def _diverged(self, epoch: int) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"the training diverged in epoch {epoch} (the student is not finite any more); "
            f"lower {self.phase.rate_key or self.phase.name + '.lr'}, now {self.phase.config.lr}"
        )

    def _save(self, epoch: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "phase": self.phase.name,
            "epoch": epoch,
            "schedule": self.schedule.state_dict(),
            "history": self.history,
        }
        save_checkpoint(epoch_folder(self.folder, epoch), self.phase.model, self.optimizer, state)
        write_json_lines(self.folder / LOG_FILE, self.history)
        self._prune()

    def _prune(self) -> None:
        prune(self.folder, {*range(self.done - self.keep_last + 1, self.done + 1), self.best})


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
