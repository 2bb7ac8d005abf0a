"""The teacher's thresholds and detection curves, from stored scenes: by the rule that students are exported with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset, check_unlabeled, load_scene_datasets
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import DatasetError, MismatchError
from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.teacher_thresholds import read_thresholds, thresholds_of, write_thresholds
from pickclutter_lang.experiments.scenes.command_configs import CALIBRATIONS, TrainedRunConfig
from pickclutter_lang.experiments.scenes.export_policy import (
    MAX_CALIBRATION_SCENES,
    detector_thresholds,
    score_scenes,
)
from pickclutter_lang.experiments.scenes.load import load_trained_run
from pickclutter_lang.experiments.scenes.predictions import load_predictions, save_predictions
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.policy.config import StudentSpec, Thresholds
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.manifest import policy_fingerprint
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.object_storage import join

Scenes = Mapping[str, SceneDataset]


def open_scenes(config: PolicyEvalConfig, spec: StudentSpec) -> Scenes:
    """Open the stores `id`, `fewshot` and `ood`, and `unlabeled` where thresholds come from it.

    They are those of the run, or those of `scenes`.

    :raises DatasetError: when they are not there
    :raises MismatchError: when the unlabeled scenes are not those of the run, or show an unseen object
    """
    with_unlabeled = UNLABELED in CALIBRATIONS[config.calibration]
    if config.run is not None:
        student = load_trained_run(TrainedRunConfig(config.run, "few_shot", config.scenes, 1))
        if not with_unlabeled or UNLABELED not in student.data:  # without any, the export of its students says so
            return student.scenes
        unlabeled = load_scene_datasets(student.config.data)[UNLABELED]
        if unlabeled.content_hash != student.data[UNLABELED]["content"]:
            raise MismatchError(
                f"expected the unlabeled scenes of the run {config.run} in {student.config.data.unlabeled}, but others "
                "are there; choose calibration=few_shot or calibration=id"
            )
        return {**student.scenes, UNLABELED: unlabeled}
    if config.scenes is None:
        raise DatasetError("expected the scenes that thresholds come from, but got none; name their folder: scenes=...")
    settings = SceneDataConfig(target_label=spec.target_label, crop_size=None, max_cache_bytes=0)
    scenes = {
        name: SceneDataset(SceneStore.open(join(config.scenes, name)), settings) for name in ("id", "fewshot", "ood")
    }
    if with_unlabeled:  # none of its labels is read: the one that every store has spares it the others
        path = join(config.scenes, UNLABELED)
        scenes[UNLABELED] = SceneDataset(SceneStore.open(path), replace(settings, target_label="present"))
        check_unlabeled(scenes["id"].store, scenes[UNLABELED], path)
    return scenes


def teacher_key(config: PolicyEvalConfig, spec: StudentSpec, scenes: Scenes) -> dict[str, Any]:
    """Return what the teacher's thresholds depend on, as JSON values."""
    stores = CALIBRATIONS[config.calibration]
    return {
        **thresholds_of(spec),
        "false_positive_rate": config.false_positive_rate,
        "max_scenes": MAX_CALIBRATION_SCENES,
        "scenes": {name: scenes[name].content_hash for name in stores},
    }


def teacher_thresholds(config: PolicyEvalConfig, spec: StudentSpec, scenes: Scenes, folder: Path) -> Thresholds:
    """Return the teacher's thresholds; they are kept in the folder, and calibrated where they are not there.

    :raises DatasetError: when the scenes lack images that the detector reads
    """
    key = teacher_key(config, spec, scenes)
    kept = read_thresholds(folder, key)
    if kept is not None:
        return kept
    rivals = TeacherDetector(spec.teacher.load(), spec.names, Thresholds(0.5, {}, None))  # whose scores alone count
    unseen = unseen_names(spec, scenes)
    names = detector_thresholds(config.false_positive_rate, rivals, scenes, unseen, config.calibration)
    found = Thresholds(next((names[name] for name in names if unseen[name]), max(names.values())), names, None)
    write_thresholds(folder, key, found)
    return found


def unseen_names(spec: StudentSpec, scenes: Scenes) -> dict[str, bool]:
    """Return the names of a student that the stores have labels of -> whether they are of Y_ood."""
    names = scenes["id"].label_names
    unseen = {names[index] for index in scenes["id"].store.split_label_indices("ood")}
    return {name: name in unseen for name in spec.names if name in names}


def scene_scores(
    variant: str, policy: str, thresholds: Thresholds | None, scenes: Scenes, count: int, folder: Path, trust: bool
) -> tuple[Predictions, torch.Tensor]:
    """Return a variant's scores [N, C] on at most `count` scenes of X_ood, and the thresholds [C].

    Scores are kept with a note of what they are of, and computed again where that differs or is missing.

    :param policy: a policy folder, for the variant `teacher` that of a student of it
    :param thresholds: of the teacher; None for a student
    """
    student = StudentRuntime.load(policy, trust)
    spec, path = student.config, folder / "curves" / f"{variant}_{count}.npz"
    names, note = unseen_names(spec, scenes), path.with_suffix(".json")
    of = {
        "fingerprint": policy_fingerprint(Path(policy)) if thresholds is None else spec.teacher.fingerprint,
        "unseen_by_name": names,
        "label": spec.target_label,
        "scenes": scenes["ood"].content_hash,
    }
    noted = (json.dumps(of, indent=1) + "\n").encode()
    if path.is_file() and note.is_file() and note.read_bytes() == noted:
        found = load_predictions(path)
    else:
        detector = (
            StudentDetector(student)
            if thresholds is None
            else TeacherDetector(spec.teacher.load(), spec.names, thresholds)
        )
        found = score_scenes(scenes["ood"], names, detector, count)
        note.unlink(missing_ok=True)  # of other scores, whatever becomes of this process
        save_predictions(path, found)
        atomic_write(note, noted)
    used = thresholds or student.thresholds
    by_name = used.crop_classifier or used.names
    return found, torch.tensor([by_name[name] for name in found.names], dtype=torch.float64)
