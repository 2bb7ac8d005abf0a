"""Worker processes for tasks that are heavy to set up, such as a simulator; a worker that dies is replaced."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Generic, TypeVar

from pickclutter_lang.errors import PickClutterError, WorkerError
from pickclutter_lang.utils.processes import die_with_parent, format_exit_status

log = logging.getLogger(__name__)
RETRIES = 2
"""How often a task is tried again after its worker died."""
Task = TypeVar("Task")
Result = TypeVar("Result")
TaskFunction = Callable[[Task, Callable[[], None]], Result]
"""What does a task; its second argument is a function to call after each step of a long one."""
_STEP, _RESULT, _ERROR = "step", "result", "error"
_PATIENCE_S = 5.0


@dataclass
class _Worker(Generic[Task]):
    process: BaseProcess
    connection: Connection
    number: int
    """Of the task that it works on."""


class WorkerPool(Generic[Task, Result]):
    """Does tasks in several processes, each started with `spawn`, since a renderer does not survive a fork.

    Use it in a `with` block: no worker is left behind it. Workers end with this process, however it ends. Ctrl-C is
    for this process alone.
    """

    def __init__(
        self,
        make_function: Callable[[], TaskFunction[Task, Result]],
        size: int,
        describe: Callable[[Task], str] = str,
        on_step: Callable[[], None] = lambda: None,
        keep: bool = False,
    ) -> None:
        """Prepare the pool; workers start with the first tasks.

        :param make_function: called once in each worker, returns what does its tasks; both it and the tasks are pickled
        :param size: number of processes
        :param describe: names a task in messages, such as `shard 00003.h5`
        :param on_step: called after each step that a task function reports
        :param keep: workers that have nothing to do wait for the next tasks, rather than end
        """
        self._make_function = make_function
        self._size = size
        self._describe = describe
        self._on_step = on_step
        self._keep, self._killed = keep, False
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[Connection, _Worker[Task]] = {}
        self._idle: list[_Worker[Task]] = []
        self._ending: list[BaseProcess] = []
        self._tasks: list[Task] = []
        self._waiting: deque[int] = deque()
        self._deaths: Counter[int] = Counter()

    def __enter__(self) -> WorkerPool[Task, Result]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers, those at work too."""
        for worker in [*self._workers.values(), *self._idle]:
            worker.process.terminate()
            worker.connection.close()
            self._ending.append(worker.process)
        for process in self._ending:
            _end(process)
        for part in (self._workers, self._idle, self._ending):
            part.clear()

    def kill(self) -> None:
        """Kill the workers, from any thread; a task at work, or to come, raises WorkerError."""
        self._killed = True
        for worker in [*self._workers.values(), *self._idle]:
            worker.process.kill()

    def imap_unordered(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Yield each task with its result, in the order in which they end.

        :raises PickClutterError: what a worker raised; all workers end then
        :raises WorkerError: when the worker of one task died `RETRIES` + 1 times
        """
        self._tasks = list(tasks)
        self._waiting = deque(range(len(self._tasks)))
        self._deaths.clear()
        try:
            while self._waiting or self._workers:
                while self._waiting and len(self._workers) < self._size:
                    self._start(self._waiting.popleft())
                for connection in wait(list(self._workers)):
                    worker = self._workers[connection]  # type: ignore[index]
                    number = worker.number
                    for result in self._receive(worker):
                        yield self._tasks[number], result
        finally:
            if self._workers:  # it was left early, and they are at work for nobody
                self.close()

    def _start(self, number: int) -> None:
        if self._killed:
            raise WorkerError(f"{self._describe(self._tasks[number])} was given up: no worker is left")
        if self._idle:
            worker = self._idle.pop()
            self._workers[worker.connection] = worker
            self._assign(worker, number)
            return
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_work, args=(theirs, self._make_function, multiprocessing.current_process().pid), daemon=True
        )
        with _interrupts_blocked():
            process.start()
        theirs.close()
        self._workers[ours] = _Worker(process, ours, number)
        self._assign(self._workers[ours], number)

    def _assign(self, worker: _Worker[Task], number: int) -> None:
        worker.number = number
        with suppress(ConnectionError):  # the death of a worker is noticed when it is next received from
            worker.connection.send(self._tasks[number])

    def _receive(self, worker: _Worker[Task]) -> Iterator[Result]:
        """Take a message of a worker, and yield it if it is a result."""
        try:
            kind, value = worker.connection.recv()
        except (EOFError, ConnectionError):
            self._handle_death(worker)
            return
        if kind == _ERROR:
            raise value
        if kind == _STEP:
            self._on_step()
            return
        if self._waiting:
            self._assign(worker, self._waiting.popleft())
        else:
            del self._workers[worker.connection]
            if self._keep:
                self._idle.append(worker)
            else:
                worker.connection.close()  # upon which it ends
                self._ending.append(worker.process)
        yield value

    def _handle_death(self, worker: _Worker[Task]) -> None:
        """Take note of a dead worker and put its task back, or give up."""
        del self._workers[worker.connection]
        worker.connection.close()
        _end(worker.process)
        self._deaths[worker.number] += 1
        if self._killed:
            raise WorkerError(f"{self._describe(self._tasks[worker.number])} was given up: its worker was killed")
        status = format_exit_status(worker.process.exitcode or 0)
        text = f"the worker of {self._describe(self._tasks[worker.number])} ended unexpectedly ({status})"
        if self._deaths[worker.number] > RETRIES:
            raise WorkerError(
                f"{text}, {RETRIES + 1} times in a row; finished work is kept. Check the simulator with "
                "pickclutter check-install, and the memory (fewer workers need less), then run the same command again"
            )
        log.warning("%s; trying again", text)
        self._waiting.appendleft(worker.number)


def _end(process: BaseProcess) -> None:
    """Wait for a process that should be about to end, and kill it if it does not."""
    process.join(_PATIENCE_S)
    if process.is_alive():
        process.kill()
        process.join()


def _work(connection: Connection, make_function: Callable[[], TaskFunction[Any, Any]], parent: int) -> None:
    """Be a worker: do the tasks that come until the parent closes the pipe or is gone."""
    die_with_parent(parent)
    try:
        try:
            function = make_function()
            while (message := _next_task(connection)) is not None:
                connection.send((_RESULT, function(message[0], lambda: connection.send((_STEP, None)))))
        except PickClutterError as error:
            connection.send((_ERROR, error))
    except ConnectionError:  # the parent is gone
        return


def _next_task(connection: Connection) -> tuple[Any] | None:
    try:
        return (connection.recv(),)
    except EOFError:
        return None


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C while a worker starts, which inherits that: the parent alone handles it, and ends the workers."""
    resource_tracker.ensure_running()  # or the first start of a process does it, and lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
