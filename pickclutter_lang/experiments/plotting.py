"""Colors and axes that all figures share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

RIGHT, WRONG, MISSED, GRAY = "#1b8a3a", "#c62828", "#e08a00", "#9aa0a6"
TRUTH_COLORS = {"absent": GRAY, "present": RIGHT}
"""Colors of the scores of labels that are absent or present."""
SEEN, UNSEEN = "#3367b0", "#b0337a"
"""Colors of Y_id and Y_ood."""
STAGE_COLORS = {"zero_shot": "#8ab4f8", "few_shot": SEEN, "retrieval": "#5bb5a2"}


def tidy_axes(ax: Axes) -> None:
    """Draw horizontal grid lines, and no frame at the top and on the right."""
    ax.grid(axis="y", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def draw_losses(ax: Axes, rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> None:
    """Draw the losses of a phase over its epochs."""
    for name in names:
        ax.plot([row["epoch"] for row in rows], [row[name] for row in rows], label=name, marker=".")
    ax.set_xlabel("epoch")
    ax.set_ylim(bottom=0)
    ax.legend()
    tidy_axes(ax)
