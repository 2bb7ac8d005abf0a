"""Specifications of the tables on a page of Table 12, and the numbers of a run that they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from pickclutter_lang.experiments.comparison import Result
from pickclutter_lang.experiments.scenes.result_table import (
    SECTIONS,
    TRIVIAL,
    is_chance,
    of_paper,
    stages_of,
    table_title,
)
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS, stages_of_sweep
from pickclutter_lang.experiments.sweeps.intervals import IntervalResults
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate, SweepResults, as_key
from pickclutter_lang.experiments.sweeps.tables import Column, Row, Table
from pickclutter_lang.results.paper_tables import TABLE12, TABLE12_CELLS, PaperFigures

_CLASSES = "ood_on_ood"
_CONSTANT_NOTE = (
    "Nothing is trained for all-negative and all-positive: their intervals of F1 and mAP cover the same without seeds "
    "and draws."
)
_CLASS_METRICS = {"average_precision": "Average precision", "f1": "F1"}


def measures_of(result: Result) -> Iterator[str]:
    """Yield the paths of the numbers of a run that a page shows; per object those of Y_ood on X_ood."""
    for stage in stages_of(result):
        yield f"{stage}.id_threshold"
        for cell, (metric, predictor) in product(TABLE12_CELLS, SECTIONS.values()):
            yield f"{stage}.{cell}.{predictor}.{metric}"
        for name, row in result["metrics"][stage][_CLASSES].get("classes", {}).items():
            path = f"{stage}.{_CLASSES}.classes.{as_key(name)}"
            yield from (f"{path}.{metric}" for metric in (*_CLASS_METRICS, "support") if row)
    yield from ("parameters", "peak_memory_mb", *(f"seconds.{name}" for name in result.get("seconds", {})))


def baselines(results: SweepResults) -> Iterator[tuple[str, Replicate, Result]]:
    """Yield the predictors that see no image as rows of their own, from one run of each object split."""
    first: dict[int, tuple[Replicate, Result]] = {}
    for runs in results.runs.values():
        for replicate, result in runs.items():
            first.setdefault(replicate.object_split, (replicate, result))
    for name, (replicate, result) in product(TRIVIAL, first.values()):
        stages = {
            stage: {cell: {"model": result["metrics"][stage][cell][name]} for cell in TABLE12_CELLS}
            for stage in stages_of(result)
        }
        yield name, replicate, {"metrics": stages}


def methods_of(values: SweepResults) -> list[str]:
    """Return the methods, without the predictors that see no image."""
    return [name for name in values.runs if name not in TRIVIAL]


def coverage_note(values: IntervalResults) -> str:
    """Return what the intervals of methods cover, and those of predictors that see no image."""
    trained = values.note(methods_of(values))
    return f"{trained} {_CONSTANT_NOTE}" if values.scores and "always_yes" in values.runs else trained


def with_paper(values: SweepResults) -> bool:
    """Return whether the paper's figures stand beside those of a sweep: where all runs are of its objects."""
    return all(of_paper(result) for method in methods_of(values) for result in values.runs[method].values())


def score_table(
    values: SweepResults, title: str, metric: str, predictor: str = "model", pairs: Sequence[tuple[str, str]] = ()
) -> Table:
    """Return the table of one metric: methods, then predictors that see no image, with the paper's figures."""
    stages = stages_of_sweep(values)
    columns = tuple(
        Column(table_title(cell), tuple(f"{stage}.{cell}.{predictor}.{metric}" for stage in stages), best="")
        for cell in TABLE12_CELLS
    )
    shown = f"{predictor}.{metric}"
    rows = [
        Row(name, f"`{name}`", name, paper=_paper(values, metric, name), marked=_marked(name, stages, shown))
        for name in methods_of(values)
    ]
    blind = tuple(tuple(f"{stage}.{cell}.model.{metric}" for stage in stages) for cell in TABLE12_CELLS)
    rows += [Row(name, text, name, measures=blind) for name, text in TRIVIAL.items() if name in values.runs]
    return Table(f"12 {metric} {predictor}", title, columns, tuple(rows), tuple(pairs))


def score_tables(values: SweepResults, pairs: Sequence[tuple[str, str]]) -> list[Table]:
    """Return a table for each metric; those of F1 and mAP compare pairs of methods."""
    compared = {("f1", "model"), ("map", "model")}
    tables = []
    for title, section in SECTIONS.items():
        tables.append(score_table(values, title, *section, pairs if section in compared else ()))
    return tables


def class_tables(values: SweepResults) -> list[Table]:
    """Return the tables of each object of Y_ood on X_ood, a column for each method."""
    stages, methods = stages_of_sweep(values), methods_of(values)
    results = [result for method in methods for result in values.runs[method].values()]
    names = dict.fromkeys(name for result in results for name in result["metrics"][stages[0]][_CLASSES]["classes"])
    tables = []
    for metric, title in _CLASS_METRICS.items():
        rows = []
        for name in names:
            path = f"{_CLASSES}.classes.{as_key(name)}"
            own = tuple(f"{stage}.{path}.{metric}" for stage in stages)
            rows.append(Row(name, name, None, ((f"{stages[0]}.{path}.support",), *(own for _ in methods))))
        zero_shot = frozenset(f"zero_shot.{_CLASSES}.classes.{as_key(name)}.{metric}" for name in names)
        columns = [Column("support", (), "", methods[0], interval=False)]
        for method in methods:
            marked = zero_shot if is_chance(method, "zero_shot", _CLASSES) else frozenset()
            columns.append(Column(f"`{method}`", (), "", method, interval=False, marked=marked))
        tables.append(Table(f"12 classes {metric}", title, tuple(columns), tuple(rows)))
    return tables


def cost_table(values: SweepResults) -> Table:
    """Return the table of parameters, seconds, memory and the threshold of each stage."""
    methods = methods_of(values)
    first = next(iter(values.runs[methods[0]].values()))
    times = first["metrics"].get("seconds", {})
    columns = {
        "million parameters": ("parameters",),
        **{f"{name}, s": (f"seconds.{name}",) for name in times},
        "peak memory, MB": ("peak_memory_mb",),
        "thresholds from X_id": tuple(f"{stage}.id_threshold" for stage in stages_of_sweep(values)),
    }
    rows = tuple(Row(name, f"`{name}`", name) for name in methods)
    shown = tuple(Column(title, measures, best="", interval=False) for title, measures in columns.items())
    return Table("12 cost", "Time, size, thresholds", shown, rows)


def _paper(values: SweepResults, metric: str, method: str) -> tuple[PaperFigures, ...]:
    if metric not in TABLE12 or method not in METHODS or not with_paper(values):
        return ()
    return tuple(TABLE12[metric][METHODS[method]][cell] for cell in TABLE12_CELLS)


def _marked(method: str, stages: Sequence[str], measure: str) -> frozenset[str]:
    cells = ((stage, cell) for stage, cell in product(stages, TABLE12_CELLS) if is_chance(method, stage, cell))
    return frozenset(f"{stage}.{cell}.{measure}" for stage, cell in cells)
