"""Export of a finished student as a policy folder, with the thresholds of its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from pickclutter_lang.errors import DatasetError
from pickclutter_lang.experiments.scenes.command_configs import PolicyExportConfig
from pickclutter_lang.experiments.scenes.load import (
    load_crop_classifier_weights,
    load_trained_run,
)
from pickclutter_lang.experiments.scenes.predictions import Predictions, load_predictions
from pickclutter_lang.experiments.scenes.scene_protocol import predict_store
from pickclutter_lang.experiments.scenes.thresholds import per_split_fpr_thresholds
from pickclutter_lang.experiments.scenes.trained_student import TrainedStudent
from pickclutter_lang.experiments.stages import FEW_SHOT, STAGES
from pickclutter_lang.policy.bundle import CROP_CLASSIFIER_PREFIX, save_pretrained
from pickclutter_lang.policy.config import (
    PolicyConfig,
    PromptArchitecture,
    StudentArchitecture,
    StudentSpec,
    Thresholds,
)
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.replay import scene_to_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.progress import track

_MAX_CALIBRATION_SCENES = 300
"""Scenes of a store, evenly spaced, that thresholds of the crop classifier come from: some third of a second each."""


def export_policy(config: PolicyExportConfig) -> Path:
    """Write the student of a finished run as a folder that `StudentRuntime.load` opens; return the folder.

    Its thresholds come from X_id. After fine-tuning those of Y_ood come from the few-shot scenes, and for Y_id the
    higher one of both stores counts. X_id lacks the objects of Y_ood, which raise false positives. The few-shot scenes
    hold them, but the student was trained on these very scenes.

    Scores are those that the evaluation of the run has saved, where it has. Scores that are missing, and those of a
    crop classifier, need the run's scenes. The crop classifier is exported with the student after fine-tuning.

    :raises PickClutterError: what `load_trained_run` raises; DatasetError when scenes are needed and missing, when no
        table is seen in a scene that thresholds of the crop classifier come from, or when the folder cannot be written
    """
    student = load_trained_run(config)
    few_shot = config.phase == FEW_SHOT
    with_crops = few_shot and student.config.crop_classifier is not None
    on_id = _predictions(student, "id")
    on_few = _predictions(student, "fewshot") if few_shot else None
    names = policy_thresholds(config.false_positive_rate, on_id, on_few)
    spec, weights = _student_spec(student, with_crops), dict(student.weights)
    crop_thresholds = None
    if with_crops and on_few is not None:
        crop_weights = load_crop_classifier_weights(student)
        weights |= {f"{CROP_CLASSIFIER_PREFIX}{name}": value for name, value in crop_weights.items()}
        detector = StudentDetector(StudentRuntime(spec, weights, student.labels.features))
        verified = [
            _detector_scores(student, store, part, detector)
            for store, part in (("id", on_id.of_splits(("id",))), ("fewshot", on_few))
        ]
        crop_thresholds = policy_thresholds(config.false_positive_rate, *verified)
    default = names[student.label_names(("ood",))[0]]
    policy = PolicyConfig(spec, Thresholds(default, names, crop_thresholds))
    with dir_lock(Path(config.out)):
        save_pretrained(Path(config.out), policy, weights, student.labels.features)
    return Path(config.out)


def policy_thresholds(false_positive_rate: float, on_id: Predictions, on_few: Predictions | None) -> dict[str, float]:
    """Return the threshold of each name.

    :param on_id: predictions on X_id; without few-shot scenes all thresholds come from it
    :param on_few: predictions on the few-shot scenes: they give the thresholds of Y_ood, and for Y_id the higher one of
        both stores counts
    """
    found = dict(zip(on_id.names, per_split_fpr_thresholds(on_id, false_positive_rate).tolist(), strict=True))
    if on_few is None:
        return found
    thresholds = per_split_fpr_thresholds(on_few, false_positive_rate).tolist()
    rows = zip(on_few.names, on_few.unseen.tolist(), thresholds, strict=True)
    return {name: value if unseen else max(value, found[name]) for name, unseen, value in rows}


def _student_spec(student: TrainedStudent, with_crops: bool) -> StudentSpec:
    config = student.config
    network, prompts, crops = config.student, config.prompts, config.crop_classifier
    return StudentSpec(
        phase=student.phase,
        target_label=config.data.target_label,
        network=StudentArchitecture(
            network.name, network.output_stride, network.dropout, network.temperature, network.negative_attention
        ),
        precision=config.precision,
        cameras=tuple(config.data.cameras),
        depth=config.data.depth,
        camera_size=student.labels.camera_size,
        crop_size=student.crop_size,
        image_size=config.data.image_size,
        prompts=PromptArchitecture(prompts.n_ctx, prompts.truncate, prompts.closed_set),
        names=student.labels.names,
        teacher=student.teacher,
        object_crop_size=crops.crop_size if with_crops and crops is not None else None,
    )


def _predictions(student: TrainedStudent, store: str) -> Predictions:
    """Return predictions on a store: those that the evaluation saved, or new ones where there are none."""
    stage = next(stage for stage, phase in STAGES.items() if phase == student.phase)
    path = student.folder / "predictions" / f"{stage}_{store}.npz"
    if path.is_file():
        return load_predictions(path)
    try:
        return predict_store(student, store)
    except DatasetError as error:
        raise type(error)(
            f"{error}; the thresholds come from these scenes, since there are no predictions at {path}"
        ) from error


def _detector_scores(
    student: TrainedStudent, store: str, predictions: Predictions, detector: StudentDetector
) -> Predictions:
    """Return predictions with the combined scores of student and crop classifier, on at most 300 of the scenes."""
    try:
        scenes = student.scenes[store]
    except DatasetError as error:
        raise type(error)(f"{error}; the thresholds of the crop classifier come from these scenes") from error
    rows = _evenly_spaced(len(scenes))
    scores = [
        [target.score for target in detector.score(scene_to_observation(scenes, row), predictions.names)]
        for row in track(rows, f"object crops of {store}")
    ]
    return replace(
        predictions,
        probabilities=torch.tensor(scores),
        targets=predictions.targets[rows],
        scenes=[predictions.scenes[row] for row in rows],
    )


def _evenly_spaced(count: int) -> Sequence[int]:
    chosen = np.linspace(0, count - 1, min(count, _MAX_CALIBRATION_SCENES)).round().astype(int)
    rows: list[int] = np.unique(chosen).tolist()
    return rows
