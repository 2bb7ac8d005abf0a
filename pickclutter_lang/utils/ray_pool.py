"""Worker pool on a Ray cluster: actors that keep what is heavy to set up. Needs the extra `ray`.

Ray moves tasks and results alone; what is large a task function writes to storage that all machines share.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, NamedTuple

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingExtraError, PickClutterError, WorkerError
from pickclutter_lang.utils.worker_pool import RETRIES, Result, Task, TaskFunction

try:
    import ray
    from ray.exceptions import RayError, RayTaskError
except ImportError as error:
    raise MissingExtraError("ray", "ray") from error

log = logging.getLogger(__name__)
_PATIENCE_S, _START_S = 5.0, 30.0
_OURS = ("PICKCLUTTER_", "MS2_")
"""Beginnings of the environment variables that workers get from the command."""


class _Answer(NamedTuple):
    """What a worker sends: the result of a task, or an error, and the steps that the task reported."""

    value: Any
    error: PickClutterError | None = None
    steps: int = 0


class _Place(NamedTuple):
    """Where the command runs, as its workers shall."""

    folder: str
    search_path: list[str]
    variables: dict[str, str]


class _Worker:
    """Does tasks in a process of some machine of the cluster."""

    _function: TaskFunction[Any, Any]

    def __init__(self, place: _Place) -> None:
        """Go to the place of the command; what its tasks are made of is found then."""
        self._failure: PickClutterError | None = None
        os.environ.update(place.variables)
        sys.path.extend(one for one in place.search_path if one not in sys.path)
        try:
            os.chdir(place.folder)
        except OSError as error:
            self._failure = DatasetError(
                f"expected the folder {place.folder} on {socket.gethostname()} too, but {error.strerror}; all machines "
                "of the Ray cluster must share the storage"
            )

    def start(self, make_function: Callable[[], TaskFunction[Any, Any]]) -> _Answer:
        """Make the function of the tasks."""
        try:
            if self._failure is None:
                self._function = make_function()
        except PickClutterError as error:
            self._failure = error
        return _Answer(None, self._failure)

    def run(self, task: object) -> _Answer:
        """Do a task."""
        steps: list[None] = []
        try:
            return _Answer(self._function(task, lambda: steps.append(None)), None, len(steps))
        except PickClutterError as error:
            return _Answer(None, error)


class _Call(NamedTuple):
    """What a worker is at: a task, by its number, or its start."""

    actor: Any
    number: int | None


class RayPool(Generic[Task, Result]):
    """Does tasks in actors of a Ray cluster; use it in a `with` block. The actors end with this process."""

    def __init__(
        self,
        make_function: Callable[[], TaskFunction[Task, Result]],
        size: int,
        describe: Callable[[Task], str],
        on_step: Callable[[], None],
        address: str,
    ) -> None:
        """Prepare the pool, see `PoolConfig.make`.

        :param size: number of actors, each with a core; 0: one for each core of the cluster
        """
        self._make_function = make_function
        self._size = size
        self._describe = describe
        self._on_step = on_step
        self._address = address
        self._connected = False
        self._make_actor: Any = None
        self._calls: dict[Any, _Call] = {}
        self._tasks: list[Task] = []
        self._waiting: deque[int] = deque()
        self._deaths: Counter[int | None] = Counter()

    def __enter__(self) -> RayPool[Task, Result]:
        if not ray.is_initialized():
            _connect(self._address)
            self._connected = True
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        self._size = self._size or max(1, int(resources.get("CPU", 1)))
        ours = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
        actors = ray.remote(_Worker).options(num_cpus=1, scheduling_strategy="SPREAD")
        self._make_actor = partial(actors.remote, _Place(str(Path.cwd()), sys.path, ours))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_workers()
        if self._connected:
            ray.shutdown()

    def _end_workers(self) -> None:
        for call in self._calls.values():
            with suppress(RayError):
                ray.kill(call.actor)
        self._calls.clear()

    def imap_unordered(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Yield each task with its result, in the order in which they end.

        :raises PickClutterError: what a worker raised; all workers end then
        :raises WorkerError: when the worker of one task died `RETRIES` + 1 times
        """
        self._tasks = list(tasks)
        self._waiting = deque(range(len(self._tasks)))
        self._deaths.clear()
        try:
            while self._waiting or self._at_work():
                while len(self._calls) < min(self._size, len(self._waiting) + self._at_work()):
                    actor = self._make_actor()
                    self._calls[actor.start.remote(self._make_function)] = _Call(actor, None)
                for reference in self._ended():
                    call = self._calls.pop(reference)
                    answer = self._receive(reference, call)
                    if answer is not None and call.number is not None:
                        yield self._tasks[call.number], answer.value
        finally:
            self._end_workers()

    def _at_work(self) -> int:
        return sum(call.number is not None for call in self._calls.values())

    def _ended(self) -> list[Any]:
        """Wait for calls that have ended, and return them."""
        ended, _ = ray.wait([*self._calls], num_returns=1, timeout=_START_S)
        if not ended and not self._at_work():
            log.info("no worker has started yet; where all cores of the Ray cluster are taken, it waits for one")
        return list(ended)

    def _receive(self, reference: Any, call: _Call) -> _Answer | None:
        """Take the answer of a worker and give it the next task; None when it died."""
        try:
            answer: _Answer = ray.get(reference)
        except RayError as error:
            self._handle_death(call, error)
            return None
        if answer.error is not None:
            ray.kill(call.actor)  # it is no longer among the calls, which end with the pool
            raise answer.error
        for _ in range(answer.steps):
            self._on_step()
        if call.number is None:
            del self._deaths[None]
        if self._waiting:
            number = self._waiting.popleft()
            self._calls[call.actor.run.remote(self._tasks[number])] = _Call(call.actor, number)
        else:
            ray.kill(call.actor)
        return answer

    def _handle_death(self, call: _Call, error: RayError) -> None:
        """Take note of a dead worker and put its task back, or give up."""
        with suppress(RayError):
            ray.kill(call.actor)
        log.debug("a worker of the Ray cluster ended: %s", error)
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        reason = lines[-1 if isinstance(error, RayTaskError) else 0].strip().rstrip(".")
        what = "a worker" if call.number is None else f"the worker of {self._describe(self._tasks[call.number])}"
        text = f"{what} of the Ray cluster ended unexpectedly ({reason})"
        self._deaths[call.number] += 1
        limit = RETRIES * (self._size if call.number is None else 1)  # a machine that dies takes all its workers along
        if self._deaths[call.number] > limit:
            raise WorkerError(
                f"{text}, {limit + 1} times in a row; finished work is kept. Check the machines of the cluster with "
                "pickclutter check-install, and their memory, then run the same command again"
            )
        log.warning("%s; trying again", text)
        if call.number is not None:
            self._waiting.appendleft(call.number)


def _connect(address: str) -> None:
    """Connect to a running cluster.

    :raises InvalidArgumentError: when there is none
    """
    found = os.environ.get("RAY_ADDRESS", "auto") if address == "auto" else address
    try:
        if found != "auto":  # Ray itself would try for minutes, and then end the process
            host, _, port = found.rpartition(":")
            socket.create_connection((host, int(port)), _PATIENCE_S).close()
        with _kept_signal(signal.SIGTERM):
            ray.init(address=found, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        text = " ".join(str(error).split())[:200]
        raise InvalidArgumentError(
            f"expected a Ray cluster at {found}, but there is none ({text}); start one, ray start --head, or correct "
            "address="
        ) from error


@contextmanager
def _kept_signal(number: signal.Signals) -> Iterator[None]:
    """Restore the handler of a signal, for which Ray sets its own."""
    before = signal.getsignal(number)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(number, before)
