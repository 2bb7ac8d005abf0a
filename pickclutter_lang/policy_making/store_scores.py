"""Scores of names on the scenes of a store, by a detector or policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike

from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.experiments.scenes.store_scores import with_labels
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.utils.progress import track
from pickclutter_lang.utils.sampling import evenly_spaced
from pickclutter_lang.utils.typing import Float32Array

MAX_CALIBRATION_SCENES = 300
"""Scenes of a store, evenly spaced, that thresholds of the teacher, a crop classifier and a second look come from, at
most: each takes some third of a second. Those of a student without crops come from all."""


def score_store(scenes: SceneDataset, names: Mapping[str, bool], student: StudentRuntime) -> Predictions:
    """Return an exported student's scores of names on whole images, without a crop classifier; see `predict_store`."""

    def score(row: int) -> Float32Array:
        images = {}
        for key in student.student_input:
            camera, _, kind = key.rpartition("_")
            stored = scenes.load_images(camera, kind, [row])[0]
            images[key] = stored if kind == "rgb" else stored.astype(np.float32) / 1000  # meters
        return student.predict(images, list(names)).scores

    return _scene_by_scene(scenes, names, score, range(len(scenes)))


def detect_store(
    scenes: SceneDataset,
    names: Mapping[str, bool],
    detector: StudentDetector | TeacherDetector,
    rows: Sequence[int] | None = None,
) -> Predictions:
    """Return a detector's scores of names; see `predict_store`.

    :param rows: the scenes; None: at most `MAX_CALIBRATION_SCENES`, evenly spaced

    :raises DatasetError: when the store lacks images that detectors read
    """

    def score(row: int) -> list[float]:
        return [found.score for found in detector.detect(scene_to_observation(scenes, row), list(names))]

    return _scene_by_scene(scenes, names, score, rows or evenly_spaced(len(scenes), MAX_CALIBRATION_SCENES))


def _scene_by_scene(
    scenes: SceneDataset, names: Mapping[str, bool], score: Callable[[int], ArrayLike], rows: Sequence[int]
) -> Predictions:
    scores = [score(row) for row in track(rows, f"scenes of {scenes.store.path.name}")]
    return with_labels(scenes, names, torch.from_numpy(np.array(scores, np.float32)), rows)
