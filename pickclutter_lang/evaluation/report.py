"""The files of an evaluation: `result.json`, `report.html`, `report.md`, the episodes as a CSV file, and figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.curves import CURVES_FILE, episode_curves, write_curves
from pickclutter_lang.evaluation.episode_charts import OBJECTS_FILE, SCORES_FILE, plot_objects, plot_scores
from pickclutter_lang.evaluation.episode_log import write_episodes
from pickclutter_lang.evaluation.episode_page import episode_gallery, episode_table
from pickclutter_lang.evaluation.plots import OUTCOMES_FILE, plot_outcomes, plot_suite
from pickclutter_lang.evaluation.rollout_metrics import comparison_table, comparisons, summary, tables
from pickclutter_lang.evaluation.setup import SCHEMA, Setup
from pickclutter_lang.evaluation.suites import suite_summary, suite_tables
from pickclutter_lang.experiments.result import package_versions
from pickclutter_lang.policy.manifest import load_config
from pickclutter_lang.reports.charts import save_png
from pickclutter_lang.reports.page import PAGE_FILE, settings_table, write_page
from pickclutter_lang.utils.io import write_text

_CALIBRATED_ON = {
    "few_shot": "X_id and the few-shot scenes",
    "id": "X_id",
    "unlabeled": "X_id and, for unseen names, the unlabeled scenes",
}
TABLE_FILE, RESULT_FILE, REPORT_FILE = "episodes.csv", "result.json", "report.md"
_VIDEOS = "videos"


def write_report(
    folder: Path, config: PolicyEvalConfig, setup: Setup, episodes: Sequence[dict[str, Any]], videos: Sequence[str]
) -> None:
    """Write all files but the videos."""
    write_episodes(folder / TABLE_FILE, episodes)
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "config": asdict(config),
        "revisions": sorted({str(episode["revision"]) for episode in episodes}),
        "teachers": {variant: _teacher_of(policy) for variant, policy in setup.rollouts.policies.items()},
        "teacher_thresholds": setup.rollouts.teacher_thresholds and asdict(setup.rollouts.teacher_thresholds),
    }
    found = _picking if config.suite == "picking" else _suite
    values, parts, charts = found(setup, episodes, folder)
    result |= values
    if episodes:
        charts[OBJECTS_FILE] = plot_objects(episodes, config.suite)
        parts.append(_objects_section(config.suite))
    scores = plot_scores(episodes)
    if scores is not None:
        charts[SCORES_FILE] = scores
        parts.append(_scores_section())
    for name, chart in charts.items():
        save_png(chart, folder / name)
    result["videos"] = list(videos)
    write_text(folder / RESULT_FILE, json.dumps(result, indent=1) + "\n")
    parts = [*_head(config, setup), *parts, *_revisions(episodes)]
    write_text(folder / REPORT_FILE, "\n\n".join([*parts, *_videos(videos)]) + "\n")
    shown = charts | {_VIDEOS: episode_gallery(episodes, videos, config.suite, folder)}
    if videos:
        parts += ["## Videos", f"![Videos]({_VIDEOS})"]
    if episodes:
        parts += ["## Episodes", episode_table(episodes, config.suite)]
    write_page(folder / PAGE_FILE, "\n\n".join(parts), shown, _details(result, setup))


_Content = tuple[dict[str, Any], list[str], dict[str, Figure]]
"""Values of `result.json`, sections, and charts by file."""


def _teacher_of(policy: str) -> dict[str, str]:
    """Return name and weights' hash of the teacher of a policy's student."""
    teacher = load_config(policy).student.teacher
    return {"name": teacher.name, "fingerprint": teacher.fingerprint}


def _picking(setup: Setup, episodes: Sequence[dict[str, Any]], folder: Path) -> _Content:
    """Return the content of an evaluation by success; the curves are written as data too."""
    parts: list[str] = []
    charts: dict[str, Figure] = {}
    compared = comparisons(episodes)
    curves = write_curves([*setup.curves, *episode_curves(episodes)], folder)
    if episodes:
        charts[OUTCOMES_FILE] = plot_outcomes(episodes)
        parts = [_outcomes_section(), tables(episodes), *_paired(compared)]
    if curves:
        charts[CURVES_FILE] = curves
        parts.append(_curves_section())
    return {"variants": summary(episodes), "comparisons": compared}, parts, charts


def _suite(setup: Setup, episodes: Sequence[dict[str, Any]], folder: Path) -> _Content:
    """Return the content of a suite of instructions."""
    parts = [_outcomes_section(), suite_tables(episodes)]
    return {"suite": suite_summary(episodes)}, parts, {OUTCOMES_FILE: plot_suite(episodes)}


def _details(result: dict[str, Any], setup: Setup) -> dict[str, str]:
    """Return what was run, for the page."""
    origin = {"revisions": result["revisions"], "versions": package_versions(), "identity": setup.identity}
    details = {"Configuration": settings_table(result["config"])}
    for variant, folder in setup.rollouts.policies.items():
        policy = load_config(folder)
        student = asdict(policy.student) | {"thresholds": asdict(policy.thresholds)}
        details[f"Student {variant}, and its teacher"] = settings_table(student)
    if result["teacher_thresholds"] is not None:
        details["Thresholds of the teacher"] = settings_table(result["teacher_thresholds"])
    return details | {"Objects, versions": settings_table(origin)}


def _head(config: PolicyEvalConfig, setup: Setup) -> list[str]:
    absent = f", an absent object named with probability {config.absent_probability}"
    lines = ["No episodes: detection curves of stored scenes alone."]
    if config.episodes:
        lines = [
            f"Suite `{config.suite}`, {config.episodes} episodes of each variant and kind of instruction (seeds "
            f"{config.seed} to {config.seed + config.episodes - 1}), objects `{config.objects}`, split `{config.split}`"
            f"{absent if config.suite == 'picking' else ''}, control mode `{config.control_mode}`. "
            "All variants act in the same piles. Cells: percent (95% interval; episodes)."
        ]
    if config.run is not None or setup.rollouts.teacher_thresholds is not None:
        stores = _CALIBRATED_ON[config.calibration]
        lines.append(
            f"Thresholds of a run's students, and of the teacher, let {100 * config.false_positive_rate:g}% of the "
            f"absent names of {stores} pass; a policy folder keeps its own."
        )
    if setup.rollouts.policies:
        lines.append(
            "The names of the folder are the rivals of each name, the unseen ones among them: a closed vocabulary. "
            "`suite=open_vocabulary` asks for names outside it."
        )
    if setup.rollouts.policies and config.variants is None and "teacher" not in setup.variants:
        lines.append("The teacher did not act, for want of scenes for its thresholds: `scenes=FOLDER`.")
    return ["# Picking by name", *lines]


def _outcomes_section() -> str:
    return f"![Outcomes of the episodes]({OUTCOMES_FILE})"


def _paired(compared: Sequence[dict[str, Any]]) -> list[str]:
    if not compared:
        return []
    note = (
        "Differences on the same episodes, in points, with the interval of a bootstrap over piles, and the p-value of "
        "McNemar's exact test, without correction for the number of comparisons. All targets; `result.json` has seen "
        "and unseen ones too."
    )
    return [f"## Paired comparisons\n\n{note}\n\n{comparison_table(compared)}"]


def _curves_section() -> str:
    note = (
        "Visible objects that are called absent against absent ones that are, as all thresholds move together. The dot "
        "is where the policy decides at its first observation. Later decisions go by the mean of all observations. In "
        "stored scenes the label of the student's scores takes the place of visible, and its absence that of absent."
    )
    return f"## Detection curves\n\n{note}\n\n![Detection curves]({CURVES_FILE})"


def _objects_section(suite: str) -> str:
    rate = "Episodes with success" if suite == "picking" else "Episodes with the name alone that are right"
    note = f"{rate}, with 95% intervals (Wilson). A star, and hatching, marks objects that are unseen."
    return f"## Each object\n\n{note}\n\n![Each object]({OBJECTS_FILE})"


def _scores_section() -> str:
    note = (
        "Scores of the names that were asked for, at the first decision: of those that are visible, and of those that "
        "are absent. The threshold of each name is moved to 0.5 (dashed): above it a name is taken for present."
    )
    return f"## Scores\n\n{note}\n\n![Scores]({SCORES_FILE})"


def _revisions(episodes: Sequence[dict[str, Any]]) -> list[str]:
    revisions = sorted({str(episode["revision"]) for episode in episodes})
    if len(revisions) < 2:
        return []
    return [f"These episodes were run by {len(revisions)} revisions of the program: {', '.join(revisions)}."]


def _videos(videos: Sequence[str]) -> list[str]:
    return ["## Videos\n\n" + "\n".join(f"- [{name}]({name})" for name in videos)] if videos else []
