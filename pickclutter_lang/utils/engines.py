"""Engines: where the tasks of a command are done, in processes of this machine or on the machines of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, TypeVar

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import one_of
from pickclutter_lang.utils.worker_pool import TaskFunction, WorkerPool

ENGINES = ("local", "ray")
Task = TypeVar("Task")
Result = TypeVar("Result")
_Task = TypeVar("_Task")
_Result_co = TypeVar("_Result_co", covariant=True)


class Pool(Protocol[_Task, _Result_co]):
    """Workers for tasks that are heavy to set up, such as a simulator; a worker that dies is replaced."""

    def imap_unordered(self, tasks: Iterable[_Task]) -> Iterator[tuple[_Task, _Result_co]]:
        """Yield each task once, with its result, in the order in which they end.

        :raises PickClutterError: what a worker raised
        :raises WorkerError: when the worker of one task died again and again
        """


@dataclass(frozen=True)
class PoolConfig:
    """Who does the tasks of a command: that many workers of an engine."""

    workers: int = 0
    """0: one for each core, of this machine or of the cluster."""
    engine: str = "local"
    """`local` or `ray`."""
    address: str = "auto"
    """For `ray`: HOST:PORT of the cluster's head. `auto`: the cluster of this machine."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for an engine or an address that cannot be, MissingExtraError without Ray."""
        one_of("engine", self.engine, ENGINES)
        if not self.address.strip():
            raise InvalidArgumentError("expected address to be auto or HOST:PORT of a Ray cluster, but it is empty")
        if self.engine == "local" and self.address != "auto":
            raise InvalidArgumentError(f"expected engine=ray with an address, but got local and {self.address!r}")
        if self.engine == "ray":
            import_module("pickclutter_lang.utils.ray_pool")  # its extra is there, before anything is written

    def make(
        self,
        make_function: Callable[[], TaskFunction[Task, Result]],
        describe: Callable[[Task], str] = str,
        on_step: Callable[[], None] = lambda: None,
    ) -> AbstractContextManager[Pool[Task, Result]]:
        """Return the pool; workers start with the first tasks, and none is left behind its `with` block.

        :param make_function: called once in each worker, returns what does its tasks
        :param describe: names a task in messages
        :param on_step: called for each step that a task function reports
        """
        if self.engine == "ray":
            from pickclutter_lang.utils.ray_pool import RayPool

            return RayPool(make_function, self.workers, describe, on_step, self.address)
        size = self.workers or len(os.sched_getaffinity(0))
        return WorkerPool(make_function, size, describe, on_step)
