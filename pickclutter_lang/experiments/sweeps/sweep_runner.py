"""Execution of a sweep: one process for each run, several in parallel; finished runs are skipped."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from rich.progress import BarColumn, Progress, TextColumn

from pickclutter_lang.experiments.result import RESULT_FILE
from pickclutter_lang.experiments.stages import DISTILL
from pickclutter_lang.training.checkpoint import saved_epochs
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.trainer import LOG_FILE
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.processes import ManagedProcess, format_exit_status

_POLL_SECONDS = 0.5


class RunConfig(Protocol):
    """What a sweep needs of the settings of a run."""

    @property
    def phases(self) -> Mapping[str, PhaseConfig]:
        """How each phase is optimized, by its name."""

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as nested JSON values."""


@dataclass(frozen=True)
class Job:
    """One run: its name, its folder, the arguments of its command, its settings.

    `waits_for` is the run whose distillation this one takes over; None: it distills.
    """

    name: str
    folder: Path
    arguments: list[str]
    config: RunConfig
    waits_for: Job | None = None

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return (self.folder / RESULT_FILE).is_file()

    @property
    def progress(self) -> float:
        """The share of its epochs that are done; 1 when the result is there."""
        if self.done:
            return 1.0
        epochs = sum(phase.epochs for phase in self._phases.values())
        # The evaluation takes about as long as an epoch.
        return min(0.99, sum(_lines(self.folder / name / LOG_FILE) for name in self._phases) / (epochs + 1))

    @property
    def ready(self) -> bool:
        """Whether it can start: the distillation that it waits for, if any, is finished."""
        if self.waits_for is None:
            return True
        saved = saved_epochs(self.waits_for.folder / DISTILL)
        return bool(saved) and saved[-1] >= self.config.phases[DISTILL].epochs

    @property
    def _phases(self) -> dict[str, PhaseConfig]:
        """The phases that are trained."""
        return {k: v for k, v in self.config.phases.items() if self.waits_for is None or k != DISTILL}


class Failure(NamedTuple):
    """A run that did not end well: its name, how it ended, its log and the end of it."""

    name: str
    status: str
    log: Path
    end: str

    def __str__(self) -> str:
        indented = "\n".join(f"    {line}" for line in self.end.splitlines())
        return f"{self.name} failed ({self.status}); the end of {self.log}:\n{indented}"


def run_sweep(jobs: Sequence[Job], command: Sequence[str], out: Path, workers: int) -> list[Failure]:
    """Run the jobs that have no result yet, some side by side; return those that failed.

    A job starts when the distillation that it waits for is finished; those after it go first where they can. The
    children end with this process, however it ends; started again, each continues where it stopped.

    :param command: of one run; a job's arguments come after it
    :raises LockedError: when another process is at work in `out`
    """
    waiting = [job for job in jobs if not job.done]
    running: dict[str, tuple[Job, ManagedProcess]] = {}
    logs = {job.name: out / "logs" / f"{job.name.replace('/', '-')}.log" for job in jobs}
    failures: list[Failure] = []
    with dir_lock(out) as lock, _ProgressLine(jobs) as line:
        try:
            while waiting or running:
                for job in [job for job in waiting if job.ready][: workers - len(running)]:
                    waiting.remove(job)
                    running[job.name] = job, ManagedProcess([*command, *job.arguments], logs[job.name], lock)
                line.show([job for job, _ in running.values()], len(failures))
                time.sleep(_POLL_SECONDS)
                for job, failure in [*_ended(running), *_stuck(waiting, running, logs)]:
                    failures += [] if failure is None else [failure]
                    line.say(f"{job.name} is done" if failure is None else f"{job.name} failed ({failure.status})")
                failed = {failure.name for failure in failures}
                waiting = [job for job in waiting if job.name not in failed]
            line.show([], len(failures))
        finally:
            for _, child in running.values():
                child.stop()
    return failures


def _ended(running: dict[str, tuple[Job, ManagedProcess]]) -> list[tuple[Job, Failure | None]]:
    """Remove the runs that have ended and return them, each with its failure, if it is one."""
    found: list[tuple[Job, Failure | None]] = []
    for job, child in list(running.values()):
        status = child.poll()
        if status is not None:
            del running[job.name]
            good = status == 0 and job.done
            failure = Failure(job.name, format_exit_status(status), child.log, child.tail())
            found.append((job, None if good else failure))
    return found


def _stuck(waiting: Sequence[Job], running: Collection[str], logs: Mapping[str, Path]) -> list[tuple[Job, Failure]]:
    """Return the jobs that wait for a distillation that no run will finish."""
    coming, found = {job.name for job in waiting} | {*running}, []
    for job in waiting:
        source = job.waits_for
        if source is not None and source.name not in coming and not job.ready:
            reason = f"{source.name}, whose distillation it takes over, has not finished it"
            found.append((job, Failure(job.name, "not started", logs[source.name], reason)))
    return found


def describe_failures(failures: Sequence[Failure], jobs: int) -> str:
    """Return which runs failed, with the end of each log.

    :param jobs: number of all runs
    """
    summary = f"{len(failures)} of {jobs} runs failed; run the same command again to try them"
    return "\n".join([*map(str, failures), summary])


class _ProgressLine:
    """One line of progress for the sweep; an ended run leaves a line above it."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._start, self._first = time.monotonic(), sum(job.progress for job in jobs)
        columns = TextColumn("sweep"), BarColumn(bar_width=20), TextColumn("{task.fields[note]}")
        # Without the thread that would redraw it: a fork copies no thread, but the locks that it holds.
        self._progress = Progress(*columns, auto_refresh=False)
        self._task = self._progress.add_task("sweep", total=len(jobs), note="")

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
        """Draw the line again."""
        at_work = ", ".join(f"{job.name} {100 * job.progress:.0f}%" for job in running)
        done = sum(job.done for job in self._jobs)
        note = f"{done}/{len(self._jobs)} runs, {failed} failed, {self._left()} left  {at_work}"
        self._progress.update(self._task, completed=sum(job.progress for job in self._jobs), note=note, refresh=True)

    def _left(self) -> str:
        """Return the time that is left, by what was done since the start of this sweep."""
        now = sum(job.progress for job in self._jobs)
        if now >= len(self._jobs):
            return "0:00:00"
        if now <= self._first:
            return "?"
        elapsed = time.monotonic() - self._start
        return str(timedelta(seconds=round(elapsed * (len(self._jobs) - now) / (now - self._first))))


def _lines(path: Path) -> int:
    return len(path.read_bytes().splitlines()) if path.is_file() else 0
