"""`result.json`: what every finished run writes, whatever was evaluated."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pickclutter_lang.training.experiment import MultiPhaseExperiment
from pickclutter_lang.training.logger import peak_memory_mb, write_json

RESULT_FILE = "result.json"


def make_record(
    run: MultiPhaseExperiment, schema: int, histories: Mapping[str, Sequence[Mapping[str, Any]]], evaluation: float
) -> dict[str, Any]:
    """Return what a result says of a run beside its metrics.

    :param histories: phase -> a row for each epoch
    :param evaluation: seconds that it took
    """
    config = run.config.as_dict()
    return {
        "schema": schema,
        "config": config,
        "seed": config["seed"],
        "data": run.data_provenance,
        "teacher": run.teacher_provenance,
        "git_revision": git_revision(),
        "versions": {name: version(name) for name in ("pickclutter-lang", "torch", "numpy", "open_clip_torch")},
        "history": dict(histories),
        "seconds": {
            **{phase: sum(row["seconds"] for row in rows) for phase, rows in histories.items()},
            "evaluation": evaluation,
        },
        "peak_memory_mb": peak_memory_mb(),
    }


def write_record(run: MultiPhaseExperiment, record: Mapping[str, Any]) -> dict[str, Any]:
    """Write `result.json` into a run's folder and return what it holds."""
    cleaned: dict[str, Any] = without_nan(dict(record))
    write_json(run.folder / RESULT_FILE, cleaned)
    return cleaned


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
