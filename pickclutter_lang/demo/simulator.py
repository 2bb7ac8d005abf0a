"""The simulator of the page, in a process of its own: its renderer cannot move from thread to thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import Full, Queue
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pickclutter_lang.errors import PickClutterError, WorkerError
from pickclutter_lang.evaluation.instructions import typed_instruction
from pickclutter_lang.evaluation.pick import is_known
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.evaluation.videos import SIDE, VideoRecorder
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.results.page import Media
from pickclutter_lang.utils.worker_pool import TaskFunction, WorkerPool

STUDENT = "student"
"""Variant of the policy."""
MAX_JOBS = 16
"""Jobs that may wait."""
_PATIENCE_S = 0.5


class SimulatedPile(NamedTuple):
    """A pile: the observation before the arm moves, and the names of its objects."""

    observation: Mapping[str, NDArray[Any]]
    objects: tuple[str, ...]
    visible: tuple[str, ...]

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The image of the hand camera, [S, S, 3]."""
        image: NDArray[np.uint8] = self.observation["hand_rgb"]
        return image


class Attempt(NamedTuple):
    """What came of a pick, as `RolloutRunner.run` returns it, and its video."""

    episode: dict[str, Any]
    video: Media


_Task = tuple[int, str | None]
_Result = SimulatedPile | Attempt | PickClutterError


@dataclass
class Job:
    """Something that the simulator does or will do: show the pile of a seed, or pick an object of it by its name."""

    seed: int
    name: str | None
    steps: int = 0
    """Of the arm so far."""
    future: Future[Any] = field(default_factory=Future)
    """A `SimulatedPile`, or with a name an `Attempt`."""


class Simulator:
    """Does one job after the other, for all threads; `close` ends it. The process starts with the first job."""

    def __init__(self, config: RolloutConfig) -> None:
        """Take where policies act; that of the page is the variant `student`."""
        self._pool: WorkerPool[_Task, _Result] = WorkerPool(
            partial(make_simulation, config), 1, _describe, self._count_step, keep=True
        )
        self._jobs: Queue[Job | None] = Queue(MAX_JOBS)
        self._current: Job | None = None
        # The process ends with the thread that started it, so that thread must not be one of the web server's.
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def submit(self, seed: int, name: str | None = None) -> Job:
        """Have the pile of a seed shown or, with a name, an object of it picked; the job's future has the result.

        :raises WorkerError: when too many wait already; in the future also what the environment and
            `RolloutRunner.run` raise
        """
        job = Job(seed, name)
        try:
            self._jobs.put_nowait(job)
        except Full as error:
            raise WorkerError(f"the simulator has {MAX_JOBS} jobs to do; try again when some are done") from error
        return job

    def close(self) -> None:
        """End the process; jobs that are not done raise WorkerError."""
        self._pool.kill()
        self._jobs.put(None)
        while self._thread.is_alive():
            self._pool.kill()  # a process that had not quite started
            self._thread.join(_PATIENCE_S)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._current = job
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                ((_, result),) = self._pool.imap_unordered([(job.seed, job.name)])
                if isinstance(result, PickClutterError):
                    raise result
                job.future.set_result(result)
            except Exception as error:
                job.future.set_exception(error)
        self._pool.close()

    def _count_step(self) -> None:
        if self._current is not None:
            self._current.steps += 1


def make_simulation(config: RolloutConfig) -> TaskFunction[_Task, _Result]:
    """Prepare the process: make the environment, and return the function that does the jobs.

    That function returns named errors, of a refused name for example: if it raised them, the process would end.
    """
    torch.set_num_threads(1)
    runner = RolloutRunner(config, base_size=SIDE)

    def do(task: _Task, step: Callable[[], None]) -> SimulatedPile | Attempt:
        seed, name = task
        if name is None:
            start = runner.start(seed)
            names = (tuple(item.name for item in items) for items in (start.pile.objects, start.pile.visible))
            return SimulatedPile(start.observation, *names)
        video = VideoRecorder()

        def callback(observation: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
            video.callback(observation, state)
            step()

        episode = runner.run(STUDENT, runner.start(seed, partial(typed_instruction, name)), callback)
        outcome = "success" if episode["success"] else "failure"
        return Attempt(episode, Media("video/mp4", video.mp4(outcome if is_known(episode) else "")))

    def do_or_refuse(task: _Task, step: Callable[[], None]) -> _Result:
        try:
            return do(task, step)
        except PickClutterError as error:
            return error

    return do_or_refuse


def _describe(task: _Task) -> str:
    return f"pile {task[0]}" if task[1] is None else f"the pick of {task[1]!a} in pile {task[0]}"
