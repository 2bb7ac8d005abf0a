"""Reading and writing of `result.json`, the metrics and provenance of a finished run."""

from __future__ import annotations

import logging
import math
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from pickclutter_lang.errors import CheckpointError, TrackerError
from pickclutter_lang.experiments.comparison import Result
from pickclutter_lang.students.model import resolve_bf16
from pickclutter_lang.training.checkpoint_state import DescriptionEntry, HistoryRow
from pickclutter_lang.training.experiment import MultiPhaseExperiment
from pickclutter_lang.training.logger import peak_memory_mb, write_json
from pickclutter_lang.training.trackers import flat, open_trackers
from pickclutter_lang.utils.json_files import Text, check_json, read_json

log = logging.getLogger(__name__)
RESULT_FILE = "result.json"
SCHEMA = 4
_Number = float | None
_Scores = dict[str, _Number]


class _Head(TypedDict):
    schema: int


class _Teacher(TypedDict):
    fingerprint: str


class _RunResult(_Head):
    """What the results of all runs have."""

    name: Text
    seed: int
    config: dict[str, Any]
    data: dict[str, Any]
    teacher: _Teacher
    git_revision: str | None
    metrics: dict[str, dict[str, Any]]


class _Result(_RunResult, total=False):
    descriptions: dict[str, DescriptionEntry]
    history: dict[str, Annotated[list[HistoryRow], Meta(min_length=1)]]
    seconds: dict[str, float]


class _NeededScores(TypedDict):
    model: _Scores
    classes: dict[Text, _Scores]


class _Cell(_NeededScores, total=False):
    model_at_half: _Scores
    model_matched_fpr: _Scores
    always_no: _Scores
    always_yes: _Scores
    label_frequency: _Scores


class _Stage(TypedDict):
    id_threshold: float
    id_on_id: _Cell
    ood_on_ood: _Cell
    all_on_ood: _Cell


class _SceneResult(TypedDict):
    metrics: Annotated[dict[str, _Stage], Meta(min_length=1)]


def write_result(
    run: MultiPhaseExperiment,
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    evaluation_seconds: float,
    values: Mapping[str, Any],
) -> Result:
    """Write `result.json` into a run's folder and return its content.

    :param histories: phase -> a row for each epoch
    :param values: what is evaluated, `metrics` among them
    """
    config = run.config.as_dict()
    result: Result = {
        "schema": SCHEMA,
        "kind": run.kind,
        "name": run.name,
        "config": config,
        "seed": config["seed"],
        "data": run.data_provenance,
        "teacher": run.teacher_provenance,
        "precision": "bfloat16" if resolve_bf16(config["precision"], config["device"]) else "float32",
        "git_revision": git_revision(),
        "versions": package_versions(),
        "history": dict(histories),
        "seconds": {
            **{phase: sum(row["seconds"] for row in rows) for phase, rows in histories.items()},
            "evaluation": evaluation_seconds,
        },
        "peak_memory_mb": peak_memory_mb(),
    }
    result = without_nan(result | dict(values))
    write_json(run.folder / RESULT_FILE, result)
    _report(run, result)
    return result


def _report(run: MultiPhaseExperiment, result: Result) -> None:
    """Give the metrics to the trackers; the result is there in any case."""
    try:
        with open_trackers(run.config.report_to, run.folder, result["config"]) as trackers:
            trackers.summarize(figures(result["metrics"]))
    except TrackerError as error:
        log.warning("%s", error)


def figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers in nested metrics by their keys, without those of single classes."""
    return {
        key: float(value)
        for key, value in flat(metrics).items()
        if ".classes." not in key and isinstance(value, int | float)
    }


def read_result(folder: Path, kind: str) -> Result:
    """Read the `result.json` of a run.

    :param kind: `scenes` or `images`
    :raises CheckpointError: when it is missing, damaged, of another schema or of the other kind
    """
    path = folder / RESULT_FILE
    advice = "delete it and run the same command again: a finished run is only evaluated"
    missing = f"expected the result of a run at {path}, but there is no such file; finish the run first"
    head = read_json(path, _Head, CheckpointError, advice, missing)
    if head["schema"] != SCHEMA:
        raise CheckpointError(
            f"expected a result of schema {SCHEMA} in {path}, but got {head['schema']}; convert a run of version 0.1.0 "
            f"with pickclutter migrate {folder}, or {advice}"
        )
    if head.get("kind") != kind:
        raise CheckpointError(f"expected a result on {kind} in {path}, but it is on {head.get('kind')}")
    try:
        check_json(head, _Result)
        if kind == "scenes":
            _check_classes(check_json(head, _SceneResult)["metrics"])
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged ({error}); {advice}") from error
    return dict(head)


def _check_classes(metrics: Mapping[str, _Stage]) -> None:
    """Raise ValueError unless the cells of all stages are of the same classes."""
    first, *others = [
        [list(cell["classes"]) for cell in (stage["id_on_id"], stage["ood_on_ood"], stage["all_on_ood"])]
        for stage in metrics.values()
    ]
    if any(other != first for other in others):
        raise ValueError("$.metrics: expected the same classes in all stages")


def package_versions() -> dict[str, str]:
    """Return the versions of this package and of those that numbers depend on."""
    return {name: version(name) for name in ("pickclutter-lang", "torch", "numpy", "open_clip_torch")}


def git_revision() -> str | None:
    """Return the commit of the source tree (with `-dirty` after it where files were changed), or None without git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def without_nan(value: Any) -> Any:
    """Return nested JSON values with None for numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
