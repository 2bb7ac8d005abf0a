"""A sweep: the runs of each name and replicate, planned before any starts, then one process for each, in parallel.

The sweeps of Table 12 (scenes) and of Tables 1 to 11 (single images) are both of this kind.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.stages import DISTILL
from pickclutter_lang.results.comparability import check_comparable, comparable_settings, provenance
from pickclutter_lang.results.page import PAGE_FILE
from pickclutter_lang.results.record import (
    RESULT_FILE,
    Record,
    Replicate,
    as_json,
    precision_here,
)
from pickclutter_lang.results.runs import Runs, SweepKind, by_place, load_runs
from pickclutter_lang.training.checkpoint import description_differences, saved_epochs
from pickclutter_lang.training.config import PhaseConfig, RunConfig
from pickclutter_lang.training.trainer import LOG_FILE
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.pool import die_with_parent
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.reading import describe_differences
from pickclutter_lang.utils.validation import MAX_WORKERS, check_seed, within
from pickclutter_lang.utils.words import quoted_value

log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_GRACE_S = 10.0
_TAIL_LINES = 6
"""Seconds that a run has to end by itself."""


Config = TypeVar("Config", bound=RunConfig)


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
    def complete(self) -> bool:
        """Whether nothing is left to do; a run that was ended after its result still writes its report."""
        return self.done and (self.folder / PAGE_FILE).is_file()

    @property
    def epochs(self) -> int:
        """Its epochs in all phases, and one more for the evaluation, which takes about as long."""
        return sum(phase.epochs for phase in self._phases.values()) + 1

    @property
    def epochs_done(self) -> int:
        """How many of `epochs` are done; all when the result is there."""
        if self.done:
            return self.epochs
        logs = (self.folder / name / LOG_FILE for name in self._phases)
        return min(self.epochs - 1, sum(len(log.read_bytes().splitlines()) for log in logs if log.is_file()))

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


def check_sweep(seeds: Sequence[int], workers: int, overrides: Sequence[str], reserved: Collection[str]) -> None:
    """Check the settings that all sweeps share.

    :param reserved: keys that the sweep sets for each run, so that nobody else may
    :raises InvalidArgumentError: naming what is wrong
    """
    check_list("seeds", seeds)
    within("workers", workers, 1, MAX_WORKERS)
    for seed in seeds:
        check_seed(seed)
    for override in overrides:
        if override_key(override) in {"seed", "num_threads", *reserved}:
            raise InvalidArgumentError(
                f"expected settings that all runs share, and seeds=[0,1,2] for their seeds, but got {override}, "
                "which the sweep sets for each run"
            )


def check_list(name: str, values: Sequence[Any]) -> None:
    """Raise InvalidArgumentError for a list that is empty or repeats a value."""
    if not values or len({*map(str, values)}) != len(values):
        raise InvalidArgumentError(f"expected {name} as a list without repeats, but got {values}")


def override_key(override: str) -> str:
    """Return the key of an override such as `+distill.epochs=3`."""
    return override.split("=")[0].strip("+~ ")


def forwarded_overrides(overrides: Sequence[str], sweep_keys: Collection[str]) -> list[str]:
    """Return the overrides of a sweep's command that are overrides of each run.

    :param sweep_keys: keys of the sweep itself
    """
    return [override for override in overrides if override_key(override) not in sweep_keys]


def plan_runs(
    out: Path,
    specs: Mapping[str, Sequence[str]],
    replicates: Sequence[Replicate],
    compose: Callable[[list[str]], Config],
    current_provenance: Callable[[Config], dict[str, Any]],
    kind: SweepKind,
    vary: Callable[[Replicate, Job | None], list[str]] = lambda replicate, first: [],
) -> list[Job]:
    """Return the jobs of a sweep, replicate after replicate.

    :param out: a run lies in `out/<name>/<Replicate.folder_name>`
    :param specs: name of a run -> its overrides
    :param compose: from overrides to settings
    :param current_provenance: from settings to the current provenance of a run, see `provenance`
    :param vary: from a replicate to its overrides, besides that of the seed; it gets the job of the first of the draws
        of the same run, whose distillation the others wait for, and None for that one itself
    :raises InvalidArgumentError: when an override is wrong, or a finished run has other settings
    :raises MismatchError: when finished runs were made of other data or with another teacher than are there now, or
        cannot be compared with a planned one
    :raises CheckpointError: when a result is damaged, of another schema, or in the folder of another run
    """
    finished = load_runs(out, kind) if any(out.rglob(RESULT_FILE)) else None
    jobs = []
    first: dict[tuple[str, Replicate], Job] = {}
    for replicate, (name, overrides) in product(replicates, specs.items()):
        folder, any_draw = out / name / replicate.folder_name, (name, replicate._replace(draw=0))
        waits_for = first.get(any_draw)
        varied = [f"seed={replicate.seed}", *vary(replicate, waits_for)]
        arguments = [*overrides, *varied, "num_threads=1", f"out={quoted_value(str(folder))}"]
        config = compose(arguments)
        jobs.append(Job(f"{name}/{replicate.folder_name}", folder, arguments, config, waits_for))
        first.setdefault(any_draw, jobs[-1])
        if finished is not None:
            values = as_json(config.as_dict())
            planned = {"kind": kind.kind, "name": name, "config": values, **replicate.keys_of_record}
            if not jobs[-1].done:
                planned["precision"] = precision_here(values)
            _check_planned(jobs[-1], planned | current_provenance(config), finished, kind)
    return jobs


def _check_planned(job: Job, planned: Record, finished: Runs, kind: SweepKind) -> None:
    """Compare a planned run with its own result, if there is one, and with the other finished runs."""
    own = planned["name"], Replicate.of_record(planned)
    for key, folder in finished.folders.items():
        if (key == own) != (folder == job.folder):
            raise CheckpointError(
                f"expected the run {job.name} alone in {job.folder}, but {key[0]}/{key[1].folder_name} is in {folder}; "
                "move that one"
            )
    if job.done:
        saved = finished.records[own[0]][own[1]]
        differences = describe_differences(provenance(saved), provenance(planned))
        differences += description_differences(saved, planned)
        if differences:
            raise MismatchError(
                f"the finished run at {job.folder} was made of other data or texts, or with another teacher (there / "
                f"now): {'; '.join(differences)}; use the original ones, or choose another out"
            )
        differences = describe_differences(comparable_settings(saved), comparable_settings(planned))
        if differences:
            raise InvalidArgumentError(
                f"the finished run at {job.folder} has other settings (there / now): {'; '.join(differences)}; "
                "use the same settings, or choose another out"
            )
    check_comparable(by_place(finished) | {f"{job.name} (planned)": planned}, kind.comparisons, finished.folder)


def run_sweep(jobs: Sequence[Job], command: Sequence[str], out: Path, workers: int) -> list[Failure]:
    """Run the jobs that are not complete yet, some side by side; return those that failed.

    A job starts when the distillation that it waits for is finished; those after it go first where they can. The
    children end with this process, however it ends; started again, each continues where it stopped.

    :param command: of one run; a job's arguments come after it
    :raises LockedError: when another process is at work in `out`
    """
    waiting = [job for job in jobs if not job.complete]
    running: dict[str, tuple[Job, _RunProcess]] = {}
    logs = {job.name: out / "logs" / f"{job.name.replace('/', '-')}.log" for job in jobs}
    failures: list[Failure] = []
    total, done = sum(job.epochs for job in jobs), sum(job.epochs_done for job in jobs)
    with dir_lock(out), ProgressBar("epochs", total, done, auto_refresh=False) as bar:
        _log_event(bar, jobs, f"{sum(job.done for job in jobs)} of {len(jobs)} runs are done already")
        try:
            while waiting or running:
                for job in [job for job in waiting if job.ready][: workers - len(running)]:
                    waiting.remove(job)
                    running[job.name] = job, _RunProcess([*command, *job.arguments], logs[job.name])
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


class _RunProcess:
    """A process with one thread for numerics, its output appended to a log."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            self._start = stream.tell()
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"},
                # A session of its own: Ctrl-C at the terminal is for the parent, which ends its children in order.
                start_new_session=True, preexec_fn=partial(die_with_parent, os.getpid()),
            )  # fmt: skip

    def stop(self) -> None:
        """End it and what it started, by SIGTERM and then by SIGKILL."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_GRACE_S)
                return

    def tail(self) -> str:
        """Return the last lines that it wrote."""
        with self.log.open("rb") as stream:
            stream.seek(self._start)
            text = stream.read().decode(errors="replace")
        return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-_TAIL_LINES:])


def _ended(running: dict[str, tuple[Job, _RunProcess]]) -> list[tuple[Job, Failure | None]]:
    """Remove the runs that have ended and return them, each with its failure, if it is one."""
    ended: list[tuple[Job, Failure | None]] = []
    for job, child in list(running.values()):
        status = child.process.poll()
        if status is not None:
            del running[job.name]
            how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
            failure = Failure(job.name, how, child.log, child.tail())
            ended.append((job, None if status == 0 and job.complete else failure))
    return ended


def _stuck(waiting: Sequence[Job], running: Collection[str], logs: Mapping[str, Path]) -> list[tuple[Job, Failure]]:
    """Return the jobs that wait for a distillation that no run will finish."""
    coming = {job.name for job in waiting} | {*running}
    stuck = []
    for job in waiting:
        source = job.waits_for
        if source is not None and source.name not in coming and not job.ready:
            reason = f"{source.name}, whose distillation it takes over, has not finished it"
            stuck.append((job, Failure(job.name, "not started", logs[source.name], reason)))
    return stuck


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
