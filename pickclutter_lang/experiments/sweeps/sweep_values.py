"""The numbers of a sweep as a CSV file with a line for each, from which its tables are drawn."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.experiments.comparison import Result
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate, SweepResults, as_key, keys_of, number_at
from pickclutter_lang.utils.csv import write_csv

VALUES_FILE = "values.csv"
_HEAD = ["method", "object_split", "seed", "draw", "stage", "cell", "metric", "value"]


def write_values(path: Path, results: SweepResults) -> None:
    """Write every number of values as of `values_of`, with 6 decimals."""
    write_csv(path, _lines(results))


def read_values(path: Path) -> SweepResults:
    """Read what `write_values` wrote: results with metrics alone.

    :raises CheckpointError: when the file is missing, or lacks a column
    """
    runs: dict[str, dict[Replicate, Result]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                replicate = Replicate(int(row["object_split"]), int(row["seed"]), int(row["draw"]))
                result = runs.setdefault(row["method"], {}).setdefault(replicate, _result(row["method"], replicate))
                keys = [row["stage"], row["cell"], *keys_of(row["metric"])]
                _put(result["metrics"], [key for key in keys if key], float(row["value"]))
    except (OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"expected the numbers of a sweep in {path}, but: {error!r}; write them again") from error
    return SweepResults(path.parent, runs, {})


def values_of(
    results: SweepResults,
    measures: Callable[[Result], Iterable[str]],
    more: Iterable[tuple[str, Replicate, Result]] = (),
) -> SweepResults:
    """Return results with some of their numbers alone, rounded as in the CSV file.

    :param measures: dotted paths of the numbers of a result, see `number_at`
    :param more: further rows: name, replicate, and a result
    """
    rows = [(name, key, result) for name, runs in results.runs.items() for key, result in runs.items()]
    runs: dict[str, dict[Replicate, Result]] = {}
    for name, key, result in (*rows, *more):
        values = runs.setdefault(name, {}).setdefault(key, _result(name, key))
        for measure in measures(result):
            value = number_at(result, measure)
            if value is not None:
                _put(values["metrics"], keys_of(measure), round(value, 6))
    return SweepResults(results.folder, runs, {})


def _result(name: str, replicate: Replicate) -> Result:
    split, seed, draw = replicate
    return {"name": name, "object_split": split, "seed": seed, "few_shot_draw": draw, "metrics": {}}


def _put(values: dict[str, Any], keys: Sequence[str], value: float) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
    values[keys[-1]] = value


def _lines(results: SweepResults) -> Iterator[Sequence[object]]:
    yield _HEAD
    for name, runs in results.runs.items():
        for replicate, result in runs.items():
            for path, value in _leaves(result["metrics"]):
                metric = ".".join(map(as_key, path[2:] or path[1:]))
                stage, cell = path[0], path[1] if len(path) > 2 else ""
                if len(path) == 1:
                    stage, metric = "", path[0]
                yield [name, *replicate, stage, cell, metric, f"{value:.6f}".rstrip("0").rstrip(".")]


def _leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value
