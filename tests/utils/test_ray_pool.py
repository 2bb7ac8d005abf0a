"""Workers on a real Ray cluster of two machines; workers and a whole machine are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from helpers.forkserver import run_python
from helpers.paths import TESTS
from helpers.process_kill import wait_until
from helpers.scene_rows import make_manifest, make_store, random_row
from pickclutter_lang.datasets.scenes import Manifest, verify_store
from pickclutter_lang.envs.generation.collect import collect_store
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingExtraError, PickClutterError, WorkerError
from pickclutter_lang.utils.engines import PoolConfig
from pickclutter_lang.utils.worker_pool import RETRIES, TaskFunction

ray = pytest.importorskip("ray", reason="needs the extra ray")

from helpers.ray_clusters import TwoMachines  # noqa: E402

pytestmark = pytest.mark.slow


class Seen(NamedTuple):
    """What a task saw of its worker."""

    square: int
    process: int
    machine: str
    folder: str
    variables: tuple[str | None, ...]


@pytest.fixture(scope="module")
def running() -> Iterator[TwoMachines]:
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = "0"  # of the machines, which inherit it
    machines = TwoMachines()
    yield machines
    machines.stop()
    os.environ.pop("CUDA_VISIBLE_DEVICES")
    if before is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = before


@pytest.fixture
def machines(running: TwoMachines) -> TwoMachines:
    running.start_second()
    return running


def pool(machines: TwoMachines, workers: int = 0) -> PoolConfig:
    return PoolConfig(workers, "ray", machines.address)


def look(number: int, step: Callable[[], None]) -> Seen:
    time.sleep(0.2)
    for _ in range(number):
        step()
    machine = ray.get_runtime_context().get_node_id()
    variables = tuple(map(os.environ.get, ("PICKCLUTTER_TRY", "CUDA_VISIBLE_DEVICES")))
    return Seen(number**2, os.getpid(), machine, str(Path.cwd()), variables)


def make_look() -> TaskFunction[int, Seen]:
    return look


def test_tasks_are_spread_over_the_machines(
    machines: TwoMachines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKCLUTTER_TRY", "of the command")
    monkeypatch.chdir(tmp_path)
    steps: list[None] = []
    before = signal.getsignal(signal.SIGTERM)
    with pool(machines).make(make_look, on_step=lambda: steps.append(None)) as workers:
        assert signal.getsignal(signal.SIGTERM) == before
        found = list(workers.imap_unordered(range(10)))
        again = list(workers.imap_unordered([7]))
    assert sorted((task, seen.square) for task, seen in found) == [(n, n * n) for n in range(10)]
    assert again[0][1].square == 49 and len(steps) == sum(range(10)) + 7
    assert len({seen.machine for _, seen in found}) == 2 == len({seen.process for _, seen in found})
    assert {seen.folder for _, seen in found} == {str(tmp_path)}
    assert {seen.variables for _, seen in found} == {("of the command", "0")}  # SAPIEN chooses its device by the second
    processes = {seen.process for _, seen in [*found, *again]}
    wait_until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))


def die(folder: Path, marks: int, number: int, step: Callable[[], None]) -> int:
    if number == 3 and len(list(folder.iterdir())) < marks:
        (folder / str(time.monotonic_ns())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def make_deadly(folder: Path, marks: int) -> TaskFunction[int, int]:
    return partial(die, folder, marks)


def test_the_task_of_a_killed_worker_is_tried_again(
    machines: TwoMachines, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pool(machines, 1).make(partial(make_deadly, tmp_path, RETRIES), "task {}".format) as workers:
        assert sorted(workers.imap_unordered(range(6))) == [(n, n) for n in range(6)]
    messages = [text for text in caplog.messages if text.startswith("the worker of task 3 of the Ray cluster ended")]
    assert len(messages) == RETRIES and all("\n" not in text and text.endswith("; trying again") for text in messages)


def test_a_task_that_always_kills_its_worker_is_named(machines: TwoMachines, tmp_path: Path) -> None:
    with (
        pytest.raises(WorkerError, match=r"the worker of task 3 .*, 3 times in a row; finished work is kept") as caught,
        pool(machines, 1).make(partial(make_deadly, tmp_path, 99), "task {}".format) as workers,
    ):
        list(workers.imap_unordered(range(6)))
    assert "\n" not in str(caught.value)


def make_without_extra() -> TaskFunction[int, int]:
    raise MissingExtraError("sapien", "sim")


def fail(number: int, step: Callable[[], None]) -> int:
    raise DatasetError(f"task {number} cannot be done")


def make_failing() -> TaskFunction[int, int]:
    return fail


def crash(number: int, step: Callable[[], None]) -> int:
    raise ZeroDivisionError("of the task")


def make_crashing() -> TaskFunction[int, int]:
    return crash


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (make_without_extra, MissingExtraError, "^sapien is not installed; run in a clone: pip install"),
        (make_failing, DatasetError, "^task 0 cannot be done$"),
        (make_crashing, WorkerError, "ended unexpectedly .*ZeroDivisionError: of the task"),
    ],
)
def test_errors_come_back(machines: TwoMachines, make: Any, error: type[PickClutterError], text: str) -> None:
    with pytest.raises(error, match=text), pool(machines, 1).make(make) as workers:
        list(workers.imap_unordered([0, 1]))


class SlowSource:
    """Random scenes that take their time, and are counted in a folder; one machine hangs in the middle of a shard."""

    def __init__(self, manifest: Manifest, counts: Path, hangs: str) -> None:
        self._manifest = manifest
        self._counts = counts
        self._hangs = hangs

    def generate(self, seed: int, split: str, index: int) -> Mapping[str, Any]:
        shard = index // self._manifest.shard_size
        time.sleep(0.1 * (1 + shard % 3))  # machines are never in step
        machine = ray.get_runtime_context().get_node_id()
        with (self._counts / str(shard)).open("a") as stream:
            stream.write(f"{machine}\n")
        if machine == self._hangs and index % self._manifest.shard_size == 1:
            time.sleep(600)  # killed before
        return random_row(self._manifest, index)


def _hanging(counts: Path, machine: str) -> bool:
    """Return whether a machine has come to the middle of a shard."""
    return any(file.read_text().splitlines() == [machine] * 2 for file in counts.iterdir())


def test_a_machine_that_is_killed_costs_nothing(
    machines: TwoMachines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = make_manifest(scenes=47, shard_size=4)
    expected = make_store(tmp_path / "whole", manifest).content_hash
    counts = tmp_path / "counts"
    counts.mkdir()
    written: list[int] = []
    killed: list[str] = []
    write = Manifest.write

    def kill_within_a_shard(self: Manifest, folder: Path) -> None:
        write(self, folder)
        written.append(len(self.shards))
        if not killed and len(self.shards) >= 3:
            wait_until(lambda: _hanging(counts, machines.second_id))
            killed.append(machines.second_id)
            machines.kill_second()

    monkeypatch.setattr(Manifest, "write", kill_within_a_shard)
    source = partial(SlowSource, manifest, counts, machines.second_id)
    done = collect_store(tmp_path / "store", manifest, source, pool(machines))
    assert done.store.content_hash == expected == verify_store(tmp_path / "store").content_hash
    assert done.made == 12 and written == [*range(13)]  # each shard once
    assert killed
    assert "of the Ray cluster ended unexpectedly" in caplog.text
    assert not list((tmp_path / "store").rglob("*.tmp"))
    by = [path.read_text().splitlines() for path in counts.iterdir()]
    assert len({machine for machines_of_shard in by for machine in machines_of_shard}) == 2
    assert any(len(machines_of_shard) > 4 for machines_of_shard in by)  # the shard that the machine had begun


def sleep(folder: Path, number: int, step: Callable[[], None]) -> int:
    (folder / str(os.getpid())).touch()
    time.sleep(120)
    return number


def make_sleeper(folder: Path) -> TaskFunction[int, int]:
    return partial(sleep, folder)


def run_sleepers(address: str, folder: str) -> None:
    """Run in a process of its own."""
    with PoolConfig(0, "ray", address).make(partial(make_sleeper, Path(folder))) as workers:
        list(workers.imap_unordered([0, 1]))


def test_workers_end_with_a_command_that_is_killed(machines: TwoMachines, tmp_path: Path) -> None:
    code = f"import test_ray_pool as own; own.run_sleepers({machines.address!r}, {str(tmp_path)!r})"
    places = [str(Path(__file__).parent), str(TESTS), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    command = subprocess.Popen([sys.executable, "-c", code], env=environment)
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    command.kill()
    command.wait()
    wait_until(lambda: not any(Path(f"/proc/{path.name}").exists() for path in tmp_path.iterdir()), 60)


@pytest.mark.parametrize("address", ["auto", "127.0.0.1:1", "nonsense"])
def test_without_a_cluster_it_says_so(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:2")
    found = "127.0.0.1:2" if address == "auto" else address
    with (
        pytest.raises(InvalidArgumentError, match=f"expected a Ray cluster at {found}, .* start one") as caught,
        PoolConfig(0, "ray", address).make(make_look),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_without_the_extra_it_is_named() -> None:
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from pickclutter_lang.utils.engines import PoolConfig\n"
        "PoolConfig(0, 'ray').validate()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ray is not installed; run in a clone: pip install -e '.[ray]'" in done.stderr


@pytest.mark.sim
@pytest.mark.parametrize(
    ("command", "places"),
    [
        ("collect-scenes split=ood scenes=2 shard_size=1 image_size=48 graspable=false", "shards/*.h5"),
        ("collect-demos episodes=2 camera_size=48 n_videos=0", "trajectory.*.json"),
    ],
)
def test_commands_make_the_same_on_the_cluster(
    machines: TwoMachines, tmp_path: Path, command: str, places: str
) -> None:
    pytest.importorskip("sapien", reason="needs the extra sim")
    made = {}
    program = ["-m", "pickclutter_lang.commands", *command.split(), "workers=2"]
    for name, engine in (("here", []), ("there", ["engine=ray", f"address={machines.address}"])):
        done = run_python([*program, *engine, f"out={name}"], tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        made[name] = {path.name: path.read_bytes() for path in (tmp_path / name).glob(places)}
    assert made["here"] == made["there"] != {}
