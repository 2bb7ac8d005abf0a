"""A grid of runs, each a process of its own, several of them side by side; finished runs are skipped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from rich.progress import BarColumn, Progress, TextColumn

from pickclutter_lang.datasets.scene_images import data_provenance
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.scenes.result import RESULT_FILE
from pickclutter_lang.experiments.scenes.scene_report import load_result
from pickclutter_lang.experiments.sweeps.sweep_results import comparable_config, provenance
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.training.checkpoint import describe_differences
from pickclutter_lang.training.config import FewShotConfig, PhaseConfig
from pickclutter_lang.training.trainer import LOG_FILE
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.processes import ManagedProcess, format_exit_status

_POLL = 0.5  # seconds
_OWN = ("methods", "seeds", "workers", "out", "experiment", "tables_only", "tables", "compare")
_OF_A_RUN = ("method", "seed", "num_threads")


@dataclass
class SweepConfig:
    """Which runs: each of `methods` with each of `seeds`, on the settings of `experiment` and `overrides`.

    A run lies in `out/<method>/seed<seed>`, its log in `out/logs`. `workers` runs go side by side, of one thread each.
    """

    experiment: str
    methods: list[str]
    seeds: list[int]
    out: str
    workers: int
    overrides: list[str]

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for name, values in (("methods", self.methods), ("seeds", self.seeds)):
            if not values or len({*map(str, values)}) != len(values):
                raise InvalidArgumentError(f"expected {name} as a list without repeats, but got {values}")
        if self.workers < 1:
            raise InvalidArgumentError(f"expected workers to be at least 1, but got {self.workers}")
        for override in self.overrides:
            if override_key(override) in _OF_A_RUN:
                raise InvalidArgumentError(
                    f"expected methods=[...] and seeds=[...], and one thread for each run, but got {override}"
                )


class HasPhases(Protocol):
    """What the settings of a run say of its length."""

    distill: PhaseConfig
    few_shot: FewShotConfig


@dataclass(frozen=True)
class Job:
    """One run: its name, its folder, the arguments of its command, its settings."""

    name: str
    folder: Path
    arguments: list[str]
    config: HasPhases

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return (self.folder / RESULT_FILE).is_file()

    @property
    def progress(self) -> float:
        """The share of its epochs that are done; 1 when the result is there."""
        if self.done:
            return 1.0
        epochs = self.config.distill.epochs + self.config.few_shot.epochs
        crop_classifier = getattr(self.config, "crop_classifier", None)  # of runs on scenes alone
        epochs += crop_classifier.epochs if crop_classifier is not None else 0
        # The evaluation takes about as long as an epoch.
        return min(0.99, sum(_lines(path) for path in self.folder.glob(f"*/{LOG_FILE}")) / (epochs + 1))


class Failure(NamedTuple):
    """A run that did not end well: its name, how it ended, its log and the end of it."""

    name: str
    status: str
    log: Path
    end: str

    def __str__(self) -> str:
        indented = "\n".join(f"    {line}" for line in self.end.splitlines())
        return f"{self.name} failed ({self.status}); the end of {self.log}:\n{indented}"


def forwarded_overrides(overrides: Sequence[str], own: Sequence[str] = _OWN) -> list[str]:
    """Return the overrides of a grid's command that are overrides of each run.

    :param own: keys of the grid itself
    """
    return [override for override in overrides if override_key(override) not in own]


def plan_sweep(config: SweepConfig, compose: Callable[[list[str]], TrainConfig]) -> list[Job]:
    """Return the jobs of a grid, seed after seed, so that a part of it is already a table.

    :param compose: from overrides to settings; every run's are checked before anything starts
    :raises InvalidArgumentError: when an override or a method is wrong, or a finished run has other settings
    :raises MismatchError: when a finished run was made of other scenes or with another teacher than are there now
    :raises CheckpointError: when the result of a finished run is damaged or of another schema
    """
    jobs = []
    made_of = _Provenance()
    for seed in config.seeds:
        for method in config.methods:
            folder = Path(config.out) / method / f"seed{seed}"
            chosen = [f"experiment={config.experiment}", f"method={method}", f"seed={seed}", "num_threads=1"]
            arguments = [*chosen, f"out={quoted(str(folder))}", *config.overrides]
            own = compose(arguments)
            jobs.append(Job(f"{method}/seed{seed}", folder, arguments, own))
            _check_finished(jobs[-1], own, made_of)
    return jobs


def run_sweep(jobs: Sequence[Job], command: Sequence[str], out: Path, workers: int) -> list[Failure]:
    """Run the jobs that have no result yet, some side by side; return those that failed.

    The children end with this process, however it ends; started again, each goes on where it was.

    :param command: of one run; a job's arguments come after it
    :raises LockedError: when another process is at work in `out`
    """
    waiting = [job for job in jobs if not job.done]
    running: dict[str, tuple[Job, ManagedProcess]] = {}
    failures: list[Failure] = []
    with dir_lock(out) as lock, _ProgressLine(jobs) as line:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.pop(0)
                    log = out / "logs" / f"{job.name.replace('/', '-')}.log"
                    running[job.name] = job, ManagedProcess([*command, *job.arguments], log, lock)
                line.show([job for job, _ in running.values()], len(failures))
                time.sleep(_POLL)
                for job, child in list(running.values()):
                    status = child.poll()
                    if status is None:
                        continue
                    del running[job.name]
                    if status == 0 and job.done:
                        line.say(f"{job.name} is done")
                    else:
                        failures.append(Failure(job.name, format_exit_status(status), child.log, child.tail()))
                        line.say(f"{job.name} failed ({format_exit_status(status)})")
            line.show([], len(failures))
        finally:
            for _, child in running.values():
                child.stop()
    return failures


class _ProgressLine:
    """One line of progress for the grid; an ended run leaves a line above it."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._start, self._first = time.monotonic(), sum(job.progress for job in jobs)
        columns = TextColumn("grid"), BarColumn(bar_width=20), TextColumn("{task.fields[note]}")
        # Without the thread that would redraw it: a fork copies no thread, but the locks that it holds.
        self._progress = Progress(*columns, auto_refresh=False)
        self._task = self._progress.add_task("grid", total=len(jobs), note="")

    def __enter__(self) -> _ProgressLine:
        self._progress.start()
        self.say(f"{sum(job.done for job in self._jobs)} of {len(self._jobs)} runs are done already")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Leave a line."""
        clock = time.strftime("%H:%M:%S")
        done = sum(job.done for job in self._jobs)
        text = f"{clock} {text}; {done}/{len(self._jobs)} done, {self._left()} left"
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, running: Sequence[Job], failed: int) -> None:
        """Draw the line anew."""
        at_work = ", ".join(f"{job.name} {100 * job.progress:.0f}%" for job in running)
        done = sum(job.done for job in self._jobs)
        note = f"{done}/{len(self._jobs)} runs, {failed} failed, {self._left()} left  {at_work}"
        self._progress.update(self._task, completed=sum(job.progress for job in self._jobs), note=note, refresh=True)

    def _left(self) -> str:
        """Return the time that is left, by what was done since the start of this grid."""
        now = sum(job.progress for job in self._jobs)
        if now >= len(self._jobs):
            return "0:00:00"
        if now <= self._first:
            return "?"
        elapsed = time.monotonic() - self._start
        return str(timedelta(seconds=round(elapsed * (len(self._jobs) - now) / (now - self._first))))


class _Provenance:
    """What runs are made of now; stores and teachers are opened once for all runs that share them."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def __call__(self, config: TrainConfig) -> dict[str, Any]:
        """Return number and content hash of the scenes of each store, and the teacher's fingerprint."""
        data, teacher = config.data, config.teacher
        stores = json.dumps([data.train, data.id, data.ood, data.fewshot, data.scene_subsets])
        if stores not in self._known:
            self._known[stores] = data_provenance(data)
        name = json.dumps([teacher.name, teacher.checkpoint])
        if name not in self._known:
            self._known[name] = load_teacher(teacher.name, teacher.checkpoint).fingerprint
        return {"data": self._known[stores], "teacher": {"fingerprint": self._known[name]}}


def _check_finished(job: Job, config: TrainConfig, made_of: _Provenance) -> None:
    """Check that a result that is there is one of these settings, these scenes and this teacher."""
    if not job.done:
        return
    result = load_result(job.folder)
    differences = describe_differences(provenance(result), made_of(config))
    if differences:
        raise MismatchError(
            f"the finished run at {job.folder} was made of other scenes or with another teacher (there / now): "
            f"{'; '.join(differences)}; use those it was made of, or choose another out"
        )
    saved = comparable_config(result["config"])
    differences = describe_differences(saved, comparable_config(json.loads(json.dumps(config.as_dict()))))
    if differences:
        raise InvalidArgumentError(
            f"the finished run at {job.folder} has other settings (there / now): {'; '.join(differences)}; "
            "use the same settings, or choose another out"
        )


def override_key(override: str) -> str:
    """Return the key of an override such as `+distill.epochs=3`."""
    return override.split("=")[0].strip("+~ ")


def _lines(path: Path) -> int:
    return len(path.read_bytes().splitlines())


def quoted(value: str) -> str:
    """Return a value that hydra takes as it is, spaces and commas included."""
    return '"' + value.replace('"', '\\"') + '"'
