"""Charts that the pages of all kinds of runs share: bars of each object, histograms of scores, paired differences."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from pickclutter_lang.experiments.plotting import SEEN, UNSEEN, tidy_axes
from pickclutter_lang.utils.statistics import Estimate

BINS = 25
MOST_OBJECTS = 60
"""Objects in a chart of bars; of more, those with the highest and with the lowest bars are shown."""
_WIDEST = 15
"""Inches of a chart of bars, whose page shrinks wider ones."""


class Interval(NamedTuple):
    """A number with the ends of its 95% interval, which are the number itself where there is none."""

    value: float
    low: float
    high: float


class Stairs(NamedTuple):
    """A histogram in a panel: how many scores fall into each of equal bins [BINS]."""

    label: str
    color: str
    counts: NDArray[np.int64]


class Panel(NamedTuple):
    """Histograms over equal bins between two `limits`, with thresholds as dashed lines."""

    title: str
    limits: tuple[float, float]
    stairs: Sequence[Stairs]
    thresholds: Sequence[float]


def interval_of(found: Estimate | None) -> Interval | None:
    """Return an estimate as an interval; None where there is none."""
    if found is None:
        return None
    half = found.half_width or 0.0
    return Interval(found.mean, found.mean - half, found.mean + half)


def stairs_of(label: str, color: str, scores: ArrayLike, limits: tuple[float, float]) -> Stairs:
    """Return the histogram of some scores."""
    return Stairs(label, color, np.histogram(np.asarray(scores, dtype=float), BINS, limits)[0])


def draw_panels(rows: Sequence[Sequence[Panel]], xlabel: str, ylabel: str) -> Figure:
    """Draw histograms in percent of each, a grid of panels."""
    columns = max(map(len, rows))
    figure = Figure(figsize=(max(6.0, 4.0 * columns), 0.5 + 2.3 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for ax in grid.flat:
        ax.set_visible(False)
    for ax, panel in ((grid[n, m], panel) for n, row in enumerate(rows) for m, panel in enumerate(row)):
        _draw_panel(ax, panel)
        ax.set_ylabel(ylabel)
        ax.set_title(panel.title, fontsize=10)
    for ax in grid[-1]:
        ax.set_xlabel(xlabel)
    return figure


def _draw_panel(ax: Axes, panel: Panel) -> None:
    ax.set_visible(True)
    for label, color, counts in panel.stairs:
        shares = 100 * counts / max(int(counts.sum()), 1)
        ax.stairs(shares, np.linspace(*panel.limits, BINS + 1), fill=True, color=color, alpha=0.55, label=label)
    for threshold in panel.thresholds:
        ax.axvline(threshold, color="black", linewidth=1, linestyle="--")
    ax.set_xlim(*panel.limits)
    ax.set_ylim(top=1.3 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize=8, loc="upper right")
    ax.spines[["top", "right"]].set_visible(False)


def draw_bars(
    series: Mapping[str, Mapping[str, Interval | None]], unseen: Mapping[str, Collection[str]], ylabel: str
) -> Figure:
    """Draw a bar for each object and series, in percent, with 95% intervals.

    Objects are in the order of the first series, then those of others alone. A star marks those that are unseen in the
    first series. One series alone is colored by that, several are hatched. Many bars take several rows.

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
        figure.legend(*zip(*_handles(axes[0]), strict=True), loc="outside lower center", ncols=4)
    return figure


def _draw_bars_of(
    ax: Axes,
    names: Sequence[str],
    series: Mapping[str, Mapping[str, Interval | None]],
    unseen: Mapping[str, Collection[str]],
) -> None:
    width = 0.84 / len(series)
    for n, (label, found) in enumerate(series.items()):
        places = np.arange(len(names)) + width * (n - (len(series) - 1) / 2)
        known = [found.get(name) for name in names]
        hidden = [name in unseen[label] for name in names]
        colors = [(UNSEEN if one else SEEN) if len(series) == 1 else f"C{n}" for one in hidden]
        hatches = ["//" if one and len(series) > 1 else "" for one in hidden]
        heights = [math.nan if one is None else 100 * one.value for one in known]
        bars = ax.bar(places, heights, 0.95 * width, color=colors, hatch=hatches, edgecolor="white", linewidth=0)
        bars.set_label(label)
        _draw_whiskers(ax, places, known)


def _handles(ax: Axes) -> list[tuple[object, str]]:
    labels = [(one, str(one.get_label())) for one in ax.containers]
    return [(one, label) for one, label in labels if not label.startswith("_")]


def _draw_whiskers(ax: Axes, places: NDArray[np.float64], known: Sequence[Interval | None]) -> None:
    for place, one in zip(places.tolist(), known, strict=True):
        if one is not None and one.high > one.low:
            ax.vlines(place, 100 * one.low, 100 * one.high, colors="black", linewidth=1)


def _shown(names: list[str], first: Mapping[str, Interval | None]) -> list[str]:
    if len(names) <= MOST_OBJECTS:
        return names
    values = {name: one.value for name, one in first.items() if one is not None}
    ranked = sorted(names, key=lambda name: -values.get(name, 0.0))
    chosen = {*ranked[: MOST_OBJECTS // 2], *ranked[-(MOST_OBJECTS // 2) :]}
    return [name for name in names if name in chosen]


def draw_differences(panels: Mapping[str, Mapping[str, Mapping[str, Interval | None]]], first: str) -> Figure:
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
            sides = [[100 * abs(one[0] - one[side]) for _, one in known] for side in (1, 2)]
            values = [100 * one.value for _, one in known]
            places = [place for place, _ in known]
            ax.errorbar(values, places, xerr=sides, fmt="o", capsize=3, color=f"C{n + 1}", label=label)
        ax.set(title=f"{title}, points more than {first}", yticks=range(len(rows)), ylim=(-0.6, len(rows) - 0.4))
        ax.set_yticklabels(rows, fontsize=9)
        ax.grid(axis="x", alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    ax.invert_yaxis()
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
