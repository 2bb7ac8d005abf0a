"""A run in a folder that can be gone on with: distillation, then phases that go out from it or from each other."""

from __future__ import annotations

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.teachers.config import TeacherConfig
from pickclutter_lang.training.checkpoint import (
    Checkpoint,
    check_fits,
    describe_differences,
    epoch_folder,
    load_checkpoint,
    restore_model,
    saved_epochs,
)
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.logger import write_json
from pickclutter_lang.training.trainer import Task, Trainer, best_epoch

CONFIG_FILE = "settings.json"
DISTILL = "distill"


class ExperimentConfig(Protocol):
    """What the settings of every run have."""

    out: str
    seed: int
    num_threads: int | None
    device: str
    teacher: TeacherConfig

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as nested JSON values."""


class MultiPhaseExperiment(ABC):
    """Trains a model phase by phase; what is finished in the folder is left as it is."""

    command: str
    """The command that makes such a run, for messages."""
    selection_metric: str | None = None
    """Metric of the validation that chooses the epoch of the first phase; None: the last epoch."""
    keep_last: int = 1
    """So many last epochs of each phase stay on the disk."""

    def __init__(self, config: ExperimentConfig, teacher: Teacher) -> None:
        self.config, self.teacher = config, teacher

    @property
    def folder(self) -> Path:
        """Where everything of this run lies."""
        return Path(self.config.out)

    @property
    def teacher_provenance(self) -> dict[str, Any]:
        """What a checkpoint says of the teacher."""
        return {
            "name": self.config.teacher.name,
            "embed_dim": self.teacher.embed_dim,
            "fingerprint": self.teacher.fingerprint,
        }

    @property
    @abstractmethod
    def model(self) -> nn.Module:
        """The model, at first with the weights that the seed gives."""

    @property
    @abstractmethod
    def architecture(self) -> dict[str, Any]:
        """What a checkpoint must share with the model."""

    @property
    @abstractmethod
    def data_provenance(self) -> dict[str, Any]:
        """What the run is made of, with content hashes."""

    @property
    @abstractmethod
    def phases(self) -> Sequence[str]:
        """Names of the phases; the first is `distill`; `begin` says what another goes out from."""

    @abstractmethod
    def phase_config(self, phase: str) -> PhaseConfig:
        """Return how a phase is optimized."""

    @abstractmethod
    def task(self, phase: str) -> Task:
        """Return what a phase trains."""

    @abstractmethod
    def comparable_config(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return settings without what changes no result: where things lie, on what they are computed."""

    def train_phases(self) -> None:
        """Train every phase that is not finished."""
        tasks = {phase: self.task(phase) for phase in self.phases}  # what does not fit is known before anything is kept
        for task in tasks.values():
            task.batches(0)
        write_json(self.folder / CONFIG_FILE, self._identity())
        for number, (phase, task) in enumerate(tasks.items()):
            trainer = Trainer(task, self.folder / phase, self.teacher_provenance, self.keep_last)
            if not trainer.resume():
                self.initialize_phase(phase)
                seed_everything(self.config.seed + number)
            trainer.run(self.folder / "tensorboard" / phase)

    def initialize_phase(self, phase: str) -> None:
        """Load what a phase starts from; `distill` starts from what the seed gives."""
        if phase != DISTILL:
            self.load_weights(DISTILL)

    def load_weights(self, phase: str, back: int = 0) -> list[dict[str, Any]]:
        """Load the resulting weights of a phase into the model and return its history, a row for each epoch.

        :param back: with 1, 2, ... the weights of so many epochs before the last; see `keep`
        :raises CheckpointError: when the phase is not finished
        """
        return self.load_phase(phase, self.model, self.selection_metric, back)

    def load_phase(
        self, phase: str, model: nn.Module, select: str | None = None, back: int = 0
    ) -> list[dict[str, Any]]:
        """Load weights of a phase into the model that it trained; `select` chooses the epoch, None: the last one.

        Otherwise as `load_weights`.
        """
        epochs = self.phase_config(phase).epochs
        checkpoint, history = finished_checkpoint(self.folder / phase, epochs, self.command, select, back)
        check_fits(checkpoint, self.architecture, self.teacher_provenance)
        restore_model(checkpoint, model)
        model.eval()
        return history

    def validate_run_dir(self) -> None:
        """Check that a run in the folder was started with these settings, this data and this teacher.

        :raises PickClutterError: CheckpointError, TeacherError, MismatchError or InvalidArgumentError
        """
        path = self.folder / CONFIG_FILE
        if not path.is_file():
            return
        own = json.loads(json.dumps(self._identity()))
        try:
            saved = json.loads(path.read_text())
            missing = [key for key in own if key not in saved]
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(f"{path} is damaged ({error}); choose another out, or delete that folder") from error
        if missing:
            raise CheckpointError(f"expected {', '.join(missing)} in {path}; choose another out, or delete that folder")
        for phase in self.phases:
            for epoch in saved_epochs(self.folder / phase)[-1:]:
                check_fits(
                    load_checkpoint(epoch_folder(self.folder / phase, epoch)),
                    self.architecture,
                    self.teacher_provenance,
                )
        differences = describe_differences(saved["data"], own["data"])
        if differences:
            raise MismatchError(
                f"the run at {self.folder} was started on other data (there / now): {'; '.join(differences)}; "
                "use the data it was started with, or choose another out"
            )
        there, now = (self.comparable_config(part["settings"]) for part in (saved, own))
        differences = describe_differences(there, now)
        if differences:
            raise InvalidArgumentError(
                f"the run at {self.folder} was started with other settings (there / now): {'; '.join(differences)}; "
                "use the same settings, or choose another out"
            )

    def _identity(self) -> dict[str, Any]:
        return {"settings": self.config.as_dict(), "data": self.data_provenance, "teacher": self.teacher_provenance}


def finished_checkpoint(
    folder: Path, epochs: int, command: str, select: str | None, back: int = 0
) -> tuple[Checkpoint, list[dict[str, Any]]]:
    """Return the checkpoint that a finished phase results in, and its history, a row for each epoch.

    :param folder: of the phase
    :param epochs: of the whole phase
    :param command: makes such a run
    :param select: metric that chooses the epoch; None: the last one
    :param back: with 1, 2, ... the checkpoint of so many epochs before the last
    :raises CheckpointError: when the phase is not finished
    """
    saved = saved_epochs(folder)
    if not saved or saved[-1] < epochs:
        raise CheckpointError(
            f"expected {epochs} finished epochs in {folder}, but there are {saved[-1] if saved else 0}; "
            f"run {command} with out={folder.parent} first"
        )
    history: list[dict[str, Any]] = load_checkpoint(epoch_folder(folder, saved[-1])).state["history"]
    chosen = saved[-1] - back if back else best_epoch(history, select)
    return load_checkpoint(epoch_folder(folder, chosen)), history


def configure_torch(config: ExperimentConfig) -> None:
    """Set torch's threads and check the device.

    :raises InvalidArgumentError: when torch cannot use the device
    """
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    try:
        torch.empty(1, device=torch.device(config.device))
    except (RuntimeError, AssertionError) as error:
        raise InvalidArgumentError(f"expected a device that torch can use, but got {config.device!r}") from error


def seed_everything(seed: int) -> None:
    """Seed the global generators of python, numpy and torch, which libraries draw from (dropout, first weights)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
