"""Which runs a table or a figure needs, as jobs of a grid; see `pickclutter_lang.evaluation.grid_runner`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.benchmarks.figures import write_figure
from pickclutter_lang.benchmarks.results import Runs, load_runs, read_result
from pickclutter_lang.benchmarks.rows import FIGURES, RUNS, TABLES
from pickclutter_lang.benchmarks.settings import BenchmarkSettings, own_settings
from pickclutter_lang.benchmarks.tables import write_table
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.grid_runner import Job, override_key, quoted
from pickclutter_lang.training.checkpoint import describe_differences

OWN = ("table", "figure", "seeds", "workers", "out")
"""Settings of a grid; every other one is a setting of each run."""
_OF_A_RUN = ("name", "seed", "threads", "continual")
ALL = "all"


@dataclass
class BenchmarkGridSettings:
    """Which tables and figures: numbers such as 1 or 2b, `all`, or none; `seeds` of each run, `workers` side by side.

    A run lies in `out/<run>/seed<seed>`, tables and figures in `out`.
    """

    table: str | None
    figure: str | None
    seeds: list[int]
    out: str
    workers: int
    overrides: list[str]

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if self.table is None and self.figure is None:
            raise InvalidArgumentError("expected table=1 to 12 or all, or figure=1, 2b, 4 or all, but got neither")
        for name, chosen, known in (("table", self.table, TABLES), ("figure", self.figure, FIGURES)):
            if chosen not in (None, ALL, *known):
                raise InvalidArgumentError(f"expected {name} to be all or one of {', '.join(known)}, but got {chosen}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise InvalidArgumentError(f"expected seeds as a list without repeats, but got {self.seeds}")
        if self.workers < 1:
            raise InvalidArgumentError(f"expected workers to be at least 1, but got {self.workers}")
        for override in self.overrides:
            if override_key(override) in _OF_A_RUN:
                raise InvalidArgumentError(f"expected a setting that all runs share, but got {override}; see --help")

    @property
    def tables(self) -> list[str]:
        """Numbers of the tables."""
        return _chosen(self.table, list(TABLES))

    @property
    def figures(self) -> list[str]:
        """Numbers of the figures."""
        return _chosen(self.figure, list(FIGURES))

    @property
    def runs(self) -> list[str]:
        """The runs that they need, each once."""
        needed = [run for number in self.tables for run in TABLES[number].runs]
        needed += [run for number in self.figures for run in FIGURES[number]]
        return list(dict.fromkeys(needed))


def plan_benchmark(settings: BenchmarkGridSettings, compose: Callable[[list[str]], BenchmarkSettings]) -> list[Job]:
    """Return the jobs, seed after seed, so that a part of them is already a table.

    :param compose: from overrides to settings; every run's are checked before anything starts
    :raises InvalidArgumentError: when an override is wrong, or a finished run has other settings
    :raises CheckpointError: when the result of a finished run is damaged or of another schema
    """
    jobs = []
    for seed in settings.seeds:
        for run in settings.runs:
            folder = Path(settings.out) / run / f"seed{seed}"
            chosen = [*settings.overrides, *RUNS[run], f"name={quoted(run)}", f"seed={seed}", "threads=1"]
            arguments = [*chosen, f"out={quoted(str(folder))}"]
            own = compose(arguments)
            jobs.append(Job(f"{run}/seed{seed}", folder, arguments, own))
            if jobs[-1].done:
                _check_finished(folder, own)
    return jobs


def write_benchmark(settings: BenchmarkGridSettings) -> list[Path]:
    """Write the tables and figures from the runs that are finished; return their paths.

    What has none of its runs finished is left out.
    """
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    runs = load_runs(out, settings.overrides) if settings.runs else Runs(out, {})
    paths = []
    for number in settings.tables:
        needed = TABLES[number].runs
        if not needed or any(runs.seeds(run) for run in needed):
            paths.append(write_table(runs, number, out))
    return paths + [
        write_figure(runs, number, out)
        for number in settings.figures
        if all(runs.seeds(run) for run in FIGURES[number])
    ]


def _chosen(asked: str | None, known: Sequence[str]) -> list[str]:
    return [] if asked is None else list(known) if asked == ALL else [asked]


def _check_finished(folder: Path, settings: BenchmarkSettings) -> None:
    saved: dict[str, Any] = read_result(folder / "result.json")["config"]
    differences = describe_differences(own_settings(saved), own_settings(settings.as_dict()))
    if differences:
        raise InvalidArgumentError(
            f"the finished run at {folder} has other settings (there / now): {'; '.join(differences)}; "
            "use the same settings, or choose another out"
        )
