"""The sweeps behind the pages: numbers of their runs, from `values.csv`, or as means where no more was kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from result_data import DATA, ResultError, read

from pickclutter_lang.experiments.images.image_results import read_numbers
from pickclutter_lang.experiments.scenes.result_table import SECTIONS, TRIVIAL
from pickclutter_lang.experiments.scenes.table12 import default_pairs, read_tables
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS
from pickclutter_lang.experiments.scenes.table12_tables import methods_of
from pickclutter_lang.experiments.sweeps.intervals import IntervalResults
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate
from pickclutter_lang.experiments.sweeps.sweep_values import VALUES_FILE
from pickclutter_lang.metrics.bootstrap import SplitScores
from pickclutter_lang.utils.statistics import Estimate

_NAMES = {"all_negative": "always_no", "all_positive": "always_yes"}
_PREDICTORS = {"_at_half": "model_at_half", "_matched_fpr": "model_matched_fpr"}


@dataclass(frozen=True)
class RecordedResults(IntervalResults):
    """Means and intervals over seeds that were computed when runs were there."""

    means: dict[tuple[str, str], Estimate] = field(default_factory=dict)
    differences: dict[tuple[str, str, str], Estimate] = field(default_factory=dict)

    def estimate(self, run: str | None, measure: str) -> Estimate | None:
        """Return a recorded mean."""
        return self.means.get((str(run), measure))

    def difference(self, left: tuple[str | None, str], right: tuple[str | None, str]) -> Estimate | None:
        """Return a recorded difference."""
        return self.differences.get((str(left[0]), str(right[0]), left[1])) if left[1] == right[1] else None


@cache
def table12_sweep(name: str) -> tuple[IntervalResults, dict[str, Any]]:
    """Return the numbers of a Table 12 sweep, and the notes, settings and pairs of its page.

    Its folder has what `reproduce-table12` wrote, or a folder of that for each part of the runs. `A+B` is the sweep
    of the runs of both.

    :raises ResultError: when one of both has no runs
    """
    folders = name.split("+")
    if len(folders) > 1 and (missing := [folder for folder in folders if not _parts(DATA / folder)]):
        raise ResultError(f"expected runs of each sweep of {name}, but got none of {', '.join(missing)}")
    parts = [part for folder in folders for part in _parts(DATA / folder)]
    if not parts:
        return _recorded(name)
    return read_tables(parts[0]) if len(parts) == 1 else _merged([read_tables(part) for part in parts], DATA / name)


def _parts(folder: Path) -> list[Path]:
    """Return the folders of the parts of a sweep, or its own; none where its runs were not kept."""
    parts = sorted(path.parent for path in folder.glob(f"*/{VALUES_FILE}"))
    return parts or [folder] * (folder / VALUES_FILE).is_file()


@cache
def image_sweep(folder: str) -> IntervalResults:
    """Return the numbers of a sweep over single images.

    Its folder has the `values.csv` that `reproduce-tables` wrote, and `answers.json.gz` where that was kept.
    """
    return read_numbers(DATA / "images" / folder)


_Sweep = tuple[IntervalResults, dict[str, Any]]


def _merged(parts: list[_Sweep], folder: Path) -> _Sweep:
    """Return parts of a sweep as one.

    :raises ResultError: when two parts have the same run, one object split with other scenes or objects, other
        settings of a method, or other teachers
    """
    teachers = {about["teacher"] for _, about in parts if "teacher" in about}
    if len(teachers) > 1:
        raise ResultError(f"expected one teacher in all parts below {folder}, but got {', '.join(sorted(teachers))}")
    runs: dict[str, dict[Replicate, dict[str, Any]]] = {}
    scores: dict[str, dict[int, SplitScores]] = {}
    for values, _ in parts:
        for method, found in values.runs.items():
            known = runs.setdefault(method, {})
            if method in TRIVIAL:  # one of each object split, as in a whole sweep
                splits = {key.object_split for key in known}
                found = {key: result for key, result in found.items() if key.object_split not in splits}
            if twice := set(known) & set(found):
                names = ", ".join(replicate.folder_name for replicate in sorted(twice))
                raise ResultError(f"expected each run once below {folder}, but two parts have {method}/{names}")
            known |= found
        for stage, splits in values.scores.items():
            for split, own in splits.items():
                first = scores.setdefault(stage, {}).setdefault(split, own)
                if (first.scenes, first.classes) != (own.scenes, own.classes) or (first.targets != own.targets).any():
                    raise ResultError(f"expected the same scenes of object split {split} in all parts below {folder}")
                methods = {**first.runs, **{name: {**first.runs.get(name, {}), **of} for name, of in own.runs.items()}}
                scores[stage][split] = replace(first, runs=methods)
    rows = list(dict.fromkeys([*METHODS, "best", *(method for method in runs if method not in TRIVIAL), *TRIVIAL]))
    ordered = {method: dict(sorted(runs[method].items())) for method in rows if method in runs}
    values = IntervalResults(folder, ordered, {}, tuple(TRIVIAL), scores)
    about = {
        "notes": list(dict.fromkeys(note for _, own in parts for note in own["notes"])),
        "settings": _merged_settings([own["settings"] for _, own in parts], folder),
        "pairs": default_pairs(methods_of(values)),
    }
    return values, about


def _merged_settings(parts: list[dict[str, dict[str, str]]], folder: Path) -> dict[str, dict[str, str]]:
    """Return setting -> method -> value of all parts."""
    found: dict[str, dict[str, str]] = {}
    for own in parts:
        for setting, values in own.items():
            known = found.setdefault(setting, {})
            if others := [name for name in values if known.get(name, values[name]) != values[name]]:
                raise ResultError(f"expected one {setting} of {others[0]} in all parts below {folder}, but got two")
            known |= values
    return found


def _recorded(name: str) -> tuple[IntervalResults, dict[str, Any]]:
    means = {}
    for row in read(name):
        method = _NAMES.get(row["method"], row["method"])
        stem, predictor = _predictor(row["metric"])
        if method in ("always_no", "always_yes", "label_frequency"):
            predictor = "model"
        means[method, f"{row['stage']}.{row['cell']}.{predictor}.{stem}"] = _estimate(row, 0.01)
    for row in read(f"{name}_classes"):
        path = f"{row['stage']}.{row['cell']}.classes.{row['class']}"
        means[row["method"], f"{path}.{row['metric']}"] = _estimate(row, 1)
        means[row["method"], f"{path}.support"] = Estimate(float(row["support"]), None, 1)
    for row in read(f"{name}_cost"):
        means |= {(row["method"], measure): Estimate(value, None, 1) for measure, value in _cost(row).items()}
    differences = {}
    for row in read(f"{name}_comparisons"):
        measure = f"{row['stage']}.{row['cell']}.model.{row['metric']}"
        differences[row["method"], row["minus"], measure] = _estimate(row, 0.01)
    runs = _runs(means)
    settings = {row["setting"]: {k: v for k, v in row.items() if k != "setting"} for row in read(f"{name}_settings")}
    pairs = list(dict.fromkeys((this, that) for this, that, _ in differences))
    about = {"notes": [], "settings": settings, "pairs": pairs}
    return RecordedResults(DATA, runs, {}, means=means, differences=differences), about


def _predictor(metric: str) -> tuple[str, str]:
    for end, predictor in _PREDICTORS.items():
        if metric.endswith(end):
            return metric.removesuffix(end), predictor
    assert metric in {known for known, _ in SECTIONS.values()}, metric
    return metric, "model"


def _cost(row: dict[str, str]) -> dict[str, float]:
    times = {"distillation": "distill", "few-shot": "few_shot", "evaluation": "evaluation"}
    found = {"parameters": 1e6 * float(row["million parameters"]), "peak_memory_mb": float(row["peak memory, MB"])}
    found |= {f"seconds.{new}": float(row[f"{old}, s"]) for old, new in times.items()}
    thresholds = re.findall(r"[\d.]+", row["thresholds (X_id)"])
    stages = ("zero_shot", "few_shot", "retrieval")
    return found | {f"{s}.id_threshold": float(t) for s, t in zip(stages, thresholds, strict=True)}


def _estimate(row: dict[str, str], scale: float) -> Estimate:
    half_width = scale * float(row["half_width"]) if row["half_width"] else None
    return Estimate(scale * float(row["mean"]), half_width, int(row["seeds"] or 1))


def _runs(means: dict[tuple[str, str], Estimate]) -> dict[str, dict[Replicate, dict[str, Any]]]:
    """Return runs with the right number of seeds, whose metrics tell which measures there are."""
    metrics: dict[str, dict[str, Any]] = {}
    seeds: dict[str, int] = {}
    for (method, measure), found in means.items():
        values = metrics.setdefault(method, {})
        *path, last = measure.split(".")
        for key in path:
            values = values.setdefault(key, {})
        values[last] = found.mean
        seeds[method] = max(seeds.get(method, 1), found.seeds)
    return {
        method: {Replicate(seed=seed): {"metrics": values} for seed in range(seeds[method])}
        for method, values in metrics.items()
    }
