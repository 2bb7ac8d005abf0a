"""What `pickclutter compare-runs` shows of runs on scenes, from results and saved predictions alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from matplotlib.figure import Figure

from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.compare_config import CompareRunsConfig
from pickclutter_lang.experiments.comparison_page import (
    BOLD_NOTE,
    DIFFERENCES,
    OBJECTS,
    TRAINING,
    Compared,
    draw_training,
    training_section,
    write_comparison_page,
)
from pickclutter_lang.experiments.run_charts import Interval, draw_bars, draw_differences, interval_of
from pickclutter_lang.experiments.run_details import run_details
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
from pickclutter_lang.experiments.scenes.table12 import write_numbers
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell
from pickclutter_lang.experiments.sweeps.sweep_results import TEACHER, Replicate, SweepResults
from pickclutter_lang.experiments.sweeps.tables import CHANCE_NOTE
from pickclutter_lang.metrics.bootstrap import Metric
from pickclutter_lang.utils.io import create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table, percent

_COMPARED: dict[Metric, str] = {"f1": "F1 per scene", "map": "Mean average precision"}
_TABLES: dict[str, str] = {"f1": _COMPARED["f1"], "map": _COMPARED["map"], "accuracy": "Overall accuracy"}
_NOTE = (
    "± half of the 95% interval over scenes and objects (bootstrap). Each run is one training: other seeds are not "
    "covered. `pickclutter reproduce-table12` compares methods over several seeds."
)
_DIFFERENCE_NOTE = f"In points, on the same scenes and objects, which both runs share in each resample. {BOLD_NOTE}"


def write_comparison(config: CompareRunsConfig) -> Path:
    """Write `report.html` into the folder `out`, and the numbers of the runs into `tables`; return the page's path.

    :raises MismatchError: for numbers of runs on other data, of another teacher or seed
    :raises InvalidArgumentError: for numbers of a run whose folder has the name of another row of tables
    :raises CheckpointError: for a folder that is no run, or whose run is not finished or is damaged
    :raises DatasetError: when it cannot be written
    :raises LockedError: when another process is at work in `out` or `tables`
    """
    runs = load_comparison(config.runs)
    if config.tables is not None:
        _check_numbers(runs)
    histories = {label: run.result["history"] for label, run in runs.runs.items()}
    compared = Compared(
        labels=[*runs.runs],
        cells=f"Cells are {' / '.join(STAGE_TITLES[stage] for stage in runs.stages)} in percent.",
        shared={label: _what_is_shared(runs, label) for label in runs.others},
        settings=runs.differing_settings(),
        results=[*_results(runs)],
        differences=[*_differences(runs)],
        objects=[_OBJECTS_NOTE, f"![Average precision of each object]({OBJECTS})", _object_table(runs)],
        charts={
            DIFFERENCES: _draw_differences(runs),
            OBJECTS: _draw_objects(runs),
            TRAINING: draw_training(histories, "map", "mAP of Y_id on X_id"),
        },
        details={
            f"{label}: {title}": part
            for label, run in runs.runs.items()
            for title, part in run_details(run.result).items()
        },
        more=[*training_section()],
    )
    page = write_comparison_page(compared, Path(config.out))
    if config.tables is not None:
        _write_numbers(runs, config.runs, Path(config.tables))
    return page


def _check_numbers(runs: RunComparison) -> None:
    """Check that the numbers of runs can be one table, as those of a sweep."""
    first = runs.runs[runs.first].result
    for label, run in runs.runs.items():
        own = label == run.result["config"].get("method")
        if label in (*TRIVIAL, TEACHER) or (label in METHODS and not own):
            raise InvalidArgumentError(
                f"expected a run's folder to have no name that a table has a row of, but got {label}; rename it"
            )
        why = next(filter(None, (runs.unpaired(label, cell) for cell in SHOWN)), None)
        others = [why, *(f"other {title}" for title in runs.other_data(label))]
        others += ["another teacher"] if run.result["teacher"] != first["teacher"] else []
        if Replicate.of_result(run.result) != Replicate.of_result(first):
            others.append(f"another seed or draw ({Replicate.of_result(run.result).folder_name})")
        if found := [other for other in others if other]:
            raise MismatchError(
                f"expected runs of one seed on the same data for tables=, but {label} has {', '.join(found)} than "
                f"{runs.first}; leave it out"
            )


def _write_numbers(runs: RunComparison, folders: Sequence[str], out: Path) -> None:
    """Write the numbers of runs by their labels, as those of a sweep."""
    replicates = {label: Replicate.of_result(run.result) for label, run in runs.runs.items()}
    results = {label: {replicates[label]: {**run.result, "name": label}} for label, run in runs.runs.items()}
    places = {(label, replicates[label]): Path(run) for label, run in zip(runs.runs, folders, strict=True)}
    create_dir(out)
    with dir_lock(out):
        write_numbers(SweepResults(out, results, places), [(label, runs.first) for label in runs.others], out)


def _results(runs: RunComparison) -> Iterator[str]:
    yield _NOTE
    intervals = {label: intervals_of(runs.bootstraps, label, run.thresholds) for label, run in runs.runs.items()}
    for metric, title in _TABLES.items():
        yield f"### {title}, %"
        yield _result_table(runs, metric, intervals)
    if any(is_chance(run.result["config"].get("method"), *_CHANCE) for run in runs.runs.values()):
        yield CHANCE_NOTE


def _differences(runs: RunComparison) -> Iterator[str]:
    yield " ".join([_DIFFERENCE_NOTE, *_data_notes(runs)])
    yield f"![Differences]({DIFFERENCES})"
    for compared, title in _COMPARED.items():
        yield f"### {title}: difference from `{runs.first}`"
        yield _difference_table(runs, compared)


def _draw_differences(runs: RunComparison) -> Figure:
    def of_run(label: str, metric: Metric) -> dict[str, Interval | None]:
        return {
            f"{table_title(cell)}, {STAGE_TITLES[stage]}": interval_of(runs.difference(label, stage, cell, metric))
            for cell, stage in product(SHOWN, runs.stages)
        }

    panels = {title: {label: of_run(label, metric) for label in runs.others} for metric, title in _COMPARED.items()}
    return draw_differences(panels, runs.first)


def _draw_objects(runs: RunComparison) -> Figure:
    """Draw the average precision of each object on X_ood, few-shot."""
    series: dict[str, dict[str, Interval | None]] = {}
    for label, run in runs.runs.items():
        classes = run.result["metrics"]["few_shot"]["all_on_ood"]["classes"]
        found = {name: classes.get(name, {}).get("average_precision") for name in runs.objects}
        series[label] = {name: None if one is None else Interval(one, one, one) for name, one in found.items()}
    unseen = {label: {n for n in runs.objects if run.is_unseen(n)} for label, run in runs.runs.items()}
    return draw_bars(series, unseen, "average precision, %")


_CHANCE = ("zero_shot", "ood_on_ood")
_OBJECTS_NOTE = (
    "Average precision on X_ood, few-shot. A star, and hatching, marks an object that is unseen in that run."
)


def _what_is_shared(runs: RunComparison, label: str) -> str:
    """Return in words where a run is paired with the first, and what other data it has."""
    cells: dict[str | None, list[str]] = {}
    for cell in SHOWN:
        cells.setdefault(runs.unpaired(label, cell), []).append(table_title(cell))
    parts = [f"{f'not paired, {why}' if why else 'paired'}: {', '.join(found)}" for why, found in cells.items()]
    other = runs.other_data(label)
    return "; ".join(parts + ([f"other data: {', '.join(other)}"] if other else [])) + "."


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
