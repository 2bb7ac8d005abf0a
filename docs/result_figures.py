"""The charts of the results pages, drawn from the same data as the tables: `python docs/make_results.py --figures`.

Histograms of scores are not here: they need the saved predictions of a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from result_data import read
from result_tables import CELLS, METRICS, STAGES

_OUTCOMES = {
    "picked": ("target placed", "#1b8a3a"),
    "absence_detected": ("absence detected", "#8fc7a3"),
    "missed": ("present target predicted absent", "#e08a00"),
    "absence_missed": ("absence missed", "#f5c26b"),
    "wrong_object_picked": ("wrong object picked", "#c62828"),
    "nothing_placed": ("nothing placed", "#9aa0a6"),
}
_STAGE_COLORS = {"zero_shot": "#8ab4f8", "few_shot": "#3367b0", "retrieval": "#5bb5a2"}
_IMAGE_STAGES = {"zero_shot": "zero-shot", "few_shot": "few-shot"}


def draw_all(folder: Path) -> None:
    """Draw every chart whose numbers are in the data files."""
    draw_outcomes(folder / "policy_outcomes.png")
    for name in ("ycb", "ycb_held_out", "proxy", "ablations"):
        draw_table12(f"table12/{name}", folder / f"table12_{name}.png")
    for data in ("object_views", "grocery"):
        draw_image_bars(data, folder / f"{data}_figure1.png")
    draw_eigenvalues(folder / "object_views_figure4.png")


def draw_outcomes(path: Path) -> None:
    """Draw how the episodes of a policy evaluation ended."""
    rows = read("policy/outcomes")
    figure, axes = plt.subplots(3, 1, figsize=(10, 7.6), sharex=True)
    for axis, group in zip(axes, ("all", "seen", "unseen"), strict=True):
        own = [row for row in rows if row["group"] == group]
        variants = list(dict.fromkeys(row["variant"] for row in own))
        start = dict.fromkeys(variants, 0.0)
        for outcome, (label, color) in _OUTCOMES.items():
            for row in (row for row in own if row["outcome"] == outcome):
                share = 100 * int(row["episodes"]) / int(row["of"])
                at = variants.index(row["variant"])
                axis.barh(at, share, left=start[row["variant"]], color=color, label=label if at == 0 else None)
                if share >= 4:
                    axis.text(start[row["variant"]] + share / 2, at, f"{share:.0f}", ha="center", va="center", size=8)
                start[row["variant"]] += share
        axis.set(yticks=range(len(variants)), yticklabels=variants, xlim=(0, 100), title=f"targets: {group}")
        axis.invert_yaxis()
    axes[-1].set_xlabel("% of the episodes")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=3, fontsize=9)
    _save(figure, path, bottom=0.08)


def draw_table12(name: str, path: Path) -> None:
    """Draw F1, mAP and overall accuracy of the methods of a Table 12 run, with intervals and the paper's numbers."""
    rows = read(name)
    metrics = ("f1", "map", "accuracy")
    figure, axes = plt.subplots(3, 3, figsize=(16, 9), sharex=True, sharey=True)
    for line, metric in enumerate(metrics):
        for column, (cell, title) in enumerate(CELLS.items()):
            own = [row for row in rows if row["metric"] == metric and row["cell"] == cell]
            _draw_cell(axes[line][column], own)
            axes[0][column].set_title(title)
        axes[line][0].set_ylabel(f"{METRICS[metric]}, %")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=5)
    _save(figure, path, bottom=0.06)


def _draw_cell(axis: Any, rows: list[dict[str, str]]) -> None:
    methods = [name for name in dict.fromkeys(row["method"] for row in rows) if not _is_baseline(name)]
    for shift, (stage, title) in enumerate(STAGES.items()):
        own = [row for row in rows if row["stage"] == stage and row["method"] in methods]
        at = [methods.index(row["method"]) + 0.27 * (shift - 1) for row in own]
        errors = [float(row["half_width"] or 0) for row in own]
        axis.bar(at, [float(row["mean"]) for row in own], 0.26, color=_STAGE_COLORS[stage], yerr=errors, label=title)
        paper = [(x, float(row["paper"])) for x, row in zip(at, own, strict=True) if row["paper"]]
        if paper:
            label = "paper (other data)" if shift == 0 else None
            axis.plot(*zip(*paper, strict=True), "kD", markersize=4, label=label)
    best = max(float(row["mean"]) for row in rows if _is_baseline(row["method"]))
    axis.axhline(best, color="#c62828", linestyle="--", linewidth=1, label="best image-blind baseline")
    axis.set_xticks(range(len(methods)), methods, rotation=30, ha="right")
    axis.set_ylim(0, 105)
    axis.grid(axis="y", alpha=0.3)


def _is_baseline(method: str) -> bool:
    return method in ("all_negative", "all_positive", "label_frequency")


def draw_image_bars(data: str, path: Path) -> None:
    """Draw zero-shot and few-shot accuracy on unseen classes (Figure 1)."""
    rows = read(f"images/{data}/figure1")
    runs = list(dict.fromkeys(row["run"] for row in rows))
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, (stage, title) in zip(axes, _IMAGE_STAGES.items(), strict=True):
        own = [row for row in rows if row["measure"] == f"{stage}.ood.accuracy"]
        errors = [100 * float(row["half_width"] or 0) for row in own]
        axis.bar(runs, [100 * float(row["mean"]) for row in own], 0.6, color=_STAGE_COLORS[stage], yerr=errors)
        axis.set_title(f"{title}, X_ood")
        axis.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("accuracy, %")
    _save(figure, path)


def draw_eigenvalues(path: Path) -> None:
    """Draw the singular values of the prompts' centered features (Figure 4)."""
    rows = read("images/object_views/figure4")
    figure, axis = plt.subplots(figsize=(6, 4))
    for kind in dict.fromkeys(row["texts"] for row in rows):
        own = [row for row in rows if row["texts"] == kind]
        axis.plot([int(row["number"]) for row in own], [float(row["mean"]) for row in own], "o-", label=kind)
    axis.set(xlabel="number", ylabel="singular value of the centered features")
    axis.legend()
    axis.grid(alpha=0.3)
    _save(figure, path)


def _save(figure: Any, path: Path, bottom: float = 0.0) -> None:
    figure.tight_layout(rect=(0, bottom, 1, 1))
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
