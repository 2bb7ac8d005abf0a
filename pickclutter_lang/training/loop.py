"""One phase of training: epochs, validation on X_id, checkpoints, and a resume that is exact."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.distillation import Objective
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.metrics import multilabel_row
from pickclutter_lang.training.batches import Batch, BatchLoader, Source, Vocabulary
from pickclutter_lang.training.checkpoint import (
    check_fits,
    epoch_folder,
    load_checkpoint,
    prune,
    restore,
    save_checkpoint,
    saved_epochs,
)
from pickclutter_lang.training.config import PhaseSettings
from pickclutter_lang.training.data import SceneSet
from pickclutter_lang.training.inference import predict_scenes
from pickclutter_lang.training.model import AffordanceModel
from pickclutter_lang.training.monitor import Monitor, write_lines
from pickclutter_lang.training.optim import build_optimizer, build_schedule

LOG_FILE = "log.jsonl"


@dataclass(frozen=True)
class Phase:
    """What one phase trains on.

    `columns` are the label columns that are scored. `batches(epoch)` gives the epoch's batches of (source, scene);
    their number is the same in every epoch. With `validation` every epoch is scored on it, and the best by `select`
    is kept; without, the last epoch is the result.
    """

    name: str
    number: int
    settings: PhaseSettings
    sources: Sequence[Source]
    columns: Sequence[int]
    batches: Callable[[int], list[Batch]]
    validation: SceneSet | None
    select: str


def best_epoch(history: Sequence[dict[str, Any]], select: str) -> int:
    """Return the epoch (from 1) that is the result: the best by `select` on X_id, or the last without a validation."""
    if not history or "validation" not in history[0]:
        return len(history)
    scores = [row["validation"][select] for row in history]
    if np.isnan(np.array(scores, float)).all():
        raise InvalidArgumentError(f"expected scenes of X_id with at least one object to choose the epoch by {select}")
    return 1 + int(np.nanargmax(scores))


class Trainer:
    """Trains a model through one phase in a folder; a folder with a checkpoint is gone on with."""

    def __init__(
        self,
        model: AffordanceModel,
        objective: Objective,
        phase: Phase,
        folder: Path,
        seed: int,
        teacher: dict[str, Any],
        *,
        bank: int = 0,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Build optimiser and schedule.

        :param teacher: `embed_dim` and `fingerprint`, kept in checkpoints
        :param bank: teacher features of other pictures of the first source that each batch is contrasted with
        :param vocabulary: of the terms that need one
        """
        self.model, self.objective, self.phase = model, objective, phase
        self.folder, self.seed, self.teacher = folder, seed, teacher
        self.loader = BatchLoader(
            phase.sources, phase.columns, (seed, phase.number), objective, bank=bank, vocabulary=vocabulary
        )
        self.labels = [phase.sources[0].scenes.names[column] for column in phase.columns]
        self.epoch_steps = len(phase.batches(0))
        self.optimizer = build_optimizer(model, phase.settings)
        self.schedule = build_schedule(self.optimizer, phase.settings, self.epoch_steps)
        self.history: list[dict[str, Any]] = []

    @property
    def done(self) -> int:
        """Epochs that are finished."""
        return len(self.history)

    @property
    def best(self) -> int:
        """The epoch (from 1) that is the result so far."""
        return best_epoch(self.history, self.phase.select)

    def resume(self) -> bool:
        """Go back to the last checkpoint in the folder; return whether there is one.

        :raises CheckpointError: when it is damaged or of another architecture
        :raises TeacherError: when it was trained with another teacher
        """
        epochs = saved_epochs(self.folder)
        if not epochs:
            return False
        checkpoint = load_checkpoint(epoch_folder(self.folder, epochs[-1]))
        check_fits(checkpoint, self.model.architecture, self.teacher)
        restore(checkpoint, self.model, self.optimizer)
        self.schedule.load_state_dict(checkpoint.state["schedule"])
        self.history = checkpoint.state["history"]
        write_lines(self.folder / LOG_FILE, self.history)
        return True

    def run(self, log_folder: Path) -> Path:
        """Train to the last epoch; return the folder of the resulting checkpoint."""
        total = self.epoch_steps * self.phase.settings.epochs
        if self.done < self.phase.settings.epochs:
            title = f"{self.phase.name} ({self.phase.settings.epochs} epochs)"
            with Monitor(title, log_folder, total, self.done * self.epoch_steps) as monitor:
                while self.done < self.phase.settings.epochs:
                    self._run_epoch(self.done + 1, monitor)
        return epoch_folder(self.folder, self.best)

    def _run_epoch(self, epoch: int, monitor: Monitor) -> None:
        start = time.perf_counter()
        self.model.train()
        sums: dict[str, float] = {}
        for number, batch in enumerate(self.phase.batches(epoch)):
            scalars = self._step(batch, epoch, number)
            sums = {name: sums.get(name, 0.0) + value for name, value in scalars.items()}
            monitor.step((epoch - 1) * self.epoch_steps + number, scalars)
        row: dict[str, Any] = {"phase": self.phase.name, "epoch": epoch}
        row.update({name: value / self.epoch_steps for name, value in sums.items()})
        if self.phase.validation is not None:
            row["validation"] = self._validate(self.phase.validation)
        row["seconds"] = time.perf_counter() - start
        self.history.append(row)
        self._save(epoch)
        monitor.epoch(epoch * self.epoch_steps, row)

    def _step(self, batch: Batch, epoch: int, number: int) -> dict[str, float]:
        loaded = self.loader.load(batch, (epoch, number), self.phase.settings.image_size(epoch))
        images = loaded.images.to(next(self.model.parameters()).device)
        prediction = self.model.predict(images, self.labels, loaded.texts)
        probabilities = prediction.probabilities
        if not bool(probabilities.isfinite().all()):
            raise InvalidArgumentError(
                f"the training diverged in epoch {epoch} (probabilities are not finite); "
                f"lower {self.phase.name}.lr, now {self.phase.settings.lr}"
            )
        loss, terms = self.objective(
            probabilities=probabilities[:, : len(self.labels)],
            targets=loaded.targets.to(images.device),
            student=prediction.global_,
            word_probabilities=probabilities[:, len(self.labels) :],
            **self.loader.teachings(loaded, prediction.local),
        )
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        rate = self.schedule.get_last_lr()[0]
        self.schedule.step()
        scalars = {"loss": loss.detach(), **terms}
        return {**{name: float(value) for name, value in scalars.items()}, "lr": float(rate)}

    def _validate(self, scenes: SceneSet) -> dict[str, float]:
        probabilities = predict_scenes(self.model, scenes, self.labels)
        return multilabel_row(probabilities, scenes.labels[:, list(self.phase.columns)])

    def _save(self, epoch: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "phase": self.phase.name,
            "epoch": epoch,
            "labels": self.labels,
            "architecture": self.model.architecture,
            "teacher": self.teacher,
            "schedule": self.schedule.state_dict(),
            "history": self.history,
        }
        save_checkpoint(epoch_folder(self.folder, epoch), self.model, self.optimizer, state)
        write_lines(self.folder / LOG_FILE, self.history)
        prune(self.folder, {epoch, self.best})
