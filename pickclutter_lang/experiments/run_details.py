"""What was run, for the end of a report's page: configuration, data, teacher, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pickclutter_lang.experiments.sweeps.sweep_results import SweepResults
from pickclutter_lang.reports.page import settings_table
from pickclutter_lang.utils.markdown import markdown_table

_KEYS = (
    "name", "seed", "object_split", "few_shot_draw", "precision", "git_revision", "versions", "teacher", "data",
    "descriptions",
)  # fmt: skip
_COSTS = ("parameters", "seconds", "peak_memory_mb")


def run_details(result: Mapping[str, Any]) -> dict[str, str]:
    """Return title -> Markdown of the parts of a `result.json` that say what was run."""
    return {
        "Data, teacher, versions": settings_table({key: result[key] for key in _KEYS if key in result}),
        "Configuration": settings_table(result["config"]),
        "Time and memory": settings_table({key: result[key] for key in _COSTS if key in result}),
    }


def sweep_details(results: SweepResults) -> dict[str, str]:
    """Return title -> Markdown: each run of a sweep, and what was run for the first of them."""
    rows = [
        [f"`{name}`", *replicate, f"`{results.folders[name, replicate]}`", result["git_revision"]]
        for name, replicates in results.runs.items()
        for replicate, result in replicates.items()
    ]
    runs = markdown_table(["run", "object split", "seed", "draw", "folder", "revision"], rows)
    return {"Runs": runs, **{f"{title}, of the first run": part for title, part in run_details(results.first).items()}}
