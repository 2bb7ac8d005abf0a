"""Figures of the report of a run on scenes: curves, metrics, precision of each object, example scenes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pickclutter_lang.distillation import LOSS_NAMES
from pickclutter_lang.experiments.plotting import (
    GRAY,
    MISSED,
    RIGHT,
    SEEN,
    STAGE_COLORS,
    UNSEEN,
    WRONG,
    draw_losses,
    tidy_axes,
)
from pickclutter_lang.experiments.scenes.result_table import TRIVIAL, stages_of, table_title
from pickclutter_lang.experiments.scenes.scene_gallery import Examples, overlay_map, verdicts
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.utils.plugins import is_plugin

_COLORS = {"right": RIGHT, "wrong": WRONG, "missed": MISSED}


def draw_curves(result: dict[str, Any]) -> Figure:
    """Draw the losses of both phases and the validation on X_id."""
    history = result["history"]
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    axes = figure.subplots(1, 3)
    for ax, phase in ((axes[0], "distill"), (axes[2], "few_shot")):
        rows = history[phase]
        extra = (name for name in rows[0] if is_plugin(name))
        draw_losses(ax, rows, [name for name in ("loss", *LOSS_NAMES, *extra) if name in rows[0]])
        ax.set_title("distillation: loss" if phase == "distill" else "few-shot: loss")
    rows = history["distill"]
    for name, title in (("map", "mAP"), ("f1", "F1"), ("accuracy", "accuracy")):
        values = [np.nan if row["validation"][name] is None else 100 * row["validation"][name] for row in rows]
        axes[1].plot([row["epoch"] for row in rows], values, label=title, marker=".")
    axes[1].set(title="distillation: Y_id on X_id, %", xlabel="epoch", ylim=(0, 100))
    axes[1].legend()
    tidy_axes(axes[1])
    return figure


def draw_table(result: dict[str, Any]) -> Figure:
    """Draw mAP and F1 of the three cells of Table 12, at every stage, with the best trivial predictor."""
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    cells = ("id_on_id", "id_on_ood", "ood_on_ood")
    stages = stages_of(result)
    width = 0.76 / len(stages)
    metrics = (("map", "mAP"), ("f1", "F1 per scene"), ("accuracy", "overall accuracy"))
    for ax, (metric, title) in zip(figure.subplots(1, 3), metrics, strict=True):
        for n, stage in enumerate(stages):
            rows = result["metrics"][stage]
            places = np.arange(3) + width * (n - (len(stages) - 1) / 2)
            values = [_value(rows[cell]["model"][metric]) for cell in cells]
            bars = ax.bar(places, values, 0.95 * width, color=STAGE_COLORS[stage])
            ax.bar_label(bars, fmt="%.0f", fontsize=8)
            for place, cell in zip(places, cells, strict=True):
                best = max(_value(rows[cell][name][metric]) for name in TRIVIAL)
                line = ax.hlines(best, place - width / 2, place + width / 2, colors=WRONG, linewidth=2)
            bars.set_label(STAGE_TITLES[stage])
        line.set_label("best predictor without an image")
        ax.set(title=f"{title}, %", xticks=range(3), ylim=(0, 108))
        ax.set_xticklabels([table_title(cell) for cell in cells], fontsize=8)
        tidy_axes(ax)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    return figure


def draw_precisions(result: dict[str, Any]) -> Figure:
    """Draw the average precision of each object on X_ood, objects of Y_ood marked."""
    values = {
        stage: {
            name: row["average_precision"] for name, row in result["metrics"][stage]["all_on_ood"]["classes"].items()
        }
        for stage in stages_of(result)
    }
    known = set(result["metrics"]["zero_shot"]["id_on_id"]["classes"])
    names = sorted(values["few_shot"], key=lambda name: (name not in known, -_value(values["few_shot"][name])))
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    ax = figure.subplots()
    colors = [SEEN if name in known else UNSEEN for name in names]
    places = np.arange(len(names))
    ax.bar(places, [_value(values["few_shot"][name]) for name in names], 0.75, color=colors, label="few-shot")
    for stage, marker in (("zero_shot", "_"), ("retrieval", "x")):
        if stage in values:
            marked = [_value(values[stage][name]) for name in names]
            size = 160 if marker == "_" else 20
            ax.scatter(places, marked, color="black", marker=marker, s=size, zorder=3, label=STAGE_TITLES[stage])
    ax.set(title="Average precision of each object on X_ood, % (blue Y_id, purple Y_ood)", ylim=(0, 100), xticks=places)
    ax.set_xticklabels([name if name in known else f"{name} *" for name in names], rotation=40, ha="right", fontsize=8)
    ax.legend()
    tidy_axes(ax)
    return figure


def draw_examples(predictions: Predictions, examples: Examples, threshold: float) -> Figure:
    """Draw scenes: image, two localization maps, and the names above a threshold colored by right and wrong."""
    rows, images, maps = examples
    lines = -(-len(rows) // 2)
    figure = Figure(figsize=(15, 2.1 * lines), layout="constrained")
    ticks = {"xticks": [], "yticks": [], "frame_on": False}
    grid = figure.subplots(lines, 8, squeeze=False, width_ratios=[1, 1, 1, 0.95] * 2, subplot_kw=ticks)
    for n, row in enumerate(rows):
        axes = grid[n // 2, 4 * (n % 2) : 4 * (n % 2) + 4]
        axes[0].imshow(images[n])
        axes[0].set_title(predictions.scenes[row], fontsize=8)
        for ax, unseen in zip(axes[1:3], (False, True), strict=True):
            _draw_map(ax, predictions, row, images[n], maps[n], unseen)
        _write_names(axes[3], predictions, row, threshold)
    return figure


def _draw_map(
    ax: Axes, predictions: Predictions, row: int, image: NDArray[np.uint8], maps: NDArray[np.float32], unseen: bool
) -> None:
    """Overlay the map of the likeliest label of Y_id or Y_ood."""
    scores = np.where(predictions.unseen.numpy() == unseen, predictions.probabilities[row].numpy(), -1)
    label = int(scores.argmax())
    ax.imshow(overlay_map(image, maps[label]))
    star = "*" if unseen else ""
    true = bool(predictions.targets[row, label])
    ax.set_title(f"{predictions.names[label]}{star} {scores[label]:.2f}", fontsize=8, color=RIGHT if true else WRONG)


def _write_names(ax: Axes, predictions: Predictions, row: int, threshold: float) -> None:
    """Write the names that are true or predicted, with their probability."""
    ranked = list(verdicts(predictions, row, threshold))
    for line, (label, verdict) in enumerate(ranked[:14]):
        star = "*" if predictions.unseen[label] else ""
        text = f"{float(predictions.probabilities[row, label]):.2f} {predictions.names[label]}{star}"
        ax.text(0, 0.97 - line * 0.072, text, color=_COLORS[verdict], fontsize=7.5, va="top", transform=ax.transAxes)
    if len(ranked) > 14:
        ax.text(0, -0.03, f"and {len(ranked) - 14} more", fontsize=7.5, color=GRAY, va="top", transform=ax.transAxes)


def _value(value: float | None) -> float:
    return 0.0 if value is None else 100 * value
