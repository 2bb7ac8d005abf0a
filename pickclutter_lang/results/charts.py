"""Charts of all kinds of runs: curves of training, bars of each label, paired differences; as PNG, or SVG in a page."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from pickclutter_lang.results.intervals import Estimate, Share
from pickclutter_lang.utils.io import atomic_write

RIGHT, WRONG, MISSED, GRAY = "#1b8a3a", "#c62828", "#e08a00", "#9aa0a6"
SEEN, UNSEEN = "#3367b0", "#b0337a"
"""Colors of Y_id and Y_ood."""
MOST_LABELS = 60
"""Labels in a chart of bars; of more, those with the highest and with the lowest bars are shown."""
_WIDEST = 15
"""Inches of a chart of bars, whose page shrinks wider ones."""
_NOT_LOSSES = ("phase", "epoch", "lr", "validation", "seconds")
_DPI = 110
_HEAD = re.compile(r'.*?<svg[^>]*? viewBox="([^"]*)"[^>]*>', re.DOTALL)
_LEFT_OUT = re.compile(
    r' id="[A-Za-z.]\w*?[A-Za-z]_\d+"|<metadata>.*?</metadata>|<style.*?</style>|(?<=; )font-family: [^;"]*', re.DOTALL
)


def tidy_axes(ax: Axes) -> None:
    """Draw horizontal grid lines, and no frame at the top and on the right."""
    ax.grid(axis="y", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def draw_curves(histories: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> Figure:
    """Draw the loss of each phase, and below it the metrics of its validation in percent.

    :param histories: label of a run -> phase -> a row for each epoch. The terms of the loss are drawn for a single run
    """
    phases = list(dict.fromkeys(phase for history in histories.values() for phase in history))
    figure = Figure(figsize=(4.2 * len(phases), 6), layout="constrained")
    grid = figure.subplots(2, len(phases), squeeze=False)
    for n, phase in enumerate(phases):
        for label, rows in ((label, history.get(phase, ())) for label, history in histories.items()):
            epochs = [row["epoch"] for row in rows]
            terms = [name for name in (rows[0] if rows else ()) if name not in _NOT_LOSSES]
            for name in terms if len(histories) == 1 else [name for name in terms if name == "loss"]:
                grid[0, n].plot(epochs, [row[name] for row in rows], ".-", label=name if len(histories) == 1 else label)
            validated = [row.get("validation") or {} for row in rows]
            for name in dict.fromkeys(name for one in validated for name in one):
                values = [math.nan if one.get(name) is None else 100 * one[name] for one in validated]
                grid[1, n].plot(epochs, values, ".-", label=name if len(histories) == 1 else f"{label}, {name}")
        title = phase.replace("_", "-")
        grid[0, n].set(title=f"{title}: loss", xlabel="epoch")
        grid[1, n].set(title=f"{title}: validation on X_id, %", xlabel="epoch", ylim=(0, 105))
        for ax in grid[:, n]:
            ax.set_visible(bool(ax.lines))  # few-shot learning has no validation
            if ax.lines:
                ax.legend(fontsize=8)
            tidy_axes(ax)
    return figure


def draw_bars(
    series: Mapping[str, Mapping[str, Estimate | Share | None]], unseen: Mapping[str, Collection[str]], ylabel: str
) -> Figure:
    """Draw a bar for each object and series, in percent, with 95% intervals.

    Objects are in the order of the first series, then those that only others have. A star marks those that are unseen
    in the first series. One series alone is colored by that, several are hatched. Many bars take several rows.

    :param series: label -> object -> share in 0..1
    :param unseen: label -> objects that are unseen there
    """
    first = next(iter(series))
    names = _shown(list(dict.fromkeys(name for of in series.values() for name in of)), series[first])
    bar = 0.16  # inches
    rows = max(1, math.ceil(bar * len(names) * (1 + len(series)) / _WIDEST))
    count = math.ceil(len(names) / rows)
    size = max(12, bar * count * (1 + len(series))), 4.4 if rows == 1 else 3.2 * rows + 1
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0].tolist()
    for row, ax in enumerate(axes):
        part = names[row * count : (row + 1) * count]
        _draw_bars_of(ax, part, series, unseen)
        ax.set(ylabel=ylabel, ylim=(0, 105), xticks=range(len(part)), xlim=(-0.6, count - 0.4))
        ax.set_xticklabels([f"{name} *" if name in unseen[first] else name for name in part], rotation=40, ha="right")
        ax.tick_params(axis="x", labelsize=8)
        tidy_axes(ax)
    if len(series) > 1:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _draw_bars_of(
    ax: Axes,
    names: Sequence[str],
    series: Mapping[str, Mapping[str, Estimate | Share | None]],
    unseen: Mapping[str, Collection[str]],
) -> None:
    width = 0.84 / len(series)
    for n, (label, found) in enumerate(series.items()):
        places = np.arange(len(names)) + width * (n - (len(series) - 1) / 2)
        known = [found.get(name) for name in names]
        hidden = [name in unseen[label] for name in names]
        colors = [(UNSEEN if one else SEEN) if len(series) == 1 else f"C{n}" for one in hidden]
        hatches = ["//" if one and len(series) > 1 else "" for one in hidden]
        heights = [math.nan if one is None else 100 * one.mean for one in known]
        bars = ax.bar(places, heights, 0.95 * width, color=colors, hatch=hatches, edgecolor="white", linewidth=0)
        bars.set_label(label)
        whiskers = [(place, one) for place, one in zip(places, known, strict=True) if one and one.high > one.low]
        if whiskers:
            ends = [100 * one.low for _, one in whiskers], [100 * one.high for _, one in whiskers]
            ax.vlines([place for place, _ in whiskers], *ends, colors="black", linewidth=1)


def _shown(names: list[str], first: Mapping[str, Estimate | Share | None]) -> list[str]:
    if len(names) <= MOST_LABELS:
        return names
    values = {name: one.mean for name, one in first.items() if one is not None}
    ranked = sorted(names, key=lambda name: -values.get(name, 0.0))
    chosen = {*ranked[: MOST_LABELS // 2], *ranked[-(MOST_LABELS // 2) :]}
    return [name for name in names if name in chosen]


def draw_differences(panels: Mapping[str, Mapping[str, Mapping[str, Estimate | Share | None]]], first: str) -> Figure:
    """Draw paired differences from the first run with their 95% intervals, in points.

    :param panels: title -> label of a run -> what differs -> difference in -1..1, None where it is not paired
    """
    rows = list(dict.fromkeys(row for panel in panels.values() for of in panel.values() for row in of))
    runs = max(map(len, panels.values()))
    figure = Figure(figsize=(12, 1.2 + 0.16 * len(rows) * (1 + runs)), layout="constrained")
    for ax, (title, panel) in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels.items(),
                                  strict=True):  # fmt: skip
        ax.axvline(0, color="black", linewidth=1)
        for n, (label, found) in enumerate(panel.items()):
            shift = 0.7 * ((n + 0.5) / len(panel) - 0.5)
            known = [(rows.index(row) + shift, one) for row, one in found.items() if one is not None]
            low, values, high = ([100 * getattr(one, name) for _, one in known] for name in ("low", "mean", "high"))
            sides = np.subtract(values, low), np.subtract(high, values)
            places = [place for place, _ in known]
            ax.errorbar(values, places, xerr=sides, fmt="o", capsize=3, color=f"C{n + 1}", label=label)
        ax.set(title=f"{title}, points more than {first}", yticks=range(len(rows)), ylim=(-0.6, len(rows) - 0.4))
        ax.set_yticklabels(rows, fontsize=9)
        ax.grid(axis="x", alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    ax.invert_yaxis()
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def save_png(figure: Figure, path: Path) -> None:
    """Write a chart as a PNG; missing folders are created.

    :raises DatasetError: when it cannot be written
    """
    _take_texts_as_they_are(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    atomic_write(path, stream.getvalue())


def inline_svg(figure: Figure) -> str:
    """Return a chart as an SVG element: no background, and `currentColor` where the chart is black."""
    _take_texts_as_they_are(figure)
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "pickclutter"}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    size = f"max-width: {figure.get_figwidth()}in; min-width: min(44rem, {figure.get_figwidth()}in)"
    head = rf'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" style="{size}">'
    svg = _HEAD.sub(head, stream.getvalue(), count=1)
    for name in ("fill", "stroke"):
        svg = svg.replace(f"{name}: #000000", f"{name}: currentColor")
    return _LEFT_OUT.sub("", svg).replace("fill: #ffffff", "fill: var(--surface)")


def _take_texts_as_they_are(figure: Figure) -> None:
    """Draw names as they are: with two dollar signs they would be read as mathematics."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)
