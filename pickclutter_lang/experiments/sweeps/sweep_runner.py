"""Execution of a sweep: one process for each run, several in parallel; finished runs are skipped."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from rich.progress import BarColumn, Progress, TextColumn

from pickclutter_lang.experiments.result import RESULT_FILE
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
    """One run: its name, its folder, the arguments of its command, its settings."""

    name: str
    folder: Path
    arguments: list[str]
    config: RunConfig

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return (self.folder / RESULT_FILE).is_file()

    @property
    def progress(self) -> float:
        """The share of its epochs that are done; 1 when the result is there."""
        if self.done:
            return 1.0
        epochs = sum(phase.epochs for phase in self.config.phases.values())
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


def run_sweep(jobs: Sequence[Job], command: Sequence[str], out: Path, workers: int) -> list[Failure]:
    """Run the jobs that have no result yet, some side by side; return those that failed.

    The children end with this process, however it ends; started again, each continues where it stopped.

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
                time.sleep(_POLL_SECONDS)
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
    return len(path.read_bytes().splitlines())
