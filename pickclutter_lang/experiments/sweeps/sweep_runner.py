"""Execution of a sweep: one process for each run, several in parallel; finished runs are skipped."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pickclutter_lang.experiments.result import RESULT_FILE
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.trainer import LOG_FILE
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.processes import ManagedProcess, format_exit_status
from pickclutter_lang.utils.progress import ProgressBar

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
    def epochs(self) -> int:
        """Its epochs in all phases, and one more for the evaluation, which takes about as long."""
        return sum(phase.epochs for phase in self.config.phases.values()) + 1

    @property
    def epochs_done(self) -> int:
        """How many of `epochs` are done; all when the result is there."""
        if self.done:
            return self.epochs
        return min(self.epochs - 1, sum(_lines(path) for path in self.folder.glob(f"*/{LOG_FILE}")))


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
    total, done = sum(job.epochs for job in jobs), sum(job.epochs_done for job in jobs)
    with dir_lock(out) as lock, ProgressBar("epochs", total, done, auto_refresh=False) as bar:
        _print_event(bar, jobs, f"{sum(job.done for job in jobs)} of {len(jobs)} runs are done already")
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.pop(0)
                    log = out / "logs" / f"{job.name.replace('/', '-')}.log"
                    running[job.name] = job, ManagedProcess([*command, *job.arguments], log, lock)
                _show(bar, jobs, [job for job, _ in running.values()], len(failures))
                time.sleep(_POLL_SECONDS)
                for job, child in list(running.values()):
                    status = child.poll()
                    if status is None:
                        continue
                    del running[job.name]
                    if status == 0 and job.done:
                        _print_event(bar, jobs, f"{job.name} is done")
                    else:
                        failures.append(Failure(job.name, format_exit_status(status), child.log, child.tail()))
                        _print_event(bar, jobs, f"{job.name} failed ({format_exit_status(status)})")
            _show(bar, jobs, [], len(failures))
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


def _print_event(bar: ProgressBar, jobs: Sequence[Job], event: str) -> None:
    """Leave a line above the bar."""
    done = sum(job.done for job in jobs)
    bar.print(f"{time.strftime('%H:%M:%S')} {event}; {done}/{len(jobs)} done, {bar.time_left} left")


def _show(bar: ProgressBar, jobs: Sequence[Job], running: Sequence[Job], failed: int) -> None:
    """Draw the bar again."""
    bar.advance(sum(job.epochs_done for job in jobs) - bar.completed)
    at_work = ", ".join(f"{job.name} {100 * job.epochs_done / job.epochs:.0f}%" for job in running)
    bar.note(f"{sum(job.done for job in jobs)}/{len(jobs)} runs, {failed} failed  {at_work}")


def _lines(path: Path) -> int:
    return len(path.read_bytes().splitlines())
