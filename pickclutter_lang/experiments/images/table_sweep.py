"""Which runs a table or a figure needs, as jobs of a grid; see `pickclutter_lang.experiments.sweeps.sweep_runner`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickclutter_lang.datasets.images import ImageDataset, Split, load_image_dataset
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.images.class_encoders import check_texts
from pickclutter_lang.experiments.images.config import ImageTrainConfig, comparable_config
from pickclutter_lang.experiments.images.image_figures import check_umap, write_figure
from pickclutter_lang.experiments.images.image_provenance import describe_data, describe_spaces, describe_texts
from pickclutter_lang.experiments.images.image_results import (
    ImageSweepResults,
    load_runs,
    read_result,
    shared_config,
    student_name,
)
from pickclutter_lang.experiments.images.image_tables import write_table
from pickclutter_lang.experiments.images.table_specs import BEST, FIGURES, RUNS, TABLES
from pickclutter_lang.experiments.sweeps.sweep_runner import Job, override_key, quoted
from pickclutter_lang.teachers import Teacher, load_teacher
from pickclutter_lang.training.checkpoint import describe_differences
from pickclutter_lang.utils.io import ensure_dir

SWEEP_KEYS = ("table", "figure", "seeds", "workers", "out")
"""Settings of a grid; every other one is a setting of each run."""
_OF_A_RUN = {"name", "seed", "num_threads"} | {override_key(one) for own in RUNS.values() for one in own} - {"student"}
_GROUPS = {key.partition(".")[0] for key in _OF_A_RUN if "." in key}
_VIT = "student=vit_b_32"
_RECIPE_NAMES = {"recipe=paper_resnet": "recipe=paper_vit"}
"""The paper's settings for ResNets -> those for its ViT-B/32."""
ALL = "all"


@dataclass
class TableSweepConfig:
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
            if override_key(override) in _OF_A_RUN | _GROUPS:
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


def plan_benchmark(
    config: TableSweepConfig,
    compose: Callable[[list[str]], ImageTrainConfig],
    report: Callable[[str], None] = lambda _: None,
) -> list[Job]:
    """Return the jobs, seed after seed, so that a part of them is already a table.

    Every run's settings, images, teacher, texts and captions are checked before anything starts.

    :param compose: from overrides to settings
    :param report: called with what is to be said of the images
    :raises InvalidArgumentError: when an override is wrong, a text or caption is lacking or too long, or a finished run
        has other settings
    :raises PickClutterError: what `load_image_dataset` and `load_teacher` raise
    :raises MismatchError: when finished runs were made of other images or texts, or with another teacher
    :raises CheckpointError: when the result of a finished run is damaged or of another schema
    :raises MissingExtraError: for Figure 2b without the extra `plots`
    """
    if "2b" in config.figures:
        check_umap()
    of_texts = "6" in config.tables or "4" in config.figures
    jobs, finished = [], _Finished(Path(config.out), report, of_texts)
    for seed in config.seeds:
        for run in config.runs:
            folder = Path(config.out) / run / f"seed{seed}"
            shared = list(config.overrides)
            if _VIT in RUNS[run]:  # a network that is named is for the other runs
                named = ("student", "student.name")
                shared = [_RECIPE_NAMES.get(one, one) for one in shared if override_key(one) not in named]
            chosen = [*shared, *RUNS[run], f"name={quoted(run)}", f"seed={seed}", "num_threads=1"]
            arguments = [*chosen, f"out={quoted(str(folder))}"]
            own = compose(arguments)
            jobs.append(Job(f"{run}/seed{seed}", folder, arguments, own))
            finished.check(jobs[-1], own)
    return jobs


def write_benchmark(config: TableSweepConfig) -> list[Path]:
    """Write the tables and figures from the runs that are finished; return their paths.

    What has none of its runs finished is left out.
    """
    out = Path(config.out)
    ensure_dir(out)
    runs = load_runs(out, config.overrides) if config.runs else ImageSweepResults(out, {})
    paths = []
    for number in config.tables:
        needed = TABLES[number].runs
        if not needed or any(runs.seeds(run) for run in needed):
            paths.append(write_table(runs, number, out))
    figures = sorted(config.figures, key=lambda number: number == "2b")  # which may find too few images: last
    return paths + [
        write_figure(runs, number, out) for number in figures if all(runs.seeds(run) for run in FIGURES[number])
    ]


def _chosen(asked: Any, known: Iterable[str]) -> list[str]:
    """Return the numbers that are asked for, each once."""
    if asked is None or asked == ALL:
        return [] if asked is None else list(known)
    return list(dict.fromkeys(str(one) for one in (asked if isinstance(asked, list) else [asked])))


class _Finished:
    """The finished runs of a folder, which must fit those that are planned, and what these would be made of."""

    def __init__(self, out: Path, report: Callable[[str], None], of_texts: bool) -> None:
        """Read them.

        :param of_texts: Table 6 or Figure 4 is asked for, which a result holds of the texts when it was written
        """
        self._runs = load_runs(out) if any(out.glob("*/seed*/result.json")) else None
        self._report, self._of_texts = report, of_texts
        self._opened: dict[str, tuple[ImageDataset, Split, Teacher]] = {}
        self._checked: dict[str, dict[str, str]] = {}

    def check(self, job: Job, config: ImageTrainConfig) -> None:
        """Check what a planned run needs; compare it with its result, if there is one, and with the others.

        :raises PickClutterError: as `plan_benchmark`
        """
        data, split, teacher = self._open(config)
        texts = self._texts(config)
        if self._runs is None:
            return
        now = describe_data(data, split) | {"teacher": teacher.fingerprint}
        first = self._runs.first
        there = {name: first["data"].get(name) for name in now} | {"teacher": first["teacher"]["fingerprint"]}
        _same(self._runs.folder, there, now, "other images or with another teacher", "choose another out")
        values = config.as_dict()
        if job.done:
            saved = read_result(job.folder / "result.json")
            _refuse(job.folder, describe_differences(comparable_config(saved["config"]), comparable_config(values)))
            kept = {name: saved["data"].get(name) for name in texts}
            _same(job.folder, kept, texts, "other texts", "choose another out")
            if self._of_texts and config.name == BEST:
                _same_spaces(job.folder, saved, describe_spaces(config.text, data, split))
        for result in (result for seeds in self._runs.results.values() for result in seeds.values()):
            if student_name(result["config"]) == student_name(values):
                place = self._runs.folder / result["name"] / f"seed{result['seed']}"
                _refuse(place, describe_differences(shared_config(result["config"]), shared_config(values)))
                break

    def _open(self, config: ImageTrainConfig) -> tuple[ImageDataset, Split, Teacher]:
        """Open images and teacher, once for all jobs that share them."""
        key = json.dumps([vars(config.data), config.teacher.name, config.teacher.checkpoint])
        if key not in self._opened:
            data, split, report = load_image_dataset(config.data)
            self._report(report)
            self._opened[key] = data, split, load_teacher(config.teacher.name, config.teacher.checkpoint)
        return self._opened[key]

    def _texts(self, config: ImageTrainConfig) -> dict[str, str]:
        """Check texts and captions, once for all jobs that share them; return their hashes."""
        key = json.dumps([vars(config.data), vars(config.text), bool(config.objective.cap)])
        if key not in self._checked:
            data, split, teacher = self._open(config)
            check_texts(config.text, teacher, data.classes)
            self._checked[key] = describe_texts(config, data, split)
        return self._checked[key]


def _same_spaces(folder: Path, saved: Mapping[str, Any], now: Mapping[str, str]) -> None:
    advice = "delete its result.json, and it is evaluated again without training"
    _same(folder, saved.get("space_texts", {}), now, "other names, descriptions or captions", advice)


def _same(place: Path, there: Mapping[str, Any], now: Mapping[str, Any], what: str, advice: str) -> None:
    differences = sorted(
        name for name in {*there, *now} if (name in there, there.get(name)) != (name in now, now.get(name))
    )
    if differences:
        raise MismatchError(
            f"what is finished in {place} was made of {what} ({', '.join(differences)} differ); use what it was made "
            f"of, or {advice}"
        )


def _refuse(folder: Path, differences: Sequence[str]) -> None:
    if differences:
        raise InvalidArgumentError(
            f"the finished run at {folder} has other settings (there / now): {'; '.join(differences)}; "
            "use the same settings, or choose another out"
        )
