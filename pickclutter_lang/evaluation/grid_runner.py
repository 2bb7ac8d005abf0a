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

from pickclutter_lang.errors import InvalidArgumentError, StoreMismatchError
from pickclutter_lang.evaluation.children import Child, exit_text, folder_lock
from pickclutter_lang.evaluation.grid import own_settings, what_it_is_made_of
from pickclutter_lang.evaluation.records import RESULT_FILE
from pickclutter_lang.evaluation.report import load_result
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.training import TrainSettings
from pickclutter_lang.training.checkpoint import describe_differences
from pickclutter_lang.training.config import FewShotSettings, PhaseSettings
from pickclutter_lang.training.data import data_card
from pickclutter_lang.training.loop import LOG_FILE

_POLL = 0.5  # seconds
_OWN = ("methods", "seeds", "workers", "out", "experiment", "tables_only", "tables", "compare")
_OF_A_RUN = ("method", "seed", "threads")


@dataclass
class GridSettings:
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


class PhasesOfARun(Protocol):
    """What the settings of a run say of its length."""

    distill: PhaseSettings
    fewshot: FewShotSettings


@dataclass(frozen=True)
class Job:
    """One run: its name, its folder, the arguments of its command, its settings."""

    name: str
    folder: Path
    arguments: list[str]
    settings: PhasesOfARun

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return (self.folder / RESULT_FILE).is_file()

    @property
    def progress(self) -> float:
        """The share of its epochs that are done; 1 when the result is there."""
        if self.done:
            return 1.0
        epochs = self.settings.distill.epochs + self.settings.fewshot.epochs
        closeups = getattr(self.settings, "closeups", None)  # of runs on scenes alone
        epochs += closeups.epochs if closeups is not None else 0
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


def passed_on(overrides: Sequence[str], own: Sequence[str] = _OWN) -> list[str]:
    """Return the overrides of a grid's command that are overrides of each run.

    :param own: keys of the grid itself
    """
    return [override for override in overrides if override_key(override) not in own]


def plan_grid(settings: GridSettings, compose: Callable[[list[str]], TrainSettings]) -> list[Job]:
    """Return the jobs of a grid, seed after seed, so that a part of it is already a table.

    :param compose: from overrides to settings; every run's are checked before anything starts
    :raises InvalidArgumentError: when an override or a method is wrong, or a finished run has other settings
    :raises StoreMismatchError: when a finished run was made of other scenes or with another teacher than are there now
    :raises CheckpointError: when the result of a finished run is damaged or of another schema
    """
    jobs = []
    made_of = _MadeOf()
    for seed in settings.seeds:
        for method in settings.methods:
            folder = Path(settings.out) / method / f"seed{seed}"
            chosen = [f"experiment={settings.experiment}", f"method={method}", f"seed={seed}", "threads=1"]
            arguments = [*chosen, f"out={quoted(str(folder))}", *settings.overrides]
            own = compose(arguments)
            jobs.append(Job(f"{method}/seed{seed}", folder, arguments, own))
            _check_finished(jobs[-1], own, made_of)
    return jobs


def run_grid(jobs: Sequence[Job], command: Sequence[str], out: Path, workers: int) -> list[Failure]:
    """Run the jobs that have no result yet, some side by side; return those that failed.

    The children end with this process, however it ends; started again, each goes on where it was.

    :param command: of one run; a job's arguments come after it
    :raises StoreError: when another grid is at work in `out`
    """
    waiting = [job for job in jobs if not job.done]
    running: dict[str, tuple[Job, Child]] = {}
    failures: list[Failure] = []
    with folder_lock(out) as lock, _Line(jobs) as line:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.pop(0)
                    log = out / "logs" / f"{job.name.replace('/', '-')}.log"
                    running[job.name] = job, Child([*command, *job.arguments], log, lock)
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
                        failures.append(Failure(job.name, exit_text(status), child.log, child.tail()))
                        line.say(f"{job.name} failed ({exit_text(status)})")
            line.show([], len(failures))
        finally:
            for _, child in running.values():
                child.stop()
    return failures


class _Line:
    """One line of progress for the grid; an ended run leaves a line above it."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._start, self._first = time.monotonic(), sum(job.progress for job in jobs)
        columns = TextColumn("grid"), BarColumn(bar_width=20), TextColumn("{task.fields[note]}")
        # Without the thread that would redraw it: a fork copies no thread, but the locks that it holds.
        self._progress = Progress(*columns, auto_refresh=False)
        self._task = self._progress.add_task("grid", total=len(jobs), note="")

    def __enter__(self) -> _Line:
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


class _MadeOf:
    """What runs are made of now; stores and teachers are opened once for all runs that share them."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def __call__(self, settings: TrainSettings) -> dict[str, Any]:
        """Return number and content hash of the scenes of each store, and the teacher's fingerprint."""
        data, teacher = settings.data, settings.teacher
        stores = json.dumps([data.train, data.id, data.ood, data.fewshot, data.splits])
        if stores not in self._known:
            self._known[stores] = data_card(data)
        name = json.dumps([teacher.name, teacher.checkpoint])
        if name not in self._known:
            self._known[name] = load_teacher(teacher.name, teacher.checkpoint).fingerprint
        return {"data": self._known[stores], "teacher": {"fingerprint": self._known[name]}}


def _check_finished(job: Job, settings: TrainSettings, made_of: _MadeOf) -> None:
    """Check that a result that is there is one of these settings, these scenes and this teacher."""
    if not job.done:
        return
    result = load_result(job.folder)
    differences = describe_differences(what_it_is_made_of(result), made_of(settings))
    if differences:
        raise StoreMismatchError(
            f"the finished run at {job.folder} was made of other scenes or with another teacher (there / now): "
            f"{'; '.join(differences)}; use those it was made of, or choose another out"
        )
    saved = own_settings(result["config"])
    differences = describe_differences(saved, own_settings(json.loads(json.dumps(settings.as_dict()))))
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
