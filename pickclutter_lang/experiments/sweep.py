"""A sweep: the runs of each name and replicate, planned before any starts, then one process for each, in parallel.

The sweeps of Table 12 (scenes) and of Tables 1 to 11 (single images) are both such sweeps.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.run_process import log_of, process_of_runs
from pickclutter_lang.results.comparability import check_comparable
from pickclutter_lang.results.page import PAGE_FILE
from pickclutter_lang.results.record import RESULT_FILE, Record, Replicate, as_json, precision_here
from pickclutter_lang.results.runs import SweepRules, by_place, load_runs
from pickclutter_lang.training.config import RunConfig
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.validation import MAX_WORKERS, check_seed, within
from pickclutter_lang.utils.words import quoted_value

log = logging.getLogger(__name__)
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
    rules: SweepRules,
    vary: Callable[[Replicate, Job | None], list[str]] = lambda replicate, first: [],
) -> list[Job]:
    """Return the jobs of a sweep, replicate after replicate.

    :param out: a run lies in `out/<name>/<Replicate.folder_name>`
    :param specs: name of a run -> its overrides
    :param compose: from overrides to settings
    :param current_provenance: from settings to the current provenance of a run, as keys of its record
    :param vary: from a replicate to its overrides, besides that of the seed; it gets the job of the first of the draws
        of the same run, whose distillation the others wait for, and None for that one itself
    :raises InvalidArgumentError: when an override is wrong
    :raises MismatchError: when a planned run cannot be compared with a finished one, its own former self among them:
        one of other settings, other data or another teacher
    :raises CheckpointError: when a result is damaged, of another schema, or in the folder of another run
    """
    finished = load_runs(out, rules) if any(out.rglob(RESULT_FILE)) else None
    jobs: list[Job] = []
    first: dict[tuple[str, Replicate], Job] = {}
    planned: dict[str, Record] = {}
    for replicate, (name, overrides) in product(replicates, specs.items()):
        folder = out / name / replicate.folder_name
        waits_for = first.get((name, replicate._replace(draw=0)))
        varied = [f"seed={replicate.seed}", *vary(replicate, waits_for)]
        arguments = [*overrides, *varied, "num_threads=1", f"out={quoted_value(str(folder))}"]
        config = compose(arguments)
        job = Job(f"{name}/{replicate.folder_name}", folder, arguments, config, waits_for)
        jobs.append(job)
        first.setdefault((name, replicate._replace(draw=0)), job)
        for key, place in () if finished is None else finished.folders.items():
            if (key == (name, replicate)) != (place == folder):
                raise CheckpointError(
                    f"expected only the run {job.name} in {folder}, but {key[0]}/{key[1].folder_name} is in {place}; "
                    "move that one"
                )
        if finished is not None:
            values = as_json(config.as_dict())
            record = {"kind": rules.kind, "name": name, "config": values, **replicate.keys_of_record}
            record |= {} if job.done else {"precision": precision_here(values)}
            planned[f"{job.name} (planned)"] = record | current_provenance(config)
    if finished is not None:
        check_comparable(by_place(finished) | planned, rules.comparisons, out)
    return jobs


def run_sweep(jobs: Sequence[Job], command: Sequence[str], out: Path, workers: int) -> list[Failure]:
    """Run the jobs that are not complete yet, some side by side; return those that failed.

    Those that take over a distillation come after all that distill; where that failed they are not started. Children
    end with this process, however it ends; started again, each continues where it stopped.

    :param command: of one run; a job's arguments come after it
    :raises LockedError: when another process is at work in `out`
    """
    logs = out / "logs"
    failures = list[Failure]()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    with dir_lock(out), ProgressBar("runs", len(jobs), sum(job.complete for job in jobs)) as bar:
        logs.mkdir(exist_ok=True)
        for distills in (True, False):
            left = {job.name: job for job in jobs if (job.waits_for is None) is distills and not job.complete}
            for job in list(left.values()):
                if job.waits_for is not None and not job.waits_for.done:
                    first = job.waits_for.name
                    failures.append(Failure(job.name, "not started", log_of(logs, first), f"{first} failed"))
                    del left[job.name]
            tasks = [(name, job.arguments) for name, job in left.items()]
            make = partial(process_of_runs, command, logs, environment)
            with closing(PoolConfig(workers).map(make, tasks)) as ended:
                for (name, _), (status, end) in ended:
                    if status or not left[name].complete:
                        failures.append(Failure(name, status or "exit status 0", log_of(logs, name), end))
                    bar.advance()
                    bar.note(f"{len(failures)} failed")
                    log.info("%s %s; %s left", name, status or "is done", bar.time_left)
    return failures
