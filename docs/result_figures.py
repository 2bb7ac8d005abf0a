"""The charts of the results pages, drawn from the same data as the tables: `python docs/make_results.py --figures`.

Histograms of scores are not here: they need the saved predictions of a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from result_data import read
from result_growth import sizes_of
from result_policy import episodes_of
from result_sweeps import image_sweep, table12_sweep
from result_teacher import curve_points

from pickclutter_lang.evaluation.curves import draw_curves, episode_curves
from pickclutter_lang.experiments.images.table_specs import FIGURES
from pickclutter_lang.experiments.plotting import STAGE_COLORS
from pickclutter_lang.experiments.scenes.table12 import draw_sweep
from pickclutter_lang.reports.charts import save_png

_OUTCOMES = {
    "picked": ("target placed", "#1b8a3a"),
    "absence_detected": ("absence detected", "#8fc7a3"),
    "missed": ("present target predicted absent", "#e08a00"),
    "absence_missed": ("absence missed", "#f5c26b"),
    "wrong_object_picked": ("wrong object picked", "#c62828"),
    "nothing_placed": ("nothing placed", "#9aa0a6"),
}
_IMAGE_STAGES = {"zero_shot": "zero-shot", "few_shot": "few-shot"}


def draw_all(folder: Path) -> None:
    """Draw every chart whose numbers are in the data files."""
    draw_outcomes(folder / "policy_outcomes.png")
    for name in ("ycb", "ycb_held_out", "proxy", "ablations"):
        save_png(draw_sweep(table12_sweep(f"table12/{name}")[0]), folder / f"table12_{name}.png")
    for data in ("object_views", "grocery"):
        draw_image_bars(data, folder / f"{data}_figure1.png")
    for name in ("open_ycb", "open_kinds", "open_earlier_ycb", "open_earlier_kinds", "trial"):
        file = "policy_trial" if name == "trial" else name
        save_png(draw_curves(episode_curves(episodes_of(f"policy/{name}"))), folder / f"{file}_curves.png")
    draw_eigenvalues(folder / "object_views_figure4.png")
    draw_growth(folder / "growth.png")
    draw_curve("teacher_curve", folder / "teacher_curve.png")


def draw_curve(name: str, path: Path) -> None:
    """Draw how well teachers name scans by the number of kinds, with as many instances in all, and of instances."""
    points = curve_points(name)
    most_kinds = max(point["kinds"] for point in points)
    most = max(point["kinds"] * point["instances"] for point in points)
    panels = {
        "kinds": ("kinds, as many instances in all", [p for p in points if p["kinds"] * p["instances"] == most]),
        "instances": (f"instances of each of {most_kinds} kinds", [p for p in points if p["kinds"] == most_kinds]),
    }
    titles = {"seen_kinds": "scans whose kinds were shown", "unseen_kinds": "scans whose kinds were not"}
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, (key, (label, shown)) in zip(axes, panels.items(), strict=True):
        shown = sorted(shown, key=lambda point: int(point[key]))
        for n, (group, title) in enumerate(titles.items()):
            found = [point[group] for point in shown]
            tops = np.array([100 * one["top1"] for one in found])
            low, high = (np.array([100 * one["interval"][side] for one in found]) for side in (0, 1))
            places = np.array([point[key] for point in shown]) * (1 + 0.02 * n)
            axis.errorbar(places, tops, (tops - low, high - tops), fmt="o-", capsize=3, label=title)
            axis.axhline(100 * found[0]["chance"], color=f"C{n}", linestyle=":", linewidth=1)
        axis.set(xlabel=label, ylim=(0, 100), xscale="log")
        ticks = [point[key] for point in shown]
        axis.set_xticks(ticks, map(str, ticks))
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set(ylabel="top-1, %")
    axes[0].legend(fontsize=9, title="dotted: chance", title_fontsize=8)
    _save(figure, path)


def draw_growth(path: Path) -> None:
    """Draw CPU time and peak memory of collection and training by the number of scenes, on logarithmic axes."""
    collected = [size for size in sizes_of("growth") if size.collected]
    trained = [size for size in sizes_of("growth") if size.trained]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
    for axis, key, title in zip(axes, ("cpu_seconds", "peak_mb"), ("CPU time, s", "peak memory, MB"), strict=True):
        axis.plot([size.scenes for size in collected], [(size.collected or {})[key] for size in collected], "o-")
        axis.plot([size.scenes for size in trained], [(size.trained or {})[key] for size in trained], "s-")
        axis.set(xscale="log", yscale="log", xlabel="scenes", ylabel=title)
        axis.grid(which="both", alpha=0.3)
    axes[0].legend(["collecting", "training for an epoch"], fontsize=9)
    axes[1].set(ylim=(10, 10_000), title="of collecting the command alone, without workers")
    _save(figure, path)


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


def draw_image_bars(data: str, path: Path) -> None:
    """Draw zero-shot and few-shot accuracy on unseen classes (Figure 1)."""
    results = image_sweep(data)
    runs = [run for run in FIGURES["1"] if results.seeds(run)]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, (stage, title) in zip(axes, _IMAGE_STAGES.items(), strict=True):
        found = [results.estimate(run, f"{stage}.ood.accuracy") for run in runs]
        means = [np.nan if one is None else 100 * one.mean for one in found]
        errors = [0.0 if one is None else 100 * (one.half_width or 0.0) for one in found]
        axis.bar(range(len(runs)), means, 0.6, color=STAGE_COLORS[stage], yerr=errors)
        axis.set(xticks=range(len(runs)), xticklabels=runs, xlim=(-0.5, len(runs) - 0.5))
        for place in (n for n, one in enumerate(found) if one is None):
            axis.text(place, 1, "not kept", rotation=90, ha="center", va="bottom", fontsize=8)
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
