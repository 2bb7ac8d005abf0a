"""Tasks in several processes: of this machine by loky, or of a Ray cluster by Ray's actors.

A worker prepares once what is heavy, such as a simulator, and then does task after task. Only tasks and results travel:
what is large a task writes to storage that all machines share. loky starts workers by exec, since a renderer
survives no fork.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar
from uuid import uuid4

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingExtraError, WorkerError
from pickclutter_lang.utils.validation import MAX_WORKERS, check_values, one_of, within

log = logging.getLogger(__name__)
ENGINES = ("local", "ray")
RETRIES = 2
"""How often unfinished tasks are tried again after a worker died."""
_PATIENCE_S = 5.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SHARED_VARIABLES = ("PICKCLUTTER_", "MS2_")
"""Beginnings of the environment variables that workers of a cluster get from the command."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables by which workers share the cores."""
Task = TypeVar("Task")
Result = TypeVar("Result")
_functions: dict[str, Callable[[Any], Any]] = {}
"""In a worker: what does the tasks of a pool."""


@dataclass(frozen=True)
class PoolConfig:
    """Who does the tasks of a command: that many workers of an engine."""

    workers: Annotated[int, within, 0, MAX_WORKERS] = 0
    """Processes. 0: one for each core, of this machine or of the cluster. 1 on this machine: the command itself."""
    engine: Annotated[str, one_of, ENGINES] = "local"
    """Where they are: `local`, this machine, or `ray`, the machines of a Ray cluster. Needs the extra `cluster`."""
    address: str = "auto"
    """For `ray`: HOST:PORT of the cluster's head. `auto`: `$RAY_ADDRESS`, or the cluster of this machine."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for an engine or an address that cannot be, MissingExtraError without Ray."""
        check_values(self)
        if self.engine == "local" and self.address != "auto":
            raise InvalidArgumentError(f"expected engine=ray with an address, but got local and {self.address!r}")
        if self.engine == "ray":
            try:
                import ray  # noqa: F401  # before anything is written
            except ImportError as error:
                raise MissingExtraError("ray", "cluster") from error

    def map(
        self, make_function: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task]
    ) -> Generator[tuple[Task, Result], None, None]:
        """Yield each task once, with its result, in the order in which they end.

        Workers end with the generator: close it, by `contextlib.closing`, where the loop may be left early.

        :param make_function: called once in each worker, returns what does its tasks; both travel pickled
        :raises PickClutterError: what a worker raised
        :raises WorkerError: when workers died more than `RETRIES` times
        """
        left = dict(enumerate(tasks))
        deaths = 0
        work = _Work(uuid4().hex, make_function, str(Path.cwd()), os.getpid())
        with _cluster(self.address) if self.engine == "ray" else nullcontext():
            while left:
                try:
                    for number, result in self._start(work, list(left.items())):
                        yield left.pop(number), result
                except _deaths() as error:
                    deaths += 1
                    reason = " ".join(str(error).partition(".")[0].split())[:200]
                    if deaths > RETRIES:
                        raise WorkerError(
                            f"workers ended unexpectedly {deaths} times ({reason}); finished work is kept. Check the "
                            "simulator with pickclutter check-install, and the memory (fewer workers need less)"
                        ) from error
                    log.warning("a worker ended unexpectedly (%s); trying its work again", reason)

    def _start(self, work: _Work[Task, Result], tasks: Sequence[tuple[int, Task]]) -> Iterator[tuple[int, Result]]:
        """Yield the number and the result of each task."""
        if self.engine == "ray":
            yield from _map_on_cluster(work, tasks, self.workers)
            return
        cores = len(os.sched_getaffinity(0))
        workers = self.workers or cores
        if workers == 1:
            try:
                yield from (work(*task) for task in tasks)
            finally:
                _functions.clear()
            return
        from loky import ProcessPoolExecutor

        threads = str(max(cores // workers, 1))
        variables = {name: os.environ.get(name, threads) for name in _THREADS}
        pool = ProcessPoolExecutor(min(workers, len(tasks)), env=variables)
        try:
            for done in as_completed([pool.submit(work, *task) for task in tasks]):
                yield done.result()
        finally:
            pool.shutdown(wait=True, kill_workers=True)


@dataclass(frozen=True)
class _Work(Generic[Task, Result]):
    """Does a task in a worker."""

    token: str
    make_function: Callable[[], Callable[[Task], Result]]
    folder: str
    command: int

    def __call__(self, number: int, task: Task) -> tuple[int, Result]:
        if self.token not in _functions:
            _functions.clear()
            if os.getpid() != self.command:
                self._settle()
            _functions[self.token] = self.make_function()
        return number, _functions[self.token](task)

    def _settle(self) -> None:
        """Be a worker of the command: in its folder and, on its machine, no longer than it lives; it handles Ctrl-C."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            os.chdir(self.folder)
        except OSError as error:
            raise DatasetError(
                f"expected the folder {self.folder} on {socket.gethostname()} too, but {error.strerror}; all machines "
                "of the Ray cluster must share the storage"
            ) from error
        if os.getppid() == self.command:
            die_with_parent(self.command)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, even by SIGKILL; only on Linux.

    :param parent: id of the parent
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)


def _deaths() -> tuple[type[Exception], ...]:
    """Return the errors that say that a worker died."""
    ray = sys.modules.get("ray")
    return (BrokenExecutor, ray.exceptions.RayActorError) if ray else (BrokenExecutor,)


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    """Be connected to a running Ray cluster.

    :raises InvalidArgumentError: when there is none
    """
    import ray

    place = os.environ.get("RAY_ADDRESS", "auto") if address == "auto" else address
    variables = {name: value for name, value in os.environ.items() if name.startswith(_SHARED_VARIABLES)}
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        if place != "auto":  # Ray itself would try for minutes, and then end the process
            host, _, port = place.rpartition(":")
            socket.create_connection((host, int(port)), _PATIENCE_S).close()
        ray.init(
            address=place, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False,
            runtime_env={"env_vars": variables},
        )  # fmt: skip
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidArgumentError(
            f"expected a Ray cluster at {place}, but there is none ({' '.join(str(error).split())[:200]}); start one, "
            "ray start --head, or correct address="
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


class _Actor:
    """A worker of a Ray cluster."""

    def run(self, work: _Work[Any, Any], task: tuple[int, Any]) -> tuple[int, Any]:
        """Do a task."""
        return work(*task)


def _map_on_cluster(work: _Work[Task, Result], tasks: Sequence[tuple[int, Task]], workers: int) -> Iterator[Any]:
    """Yield the results of tasks that actors do; the actors end with the iterator."""
    import ray
    from ray.util import ActorPool

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    count = workers or int(resources.get("CPU", 1))
    make: Any = ray.remote(_Actor).options(num_cpus=1, scheduling_strategy="SPREAD").remote
    actors = [make() for _ in range(min(count, len(tasks)))]
    try:
        pool: Any = ActorPool(actors)
        for task in tasks:
            pool.submit(lambda actor, task: actor.run.remote(work, task), task)
        while pool.has_next():
            try:
                yield pool.get_next_unordered(timeout=_PATIENCE_S)
            except ray.exceptions.RayTaskError:  # a task's own TimeoutError is one too
                raise
            except TimeoutError:  # Ray itself would wait for a machine that never comes
                nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
                if not any(node["Alive"] for node in nodes):
                    raise WorkerError(
                        "expected machines in the Ray cluster, but none is left; finished work is kept. Start Ray "
                        "again, and run the same command again"
                    ) from None
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    finally:
        for actor in actors:
            ray.kill(actor)
