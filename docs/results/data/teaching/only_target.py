"""Detectors of the trial: a policy that was shown one object alone, the one that is asked for."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime


class OnlyTarget:
    """Forgets what it was shown of all other names before it looks for a name."""

    def __init__(self, student: StudentRuntime) -> None:
        self.names = StudentDetector(student).names
        self._student = student

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect an object by its examples alone."""
        student = copy(self._student)
        taught = self._student.examples.taught
        student.examples = student.examples.forget([other for other in taught if other != name])
        return StudentDetector(student)(observation, name)
