"""The page of `pickclutter compare-runs`, whatever the kind of the runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pickclutter_lang.experiments.plotting import tidy_axes
from pickclutter_lang.experiments.run_details import setting_rows
from pickclutter_lang.reports.gallery import Gallery
from pickclutter_lang.reports.page import PAGE_FILE, write_page
from pickclutter_lang.utils.io import create_dir
from pickclutter_lang.utils.locks import dir_lock

DIFFERENCES, OBJECTS, TRAINING = "differences.png", "objects.png", "training.png"
History = Mapping[str, Sequence[Mapping[str, Any]]]
"""Phase -> a row for each epoch."""
BOLD_NOTE = (
    "**Bold**: the interval leaves out 0, as one in twenty does by chance alone. One by resampling must do so by more "
    "than twice its own error."
)


Run = TypeVar("Run")


@dataclass(frozen=True)
class LabeledRuns(Generic[Run]):
    """Runs by their labels; the others are compared with the first."""

    runs: Mapping[str, Run]

    @property
    def first(self) -> str:
        """Label of the first run."""
        return next(iter(self.runs))

    @property
    def others(self) -> list[str]:
        """Labels of the runs that are compared with the first."""
        return [label for label in self.runs if label != self.first]


@dataclass(frozen=True)
class Compared:
    """What a page shows of runs that are compared with the first, in Markdown.

    - `cells`: what the cells of its tables are
    - `shared`: label of each other run -> where it is paired with the first, and why not elsewhere
    - `settings`: setting in which runs differ -> label -> value
    - `results`, `differences`, `objects`, `more`: its sections; the second and third have their charts at the beginning
    - `charts`: file -> chart, `DIFFERENCES` and `OBJECTS` among them
    - `details`: title -> what was run
    """

    labels: Sequence[str]
    cells: str
    shared: Mapping[str, str]
    settings: Mapping[str, Mapping[str, str]]
    results: Sequence[str]
    differences: Sequence[str]
    objects: Sequence[str]
    charts: Mapping[str, Figure | Gallery]
    details: Mapping[str, str]
    more: Sequence[str] = field(default=())


def write_comparison_page(compared: Compared, out: Path) -> Path:
    """Write `report.html` into a folder; return its path.

    :raises DatasetError: when it cannot be written
    :raises LockedError: when another process is at work in the folder
    """
    create_dir(out)
    with dir_lock(out):
        return write_page(out / PAGE_FILE, "\n\n".join(_sections(compared)), compared.charts, compared.details)


def _sections(compared: Compared) -> Iterator[str]:
    yield "# Comparison of runs"
    yield f"The others are compared with the first, `{compared.labels[0]}`. {compared.cells}"
    yield "\n".join(f"- `{label}`: {text}" for label, text in compared.shared.items())
    yield "## What differs"
    same = "No setting, data, teacher or revision differs."
    yield setting_rows(compared.labels, compared.settings) if compared.settings else same
    yield "## Results"
    yield from compared.results
    yield "## Differences"
    yield from compared.differences
    yield "## Each object"
    yield from compared.objects
    yield from compared.more


def draw_training(histories: Mapping[str, History], metric: str, title: str) -> Figure:
    """Draw the losses of both phases and the validation of the first, a line for each run.

    :param metric: of the validation, with the title of its chart
    """
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    axes = figure.subplots(1, 3)
    for n, (label, history) in enumerate(histories.items()):
        for ax, phase in ((axes[0], "distill"), (axes[2], "few_shot")):
            _draw_line(ax, history[phase], [row["loss"] for row in history[phase]], f"C{n}", label)
        rows = history["distill"]
        found = [(row.get("validation") or {}).get(metric) for row in rows]
        _draw_line(axes[1], rows, [np.nan if one is None else 100 * one for one in found], f"C{n}", label)
    for ax, text in zip(axes, ("distillation: loss", f"distillation: {title}, %", "few-shot: loss"), strict=True):
        ax.set(title=text, xlabel="epoch")
        tidy_axes(ax)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def training_section() -> Iterator[str]:
    """Yield the section of the curves."""
    yield "## Training"
    yield "Losses of other objectives are sums of other terms. Only the middle chart can be compared."
    yield f"![Curves of training]({TRAINING})"


def _draw_line(ax: Axes, rows: Sequence[Mapping[str, Any]], values: Sequence[float], color: str, label: str) -> None:
    ax.plot([row["epoch"] for row in rows], values, color=color, marker=".", label=label)
