"""Which runs a table or a figure needs, as jobs of a grid; see `pickclutter_lang.evaluation.grid_runner`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.benchmarks.figures import write_figure
from pickclutter_lang.benchmarks.results import Runs, load_runs, read_result, shared_settings, student_name
from pickclutter_lang.benchmarks.rows import FIGURES, RUNS, TABLES
from pickclutter_lang.benchmarks.run import describe_data
from pickclutter_lang.benchmarks.settings import BenchmarkSettings, own_settings
from pickclutter_lang.benchmarks.tables import write_table
from pickclutter_lang.errors import InvalidArgumentError, StoreMismatchError
from pickclutter_lang.evaluation.grid_runner import Job, override_key, quoted
from pickclutter_lang.files import make_folders
from pickclutter_lang.pictures import open_pictures
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.training.checkpoint import describe_differences

OWN = ("table", "figure", "seeds", "workers", "out")
"""Settings of a grid; every other one is a setting of each run."""
_OF_A_RUN = {"name", "seed", "threads"} | {override_key(one) for own in RUNS.values() for one in own} - {"student"}
_VIT = "student=vit_b_32"
_RECIPES = {"recipe=paper_resnet": "recipe=paper_vit"}
"""The paper's settings for ResNets -> those for its ViT-B/32."""
ALL = "all"


@dataclass
class BenchmarkGridSettings:
    """Which tables and figures; `seeds` of each run, `workers` side by side.

    A number such as 1 or 2b, a list of them, `all`, or none.

    A run lies in `out/<run>/seed<seed>`, tables and figures in `out`.
    """

    table: Any
    figure: Any
    seeds: list[int]
    out: str
    workers: int
    overrides: list[str]

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if not (self.tables or self.figures):
            raise InvalidArgumentError("expected table=1 to 12 or all, or figure=1, 2b, 4 or all, but got neither")
        for name, chosen, known in (("table", self.table, [*TABLES]), ("figure", self.figure, [*FIGURES])):
            if not {*_chosen(chosen, known)} <= {*known}:
                raise InvalidArgumentError(
                    f"expected {name} to be all, or of {', '.join(known)}, such as {name}={known[0]} or "
                    f"{name}=[{known[0]},{known[1]}], but got {chosen}"
                )
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise InvalidArgumentError(f"expected seeds as a list without repeats, but got {self.seeds}")
        if self.workers < 1:
            raise InvalidArgumentError(f"expected workers to be at least 1, but got {self.workers}")
        for override in self.overrides:
            if override_key(override) == "seed":
                raise InvalidArgumentError(f"expected the seeds of all runs as seeds=[0,1,2], but got {override}")
            if override_key(override) in _OF_A_RUN:
                raise InvalidArgumentError(
                    f"expected a setting that all runs share, but got {override}, which makes the runs of a table apart"
                )

    @property
    def tables(self) -> list[str]:
        """Numbers of the tables."""
        return _chosen(self.table, TABLES)

    @property
    def figures(self) -> list[str]:
        """Numbers of the figures."""
        return _chosen(self.figure, FIGURES)

    @property
    def runs(self) -> list[str]:
        """The runs that they need, each once."""
        needed = [run for number in self.tables for run in TABLES[number].runs]
        needed += [run for number in self.figures for run in FIGURES[number]]
        return list(dict.fromkeys(needed))


def plan_benchmark(settings: BenchmarkGridSettings, compose: Callable[[list[str]], BenchmarkSettings]) -> list[Job]:
    """Return the jobs, seed after seed, so that a part of them is already a table.

    :param compose: from overrides to settings; every run's are checked before anything starts, and the pictures and the
        teacher opened once
    :raises InvalidArgumentError: when an override is wrong, or a finished run has other settings
    :raises PickClutterError: what `open_pictures` and `load_teacher` raise
    :raises StoreMismatchError: when finished runs were made of other pictures or with another teacher than are there
    :raises CheckpointError: when the result of a finished run is damaged or of another schema
    """
    jobs, finished = [], _Finished(Path(settings.out))
    for seed in settings.seeds:
        for run in settings.runs:
            folder = Path(settings.out) / run / f"seed{seed}"
            shared = list(settings.overrides)
            if _VIT in RUNS[run]:  # a network that is named is for the other runs
                shared = [_RECIPES.get(one, one) for one in shared if not override_key(one).startswith("student")]
            chosen = [*shared, *RUNS[run], f"name={quoted(run)}", f"seed={seed}", "threads=1"]
            arguments = [*chosen, f"out={quoted(str(folder))}"]
            own = compose(arguments)
            jobs.append(Job(f"{run}/seed{seed}", folder, arguments, own))
            finished.check(jobs[-1], own)
    return jobs


def write_benchmark(settings: BenchmarkGridSettings) -> list[Path]:
    """Write the tables and figures from the runs that are finished; return their paths.

    What has none of its runs finished is left out.
    """
    out = Path(settings.out)
    make_folders(out)
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


def _chosen(asked: Any, known: Iterable[str]) -> list[str]:
    """Return the numbers that are asked for, each once."""
    if asked is None or asked == ALL:
        return [] if asked is None else list(known)
    return list(dict.fromkeys(str(one) for one in (asked if isinstance(asked, list) else [asked])))


class _Finished:
    """The finished runs of a folder, which must fit those that are planned."""

    def __init__(self, out: Path) -> None:
        self._runs = load_runs(out) if any(out.glob("*/seed*/result.json")) else None
        self._opened: dict[str, Any] = {}

    def check(self, job: Job, settings: BenchmarkSettings) -> None:
        """Compare a planned run with its result, if there is one, and with the others of its student.

        :raises InvalidArgumentError, StoreMismatchError: as `plan_benchmark`
        """
        now = self._now(settings)
        if self._runs is None:
            return
        self._same(self._runs.first, now, settings.out)
        others = [result for seeds in self._runs.results.values() for result in seeds.values()]
        config = settings.as_dict()
        if job.done:
            saved = read_result(job.folder / "result.json")["config"]
            _refuse(job.folder, describe_differences(own_settings(saved), own_settings(config)))
        for result in others:
            if student_name(result["config"]) == student_name(config):
                place = self._runs.folder / result["name"] / f"seed{result['seed']}"
                _refuse(place, describe_differences(shared_settings(result["config"]), shared_settings(config)))
                break

    def _now(self, settings: BenchmarkSettings) -> dict[str, Any]:
        """Return what a run would be made of now, read once for all jobs that share it."""
        key = json.dumps([vars(settings.data), settings.teacher.name, settings.teacher.checkpoint])
        if key not in self._opened:
            data, split, _ = open_pictures(settings.data)
            teacher = load_teacher(settings.teacher.name, settings.teacher.checkpoint).fingerprint
            self._opened[key] = describe_data(data, split) | {"teacher": teacher}
        found: dict[str, Any] = self._opened[key]
        return found

    @staticmethod
    def _same(result: Mapping[str, Any], now: Mapping[str, Any], out: str) -> None:
        """Compare what runs were made of with what is there now."""
        there = {name: result["data"].get(name) for name in now} | {"teacher": result["teacher"]["fingerprint"]}
        differences = [name for name in now if there[name] != now[name]]
        if differences:
            raise StoreMismatchError(
                f"the finished runs under {out.rsplit('/', 2)[0]} were made of other pictures or with another "
                f"teacher ({', '.join(differences)} differ); use those they were made of, or choose another out"
            )


def _refuse(folder: Path, differences: Sequence[str]) -> None:
    if differences:
        raise InvalidArgumentError(
            f"the finished run at {folder} has other settings (there / now): {'; '.join(differences)}; "
            "use the same settings, or choose another out"
        )
