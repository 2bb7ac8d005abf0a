"""Planning of a sweep: the runs of each name and replicate, checked before any starts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.comparison import (
    Result,
    as_json,
    check_comparable,
    comparable_settings,
    provenance,
)
from pickclutter_lang.experiments.result import RESULT_FILE, precision_here, read_result
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate, SweepKind, SweepResults, by_place, load_sweep
from pickclutter_lang.experiments.sweeps.sweep_runner import Job, RunConfig
from pickclutter_lang.reports.page import PAGE_FILE
from pickclutter_lang.training.checkpoint import describe_differences, description_differences
from pickclutter_lang.utils.validation import check_seed, check_workers

Config = TypeVar("Config", bound=RunConfig)


class RunSpec(NamedTuple):
    """A run of a sweep: its name, which is that of its folder, and its overrides."""

    name: str
    overrides: Sequence[str]


def check_sweep(seeds: Sequence[int], workers: int, overrides: Sequence[str], reserved: Collection[str]) -> None:
    """Check the settings that all sweeps share.

    :param reserved: keys that the sweep sets for each run, so that nobody else may
    :raises InvalidArgumentError: naming what is wrong
    """
    check_list("seeds", seeds)
    check_workers("workers", workers, 1)
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


def plan_runs(
    out: Path,
    specs: Sequence[RunSpec],
    replicates: Sequence[Replicate],
    compose: Callable[[list[str]], Config],
    current_provenance: Callable[[Config], dict[str, Any]],
    kind: SweepKind,
    vary: Callable[[Replicate, Job | None], list[str]] = lambda replicate, first: [],
) -> list[Job]:
    """Return the jobs of a sweep, replicate after replicate.

    :param out: a run lies in `out/<name>/<Replicate.folder_name>`
    :param compose: from overrides to settings
    :param current_provenance: from settings to the current provenance of a run, see `provenance`
    :param vary: from a replicate to its overrides, besides that of the seed; it gets the job of the first of the draws
        of the same run, whose distillation the others wait for, and None for that one itself
    :raises InvalidArgumentError: when an override is wrong, or a finished run has other settings
    :raises MismatchError: when finished runs were made of other data or with another teacher than are there now, or
        cannot be compared with a planned one
    :raises CheckpointError: when a result is damaged, of another schema, or in the folder of another run
    """
    finished = load_sweep(out, kind) if any(out.rglob(RESULT_FILE)) else None
    jobs = []
    first: dict[tuple[str, Replicate], Job] = {}
    for replicate, spec in product(replicates, specs):
        folder, any_draw = out / spec.name / replicate.folder_name, (spec.name, replicate._replace(draw=0))
        waits_for = first.get(any_draw)
        varied = [f"seed={replicate.seed}", *vary(replicate, waits_for)]
        arguments = [*spec.overrides, *varied, "num_threads=1", f"out={quoted(str(folder))}"]
        config = compose(arguments)
        jobs.append(Job(f"{spec.name}/{replicate.folder_name}", folder, arguments, config, waits_for, PAGE_FILE))
        first.setdefault(any_draw, jobs[-1])
        if finished is not None:
            planned = {"name": spec.name, "config": as_json(config.as_dict()), **replicate.keys_of_result}
            if not jobs[-1].done:
                planned["precision"] = precision_here(planned["config"])
            _check_planned(jobs[-1], planned | current_provenance(config), finished, kind)
    return jobs


def _check_planned(job: Job, planned: Result, finished: SweepResults, kind: SweepKind) -> None:
    """Compare a planned run with its own result, if there is one, and with the other finished runs."""
    name, replicate = planned["name"], Replicate.of_result(planned)
    path = finished.folders.get((name, replicate), job.folder)
    if path.resolve() != job.folder.resolve():
        raise CheckpointError(f"expected the run {job.name} in {job.folder}, but it is at {path}; move it there")
    if job.done:
        saved = read_result(job.folder, kind.kind)
        other = f"{saved['name']}/{Replicate.of_result(saved).folder_name}"
        if other != job.name:
            raise CheckpointError(
                f"expected the result of the run {job.name} in {job.folder}, but it is that of {other}; move that run "
                "elsewhere"
            )
        _check_same_run(job.folder, saved, planned)
    check_comparable(by_place(finished) | {f"{job.name} (planned)": planned}, kind.comparisons, finished.folder)


def _check_same_run(folder: Path, saved: Result, planned: Result) -> None:
    differences = describe_differences(provenance(saved), provenance(planned)) + description_differences(saved, planned)
    if differences:
        raise MismatchError(
            f"the finished run at {folder} was made of other data or texts, or with another teacher (there / now): "
            f"{'; '.join(differences)}; use the original ones, or choose another out"
        )
    differences = describe_differences(comparable_settings(saved), comparable_settings(planned))
    if differences:
        raise InvalidArgumentError(
            f"the finished run at {folder} has other settings (there / now): {'; '.join(differences)}; "
            "use the same settings, or choose another out"
        )


def forwarded_overrides(overrides: Sequence[str], sweep_keys: Collection[str]) -> list[str]:
    """Return the overrides of a sweep's command that are overrides of each run.

    :param sweep_keys: keys of the sweep itself
    """
    return [override for override in overrides if override_key(override) not in sweep_keys]


def override_key(override: str) -> str:
    """Return the key of an override such as `+distill.epochs=3`."""
    return override.split("=")[0].strip("+~ ")


def quoted(value: str) -> str:
    """Return a value that hydra takes as it is, spaces and commas included."""
    return '"' + value.replace('"', '\\"') + '"'
