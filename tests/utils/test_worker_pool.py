"""The worker pool: real processes that are killed, die by themselves, raise errors, or are interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from helpers.paths import TESTS
from helpers.process_kill import wait_until, worker_processes
from pickclutter_lang.errors import MissingExtraError, PickClutterError, WorkerError
from pickclutter_lang.utils.worker_pool import RETRIES, TaskFunction, WorkerPool

Square = TaskFunction[int, tuple[int, int]]


def square(number: int, step: Callable[[], None]) -> tuple[int, int]:
    """Return the square, and the process that computed it; a step for each unit."""
    for _ in range(number):
        step()
    return number**2, os.getpid()


def make_square() -> Square:
    return square


def kill_at(marker: Path, number: int, step: Callable[[], None]) -> tuple[int, int]:
    """Be killed at task 3, as long as there are fewer marks than the file's name says."""
    if number == 3 and len(list(marker.parent.glob("mark*"))) < int(marker.name):
        (marker.parent / f"mark{time.monotonic_ns()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(number, step)


def make_deadly(marker: Path) -> Square:
    return partial(kill_at, marker)


def make_without_extra() -> Square:
    raise MissingExtraError("sapien", "sim")


def fail(number: int, step: Callable[[], None]) -> tuple[int, int]:
    raise WorkerError(f"task {number} cannot be done")


def make_failing() -> Square:
    return fail


def test_tasks_are_spread_over_processes_and_steps_are_counted() -> None:
    steps: list[None] = []
    with WorkerPool(make_square, 2, on_step=lambda: steps.append(None)) as pool:
        results = dict(pool.imap_unordered(range(6)))
        again = dict(pool.imap_unordered([7]))
    assert {task: value for task, (value, _) in results.items()} == {n: n * n for n in range(6)}
    assert again[7][0] == 49 and len(steps) == sum(range(6)) + 7
    assert {process for _, process in results.values()}.isdisjoint({os.getpid()})
    assert not worker_processes(os.getpid())


def test_workers_that_are_kept_do_the_next_tasks_too() -> None:
    with WorkerPool(make_square, 1, keep=True) as pool:
        processes = {process for n in range(3) for _, (_, process) in pool.imap_unordered([n])}
        (process,) = processes
        os.kill(process, signal.SIGKILL)  # while it waits
        ((_, (value, successor)),) = pool.imap_unordered([5])
        assert value == 25 and successor not in processes
    assert not worker_processes(os.getpid())


def test_kept_workers_are_replaced_after_an_error() -> None:
    with WorkerPool(make_failing, 2, keep=True) as pool:
        for task in (1, 2):
            with pytest.raises(WorkerError, match=f"task {task} cannot"):
                list(pool.imap_unordered([task]))


@pytest.mark.parametrize("kills", [1, RETRIES])
def test_the_task_of_a_killed_worker_is_tried_again(
    tmp_path: Path, kills: int, caplog: pytest.LogCaptureFixture
) -> None:
    pool = WorkerPool(partial(make_deadly, tmp_path / str(kills)), 2, "task {}".format)
    with pool:
        results = dict(pool.imap_unordered(range(6)))
    assert [results[n][0] for n in range(6)] == [n * n for n in range(6)]
    assert caplog.messages == ["the worker of task 3 ended unexpectedly (ended by SIGKILL); trying again"] * kills


def test_a_task_that_always_kills_its_worker_is_named(tmp_path: Path) -> None:
    pool = WorkerPool(partial(make_deadly, tmp_path / "99"), 2, "task {}".format)
    with pytest.raises(WorkerError, match=r"the worker of task 3 .*SIGKILL\), 3 times in a row"), pool:
        list(pool.imap_unordered(range(6)))
    assert not worker_processes(os.getpid())


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [(make_without_extra, MissingExtraError, "pip install"), (make_failing, WorkerError, "task 0 cannot be done")],
)
def test_named_errors_come_back(make: Callable[[], Square], error: type[PickClutterError], text: str) -> None:
    with pytest.raises(error, match=text), WorkerPool(make, 1) as pool:
        list(pool.imap_unordered([0, 1]))
    assert not worker_processes(os.getpid())


def sleep(number: int, step: Callable[[], None]) -> int:
    sys.stdout.write("at work\n")
    sys.stdout.flush()
    time.sleep(60)
    return number


def make_sleeper() -> TaskFunction[int, int]:
    return sleep


def run_sleepers() -> None:
    """Run in a process of its own."""
    with WorkerPool(make_sleeper, 2) as pool:
        list(pool.imap_unordered([0, 1]))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(number: signal.Signals) -> None:
    code = "import test_worker_pool as own; own.run_sleepers()"
    places = [str(Path(__file__).parent), str(TESTS), os.environ.get("PYTHONPATH", "")]
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert [parent.stdout.readline() for _ in range(2)] == ["at work\n"] * 2
    workers = worker_processes(parent.pid)
    assert len(workers) == 2
    # Ctrl-C at a terminal goes to parent and workers alike; a kill goes to one process.
    (os.killpg if number == signal.SIGINT else os.kill)(parent.pid, number)
    _, output = parent.communicate(timeout=120)
    assert output.count("KeyboardInterrupt") == (number == signal.SIGINT)
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 120)
