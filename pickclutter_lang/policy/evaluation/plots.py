"""A image of a trial: how the episodes of each variant ended, in bars."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pickclutter_lang.experiments.scenes.report_figures import GREY, MISSED, RIGHT, WRONG
from pickclutter_lang.policy.evaluation.rollout_metrics import OUTCOMES, TARGET_GROUPS, Episode, outcome_of
from pickclutter_lang.utils.io import atomic_write

ENDS_FILE = "ends.png"
_COLORS = {
    "picked": RIGHT,
    "rightly called absent": "#8fc7a3",
    "called absent, but there": MISSED,
    "absent, not called so": "#f5c26b",
    "another one picked": WRONG,
    "nothing brought to the goal": GREY,
}


def plot_outcomes(episodes: Sequence[Episode], folder: Path) -> Path:
    """Write `ends.png`: for each kind of target, bars of the variants, in percent of their episodes."""
    kinds = [kind for kind, of in TARGET_GROUPS.items() if any(of(episode) for episode in episodes)]
    variants = list(dict.fromkeys(episode["variant"] for episode in episodes))
    figure = Figure(figsize=(9, 0.6 + len(kinds) * (0.5 + 0.32 * len(variants))), layout="constrained")
    axes = np.atleast_1d(figure.subplots(len(kinds), 1, sharex=True))
    for ax, kind in zip(axes, kinds, strict=True):
        left = np.zeros(len(variants))
        for end in OUTCOMES:
            own = [[outcome_of(e) for e in episodes if e["variant"] == v and TARGET_GROUPS[kind](e)] for v in variants]
            widths = np.array([100 * ends.count(end) / max(len(ends), 1) for ends in own])
            ax.barh(variants, widths, left=left, color=_COLORS[end], label=end, height=0.75)
            for row, (start, width) in enumerate(zip(left, widths, strict=True)):
                if width >= 4:
                    ax.text(start + width / 2, row, f"{width:.0f}", ha="center", va="center", fontsize=8)
            left += widths
        ax.invert_yaxis()
        ax.set_title(f"targets: {kind}", loc="left", fontsize=9)
        ax.set_xlim(0, 100)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("% of the episodes")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110)
    atomic_write(folder / ENDS_FILE, data.getvalue())
    return folder / ENDS_FILE
