"""Bar charts of an evaluation: the outcomes of each variant's episodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from pickclutter_lang.evaluation.rollout_metrics import TARGET_GROUPS, Episode, outcome_of
from pickclutter_lang.evaluation.suites import suite_outcome
from pickclutter_lang.experiments.plotting import GRAY, MISSED, RIGHT, WRONG

OUTCOMES_FILE = "outcomes.png"
_COLORS = {
    "placed": RIGHT,
    "absence detected": "#8fc7a3",
    "present, predicted absent": MISSED,
    "absence missed": "#f5c26b",
    "wrong object picked": WRONG,
    "not placed": GRAY,
}


_SUITE_COLORS = {
    "right object": RIGHT,
    "rightly nothing": "#8fc7a3",
    "the target, though not asked for": WRONG,
    "another object": "#e8998d",
    "absence, wrongly": MISSED,
    "nothing": GRAY,
}


def plot_outcomes(episodes: Sequence[Episode]) -> Figure:
    """Draw, for each group of targets, bars of the variants, in percent of their episodes."""
    variants = list(dict.fromkeys(episode["variant"] for episode in episodes))
    panels = {}
    for group, of in TARGET_GROUPS.items():
        chosen = [episode for episode in episodes if of(episode)]
        if chosen:
            bars = {v: Counter(outcome_of(e) for e in chosen if e["variant"] == v) for v in variants}
            panels[f"targets: {group}"] = bars
    return _draw(panels, _COLORS)


def plot_suite(episodes: Sequence[Episode]) -> Figure:
    """Draw, for each variant, bars of the kinds of instructions, in percent of their episodes."""
    kinds = list(dict.fromkeys(episode["kind"] for episode in episodes))
    panels = {}
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        own = [episode for episode in episodes if episode["variant"] == variant]
        bars = {kind: Counter(suite_outcome(e) for e in own if e["kind"] == kind) for kind in kinds}
        panels[f"{variant}: what was lifted first, or said"] = bars
    return _draw(panels, _SUITE_COLORS)


def _draw(panels: Mapping[str, Mapping[str, Counter[str]]], colors: Mapping[str, str]) -> Figure:
    """Draw stacked bars; panel -> bar -> outcome -> episodes."""
    rows = sum(len(bars) for bars in panels.values())
    figure = Figure(figsize=(9, 0.9 + 0.6 * len(panels) + 0.3 * rows), layout="constrained")
    axes = np.atleast_1d(figure.subplots(len(panels), 1, sharex=True))
    for ax, (title, bars) in zip(axes, panels.items(), strict=True):
        left = np.zeros(len(bars))
        for outcome, color in colors.items():
            widths = np.array([100 * counts[outcome] / max(counts.total(), 1) for counts in bars.values()])
            ax.barh(list(bars), widths, left=left, color=color, label=outcome, height=0.75)
            for row, (start, width) in enumerate(zip(left, widths, strict=True)):
                if width >= 4:
                    ax.text(start + width / 2, row, f"{width:.0f}", ha="center", va="center", fontsize=8)
            left += widths
        ax.invert_yaxis()
        ax.set_title(title, loc="left", fontsize=9)
        ax.set_xlim(0, 100)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("% of the episodes")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure
