"""Execution of a sweep: one process for each run, several in parallel; finished runs are skipped."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pickclutter_lang.experiments.result import RESULT_FILE
from pickclutter_lang.experiments.stages import DISTILL
from pickclutter_lang.training.checkpoint import saved_epochs
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.trainer import LOG_FILE
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.processes import ManagedProcess, format_exit_status
from pickclutter_lang.utils.progress import ProgressBar

log = logging.getLogger(__name__)
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

    `waits_for` is the run whose distillation this one takes over; None: it distills. `report` is the name of the file
    that a run writes last, after its result; None: the result is the last one.
    """

    name: str
    folder: Path
    arguments: list[str]
    config: RunConfig
    waits_for: Job | None = None
    report: str | None = None

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return (self.folder / RESULT_FILE).is_file()

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do; a run that was ended after its result still writes its report."""
        return self.done and (self.report is None or (self.folder / self.report).is_file())

    @property
    def epochs(self) -> int:
        """Its epochs in all phases, and one more for the evaluation, which takes about as long."""
        return sum(phase.epochs for phase in self._phases.values()) + 1

    @property
    def epochs_done(self) -> int:
        """How many of `epochs` are done; all when the result is there."""
        if self.done:
            return self.epochs
        return min(self.epochs - 1, sum(_lines(self.folder / name / LOG_FILE) for name in self._phases))

    @property
    def ready(self) -> bool:
        """Whether it can start: the distillation that it waits for, if any, is finished."""
        if self.waits_for is None or self.done:
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
    """Run the jobs that are not complete yet, some side by side; return those that failed.

    A job starts when the distillation that it waits for is finished; those after it go first where they can. The
    children end with this process, however it ends; started again, each continues where it stopped.

    :param command: of one run; a job's arguments come after it
    :raises LockedError: when another process is at work in `out`
    """
    waiting = [job for job in jobs if not job.complete]
    running: dict[str, tuple[Job, ManagedProcess]] = {}
    logs = {job.name: out / "logs" / f"{job.name.replace('/', '-')}.log" for job in jobs}
    failures: list[Failure] = []
    total, done = sum(job.epochs for job in jobs), sum(job.epochs_done for job in jobs)
    with dir_lock(out), ProgressBar("epochs", total, done, auto_refresh=False) as bar:
        _log_event(bar, jobs, f"{sum(job.done for job in jobs)} of {len(jobs)} runs are done already")
        try:
            while waiting or running:
                for job in [job for job in waiting if job.ready][: workers - len(running)]:
                    waiting.remove(job)
                    running[job.name] = job, ManagedProcess([*command, *job.arguments], logs[job.name])
                _show(bar, jobs, [job for job, _ in running.values()], len(failures))
                time.sleep(_POLL_SECONDS)
                for job, failure in [*_ended(running), *_stuck(waiting, running, logs)]:
                    failures += [] if failure is None else [failure]
                    end = "is done" if failure is None else f"failed ({failure.status})"
                    _log_event(bar, jobs, f"{job.name} {end}")
                failed = {failure.name for failure in failures}
                waiting = [job for job in waiting if job.name not in failed]
            _show(bar, jobs, [], len(failures))
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
            good = status == 0 and job.complete
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


def _log_event(bar: ProgressBar, jobs: Sequence[Job], event: str) -> None:
    done = sum(job.done for job in jobs)
    log.info("%s; %d/%d done, %s left", event, done, len(jobs), bar.time_left)


def _show(bar: ProgressBar, jobs: Sequence[Job], running: Sequence[Job], failed: int) -> None:
    """Draw the bar again."""
    bar.advance(sum(job.epochs_done for job in jobs) - bar.completed)
    at_work = ", ".join(f"{job.name} {100 * job.epochs_done / job.epochs:.0f}%" for job in running)
    bar.note(f"{sum(job.done for job in jobs)}/{len(jobs)} runs, {failed} failed  {at_work}")


def _lines(path: Path) -> int:
    return len(path.read_bytes().splitlines()) if path.is_file() else 0
