"""Scores per scene of the unseen objects of a sweep in a small file, from which its intervals are computed.

Probabilities have 3 significant digits. Which labels are predicted is stored beside them, so that F1 is exact.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.scenes.predictions import load_predictions
from pickclutter_lang.experiments.scenes.table12_sweep import stages_of_sweep
from pickclutter_lang.experiments.sweeps.intervals import Scores
from pickclutter_lang.experiments.sweeps.sweep_results import SweepResults
from pickclutter_lang.metrics.bootstrap import RunScores, SplitScores
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.metrics.weighted import Bools
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import read_json

Column = TypeVar("Column", str, list[float])
SCORES_FILE = "scores.json.gz"
CELL = "ood_on_ood"
"""The cell that has scores: unseen objects on X_ood."""


class _Split(TypedDict):
    scenes: list[str]
    targets: dict[str, str]


class _Stage(TypedDict):
    scores: dict[str, list[float]]
    predicted: dict[str, str]


class _Run(TypedDict):
    method: str
    object_split: int
    seed: int
    draw: int
    stages: dict[str, _Stage]


class _Content(TypedDict):
    splits: dict[str, _Split]
    runs: list[_Run]


def write_scores(path: Path, results: SweepResults) -> bool:
    """Write the scores of all runs of a sweep; return whether every run has predictions.

    :raises MismatchError: when runs of one object split were evaluated on other scenes or objects
    :raises CheckpointError: for damaged predictions
    """
    stages = stages_of_sweep(results)
    places = {key: folder / "predictions" for key, folder in results.folders.items()}
    if not all((place / f"{stage}_ood.npz").is_file() for place in places.values() for stage in stages):
        return False
    splits: dict[str, Any] = {}
    runs: list[dict[str, Any]] = []
    for (name, replicate), place in places.items():
        of_stages = {}
        for stage in stages:
            found = load_predictions(place / f"{stage}_ood.npz").of_splits(("ood",))
            shared = {"scenes": found.scenes, "targets": _columns(found, found.targets)}
            if splits.setdefault(str(replicate.object_split), shared) != shared:
                raise MismatchError(
                    f"expected runs of object split {replicate.object_split} on the same scenes and objects, but "
                    f"{place.parent} has others; evaluate it again"
                )
            threshold = float(results.runs[name][replicate]["metrics"][stage]["id_threshold"])
            rounded = [[float(f"{p:.3g}") for p in row] for row in found.probabilities.T.tolist()]
            predicted = _columns(found, found.probabilities > threshold)
            of_stages[stage] = {"scores": dict(zip(found.names, rounded, strict=True)), "predicted": predicted}
        runs.append({"method": name, **replicate._asdict(), "stages": of_stages})
    content = json.dumps({"splits": splits, "runs": runs}, separators=(",", ":"))
    atomic_write(path, gzip.compress(content.encode(), mtime=0))
    return True


def read_scores(path: Path) -> Scores:
    """Read what `write_scores` wrote; the predictors that give every label one score are runs too.

    :raises CheckpointError: when the file is missing or damaged
    """
    again = "write them again"
    content = read_json(path, _Content, CheckpointError, again, limit=2**30)
    try:
        parts = content["splits"]
        targets = {k: _bits(v["targets"], [*v["targets"]], len(v["scenes"])) for k, v in parts.items()}
        found: dict[str, dict[int, dict[str, dict[tuple[int, int], RunScores]]]] = {}
        for run in content["runs"]:
            if str(run["object_split"]) not in parts:
                raise ValueError(f"expected the scenes of object split {run['object_split']}, but they are missing")
            part = parts[str(run["object_split"])]
            names, n_scenes = [*part["targets"]], len(part["scenes"])
            for stage, one in run["stages"].items():
                scores = np.array(_ordered(one["scores"], names, n_scenes), dtype=float).T
                of_split = found.setdefault(stage, {}).setdefault(run["object_split"], {})
                own = of_split.setdefault(run["method"], {})
                own[run["seed"], run["draw"]] = RunScores(scores, _bits(one["predicted"], names, n_scenes))
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged ({error}); {again}") from error
    return {
        f"{stage}.{CELL}": {
            split: SplitScores(
                targets[str(split)],
                {**runs, **_constant_predictors(targets[str(split)])},
                tuple(parts[str(split)]["scenes"]),
                tuple(parts[str(split)]["targets"]),
            )
            for split, runs in splits.items()
        }
        for stage, splits in found.items()
    }


def _constant_predictors(targets: Bools) -> dict[str, dict[tuple[int, int], RunScores]]:
    """Return predictors that see no image, by their name in results; they have one run, since nothing is trained."""
    answers = {"always_no": np.zeros_like(targets), "always_yes": np.ones_like(targets)}
    return {name: {(0, 0): RunScores(answer.astype(float), answer)} for name, answer in answers.items()}


def _columns(predictions: Predictions, values: Tensor) -> dict[str, str]:
    """Return a string of 0 and 1 for each label, a digit for each scene."""
    rows = values.to(torch.int64).T.tolist()
    return {name: "".join(map(str, row)) for name, row in zip(predictions.names, rows, strict=True)}


def _ordered(columns: Mapping[str, Column], names: Sequence[str], length: int) -> list[Column]:
    """Return columns in the order of the names of the targets.

    :raises ValueError: when they are of other names or of another length
    """
    if columns.keys() != set(names):
        raise ValueError(f"expected columns of {', '.join(names)}, but got {', '.join(columns)}")
    found = [columns[name] for name in names]
    if any(len(column) != length for column in found):
        raise ValueError(f"expected {length} scenes in every column, but got {[len(column) for column in found]}")
    return found


def _bits(columns: Mapping[str, str], names: Sequence[str], length: int) -> Bools:
    """Return [N, C] bool of what `_columns` wrote."""
    return np.array([[digit == "1" for digit in column] for column in _ordered(columns, names, length)]).T
