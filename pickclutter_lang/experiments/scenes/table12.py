"""Table 12 of a sweep, written from its `result.json` files alone: Markdown, CSV and a figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.plotting import STAGE_COLORS, WRONG, tidy_axes
from pickclutter_lang.experiments.scenes.paper_table12 import TABLE12_CELLS
from pickclutter_lang.experiments.scenes.result_table import PAPER, SECTIONS, TRIVIAL, table_title
from pickclutter_lang.experiments.scenes.table12_markdown import markdown
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS, TABLE12, stages_of_sweep
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.experiments.sweeps.sweep_results import SweepResults, load_sweep
from pickclutter_lang.utils.csv import numbers, write_csv
from pickclutter_lang.utils.io import write_text

_CLASS_METRICS = ("average_precision", "f1", "precision", "recall")
_REFERENCE = "cls_imcst_semantic"
_DRAWN = {"f1": "F1 per observation", "map": "mean average precision", "accuracy": "overall accuracy"}


@dataclass
class Table12Config:
    """`runs`: the folder under which the runs lie. `out`: where the table goes (null: into `runs`).

    `compare`: pairs of methods such as `best - cls_imcst_semantic` (null: each method with the one before it, and
    `best` with `cls_imcst_semantic` and with each of its ablations).
    """

    runs: str
    out: str | None
    compare: list[str] | None


def write_table(config: Table12Config) -> Path:
    """Write `table12.md`, `table12.png` and three CSV files; return the path of the page.

    :raises PickClutterError: what `load_sweep` raises; InvalidArgumentError for a comparison that cannot be made
    """
    results = load_sweep(config.runs, TABLE12)
    pairs = default_pairs(results) if config.compare is None else parse_pairs(results, config.compare)
    out = Path(config.out or config.runs)
    write_csv(out / "table12.csv", _metric_lines(results))
    write_csv(out / "table12_classes.csv", _class_lines(results))
    write_csv(out / "table12_comparisons.csv", _comparison_lines(results, pairs))
    draw_sweep(results, out / "table12.png")
    path = out / "table12.md"
    write_text(path, markdown(results, pairs))
    return path


def parse_pairs(results: SweepResults, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Turn `a - b` into a pair of methods.

    :raises InvalidArgumentError: for a text of another form or a method without runs
    """
    pairs = []
    for text in texts:
        names = [name.strip() for name in text.split("-")]
        if len(names) != 2 or any(name not in results.runs for name in names):
            raise InvalidArgumentError(
                f"expected compare to hold pairs such as 'cls_imcst - cls' of {', '.join(results.runs)}, "
                f"but got {text!r}"
            )
        pairs.append((names[0], names[1]))
    return pairs


def default_pairs(results: SweepResults) -> list[tuple[str, str]]:
    """Return each of the paper's methods with the one before it, `best` with the last of them and its ablations."""
    names = list(results.runs)
    paper = [name for name in names if name in METHODS]
    pairs = [(paper[n + 1], paper[n]) for n in range(len(paper) - 1)]
    if "best" in names:
        others = [name for name in names if name not in METHODS and name != "best"]
        pairs += [("best", name) for name in [*([_REFERENCE] if _REFERENCE in names else []), *others]]
    return pairs


def draw_sweep(results: SweepResults, path: Path) -> None:
    """Draw the methods' means with their 95% intervals, the paper's figures and the best trivial predictor."""
    figure = Figure(figsize=(5 + 1.6 * len(results.runs), 9), layout="constrained")
    axes = figure.subplots(len(_DRAWN), len(TABLE12_CELLS), squeeze=False, sharex=True, sharey=True)
    for row, (metric, title) in enumerate(_DRAWN.items()):
        for ax, cell in zip(axes[row], TABLE12_CELLS, strict=True):
            _draw_cell(ax, results, cell, metric)
            if row == 0:
                ax.set_title(table_title(cell))
        axes[row, 0].set_ylabel(f"{title}, %")
    handles = {label: handle for ax in axes[0] for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    figure.savefig(path, dpi=110)


def _draw_cell(ax: Axes, results: SweepResults, cell: str, metric: str) -> None:
    stages, places = stages_of_sweep(results), np.arange(len(results.runs))
    width = 0.8 / len(stages)
    for n, stage in enumerate(stages):
        found = [results.estimate(method, f"{stage}.{cell}.model.{metric}") for method in results.runs]
        shift = width * (n - (len(stages) - 1) / 2)
        means = [np.nan if one is None else 100 * one.mean for one in found]
        errors = [100 * one.half_width if one is not None and one.half_width else 0.0 for one in found]
        color = STAGE_COLORS[stage]
        ax.bar(places + shift, means, 0.92 * width, yerr=errors, capsize=2, color=color, label=STAGE_TITLES[stage])
        paper = [(place, _of_paper(metric, method, cell, stage)) for place, method in enumerate(results.runs)]
        dots = [(place + shift, value) for place, value in paper if value is not None]
        if dots:
            across, up = zip(*dots, strict=True)
            ax.scatter(across, up, marker="D", s=22, color="black", zorder=3, label="paper (other data)")
    rows = [results.first["metrics"][stage][cell] for stage in stages]
    baseline = max(row[name][metric] or 0.0 for row in rows for name in TRIVIAL)
    ax.axhline(100 * baseline, color=WRONG, linewidth=1, linestyle="--", label="best predictor without an image")
    ax.set(ylim=(0, 105), xticks=places)
    ax.set_xticklabels(list(results.runs), rotation=30, ha="right", fontsize=8)
    tidy_axes(ax)


def _of_paper(metric: str, method: str, cell: str, stage: str) -> float | None:
    if metric not in PAPER or method not in METHODS or stage not in ("zero_shot", "few_shot"):
        return None
    return PAPER[metric][METHODS[method]][cell][stage == "few_shot"]


def _stages_and_cells(results: SweepResults) -> Iterator[tuple[str, str]]:
    return product(stages_of_sweep(results), TABLE12_CELLS)


def _metric_lines(results: SweepResults) -> Iterable[Sequence[object]]:
    yield ["method", "stage", "cell", "predictor", "metric", "mean", "half_width", "seeds", "paper", "values"]
    for method in results.runs:
        for (stage, cell), (metric, predictor) in product(_stages_and_cells(results), SECTIONS.values()):
            measure = f"{stage}.{cell}.{predictor}.{metric}"
            values = results.values(method, measure)
            texts = " ".join("NA" if value is None else f"{value:.6f}" for value in values)
            paper = _of_paper(metric, method, cell, stage)
            fraction = "" if paper is None else f"{paper / 100:.3f}"
            found = numbers(results.estimate(method, measure))
            yield [method, stage, cell, predictor, metric, *found, fraction, texts]
    for name in TRIVIAL:
        for stage, cell in _stages_and_cells(results):
            for metric, value in results.first["metrics"][stage][cell][name].items():
                yield [name, stage, cell, name, metric, "" if value is None else f"{value:.6f}", "", "", "", ""]


def _class_lines(results: SweepResults) -> Iterable[Sequence[object]]:
    yield ["method", "stage", "cell", "class", "support", "metric", "mean", "half_width", "seeds"]
    for method in results.runs:
        for stage, cell in _stages_and_cells(results):
            for name, row in results.first["metrics"][stage][cell]["classes"].items():
                for metric in _CLASS_METRICS:
                    found = results.estimate(method, f"{stage}.{cell}.classes.{name}.{metric}")
                    yield [method, stage, cell, name, row["support"], metric, *numbers(found)]


def _comparison_lines(results: SweepResults, pairs: Sequence[tuple[str, str]]) -> Iterable[Sequence[object]]:
    yield ["method", "minus", "stage", "cell", "predictor", "metric", "difference", "half_width", "seeds"]
    for method, other in pairs:
        for (stage, cell), (metric, predictor) in product(_stages_and_cells(results), SECTIONS.values()):
            measure = f"{stage}.{cell}.{predictor}.{metric}"
            found = results.difference((method, measure), (other, measure))
            yield [method, other, stage, cell, predictor, metric, *numbers(found)]
