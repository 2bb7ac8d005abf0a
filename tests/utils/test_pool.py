"""Tasks in worker processes, here and on a Ray cluster of two machines: workers that die, errors, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import TESTS
from helpers.process_kill import wait_until, worker_processes
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingExtraError, WorkerError
from pickclutter_lang.utils.pool import RETRIES, PoolConfig

Square = Callable[[int], tuple[int, int, str, str | None]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Return the address of a Ray cluster of two machines."""
    pytest.importorskip("ray", reason="needs the extra cluster")
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000}
    quiet = {"include_dashboard": False, "_system_config": {"worker_niceness": 0}}  # else they starve beside tests
    machines = Cluster(initialize_head=True, head_node_args={**node, **quiet})
    try:
        machines.add_node(**node)
        yield str(machines.address)
    finally:
        machines.shutdown()  # type: ignore[no-untyped-call]


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.slow)])
def pool(request: pytest.FixtureRequest) -> PoolConfig:
    address = request.getfixturevalue("cluster") if request.param == "ray" else "auto"
    return PoolConfig(2, request.param, address)


def make_square(marks: Path | None = None, deaths: int = 0) -> Square:
    """Return what squares numbers; at 3 it kills its process as long as there are fewer marks than deaths."""
    if marks is not None:
        (marks / f"made{os.getpid()}").touch()

    def square(number: int) -> tuple[int, int, str, str | None]:
        time.sleep(0.2)
        if marks is not None and number == 3 and len(list(marks.glob("death*"))) < deaths:
            (marks / f"death{time.monotonic_ns()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number**2, os.getpid(), str(Path.cwd()), os.environ.get("PICKCLUTTER_TRY")

    return square


def test_workers_prepare_once_and_run_where_the_command_does(
    pool: PoolConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKCLUTTER_TRY", "of the command")
    monkeypatch.chdir(tmp_path)
    found = dict(pool.map(partial(make_square, tmp_path), range(8)))
    assert {task: square for task, (square, *_) in found.items()} == {n: n * n for n in range(8)}
    processes = {process for _, process, *_ in found.values()}
    assert len(processes) == 2 and os.getpid() not in processes
    assert {path.name for path in tmp_path.iterdir()} == {f"made{process}" for process in processes}
    assert {tuple(rest) for _, _, *rest in found.values()} == {(str(tmp_path), "of the command")}
    wait_until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))


def test_the_task_of_a_killed_worker_is_tried_again(pool: PoolConfig, tmp_path: Path) -> None:
    found = dict(pool.map(partial(make_square, tmp_path, RETRIES), range(6)))
    assert [found[n][0] for n in range(6)] == [n * n for n in range(6)]
    assert len(list(tmp_path.glob("death*"))) == RETRIES


def test_a_task_that_always_kills_its_worker_ends_the_pool(pool: PoolConfig, tmp_path: Path) -> None:
    with pytest.raises(WorkerError):
        list(pool.map(partial(make_square, tmp_path, 99), [3]))
    assert not worker_processes(os.getpid())


def make_without_extra() -> Square:
    raise MissingExtraError("sapien", "sim")


def make_failing() -> Square:
    def fail(number: int) -> tuple[int, int, str, str | None]:
        raise DatasetError("the disk is full")

    return fail


def make_late() -> Square:
    def fail(number: int) -> tuple[int, int, str, str | None]:
        raise TimeoutError("the storage does not answer")

    return fail


@pytest.mark.parametrize(
    ("make", "error"),
    [(make_without_extra, MissingExtraError), (make_failing, DatasetError), (make_late, TimeoutError)],
)
def test_errors_come_back(pool: PoolConfig, make: Callable[[], Square], error: type[Exception]) -> None:
    with pytest.raises(error):
        list(pool.map(make, range(3)))


def make_sleeper(folder: Path) -> Callable[[int], None]:
    def sleep(number: int) -> None:
        (folder / str(os.getpid())).touch()
        time.sleep(120)

    return sleep


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_command(pool: PoolConfig, tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "from functools import partial; from pathlib import Path; from pickclutter_lang.utils.pool import PoolConfig\n"
        f"import test_pool; make = partial(test_pool.make_sleeper, Path({str(tmp_path)!r}))\n"
        f"list({pool!r}.map(make, [0, 1]))"
    )
    places = [str(Path(__file__).parent), str(TESTS), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    command = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2, 30)
    # Ctrl-C at a terminal goes to command and workers alike; a kill goes to one process.
    (os.killpg if number == signal.SIGINT else os.kill)(command.pid, number)
    _, output = command.communicate(timeout=120)
    assert output.count("KeyboardInterrupt") == (number == signal.SIGINT)
    wait_until(lambda: not any(Path(f"/proc/{path.name}").exists() for path in tmp_path.iterdir()), 60)


@pytest.mark.slow
@pytest.mark.parametrize("address", ["auto", "127.0.0.1:1"])
def test_without_a_cluster_it_says_so(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="needs the extra cluster")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:2")
    found = "127.0.0.1:2" if address == "auto" else address
    with pytest.raises(InvalidArgumentError, match=found):
        list(PoolConfig(0, "ray", address).map(make_square, range(2)))


@pytest.mark.parametrize("config", [PoolConfig(1, "dask"), PoolConfig(1, "local", "head:6379")])
def test_engines_that_cannot_be_are_refused(config: PoolConfig) -> None:
    with pytest.raises(InvalidArgumentError):
        config.validate()
