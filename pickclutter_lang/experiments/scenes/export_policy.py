"""Export of a finished student as a policy folder, with the thresholds of its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import CALIBRATIONS, PolicyExportConfig, TrainedRunConfig
from pickclutter_lang.experiments.scenes.scene_protocol import cells_of, predict_store, predictions_of
from pickclutter_lang.experiments.scenes.trained_run import (
    TrainedStudent,
    load_crop_classifier_weights,
    load_trained_run,
)
from pickclutter_lang.experiments.stages import CROP_CLASSIFIER, FEW_SHOT, STAGES
from pickclutter_lang.manipulation.point_cloud import camera_pose_from_table
from pickclutter_lang.metrics.thresholds import DEFAULT_THRESHOLD, Predictions, policy_thresholds
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.folder import (
    PolicyConfig,
    PromptArchitecture,
    StudentArchitecture,
    StudentSpec,
    Thresholds,
)
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy.torch_networks import CROP_CLASSIFIER_PREFIX, TorchNetworks, save_pretrained
from pickclutter_lang.results.record import RESULT_FILE, number_at, read_record
from pickclutter_lang.results.scores import SCORES_FILE, Cell, Place, Scores
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.progress import track
from pickclutter_lang.utils.sampling import evenly_spaced
from pickclutter_lang.utils.typing import FloatArray

MAX_CALIBRATION_SCENES = 300
"""Scenes of a store, evenly spaced, that thresholds of the teacher and of a crop classifier come from, at most: each
takes some third of a second. Those of a student without crops come from all."""


def export_policy(config: PolicyExportConfig) -> Path:
    """Write the student of a finished run as a folder that `StudentRuntime.load` opens; return the folder.

    Its thresholds come from X_id. After fine-tuning, or with `calibration=few_shot`, those of Y_ood come from the
    few-shot scenes, and for Y_id the higher one of both stores counts. X_id lacks the objects of Y_ood, which raise
    false positives. The few-shot scenes hold them, but a fine-tuned student was trained on these very scenes. With
    `calibration=unlabeled` those of Y_ood come from the unlabeled scenes, which hold other kinds of objects.

    Scores are those that the run has saved when it was evaluated, where it has; scores that are missing need its
    scenes. The crop classifier is exported with the student after fine-tuning.

    :raises InvalidArgumentError: for `calibration=unlabeled` with a crop classifier, or without unlabeled scenes
    :raises PickClutterError: what `load_trained_run` raises; DatasetError when scenes are needed and missing, when no
        table is seen in a scene that thresholds of the crop classifier come from, or when the folder cannot be written
    """
    student = load_trained_run(config)
    after_tuning = config.phase == FEW_SHOT
    with_crops = after_tuning and student.config.crop_classifier is not None
    stores = CALIBRATIONS[config.calibration or ("few_shot" if after_tuning else "id")]
    thresholds = []
    for of_crops in (False, True) if with_crops else (False,):
        found = policy_thresholds(config.false_positive_rate, {one: _scores(student, one, of_crops) for one in stores})
        thresholds.append({name: found[name] for name in student.labels.names})
    spec = _student_spec(student, with_crops)
    spec = replace(spec, precision=config.precision or spec.precision)
    default = thresholds[0][student.label_names(("ood",))[0]]
    of_names = Thresholds(default, thresholds[0], thresholds[1] if with_crops else None)
    policy, weights = PolicyConfig(spec, of_names, _metrics(student)), _weights(student, with_crops)
    with dir_lock(Path(config.out)):
        save_pretrained(Path(config.out), policy, weights, student.labels.features, student.own_catalog, config.half)
    return Path(config.out)


def save_crop_scores(request: TrainedRunConfig) -> None:
    """Save the scores that thresholds of a run's crop classifier come from, so that its export needs no scenes.

    Nothing is done for a run without a crop classifier.

    :raises PickClutterError: as `export_policy`
    """
    student = load_trained_run(request)
    if student.config.crop_classifier is not None:
        with dir_lock(student.folder):
            cells: list[tuple[Place, Cell]] = []
            for store in ("id", "fewshot"):
                found, content = _score_crops(student, store), student.scenes[store].content_hash
                cells += cells_of(found, CROP_CLASSIFIER, store, DEFAULT_THRESHOLD, content)
            Scores.of_cells(cells, student.label_names(("ood",))).save(student.folder / CROP_CLASSIFIER)


def _scores(student: TrainedStudent, store: str, of_crops: bool) -> Predictions:
    """Return the scores that a run saved, or new ones where there are none."""
    folder = student.folder / CROP_CLASSIFIER if of_crops else student.folder
    stage = CROP_CLASSIFIER if of_crops else _stage(student)
    saved = predictions_of(Scores.load(folder), stage, store) if (folder / SCORES_FILE).is_file() else None
    if saved is not None:
        return saved
    if store == UNLABELED:
        raise InvalidArgumentError(
            f"expected scores of unlabeled scenes in {folder / SCORES_FILE} for calibration={UNLABELED}, but there are "
            "none: evaluate a run with data.unlabeled (method=open), without a crop classifier; or choose another one"
        )
    try:
        return _score_crops(student, store) if of_crops else predict_store(student, store)
    except DatasetError as error:
        raise type(error)(
            f"{error}; thresholds come from these scenes, since there are no scores of them in {folder}; where the "
            f"scenes are, pickclutter evaluate-affordance run={student.folder} saves them"
        ) from error


def _score_crops(student: TrainedStudent, store: str) -> Predictions:
    spec = _student_spec(student, True)
    runtime = StudentRuntime(spec, TorchNetworks(spec, _weights(student, True), student.labels.features))
    detector = StudentDetector(runtime, always_present=True)  # only scores count
    return score_scenes(student.scenes[store], student.labels.unseen_by_name, detector)


def _weights(student: TrainedStudent, with_crops: bool) -> dict[str, Tensor]:
    crops = load_crop_classifier_weights(student) if with_crops else {}
    return student.weights | {f"{CROP_CLASSIFIER_PREFIX}{name}": value for name, value in crops.items()}


def _stage(student: TrainedStudent) -> str:
    return next(stage for stage, phase in STAGES.items() if phase == student.phase)


def _metrics(student: TrainedStudent) -> dict[str, float]:
    """Return mAP and F1 on X_ood that the run's evaluation gave, of seen and of unseen names."""
    if not (student.folder / RESULT_FILE).is_file():
        return {}
    record, stage = read_record(student.folder, "scenes"), _stage(student)
    return {
        f"{title}, {names}": value
        for names, cell in (("seen names", "id_on_ood"), ("unseen names", "ood_on_ood"))
        for title, key in (("mAP", "map"), ("F1", "f1"))
        if (value := number_at(record, f"{stage}.{cell}.model.{key}")) is not None
    }


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
        unseen_names=tuple(student.label_names(("ood",))),
    )


def score_scenes(
    scenes: SceneDataset,
    names: Mapping[str, bool],
    detector: StudentDetector | TeacherDetector,
) -> Predictions:
    """Return a detector's scores of names, on at most `MAX_CALIBRATION_SCENES` scenes of a store, evenly spaced.

    :param names: name -> whether it is unseen; a name that the store has no label of is in none of its scenes
    :raises DatasetError: when the store lacks images that detectors read
    """
    rows = evenly_spaced(len(scenes), MAX_CALIBRATION_SCENES)
    scores = [
        [found.score for found in detector.detect(scene_to_observation(scenes, row), list(names))]
        for row in track(rows, f"scenes of {scenes.store.path.name}")
    ]
    targets = torch.zeros((len(rows), len(names)), dtype=torch.bool)
    for column, name in enumerate(names):
        if name in scenes.label_names:
            targets[:, column] = scenes.labels[rows, scenes.label_names.index(name)].bool()
    return Predictions(
        torch.tensor(scores),
        targets,
        list(names),
        torch.tensor(list(names.values())),
        [scenes.scene_ids[row] for row in rows],
    )


def scene_to_observation(scenes: SceneDataset, row: int) -> dict[str, Any]:
    """Return what detectors read of an observation of `FlatObservation`: the hand camera's RGB, depth and pose.

    A store of ManiSkill2's camera has no camera poses. Detectors need a pose for heights above the table alone, so it
    is estimated from the plane of the table.

    :raises DatasetError: when the store lacks the hand camera's depth or segmentation, or no table is seen in the scene
    """
    rgb, depth, segments = (scenes.load_images("hand", kind, [row])[0] for kind in ("rgb", "depth", "segmentation"))
    meters = depth.astype(np.float64) / 1000
    matrices = scenes.camera_matrices(row)
    half = scenes.store.image_size / 2
    intrinsic: FloatArray = np.array([[half, 0, half], [0, half, half], [0, 0, 1]])  # ManiSkill2: 90 degrees
    if matrices is not None:  # of OpenCV's axes, from the world; a pose is of OpenGL's
        intrinsic, world2cam = matrices[0], np.vstack([matrices[1], [0, 0, 0, 1]])
        pose: FloatArray = np.linalg.inv(world2cam) * [1.0, -1.0, -1.0, 1.0]
    else:
        try:
            pose = camera_pose_from_table(meters, intrinsic, segments == 0)
        except InvalidArgumentError as error:
            raise DatasetError(f"scene {scenes.scene_ids[row]} of {scenes.store.place}: {error}") from error
    depth = meters.astype(np.float32)
    return {"hand_rgb": rgb, "hand_depth": depth, "hand_intrinsic": intrinsic, "hand_cam2world": pose}
