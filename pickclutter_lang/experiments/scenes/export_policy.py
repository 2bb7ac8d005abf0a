"""A finished run's student as a policy folder, with the thresholds at which it says that an object is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pickclutter_lang.experiments.scenes.command_configs import PolicyExportConfig
from pickclutter_lang.experiments.scenes.load import load_trained_run
from pickclutter_lang.experiments.scenes.predictions import Predictions
from pickclutter_lang.experiments.scenes.scene_protocol import predict_store
from pickclutter_lang.experiments.scenes.scene_run import FEW_SHOT, SceneRun
from pickclutter_lang.experiments.scenes.thresholds import per_split_fpr_thresholds
from pickclutter_lang.policy.bundle import (
    CROP_CLASSIFIER_PREFIX,
    SCHEMA,
    CropClassifierConfig,
    PolicyConfig,
    save_pretrained,
)
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.replay import scene_to_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.utils.progress import track

_MAX_CALIBRATION_SCENES = 300
"""Scenes of a store, spread evenly, that thresholds of object crops come from: some third of a second each."""


def export_policy(config: PolicyExportConfig) -> Path:
    """Write the student of a finished run as a folder that `StudentRuntime.load` opens; return the folder.

    Its thresholds come from X_id. After fine-tuning those of Y_ood come from the few-shot scenes, and for Y_id the
    higher one of both stores counts: X_id lacks the objects of Y_ood, and these raise false alarms; the few-shot scenes
    hold them, but the student was trained on these very scenes. After fine-tuning the student of object crops goes with
    it, where the run has one.

    :raises PickClutterError: what `load_trained_run` raises; DatasetError when it cannot be written, or
        no table is seen in a scene that thresholds of object crops come from
    """
    run = load_trained_run(config)
    few = config.phase == FEW_SHOT
    crop_classifier = run.load_crop_classifier() if few else None
    on_id, on_few = predict_store(run, "id"), predict_store(run, "fewshot") if few else None
    thresholds = policy_thresholds(config.false_positive_rate, on_id, on_few)
    card = PolicyConfig(
        schema=SCHEMA,
        train_config=_portable_config(run.config.as_dict()),
        phase=config.phase,
        label=run.config.data.target_label,
        names=on_id.names,
        threshold=thresholds[on_id.of_splits(("ood",)).names[0]],
        thresholds=thresholds,
        camera_size=run.scenes["train"].store.image_size,
        teacher=run.teacher_provenance | {"checkpoint": run.config.teacher.checkpoint},
    )
    weights = run.model.state_dict()
    with torch.no_grad():
        text = run.model.prompts.encode(card.names)
    if crop_classifier is not None and run.config.crop_classifier is not None and on_few is not None:
        weights |= {f"{CROP_CLASSIFIER_PREFIX}{name}": value for name, value in crop_classifier.state_dict().items()}
        card = replace(card, crop_classifier=CropClassifierConfig(run.config.crop_classifier.crop_size, thresholds))
        detector = StudentDetector(StudentRuntime(card, run.config, weights, text))
        known = on_id.of_splits(("id",))
        detected = _detector_scores(run, "id", known, detector), _detector_scores(run, "fewshot", on_few, detector)
        own = policy_thresholds(config.false_positive_rate, *detected)
        card = replace(card, crop_classifier=CropClassifierConfig(run.config.crop_classifier.crop_size, own))
    save_pretrained(Path(config.out), card, weights, text)
    return Path(config.out)


def policy_thresholds(share: float, on_id: Predictions, on_few: Predictions | None) -> dict[str, float]:
    """Return the threshold of each name: that of X_id without few-shot scenes; with them theirs, and for Y_id the
    higher one of both.
    """
    found = dict(zip(on_id.names, per_split_fpr_thresholds(on_id, share).tolist(), strict=True))
    if on_few is None:
        return found
    few = zip(on_few.names, on_few.unseen.tolist(), per_split_fpr_thresholds(on_few, share).tolist(), strict=True)
    return {name: own if unseen else max(own, found[name]) for name, unseen, own in few}


def _detector_scores(run: SceneRun, store: str, predictions: Predictions, detector: StudentDetector) -> Predictions:
    """Return predictions with the scores of both students together instead, on 300 of the scenes at most."""
    scenes = run.scenes[store]
    rows = np.unique(
        np.linspace(0, len(scenes) - 1, min(len(scenes), _MAX_CALIBRATION_SCENES)).round().astype(int)
    ).tolist()
    shown = track(rows, f"object crops of {store}")
    scores = [
        [one.score for one in detector.detect(scene_to_observation(scenes, row), predictions.names)] for row in shown
    ]
    return replace(
        predictions,
        probabilities=torch.tensor(scores),
        targets=predictions.targets[rows],
        scenes=[predictions.scenes[row] for row in rows],
    )


def _portable_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return settings of a run that do not say where things lie on the machine that trained it."""
    nowhere: dict[str, Any] = {"train": "", "id": "", "ood": "", "fewshot": "", "scene_subsets": {}}
    told = config["prompts"]
    return config | {
        "prompts": told
        | {
            "descriptions": told["descriptions"] and Path(told["descriptions"]).name,
            "extra_descriptions": [Path(source).name for source in told["extra_descriptions"]],
        },
        "scenes": "",
        "out": "",
        "data": config["data"] | nowhere,
        "teacher": config["teacher"] | {"cache": ""},
    }
