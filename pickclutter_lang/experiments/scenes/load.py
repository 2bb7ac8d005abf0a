"""Loading of the settings of a run, and of its trained student."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError, TeacherError
from pickclutter_lang.experiments.scenes.command_configs import TrainedRunConfig
from pickclutter_lang.experiments.scenes.config import TRAIN_COMMAND, EvaluateConfig, TrainConfig
from pickclutter_lang.experiments.scenes.trained_student import (
    LABEL_FEATURES_FILE,
    LabelFeatures,
    TrainedStudent,
    architecture_signature,
)
from pickclutter_lang.experiments.stages import CROP_CLASSIFIER
from pickclutter_lang.teachers.reference import TeacherReference
from pickclutter_lang.training.checkpoint import TeacherEntry, check_fits
from pickclutter_lang.training.experiment import CONFIG_FILE, RunRecord, configure_torch, finished_checkpoint, read_run
from pickclutter_lang.utils.cli import parse_config
from pickclutter_lang.utils.object_storage import join


def load_run_config(request: EvaluateConfig) -> TrainConfig:
    """Return the settings of a run in a folder, with the machine settings and paths of this call.

    :raises CheckpointError: when there is no run in the folder, or its settings cannot be read
    """
    record = _read_record(request.run)
    path = Path(request.run) / CONFIG_FILE
    if "${" in json.dumps(record["settings"]):  # OmegaConf would resolve it, to an environment variable too
        raise CheckpointError(f"{path} holds an interpolation, ${{...}}, which settings of a run never do")
    settings = dict(record["settings"])
    report_to = settings.pop("report_to", [])  # checked by who reports: a tracker may not be installed here
    if not isinstance(report_to, list) or not all(isinstance(name, str) for name in report_to):
        raise CheckpointError(f"{path} is damaged or of another version (report_to: expected names, got {report_to!r})")
    try:
        config = parse_config(TrainConfig, OmegaConf.create(settings))
    except InvalidArgumentError as error:
        raise CheckpointError(f"{path} is damaged or of another version ({error})") from error
    config.report_to = report_to
    config.out, config.num_threads, config.device = request.run, request.num_threads, request.device
    if request.scenes is not None:
        for name in ("train", "id", "ood", "fewshot"):
            setattr(config.data, name, join(request.scenes, name))
        unlabeled = config.data.unlabeled
        name = "" if unlabeled is None else Path(unlabeled).name
        if unlabeled is not None and join(unlabeled) == join(config.scenes, name):  # it was moved with the others
            config.data.unlabeled = join(request.scenes, name)
        config.teacher.cache = join(request.scenes, "teacher_features")
    return config


def load_trained_run(request: TrainedRunConfig, precision: str | None = None) -> TrainedStudent:
    """Return the student of a run after a phase.

    Neither scenes nor teacher are opened, but for a run without label features (of version 0.1.0).

    :param precision: of the network, in place of the run's: `float32`, `bfloat16` or `auto`
    :raises CheckpointError: when there is no run, its files are damaged, or the phase is not finished
    :raises PickClutterError: what `SceneRun.open` raises, for a run without label features
    """
    config = load_run_config(EvaluateConfig(request.run, request.scenes, request.num_threads, "cpu"))
    configure_torch(config)
    record = _read_record(request.run)
    data, teacher = record["data"], record["teacher"]
    reference = TeacherReference(teacher["name"], config.teacher.checkpoint, teacher["fingerprint"])
    weights = _phase_weights(config, request.phase, teacher)
    labels = _label_features(config, request.phase)
    if precision is not None:
        config = replace(config, precision=precision)
    return TrainedStudent(config, request.phase, weights, labels, reference, data)


def load_crop_classifier_weights(student: TrainedStudent) -> dict[str, Any]:
    """Return the state dict of the crop classifier of a run that has one.

    :raises CheckpointError: when its phase is not finished
    """
    phase = student.config.crop_classifier
    assert phase is not None
    return finished_checkpoint(student.folder / CROP_CLASSIFIER, phase.epochs, TRAIN_COMMAND, None)[0].model


def _read_record(run: str) -> RunRecord:
    return read_run(
        Path(run),
        f"expected a run at {run}, but {CONFIG_FILE} is not there; make it: {TRAIN_COMMAND} out={run}",
    )


def _phase_weights(config: TrainConfig, phase: str, teacher: TeacherEntry) -> dict[str, Any]:
    epochs = config.phases[phase].epochs
    checkpoint, _ = finished_checkpoint(Path(config.out) / phase, epochs, TRAIN_COMMAND, config.selection_metric)
    check_fits(checkpoint.state, architecture_signature(config, teacher["embed_dim"]), teacher)
    return checkpoint.model


def _label_features(config: TrainConfig, phase: str) -> LabelFeatures:
    """Read the label features of a phase; for a run without them compute them, with its scenes and teacher."""
    path = Path(config.out) / phase / LABEL_FEATURES_FILE
    if path.is_file():
        return LabelFeatures.load(path)
    from pickclutter_lang.experiments.scenes.scene_run import SceneRun  # imports what only training needs: seconds

    try:
        run = SceneRun.open(config)
    except (DatasetError, TeacherError) as error:
        raise type(error)(
            f"{error}; the run has no {phase}/{LABEL_FEATURES_FILE}, so its scene stores (scenes=...) and its teacher "
            "are needed"
        ) from error
    run.load_weights(phase)
    return run.label_features()
