"""Charts of the page of Table 12: bars of each object, and histograms of the scores of unseen ones with thresholds."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pickclutter_lang.experiments.comparison import Result
from pickclutter_lang.experiments.plotting import TRUTH_COLORS
from pickclutter_lang.experiments.run_charts import (
    Interval,
    Panel,
    Stairs,
    draw_bars,
    draw_panels,
    interval_of,
    stairs_of,
)
from pickclutter_lang.experiments.scenes.scene_scores import CELL
from pickclutter_lang.experiments.scenes.table12_sweep import stages_of_sweep
from pickclutter_lang.experiments.scenes.table12_tables import methods_of
from pickclutter_lang.experiments.stages import FEW_SHOT, STAGE_TITLES
from pickclutter_lang.experiments.sweeps.intervals import IntervalResults
from pickclutter_lang.experiments.sweeps.sweep_results import SweepResults, as_key, number_at
from pickclutter_lang.metrics.bootstrap import RunScores
from pickclutter_lang.metrics.weighted import Bools

MOST_METHODS = 6
"""Methods in the chart of objects: the first of the table."""


def draw_objects(results: SweepResults) -> Figure:
    """Draw the average precision of each object on X_ood, few-shot: means and 95% intervals as in the tables.

    An object that is unseen in some runs counts in these alone.
    """
    series: dict[str, dict[str, Interval | None]] = {}
    unseen: dict[str, set[str]] = {}
    whole = IntervalResults(results.folder, results.runs, results.folders)
    for method in [*results.runs][:MOST_METHODS]:
        runs = results.runs[method].values()
        unseen[method] = {name for run in runs for name in _classes(run, "ood_on_ood")}
        found = {}
        for name in dict.fromkeys(name for run in runs for name in _classes(run, "all_on_ood")):
            cell = "ood_on_ood" if name in unseen[method] else "all_on_ood"
            one = whole.estimate(method, f"{FEW_SHOT}.{cell}.classes.{as_key(name)}.average_precision")
            if one is not None:
                found[name] = one
        ordered = sorted(found, key=lambda name: (name in unseen[method], -found[name].mean))
        series[method] = {name: interval_of(found[name]) for name in ordered}
    return draw_bars(series, unseen, "average precision, %")


def draw_scores(values: IntervalResults) -> Figure:
    """Draw the scores of objects of Y_ood on X_ood, all runs of a method together, with the threshold of each run."""
    stages = [stage for stage in stages_of_sweep(values) if f"{stage}.{CELL}" in values.scores]
    rows = []
    for method in methods_of(values):
        panels = []
        for stage in stages:
            thresholds = {number_at(run, f"{stage}.id_threshold") for run in values.runs[method].values()}
            shown = sorted(one for one in thresholds if one is not None)
            title = f"{method}, {STAGE_TITLES[stage]}"
            panels.append(Panel(title, (0, 1), _stairs(values, method, stage), shown))
        rows.append(panels)
    return draw_panels(rows, "score of an object of Y_ood", "% of labels")


def _stairs(values: IntervalResults, method: str, stage: str) -> list[Stairs]:
    runs: list[tuple[RunScores, Bools]] = [
        (run, split.targets)
        for split in values.scores[f"{stage}.{CELL}"].values()
        for run in split.runs.get(method, {}).values()
    ]
    found = []
    for truth, color in TRUTH_COLORS.items():
        scores = [run.scores[targets == (truth == "present")] for run, targets in runs]
        above = [run.predicted[targets == (truth == "present")] for run, targets in runs]
        if any(map(len, scores)):
            name = "recall" if truth == "present" else "false alarms"
            share = 100 * np.concatenate(above).mean()
            label = f"{truth}: median {np.median(np.concatenate(scores)):.2f}, {name} {share:.0f}%"
            found.append(stairs_of(label, color, np.concatenate(scores), (0, 1)))
    return found


def _classes(result: Result, cell: str) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = result["metrics"][FEW_SHOT][cell]["classes"]
    return found
