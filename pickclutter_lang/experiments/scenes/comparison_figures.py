"""Charts of a comparison of runs: differences with intervals, bars of each object, curves of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pickclutter_lang.experiments.plotting import tidy_axes
from pickclutter_lang.experiments.scenes.histograms import SHOWN
from pickclutter_lang.experiments.scenes.result_table import table_title
from pickclutter_lang.experiments.scenes.run_comparison import RunComparison
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.metrics.bootstrap import Metric

_TITLES = {"f1": "F1 per scene", "map": "mAP"}


def draw_differences(runs: RunComparison, metrics: Sequence[Metric]) -> Figure:
    """Draw the paired differences from the first run with their 95% intervals, a line for each cell and stage."""
    places = list(product(SHOWN, runs.stages))
    figure = Figure(figsize=(12, 1.2 + 0.16 * len(places) * (1 + len(runs.others))), layout="constrained")
    for ax, metric in zip(figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0], metrics, strict=True):
        ax.axvline(0, color="black", linewidth=1)
        for n, label in enumerate(runs.others):
            shift = 0.7 * ((n + 0.5) / len(runs.others) - 0.5)
            found = [runs.difference(label, stage, cell, metric) for cell, stage in places]
            known = [(row + shift, one) for row, one in enumerate(found) if one is not None]
            if not known:
                continue
            ax.errorbar(
                [100 * one.mean for _, one in known],
                [row for row, _ in known],
                xerr=[100 * (np.nan if one.half_width is None else one.half_width) for _, one in known],
                fmt="o", capsize=3, color=f"C{n + 1}", label=label,
            )  # fmt: skip
        ax.set(title=f"{_TITLES[metric]}, points more than {runs.first}", yticks=range(len(places)))
        ax.set_yticklabels([f"{table_title(cell)}, {STAGE_TITLES[stage]}" for cell, stage in places], fontsize=9)
        ax.grid(axis="x", alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    ax.invert_yaxis()
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def draw_objects(runs: RunComparison) -> Figure:
    """Draw the average precision of each object on X_ood, few-shot, a bar for each run; hatched where it is unseen."""
    names, width = runs.objects, 0.84 / len(runs.runs)
    figure = Figure(figsize=(max(12, 0.16 * len(names) * (1 + len(runs.runs))), 4.4), layout="constrained")
    ax = figure.subplots()
    for n, (label, run) in enumerate(runs.runs.items()):
        classes = run.result["metrics"]["few_shot"]["all_on_ood"]["classes"]
        found = [classes.get(name, {}).get("average_precision") for name in names]
        heights = [np.nan if value is None else 100 * value for value in found]
        places = np.arange(len(names)) + width * (n - (len(runs.runs) - 1) / 2)
        hatches = ["//" if run.is_unseen(name) else "" for name in names]
        bars = ax.bar(places, heights, 0.95 * width, color=f"C{n}", hatch=hatches, edgecolor="white", linewidth=0)
        bars.set_label(label)
    ax.set(ylabel="average precision, %", ylim=(0, 100), xticks=range(len(names)), xlim=(-0.6, len(names) - 0.4))
    first = runs.runs[runs.first]
    ax.set_xticklabels([f"{name} *" if first.is_unseen(name) else name for name in names], rotation=40, ha="right")
    ax.tick_params(axis="x", labelsize=8)
    tidy_axes(ax)
    handles = [(one, str(one.get_label())) for one in ax.containers]
    figure.legend(*zip(*handles, strict=True), loc="outside lower center", ncols=4)
    return figure


def draw_training(runs: RunComparison) -> Figure:
    """Draw the losses of both phases and the validation on X_id, a line for each run."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    axes = figure.subplots(1, 3)
    for n, (label, run) in enumerate(runs.runs.items()):
        history: Mapping[str, Sequence[Mapping[str, Any]]] = run.result["history"]
        for ax, phase in ((axes[0], "distill"), (axes[2], "few_shot")):
            _draw_line(ax, history[phase], [row["loss"] for row in history[phase]], f"C{n}", label)
        rows = history["distill"]
        values = [np.nan if row["validation"]["map"] is None else 100 * row["validation"]["map"] for row in rows]
        _draw_line(axes[1], rows, values, f"C{n}", label)
    titles = ("distillation: loss", "distillation: mAP of Y_id on X_id, %", "few-shot: loss")
    for ax, title in zip(axes, titles, strict=True):
        ax.set(title=title, xlabel="epoch")
        tidy_axes(ax)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _draw_line(ax: Axes, rows: Sequence[Mapping[str, Any]], values: Sequence[float], color: str, label: str) -> None:
    ax.plot([row["epoch"] for row in rows], values, color=color, marker=".", label=label)
