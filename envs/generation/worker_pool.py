"""Worker processes that make shards of scenes, each with a renderer of its own; one that dies is replaced."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from pickclutter_lang.datasets.scenes import Manifest, ShardEntry, write_shard
from pickclutter_lang.errors import DatasetError, PickClutterError, rebuild_error

RETRIES = 2
_PATIENCE_S = 5.0


class SceneSource(Protocol):
    """What makes scenes: the same scene for the same arguments, whatever it made before."""

    def generate(self, seed: int, split: str, index: int) -> Mapping[str, Any]:
        """Return the row of the store for the scene of (seed, split, index)."""
        ...


SourceFactory = Callable[[], SceneSource]


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker has to know: how scenes are made, and the folder and manifest of their store."""

    make_source: SourceFactory
    folder: Path
    manifest: Manifest


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    shard: int


class WorkerPool:
    """Makes shards in `size` processes.

    :param on_scene: called after each scene
    :param on_shard: called with each shard that is on the disk
    :param on_loss: called with a sentence when a worker died and its shard is tried again
    """

    def __init__(
        self,
        recipe: WorkerSpec,
        size: int,
        on_scene: Callable[[], None],
        on_shard: Callable[[ShardEntry], None],
        on_loss: Callable[[str], None],
    ) -> None:
        self._spec = recipe
        self._size = size
        self._on_scene = on_scene
        self._on_shard = on_shard
        self._on_death = on_loss
        self._context = multiprocessing.get_context("spawn")  # a renderer does not survive a fork
        self._workers: dict[Connection, _Worker] = {}
        self._leaving: list[BaseProcess] = []
        self._waiting: deque[int] = deque()
        self._deaths: Counter[int] = Counter()

    def run(self, shards: Iterable[int]) -> None:
        """Make these shards; no worker is left when this returns or raises.

        :raises PickClutterError: what a worker raised
        :raises DatasetError: when the worker of one shard died `RETRIES` + 1 times
        """
        self._waiting.extend(shards)
        try:
            while self._waiting or self._workers:
                while self._waiting and len(self._workers) < self._size:
                    self._start(self._waiting.popleft())
                for connection in wait(list(self._workers)):
                    self._receive(self._workers[connection])  # type: ignore[index]
        finally:
            self._shutdown()

    def _start(self, shard: int) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._spec), daemon=True)
        with _interrupts_held():
            process.start()
        theirs.close()
        self._workers[ours] = _Worker(process, ours, shard)
        self._assign(self._workers[ours], shard)

    def _assign(self, worker: _Worker, shard: int) -> None:
        worker.shard = shard
        with suppress(ConnectionError):  # a worker that is dead already is found so when it is next heard
            worker.connection.send(shard)

    def _receive(self, worker: _Worker) -> None:
        try:
            message = worker.connection.recv()
        except (EOFError, ConnectionError):
            self._handle_death(worker)
            return
        if message is None:
            self._on_scene()
        elif isinstance(message, ShardEntry):
            self._on_shard(message)
            if self._waiting:
                self._assign(worker, self._waiting.popleft())
            else:
                del self._workers[worker.connection]
                worker.connection.close()  # which tells it to end
                self._leaving.append(worker.process)
        else:
            raise rebuild_error(*message)

    def _handle_death(self, worker: _Worker) -> None:
        """Take note of a dead worker and put its shard back, or give up."""
        del self._workers[worker.connection]
        worker.connection.close()
        _end(worker.process)
        self._deaths[worker.shard] += 1
        what = f"the worker of shard {worker.shard:05d}.h5 {_reason(worker.process.exitcode)}"
        if self._deaths[worker.shard] > RETRIES:
            raise DatasetError(
                f"{what}, {RETRIES + 1} times in a row; what was made is kept. Check the simulator with "
                "pickclutter check-install, and the memory (fewer workers need less)"
            )
        self._on_death(f"{what}; trying again")
        self._waiting.appendleft(worker.shard)

    def _shutdown(self) -> None:
        for worker in self._workers.values():
            worker.process.terminate()
            worker.connection.close()
            self._leaving.append(worker.process)
        for process in self._leaving:
            _end(process)
        self._workers.clear()
        self._leaving.clear()
        self._waiting.clear()


def _end(process: BaseProcess) -> None:
    """Wait for a process that should be about to end, and kill it if it does not."""
    process.join(_PATIENCE_S)
    if process.is_alive():
        process.kill()
        process.join()


def _work(connection: Connection, recipe: WorkerSpec) -> None:
    """Be a worker: make the shards asked for until the parent closes the pipe or is gone."""
    manifest = recipe.manifest
    try:
        source = recipe.make_source()
        while True:
            number = connection.recv()
            rows = []
            for index in manifest.shard_range(number):
                rows.append(source.generate(manifest.seed or 0, manifest.split, index))
                connection.send(None)
            connection.send(write_shard(recipe.folder, number, rows, manifest.layout))
    except PickClutterError as error:
        connection.send((type(error).__name__, str(error)))
    except (EOFError, ConnectionError):
        return


def _reason(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"was ended by the signal {signal.Signals(-exitcode).name}"
    return f"ended with exit status {exitcode}"


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while a worker starts, which inherits that: the parent alone handles it, and ends them."""
    resource_tracker.ensure_running()  # or the first start of a process does it, and lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
