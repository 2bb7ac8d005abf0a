"""Bar chart of an evaluation: the outcomes of each variant's episodes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pickclutter_lang.experiments.plotting import GRAY, MISSED, RIGHT, WRONG
from pickclutter_lang.policy.evaluation.rollout_metrics import OUTCOMES, TARGET_GROUPS, Episode, outcome_of
from pickclutter_lang.utils.io import atomic_write

OUTCOMES_FILE = "outcomes.png"
_COLORS = {
    "placed": RIGHT,
    "absence detected": "#8fc7a3",
    "present, predicted absent": MISSED,
    "absence missed": "#f5c26b",
    "wrong object picked": WRONG,
    "not placed": GRAY,
}


def plot_outcomes(episodes: Sequence[Episode], folder: Path) -> Path:
    """Write `outcomes.png`: for each group of targets, bars of the variants, in percent of their episodes."""
    groups = [group for group, of in TARGET_GROUPS.items() if any(of(episode) for episode in episodes)]
    variants = list(dict.fromkeys(episode["variant"] for episode in episodes))
    figure = Figure(figsize=(9, 0.6 + len(groups) * (0.5 + 0.32 * len(variants))), layout="constrained")
    axes = np.atleast_1d(figure.subplots(len(groups), 1, sharex=True))
    for ax, group in zip(axes, groups, strict=True):
        left = np.zeros(len(variants))
        chosen = [episode for episode in episodes if TARGET_GROUPS[group](episode)]
        found = {v: [outcome_of(episode) for episode in chosen if episode["variant"] == v] for v in variants}
        for outcome in OUTCOMES:
            widths = np.array([100 * found[v].count(outcome) / max(len(found[v]), 1) for v in variants])
            ax.barh(variants, widths, left=left, color=_COLORS[outcome], label=outcome, height=0.75)
            for row, (start, width) in enumerate(zip(left, widths, strict=True)):
                if width >= 4:
                    ax.text(start + width / 2, row, f"{width:.0f}", ha="center", va="center", fontsize=8)
            left += widths
        ax.invert_yaxis()
        ax.set_title(f"targets: {group}", loc="left", fontsize=9)
        ax.set_xlim(0, 100)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("% of the episodes")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110)
    atomic_write(folder / OUTCOMES_FILE, data.getvalue())
    return folder / OUTCOMES_FILE
