"""Detection curves: visible objects that are called absent against absent ones that are, over the threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pickclutter_lang.evaluation.rollout_metrics import TARGET_GROUPS, Episode
from pickclutter_lang.experiments.plotting import tidy_axes
from pickclutter_lang.metrics.thresholds import DEFAULT_THRESHOLD, Predictions, recenter_scores
from pickclutter_lang.reports.charts import save_png
from pickclutter_lang.utils.csv import write_csv
from pickclutter_lang.utils.typing import FloatArray

CURVES_FILE, CURVES_TABLE = "detection_curves.png", "detection_curves.csv"
_POINTS = 201
_SOURCES = {"scenes": "stored scenes of X_ood", "episodes": "first decisions of the episodes"}
_COLORS = {"few_shot": "#3367b0", "zero_shot": "#8ab4f8", "teacher": "#b0337a"}
_OTHER_COLOR = "#5bb5a2"


class Curve(NamedTuple):
    """Shares [201] of visible and of absent names that are called absent, at `thresholds` [201] of 0..1.

    The detector's own threshold of each name lies at 0.5; the others are as far from it for all names. In stored
    scenes, "visible" are those of which the label of the student's scores, `label`, is true, "absent" all others.
    """

    source: str
    variant: str
    group: str
    thresholds: FloatArray
    visible_called_absent: FloatArray
    absent_called_so: FloatArray
    n_visible: int
    n_absent: int
    label: str | None = None


def detection_curve(
    source: str, variant: str, group: str, visible: FloatArray, absent: FloatArray, label: str | None = None
) -> Curve | None:
    """Return the curve over recentered scores of visible and of absent names; None where there are none of either."""
    if not len(visible) or not len(absent):
        return None
    thresholds = np.unique(np.quantile(np.concatenate([visible, absent]), np.linspace(0, 1, _POINTS - 2)))
    thresholds = np.unique([*thresholds, DEFAULT_THRESHOLD, np.nextafter(1.0, 2.0)])
    missed, right = (np.searchsorted(np.sort(scores), thresholds, "left") / len(scores) for scores in (visible, absent))
    return Curve(source, variant, group, thresholds, missed, right, len(visible), len(absent), label)


def scene_curves(scores: Mapping[str, tuple[Predictions, torch.Tensor]], label: str) -> list[Curve]:
    """Return the curves of variants from their scores and thresholds on stored scenes.

    :param label: that the scores are of
    """
    curves = []
    for variant, (predictions, thresholds) in scores.items():
        moved = recenter_scores(predictions.probabilities, thresholds)
        for group, columns in _columns(predictions).items():
            truth, values = predictions.targets[:, columns], moved[:, columns]
            sides = values[truth].numpy(), values[~truth].numpy()
            curves.append(detection_curve("scenes", variant, group, *sides, label))
    return [curve for curve in curves if curve is not None]


def episode_curves(episodes: Sequence[Episode]) -> list[Curve]:
    """Return the curves of all variants that score names, from the first decision of each episode that has one."""
    curves, scoring = [], [e for e in episodes if e["score"] is not None and e["variant"] not in ("oracle", "random")]
    for variant in dict.fromkeys(e["variant"] for e in scoring):
        own = [e for e in scoring if e["variant"] == variant]
        scores, thresholds = (
            torch.tensor([e[key] for e in own], dtype=torch.float64) for key in ("score", "threshold")
        )
        moved = recenter_scores(scores, thresholds).numpy()
        for group, of in TARGET_GROUPS.items():
            visible = np.array([of(e) and e["visible"] for e in own])
            absent = np.array([of(e) and not e["present"] for e in own])
            curves.append(detection_curve("episodes", variant, group, moved[visible], moved[absent]))
    return [curve for curve in curves if curve is not None]


def _columns(predictions: Predictions) -> dict[str, torch.Tensor]:
    unseen = predictions.unseen
    return {"all": torch.ones_like(unseen), "seen": ~unseen, "unseen": unseen}


def write_curves(curves: Sequence[Curve], folder: Path) -> Figure | None:
    """Write curves as a CSV file and a figure; return the latter, None without curves."""
    if not curves:
        return None
    write_csv(folder / CURVES_TABLE, _lines(curves))
    figure = draw_curves(curves)
    save_png(figure, folder / CURVES_FILE)
    return figure


def draw_curves(curves: Sequence[Curve]) -> Figure:
    """Draw curves, a row for each source and a column for each group of names."""
    sources = [source for source in _SOURCES if any(curve.source == source for curve in curves)]
    own = [_own_point(curve) for curve in curves]
    right, lowest = max(60.0, *(x + 5 for x, _ in own)), min(40.0, *(y - 5 for _, y in own))
    figure = Figure(figsize=(12, 3.7 * len(sources)), layout="constrained")
    grid = figure.subplots(len(sources), len(TARGET_GROUPS), squeeze=False)
    for row, source in enumerate(sources):
        for column, group in enumerate(TARGET_GROUPS):
            ax = grid[row, column]
            shown = [curve for curve in curves if (curve.source, curve.group) == (source, group)]
            for curve in shown:
                _draw(ax, curve)
            visible, absent = _sides(shown[0] if shown else None)
            so = "so" if absent == "absent" else "absent"
            ax.set_title(f"{_SOURCES[source]}; {group} names", fontsize=9)
            ax.set(xlabel=f"{visible}, called absent, %", ylabel=f"{absent}, called {so}, %")
            ax.set(xlim=(0, right), ylim=(lowest, 101))
            tidy_axes(ax)
            if ax.lines:
                ax.legend(fontsize=8, loc="lower right")
    return figure


def _draw(ax: Axes, curve: Curve) -> None:
    """Draw a curve, with a dot where the policy decides first."""
    color = _COLORS.get(curve.variant, _OTHER_COLOR)
    visible, absent = _sides(curve)
    label = f"{curve.variant} ({curve.n_visible} {visible}, {curve.n_absent} {absent})"
    ax.plot(100 * curve.visible_called_absent, 100 * curve.absent_called_so, color=color, label=label)
    ax.plot(*_own_point(curve), "o", color=color)


def _sides(curve: Curve | None) -> tuple[str, str]:
    label = None if curve is None else curve.label
    return ("visible", "absent") if label is None else (label, f"not {label}")


def _own_point(curve: Curve) -> tuple[float, float]:
    """Return where the policy decides at its first observation, in percent."""
    n = int(np.searchsorted(curve.thresholds, DEFAULT_THRESHOLD))
    return 100 * float(curve.visible_called_absent[n]), 100 * float(curve.absent_called_so[n])


def _lines(curves: Sequence[Curve]) -> Iterator[Sequence[object]]:
    head = ["source", "variant", "group", "threshold", "visible_called_absent", "absent_called_so", "visible", "absent"]
    yield [*head, "of_the_policy"]
    for curve in curves:
        for threshold, missed, right in zip(
            curve.thresholds, curve.visible_called_absent, curve.absent_called_so, strict=True
        ):
            where = [curve.source, curve.variant, curve.group, f"{threshold:.6g}"]
            counts = [curve.n_visible, curve.n_absent, int(threshold == DEFAULT_THRESHOLD)]
            yield [*where, f"{missed:.4f}", f"{right:.4f}", *counts]
