"""What was run, for the end of a report's page: configuration, data, teacher, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pickclutter_lang.experiments.comparison import comparable_config, differing_values
from pickclutter_lang.experiments.sweeps.sweep_results import SweepResults
from pickclutter_lang.reports.page import PAGE_FILE, page_link, settings_table
from pickclutter_lang.utils.json_files import flatten
from pickclutter_lang.utils.markdown import markdown_table

_KEYS = (
    "name", "seed", "object_split", "few_shot_draw", "precision", "git_revision", "versions", "teacher", "data",
    "descriptions",
)  # fmt: skip
_NAMES = ("name", "method", "seed", "data.seed")
_COSTS = ("parameters", "seconds", "peak_memory_mb")


def run_details(result: Mapping[str, Any]) -> dict[str, str]:
    """Return title -> Markdown of the parts of a `result.json` that say what was run."""
    return {
        "Data, teacher, versions": settings_table({key: result[key] for key in _KEYS if key in result}),
        "Configuration": settings_table(result["config"]),
        "Time and memory": settings_table({key: result[key] for key in _COSTS if key in result}),
    }


def sweep_details(results: SweepResults) -> dict[str, str]:
    """Return title -> Markdown: what was run for the first run of a sweep."""
    return {f"{title}, of the first run": part for title, part in run_details(results.first).items()}


def runs_section(results: SweepResults, out: Path) -> tuple[str, list[str]]:
    """Return the runs of a sweep in Markdown, and the links in it, to the reports that are there.

    :param out: folder of the page
    """
    rows, links = [], []
    for (name, replicate), folder in results.folders.items():
        link = page_link(folder / PAGE_FILE, out)
        links += [] if link is None else [link]
        cell = f"`{name}`" if link is None else f"[`{name}`]({link})"
        rows.append([cell, *replicate, f"`{folder}`", results.runs[name][replicate]["git_revision"]])
    table = markdown_table(["run", "split", "seed", "draw", "folder", "revision"], rows)
    return f"## Runs\n\nThe name of a run leads to its report, where that is there.\n\n{table}", links


def differing_settings(results: SweepResults) -> dict[str, dict[str, str]]:
    """Return the settings in which the runs of a sweep differ besides their seeds: dotted key -> run -> value."""
    first = {name: next(iter(runs.values())) for name, runs in results.runs.items()}
    flat = {name: flatten(comparable_config(result["config"])) for name, result in first.items()}
    return differing_values({name: {k: v for k, v in of.items() if k not in _NAMES} for name, of in flat.items()})


def setting_rows(names: Sequence[str], settings: Mapping[str, Mapping[str, str]]) -> str:
    """Return the table of settings in which runs or methods differ, Markdown."""
    rows = ([f"`{key}`", *(values.get(name, "") for name in names)] for key, values in settings.items())
    return markdown_table(["setting", *(f"`{name}`" for name in names)], rows)
