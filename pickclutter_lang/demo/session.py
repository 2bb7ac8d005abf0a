"""What the page asks: what student and teacher find in an image, piles of the simulator, and picks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.own_images import detect_by_student
from pickclutter_lang.demo.simulator import STUDENT, Job, SimulatedPile, Simulator
from pickclutter_lang.evaluation.calibration import read_thresholds, thresholds_of
from pickclutter_lang.evaluation.rollout import RolloutConfig
from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.folder import Thresholds
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.utils.memory import keep_recent

OwnImage = NDArray[np.uint8]
"""A person's own image, [S, S, 3]."""
_NOT_CALIBRATED = Thresholds(0.5, {}, None)
_KEPT_PILES = 8


class Answer(NamedTuple):
    """What a detector finds for each name, and its seconds for all of them, whose texts were encoded before."""

    detections: dict[str, Detection]
    seconds: float


class DemoSession:
    """Student, teacher and simulator of a page; each does one thing at a time, for any thread."""

    def __init__(self, folder: Path, simulator: Simulator, evaluation: Path, trust_code: bool) -> None:
        """Open a policy folder; `open_session` is the usual way.

        :param evaluation: folder of an evaluation, which may have calibrated the teacher's thresholds
        :raises CheckpointError: when the policy folder is missing or damaged
        :raises InvalidArgumentError: for a student of other cameras than the hand's
        """
        self._simulator, self._evaluation = simulator, evaluation
        self._jobs: dict[int, Job] = {0: simulator.submit(0)}  # it starts while the student is loaded
        self._lock = threading.Lock()
        self.teacher_seconds = float("inf")
        """Seconds of the teacher's last answer."""
        self.student = StudentRuntime.load(folder, trust_code)
        self._detector = StudentDetector(self.student)
        self.student.map_size  # noqa: B018  # whose computation compiles the network

    @property
    def accepts_uploads(self) -> bool:
        """Whether a single RGB image is all that the student needs."""
        return self.student.config.camera_spec.channels == 3

    @property
    def teacher_is_calibrated(self) -> bool:
        """Whether the teacher's thresholds come from an evaluation; otherwise all of them are 0.5."""
        return self._thresholds is not _NOT_CALIBRATED

    def pile(self, seed: int) -> SimulatedPile:
        """Return the pile of a seed; the simulator makes it, unless it was among the last.

        :raises PickClutterError: when there is no simulator
        """
        with self._lock:
            job = self._jobs.get(seed)
            if job is None or (job.future.done() and job.future.exception()):
                job = self._jobs[seed] = self._simulator.submit(seed)
            keep_recent(self._jobs, [seed], _KEPT_PILES)
        pile: SimulatedPile = job.future.result()
        return pile

    def pick(self, seed: int, name: str) -> Job:
        """Have the arm pick an object of a pile; the result of the job's future is an `Attempt`."""
        return self._simulator.submit(seed, name)

    def ask_student(self, image: SimulatedPile | OwnImage, names: Sequence[str]) -> Answer:
        """Return what the student finds.

        :raises InvalidArgumentError: for an image of one's own, when the student takes depth; for a wrong name
        :raises TeacherError: for a new name without the teacher
        """
        with self._lock:
            self.student.encode_names(names)
            if isinstance(image, SimulatedPile):
                return _timed(names, lambda: self._detector.detect(image.observation, names))
            return _timed(names, lambda: detect_by_student(self.student, image, names))

    def ask_teacher(self, image: SimulatedPile | OwnImage, names: Sequence[str]) -> Answer:
        """Return what the teacher finds.

        :raises InvalidArgumentError: for a wrong name
        :raises TeacherError: when it is missing or another one
        """
        with self._lock:
            detector = self._teacher
            detector.encode_names([*detector.names, *names])
            if isinstance(image, SimulatedPile):
                answer = _timed(names, lambda: detector.detect(image.observation, names))
            else:
                answer = _timed(names, lambda: detector.detect_without_depth(image, names))
            self.teacher_seconds = answer.seconds
        return answer

    @cached_property
    def _thresholds(self) -> Thresholds:
        return read_thresholds(self._evaluation, thresholds_of(self.student.config)) or _NOT_CALIBRATED

    @cached_property
    def _teacher(self) -> TeacherDetector:
        spec = self.student.config
        return TeacherDetector(spec.teacher.load(), spec.names, self._thresholds)


@contextmanager
def open_session(config: DemoConfig) -> Iterator[DemoSession]:
    """Open the student of a run or of a policy folder, with its simulator, for as long as the page is served.

    :raises PickClutterError: what exporting a run and `DemoSession` raise
    """
    trust = config.trust_code or config.run is not None
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    with TemporaryDirectory(prefix="pickclutter_demo_") as exported:
        folder = str(config.policy)
        if config.run is not None:
            from pickclutter_lang.experiments.scenes.config import PolicyExportConfig
            from pickclutter_lang.experiments.scenes.export_policy import export_policy  # with the trainer

            folder = str(export_policy(PolicyExportConfig(config.run, config.phase, config.scenes, None, exported)))
        simulator = Simulator(
            RolloutConfig.of_command(config, split="ood", policies={STUDENT: folder}, camera_size=0, trust_code=trust)
        )
        try:
            yield DemoSession(Path(folder), simulator, Path(str(config.run or config.policy)) / "evaluation", trust)
        finally:
            simulator.close()


def _timed(names: Sequence[str], detect: Callable[[], list[Detection]]) -> Answer:
    start = time.perf_counter()
    found = detect()
    return Answer(dict(zip(names, found, strict=True)), time.perf_counter() - start)
