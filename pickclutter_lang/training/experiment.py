"""A training run of several phases in a folder, which can be stopped and resumed."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import torch
from msgspec import Meta
from typing_extensions import NotRequired, TypedDict

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError, TeacherError
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.training.checkpoint import (
    Checkpoint,
    description_differences,
    epoch_folder,
    load_checkpoint,
    load_state,
    restore_model,
    saved_epochs,
)
from pickclutter_lang.training.config import RunConfig, comparable_config
from pickclutter_lang.training.logger import open_tracker
from pickclutter_lang.training.parallel import check_rows, choose_device, joined
from pickclutter_lang.training.trainer import Phase, Trainer, best_epoch, phase_seed, seed_everything
from pickclutter_lang.utils.io import write_json
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.ranks import is_main, world_size
from pickclutter_lang.utils.reading import describe_differences, read_json

CONFIG_FILE = "settings.json"
_DAMAGED = "choose another out, or delete that folder"


class TeacherEntry(TypedDict):
    """The teacher that a run has: name, width and fingerprint."""

    name: str
    embed_dim: Annotated[int, Meta(ge=1)]
    fingerprint: str


class DescriptionEntry(TypedDict):
    """The content hash of a run's descriptions, and whether their writer had images of the objects."""

    content: str
    images_seen: bool


class RunRecord(TypedDict):
    """Content of `settings.json`: the settings of a run, and the provenance of its data, teacher and descriptions."""

    settings: dict[str, Any]
    data: dict[str, Any]
    teacher: TeacherEntry
    descriptions: NotRequired[dict[str, DescriptionEntry]]


def read_run(folder: Path, missing: str) -> RunRecord:
    """Read the `settings.json` of a run.

    :param missing: message where there is none
    :raises CheckpointError: when it is missing or damaged
    """
    return read_json(folder / CONFIG_FILE, RunRecord, CheckpointError, _DAMAGED, missing)


class MultiPhaseExperiment(ABC):
    """Trains a model phase by phase; what is finished in the folder is left as it is."""

    kind: str
    """What the run is trained on: `scenes` or `images`."""
    command: str
    """The command that trains such a run, for messages."""
    keep_last: int = 1
    """So many last epochs of each phase stay on the disk."""

    def __init__(self, config: RunConfig, teacher: Teacher) -> None:
        self.config, self.teacher = config, teacher

    @property
    def folder(self) -> Path:
        """Where everything of this run lies."""
        return Path(self.config.out)

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the run in tables."""

    @property
    def teacher_provenance(self) -> dict[str, Any]:
        """The teacher of the run: name, width and fingerprint."""
        return {
            "name": self.config.teacher.name,
            "embed_dim": self.teacher.embed_dim,
            "fingerprint": self.teacher.fingerprint,
        }

    @property
    @abstractmethod
    def data_provenance(self) -> dict[str, Any]:
        """Provenance of the run, with content hashes."""

    @property
    def identity(self) -> dict[str, Any]:
        """What is written when a run starts: its settings, and the provenance of its data and its teacher."""
        return {"settings": self.config.as_dict(), "data": self.data_provenance, "teacher": self.teacher_provenance}

    @property
    @abstractmethod
    def phases(self) -> Mapping[str, Phase]:
        """The phases by name, in the order in which they are trained."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that writes into the folder; the run that is there by then is checked again.

        :raises LockedError: when another process is at work in it
        :raises PickClutterError: what `validate_run_dir` raises
        """
        with dir_lock(self.folder):
            self.validate_run_dir()
            yield

    @contextmanager
    def training(self) -> Iterator[None]:
        """Be `joined` for a training in the folder, which is `locked` by rank 0."""
        with joined(self.config.device), self.locked() if is_main() else nullcontext():
            yield

    def train_phases(self) -> None:
        """Train every phase that is not finished; only inside `training`."""
        for phase in self.phases.values():  # what does not fit is found before anything is written
            _ = phase.model
            check_rows(min(map(len, phase.batches(0)), default=world_size()), phase.name)
        if is_main():
            write_json(self.folder / CONFIG_FILE, self.identity)
        with open_tracker(self.config.report_to, self.folder, self.identity["settings"]) as tracker:
            for number, phase in enumerate(self.phases.values()):
                seed = phase_seed(self.config.seed, number)
                trainer = Trainer(phase, self.folder / phase.name, self.keep_last, seed)
                if not trainer.resume():
                    if phase.starts_from is not None:
                        self.load_weights(phase.starts_from)
                    phase.initialize()
                    seed_everything(seed)
                trainer.run(self.folder / "tensorboard" / phase.name, tracker)

    def load_weights(self, phase: str, back: int = 0) -> list[dict[str, Any]]:
        """Load the resulting weights of a phase into its model and return its history, a row for each epoch.

        :param back: with 1, 2, ... the weights of so many epochs before the last; see `keep_last`
        :raises CheckpointError: when the phase is not finished
        """
        chosen = self.phases[phase]
        checkpoint, history = finished_checkpoint(
            self.folder / phase, chosen.config.epochs, self.command, chosen.selection_metric, back
        )
        restore_model(checkpoint, chosen.model)
        chosen.model.eval()
        return history

    def validate_run_dir(self) -> None:
        """Check the data, and that a run in the folder was started with these settings, this data and this teacher.

        :raises PickClutterError: DatasetError, CheckpointError, TeacherError, MismatchError or InvalidArgumentError
        """
        for phase in self.phases.values():
            phase.check()
        if not (self.folder / CONFIG_FILE).exists():
            return
        pair = read_run(self.folder, ""), json.loads(json.dumps(self.identity))
        teachers = ({"teacher": {key: one["teacher"][key] for key in ("embed_dim", "fingerprint")}} for one in pair)
        data = [*describe_differences(*(one["data"] for one in pair)), *description_differences(*pair)]
        settings = describe_differences(*(comparable_config(one["settings"]) for one in pair))
        for error, differences, how, remedy in (
            (TeacherError, describe_differences(*teachers), "with another teacher", "choose the same teacher"),
            (MismatchError, data, "on other data", "use the data it was started with"),
            (InvalidArgumentError, settings, "with other settings", "use the same settings"),
        ):
            if differences:
                raise error(
                    f"the run at {self.folder} was started {how} (there / now): {'; '.join(differences)}; {remedy}, or "
                    "choose another out"
                )


def finished_checkpoint(
    folder: Path, epochs: int, command: str, select: str | None, back: int = 0
) -> tuple[Checkpoint, list[dict[str, Any]]]:
    """Return the weights and the state that a finished phase results in, and its history, a row for each epoch.

    :param folder: of the phase, which has so many `epochs`
    :param command: trains such a run
    :param select: metric that chooses the epoch; None: the last one
    :param back: with 1, 2, ... the checkpoint of so many epochs before the last
    :raises CheckpointError: when the phase is not finished
    """
    saved = [0, *saved_epochs(folder)]
    if saved[-1] < epochs:
        raise CheckpointError(
            f"expected {epochs} finished epochs in {folder}, but there are {saved[-1]}; "
            f"run {command} with out={folder.parent} first"
        )
    history: list[dict[str, Any]] = load_state(epoch_folder(folder, saved[-1]))["history"]
    chosen = saved[-1] - back if back else best_epoch(history, select)
    return load_checkpoint(epoch_folder(folder, chosen), ("model",)), history


def configure_torch(config: RunConfig) -> None:
    """Set torch's threads and check the device; with `precision=auto` matrix products of CUDA may take TF32.

    :raises InvalidArgumentError: when torch cannot use the device
    """
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    choose_device(config.device)
    torch.set_float32_matmul_precision("high" if config.precision == "auto" and "cuda" in config.device else "highest")
