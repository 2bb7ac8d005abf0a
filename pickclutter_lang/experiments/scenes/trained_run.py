"""A run on scenes that was trained: its settings, its student for inference, and its distillation for another run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypedDict

from msgspec import Meta
from safetensors.torch import save
from torch import Tensor

from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset, load_scene_datasets
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.scenes.config import TRAIN_COMMAND, TrainConfig, TrainedRunConfig
from pickclutter_lang.experiments.stages import DISTILL
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, read_catalog
from pickclutter_lang.results.record import as_json
from pickclutter_lang.students.prompts import PromptFeatures
from pickclutter_lang.teachers.config import TeacherReference
from pickclutter_lang.training.checkpoint import (
    copy_checkpoints,
    description_differences,
    saved_epochs,
)
from pickclutter_lang.training.config import comparable_config
from pickclutter_lang.training.experiment import CONFIG_FILE, RunRecord, configure_torch, finished_checkpoint, read_run
from pickclutter_lang.training.trainer import best_epoch
from pickclutter_lang.utils.io import atomic_write, write_json
from pickclutter_lang.utils.reading import Sha256, Text, check_json, describe_differences, read_json, read_tensors
from pickclutter_lang.utils.validation import MAX_IMAGE_SIZE

LABELS_FILE, LABEL_FEATURES_FILE = "labels.json", "label_features.safetensors"


class _Labels(TypedDict):
    """Content of `labels.json`; `sha256` is that of `label_features.safetensors`."""

    names: list[Text]
    unseen: list[bool]
    camera_size: Annotated[int, Meta(ge=1, le=MAX_IMAGE_SIZE)]
    sha256: Sha256


@dataclass(frozen=True)
class LabelFeatures:
    """Text features [C, D] of the labels of a run after a phase.

    `unseen` says of each name whether it is of Y_ood, `camera_size` is the side in pixels of the stored images.
    """

    unseen: Mapping[str, bool]
    camera_size: int
    features: PromptFeatures

    def save(self, folder: Path) -> None:
        """Write them into the folder of the phase."""
        features = self.features._asdict()
        data = save({name: value.cpu().contiguous() for name, value in features.items() if value is not None})
        atomic_write(folder / LABEL_FEATURES_FILE, data)
        names = {"names": [*self.unseen], "unseen": [*self.unseen.values()], "camera_size": self.camera_size}
        write_json(folder / LABELS_FILE, names | {"sha256": hashlib.sha256(data).hexdigest()})

    @classmethod
    def load(cls, folder: Path) -> LabelFeatures:
        """Read what `save` wrote.

        :raises CheckpointError: when a file is missing or damaged
        """
        path = folder / LABELS_FILE
        remedy = "delete it and result.json, and run the same command again, which resumes the run"
        labels = read_json(path, _Labels, CheckpointError, remedy)
        tensors = read_tensors(folder / LABEL_FEATURES_FILE, labels["sha256"], CheckpointError, remedy)
        if not len(labels["names"]) == len(labels["unseen"]) == len(tensors["positive"]):
            raise CheckpointError(f"{path} is damaged (expected features of each name); {remedy}")
        features = PromptFeatures(tensors["positive"], tensors["negative"])
        return cls(dict(zip(labels["names"], labels["unseen"], strict=True)), labels["camera_size"], features)


def names_of(unseen: Mapping[str, bool], *splits: str) -> list[str]:
    """Return the names of Y_id (`id`), Y_ood (`ood`) or both.

    :param unseen: name -> whether it is of Y_ood
    """
    return [name for name, out in unseen.items() if ("ood" if out else "id") in splits]


@dataclass(frozen=True)
class TrainedStudent:
    """What is saved of a student after a phase.

    `weights` are its state dict with that of its label encoder (`prompts.`), and `data` the content hashes of the
    stores that it was trained on, by name. The stores themselves are opened at the first use of `scenes`.
    """

    config: TrainConfig
    phase: str
    weights: dict[str, Tensor]
    labels: LabelFeatures
    teacher: TeacherReference
    data: dict[str, Any]

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return Path(self.config.out)

    @property
    def own_catalog(self) -> tuple[CatalogEntry, ...]:
        """The catalog of one's own objects; nothing for a run on other objects."""
        path = self.folder / CATALOG_FILE
        return read_catalog(path) if path.exists() else ()

    @property
    def crop_size(self) -> int:
        """Side in pixels of the center of an image that the student sees."""
        return self.config.data.crop_size or self.labels.camera_size

    @cached_property
    def scenes(self) -> dict[str, SceneDataset]:
        """The scene stores of the run, but for unlabeled scenes, which it was only distilled on.

        :raises DatasetError: when a store is missing, damaged, or not the one that the run was trained on
        """
        try:
            scenes = load_scene_datasets(replace(self.config.data, unlabeled=None))
        except DatasetError as error:
            raise type(error)(
                f"{error}; if the scene stores of the run were moved, name their folder: scenes=..."
            ) from error
        found = {name: {"scenes": len(part), "content": part.content_hash} for name, part in scenes.items()}
        differences = describe_differences({name: self.data[name] for name in self.data if name != UNLABELED}, found)
        if differences:
            raise MismatchError(
                f"the run at {self.folder} was trained on other data (there / now): {'; '.join(differences)}; "
                "name the folder of its scene stores: scenes=..."
            )
        return scenes

    @property
    def unseen_names(self) -> list[str]:
        """The names of Y_ood."""
        return names_of(self.labels.unseen, "ood")


def load_run_config(
    run: str, scenes: str | None = None, num_threads: int | None = None, device: str = "cpu"
) -> TrainConfig:
    """Return the settings of a run in a folder, with the machine settings and paths of this call.

    :param run: folder of the run
    :param scenes: folder of its scene stores, if they were moved
    :raises CheckpointError: when there is no run in the folder, or its settings cannot be read
    """
    return _settings(_read_record(run), run, scenes, num_threads, device)


def load_trained_run(request: TrainedRunConfig) -> TrainedStudent:
    """Return the student of a run after a phase; neither scenes nor teacher are opened.

    :raises CheckpointError: when there is no run, its files are damaged, or the phase is not finished
    """
    record = _read_record(request.run)
    config = _settings(record, request.run, request.scenes, request.num_threads, "cpu")
    configure_torch(config)
    teacher = record["teacher"]
    folder = Path(request.run) / request.phase
    epochs = config.phases[request.phase].epochs
    checkpoint, _ = finished_checkpoint(folder, epochs, TRAIN_COMMAND, config.selection_metric)
    return TrainedStudent(
        config=config,
        phase=request.phase,
        weights=checkpoint.model,
        labels=LabelFeatures.load(folder),
        teacher=TeacherReference(teacher["name"], config.teacher.checkpoint, teacher["fingerprint"]),
        data=record["data"],
    )


def _read_record(run: str) -> RunRecord:
    missing = f"expected a run at {run}, but {CONFIG_FILE} is not there; make it: {TRAIN_COMMAND} out={run}"
    return read_run(Path(run), missing)


def _settings(record: RunRecord, run: str, scenes: str | None, num_threads: int | None, device: str) -> TrainConfig:
    try:  # not by OmegaConf, which would resolve an interpolation, to an environment variable too
        config = check_json(record["settings"], TrainConfig)
        replace(config, report_to=[]).validate()  # a tracker may not be installed here, and whoever reports checks it
    except (ValueError, InvalidArgumentError) as error:
        path = Path(run) / CONFIG_FILE
        raise CheckpointError(f"{path} is damaged or of another version ({error})") from error
    config.out, config.num_threads, config.device = run, num_threads, device
    if scenes is not None:
        for name in ("train", "id", "ood", "fewshot"):
            setattr(config.data, name, str(Path(scenes, name)))
        unlabeled = config.data.unlabeled
        name = "" if unlabeled is None else Path(unlabeled).name
        if unlabeled is not None and Path(unlabeled) == Path(config.scenes, name):  # it was moved with the others
            config.data.unlabeled = str(Path(scenes, name))
        config.teacher.cache = str(Path(scenes, "teacher_features"))
    return config


_AFTER_DISTILLATION = ("method", "few_shot", "crop_classifier", "retrieval")
_STORES = ("train", "id", "unlabeled")


def check_distilled_run(source: Path, folder: Path, identity: Mapping[str, Any]) -> None:
    """Check that the finished distillation of another run is the one that this run would train.

    A run with checkpoints of a distillation in its folder needs no other one.

    :param source: folder of the other run
    :param folder: of this run
    :param identity: `settings`, `data`, `teacher` and `descriptions` of this run, as in its `settings.json`
    :raises CheckpointError: when there is no run at `source`, or its distillation is not finished
    :raises MismatchError: naming each setting, store or text on which a distillation depends and that differs
    """
    if saved_epochs(folder / DISTILL):
        return
    record = read_run(source, f"expected distilled_run to be the folder of a run, but {source} has no {CONFIG_FILE}")
    differences = describe_differences(_distillation(record), _distillation(as_json(identity)))
    differences += description_differences(record, identity)
    if differences:
        raise MismatchError(
            f"expected distilled_run={source} with the settings and scenes of this distillation, but they differ "
            f"(there / here): {'; '.join(differences)}; choose another run, or leave distilled_run out"
        )
    finished_checkpoint(source / DISTILL, identity["settings"]["distill"]["epochs"], TRAIN_COMMAND, None)


def take_distillation(source: Path, config: TrainConfig) -> None:
    """Copy the finished distillation of another run, unless this run has checkpoints of its own."""
    folder = Path(config.out) / DISTILL
    epochs = config.distill.epochs
    if not saved_epochs(folder):
        _, history = finished_checkpoint(source / DISTILL, epochs, TRAIN_COMMAND, None)
        copy_checkpoints(source / DISTILL, folder, {epochs, best_epoch(history, config.selection_metric)})


def _distillation(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a distillation depends on."""
    settings = comparable_config(identity["settings"])
    return {
        "settings": {key: value for key, value in settings.items() if key not in _AFTER_DISTILLATION},
        "data": {name: identity["data"][name] for name in _STORES if name in identity["data"]},
        "teacher": {"fingerprint": identity["teacher"]["fingerprint"]},
    }
