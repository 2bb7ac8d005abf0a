"""The page of `pickclutter compare-runs`, from results and saved predictions alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from matplotlib.figure import Figure

from pickclutter_lang.experiments.run_details import run_details
from pickclutter_lang.experiments.scenes.command_configs import CompareRunsConfig
from pickclutter_lang.experiments.scenes.comparison_figures import draw_differences, draw_objects, draw_training
from pickclutter_lang.experiments.scenes.histograms import SHOWN
from pickclutter_lang.experiments.scenes.result_table import (
    CELL_TITLES,
    TRIVIAL,
    Intervals,
    is_chance,
    metric_cells,
    table_title,
)
from pickclutter_lang.experiments.scenes.run_comparison import RunComparison, load_comparison
from pickclutter_lang.experiments.scenes.scene_intervals import intervals_of
from pickclutter_lang.experiments.scenes.table12_markdown import setting_rows
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell
from pickclutter_lang.experiments.sweeps.tables import CHANCE_NOTE
from pickclutter_lang.metrics.bootstrap import Metric
from pickclutter_lang.reports.gallery import Gallery
from pickclutter_lang.reports.page import PAGE_FILE, write_page
from pickclutter_lang.utils.io import create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table, percent

_COMPARED: dict[Metric, str] = {"f1": "F1 per scene", "map": "Mean average precision"}
_TABLES: dict[str, str] = {"f1": _COMPARED["f1"], "map": _COMPARED["map"], "accuracy": "Overall accuracy"}
_NOTE = (
    "± half of the 95% interval over scenes and objects (bootstrap). Each run is one training: other seeds are not "
    "covered. `pickclutter reproduce-table12` compares methods over several seeds."
)
_DIFFERENCE_NOTE = (
    "In points, on the same scenes and objects, which both runs share in each resample. **Bold**: the interval leaves "
    "out 0, as one in twenty does by chance alone."
)


def write_comparison(config: CompareRunsConfig) -> Path:
    """Write `report.html` into the folder `out`; return its path.

    :raises CheckpointError: for a folder that is no run, or whose run is not finished or is damaged
    :raises DatasetError: when it cannot be written
    :raises LockedError: when another process is at work in `out`
    """
    runs = load_comparison(config.runs)
    create_dir(Path(config.out))
    charts: dict[str, Figure | Gallery] = {
        "differences.png": draw_differences(runs, list(_COMPARED)),
        "objects.png": draw_objects(runs),
        "training.png": draw_training(runs),
    }
    details = {
        f"{label}: {title}": part for label, run in runs.runs.items() for title, part in run_details(run.result).items()
    }
    with dir_lock(Path(config.out)):
        return write_page(Path(config.out) / PAGE_FILE, "\n\n".join(_sections(runs)), charts, details)


def _sections(runs: RunComparison) -> Iterator[str]:
    stages = " / ".join(STAGE_TITLES[stage] for stage in runs.stages)
    yield "# Comparison of runs"
    yield f"The others are compared with the first, `{runs.first}`. Cells are {stages} in percent."
    yield "\n".join(f"- {_what_is_shared(runs, label)}" for label in runs.others)
    yield "## What differs"
    settings = runs.differing_settings()
    yield setting_rows(list(runs.runs), settings) if settings else "No setting, data, teacher or revision differs."
    yield "## Results"
    yield _NOTE
    intervals = {label: intervals_of(runs.bootstraps, label, run.thresholds) for label, run in runs.runs.items()}
    for metric, title in _TABLES.items():
        yield f"### {title}, %"
        yield _result_table(runs, metric, intervals)
    if any(is_chance(run.result["config"].get("method"), *_CHANCE) for run in runs.runs.values()):
        yield CHANCE_NOTE
    yield "## Differences"
    yield " ".join([_DIFFERENCE_NOTE, *_data_notes(runs)])
    yield "![Differences](differences.png)"
    for compared, title in _COMPARED.items():
        yield f"### {title}: difference from `{runs.first}`"
        yield _difference_table(runs, compared)
    yield "## Each object"
    yield "Average precision on X_ood, few-shot. A star, and hatching, marks an object that is unseen in that run."
    yield "![Average precision of each object](objects.png)"
    yield _object_table(runs)
    yield "## Training"
    yield "Losses of other objectives are sums of other terms. Only the middle chart can be compared."
    yield "![Curves of training](training.png)"


_CHANCE = ("zero_shot", "ood_on_ood")


def _what_is_shared(runs: RunComparison, label: str) -> str:
    """Return in words where a run is paired with the first, and what other data it has."""
    cells: dict[str | None, list[str]] = {}
    for cell in SHOWN:
        cells.setdefault(runs.unpaired(label, cell), []).append(table_title(cell))
    parts = [f"{f'not paired, {why}' if why else 'paired'}: {', '.join(found)}" for why, found in cells.items()]
    other = runs.other_data(label)
    return f"`{label}`: " + "; ".join(parts + ([f"other data: {', '.join(other)}"] if other else [])) + "."


def _data_notes(runs: RunComparison) -> Iterator[str]:
    """Yield a sentence for each run whose differences from the first are not those of settings alone."""
    for label in runs.others:
        other = runs.other_data(label)
        if other:
            yield f"`{label}` has other data ({', '.join(other)}): it differs not in settings alone."


def _result_table(runs: RunComparison, metric: str, intervals: dict[str, Intervals]) -> str:
    """Return the table of a metric: runs, then predictors that see no image, each once for runs of equal numbers."""
    rows = [
        (f"`{label}`", *metric_cells(run.result, "model", metric, intervals[label])) for label, run in runs.runs.items()
    ]
    for name, title in TRIVIAL.items():
        labels: dict[tuple[str, ...], list[str]] = {}
        for label, run in runs.runs.items():
            labels.setdefault(tuple(metric_cells(run.result, name, metric)), []).append(f"`{label}`")
        rows += [(title if len(labels) == 1 else f"{title}, {', '.join(of)}", *cells) for cells, of in labels.items()]
    return markdown_table(["", *CELL_TITLES.values()], rows)


def _difference_table(runs: RunComparison, metric: Metric) -> str:
    rows = []
    for label in runs.others:
        cells = []
        for cell in SHOWN:
            why = runs.unpaired(label, cell)
            found = [difference_cell(runs.difference(label, stage, cell, metric)) for stage in runs.stages]
            cells.append(f"not paired: {why}" if why else " / ".join(found))
        rows.append([f"`{label}` - `{runs.first}`", *cells])
    return markdown_table(["", *map(table_title, SHOWN)], rows)


def _object_table(runs: RunComparison) -> str:
    """Return the average precision of each object at each stage, a column for each run and stage."""
    rows = []
    columns = list(product(runs.runs.values(), runs.stages))
    for name in runs.objects:
        cells = []
        for run, stage in columns:
            row = run.result["metrics"][stage]["all_on_ood"]["classes"].get(name)
            star = "*" if row is not None and run.is_unseen(name) else ""
            cells.append("NA" if row is None else percent(row["average_precision"]) + star)
        rows.append([name, *cells])
    heads = [f"`{label}`, {STAGE_TITLES[stage]}" for label, stage in product(runs.runs, runs.stages)]
    return markdown_table(["object", *heads], rows)
