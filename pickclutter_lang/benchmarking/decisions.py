"""Decisions of policies on a painted observation, whole and in parts: segmentation, network, close-ups."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pickclutter_lang.benchmarking.inputs import CLOSEUPS, QUICKSTART, BenchInputs
from pickclutter_lang.benchmarking.measure import Pair
from pickclutter_lang.benchmarking.painted_observation import painted_observation
from pickclutter_lang.policy.detectors import StudentDetector, segment_observation
from pickclutter_lang.policy.student import ExportedStudent, camera_images

_NUM_CROPS = 3
"""Close-ups that a decision takes, at most."""


def _whole(preset: str, onnx: bool, inputs: BenchInputs, int8: bool = False) -> Pair:
    """Compare a decision with CLIP's image encoder."""
    return Pair(_decision(*_student_and_observation(preset, onnx, inputs, int8)), inputs.clip())


def _part(preset: str, part: str, inputs: BenchInputs) -> Pair:
    """Compare a part of a decision with the whole, by torch."""
    student, observation = _student_and_observation(preset, False, inputs)
    images, segments = camera_images(observation), segment_observation(observation)
    objects = np.argsort(np.bincount(segments.ravel())[1:])[-_NUM_CROPS:] + 1  # the largest
    masks = [segments == number for number in objects]
    calls: dict[str, Callable[[], object]] = {
        "segmentation": lambda: segment_observation(observation),
        "network": lambda: student.predict(images, student.config.names),
        "crops": lambda: student.classify_crops(images["hand", "rgb"], masks),
    }
    return Pair(calls[part], _decision(student, observation))


def _student_and_observation(
    preset: str, onnx: bool, inputs: BenchInputs, int8: bool = False
) -> tuple[ExportedStudent, dict[str, Any]]:
    """Return a student, and the observation that it decides on."""
    student = inputs.student(preset, onnx, int8)
    return student, painted_observation(student.config.camera_size)


def _decision(student: ExportedStudent, observation: dict[str, Any]) -> Callable[[], object]:
    return partial(StudentDetector(student), observation, student.config.names[0])


MAKERS: dict[str, Callable[[BenchInputs], Pair]] = {
    "decision/torch": partial(_whole, QUICKSTART, False),
    "decision/onnx": partial(_whole, QUICKSTART, True),
    "decision/int8": partial(_whole, QUICKSTART, True, int8=True),
    "decision/segmentation": partial(_part, QUICKSTART, "segmentation"),
    "decision/network": partial(_part, QUICKSTART, "network"),
    "closeups/torch": partial(_whole, CLOSEUPS, False),
    "closeups/onnx": partial(_whole, CLOSEUPS, True),
    "closeups/int8": partial(_whole, CLOSEUPS, True, int8=True),
    "closeups/segmentation": partial(_part, CLOSEUPS, "segmentation"),
    "closeups/network": partial(_part, CLOSEUPS, "network"),
    "closeups/crops": partial(_part, CLOSEUPS, "crops"),
}
"""Name of a row -> what makes its pair."""
