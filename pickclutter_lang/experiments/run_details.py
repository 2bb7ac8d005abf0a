"""What was run, for the end of a report's page: configuration, data, teacher, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pickclutter_lang.reports.page import settings_table

_KEYS = ("name", "seed", "object_split", "few_shot_draw", "git_revision", "versions", "teacher", "data", "descriptions")
_COSTS = ("parameters", "seconds", "peak_memory_mb")


def run_details(result: Mapping[str, Any]) -> dict[str, str]:
    """Return title -> Markdown of the parts of a `result.json` that say what was run."""
    return {
        "Data, teacher, versions": settings_table({key: result[key] for key in _KEYS if key in result}),
        "Configuration": settings_table(result["config"]),
        "Time and memory": settings_table({key: result[key] for key in _COSTS if key in result}),
    }
