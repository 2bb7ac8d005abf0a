"""Table 12 of a sweep, written from its `result.json` files alone: Markdown, CSV and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.plotting import STAGE_COLORS, WRONG, tidy_axes
from pickclutter_lang.experiments.result import RESULT_FILE
from pickclutter_lang.experiments.run_details import differing_settings, runs_section, sweep_details
from pickclutter_lang.experiments.scenes.result_table import TRIVIAL, data_note, description_note, table_title
from pickclutter_lang.experiments.scenes.scene_scores import SCORES_FILE, read_scores, write_scores
from pickclutter_lang.experiments.scenes.table12_charts import MOST_METHODS, draw_objects, draw_scores
from pickclutter_lang.experiments.scenes.table12_markdown import markdown
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS, TABLE12, stages_of_sweep
from pickclutter_lang.experiments.scenes.table12_tables import (
    baselines,
    class_tables,
    measures_of,
    methods_of,
    score_table,
    score_tables,
    with_paper,
)
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.experiments.sweeps.intervals import IntervalResults
from pickclutter_lang.experiments.sweeps.sweep_results import EVERY_RUN, Selection, SweepResults, load_sweep
from pickclutter_lang.experiments.sweeps.sweep_values import VALUES_FILE, read_values, values_of, write_values
from pickclutter_lang.experiments.sweeps.tables import csv_lines
from pickclutter_lang.reports.charts import save_png
from pickclutter_lang.reports.page import PAGE_FILE, write_page
from pickclutter_lang.results.paper_tables import TABLE12_CELLS
from pickclutter_lang.training.logger import write_json
from pickclutter_lang.utils.csv import write_csv
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.json_files import read_json
from pickclutter_lang.utils.locks import dir_lock

ABOUT_FILE = "about.json"
_REFERENCE = "cls_imcst_semantic"
_DRAWN = {"f1": "F1 per scene", "map": "mean average precision", "accuracy": "overall accuracy"}


_OBJECTS = f"""## Objects, seen and unseen

Average precision on X_ood, few-shot: means and 95% intervals as in the tables. A star, and hatching, marks objects of
Y_ood. At most {MOST_METHODS} methods are drawn.

![Objects](objects.png)"""
_SCORES = """## Scores of unseen objects

Scores of Y_ood on X_ood, all runs of a method together. Dashed lines are the thresholds of the runs, chosen on X_id.

![Scores](scores.png)"""


class _NeededAbout(TypedDict):
    notes: list[str]
    settings: dict[str, Any]
    pairs: list[tuple[str, str]]


class _About(_NeededAbout, total=False):
    """Content of `about.json`; earlier ones lack the hash of the teacher's weights."""

    teacher: str


@dataclass
class Table12Config:
    """`runs`: the folder under which the runs lie. `out`: where the table goes (null: into `runs`).

    `compare`: pairs of methods such as `best - cls_imcst_semantic` (null: each method with the one before it, `best`
    with `cls_imcst_semantic` and with each of its ablations, and the last of the paper's and `best` with all-positive).
    `chosen`: the runs of the table.
    """

    runs: str
    out: str | None
    compare: list[str] | None
    chosen: Selection = EVERY_RUN


def write_table(config: Table12Config) -> Path:
    """Write the numbers of a sweep, and from these its pages, its figure and `table12.csv`.

    `values.csv` has every number of each run, `scores.json.gz` the scores of Y_ood on X_ood, `about.json` the setting.

    :return: the path of `table12.md`; `report.html` lies beside it
    :raises PickClutterError: what `load_sweep` raises; InvalidArgumentError for a comparison that cannot be made;
        LockedError when another process is at work in `out`
    """
    results = load_sweep(config.runs, TABLE12, config.chosen)
    methods = [*results.runs]
    pairs = default_pairs(methods) if config.compare is None else parse_pairs(methods, config.compare)
    with dir_lock(Path(config.out or config.runs)):
        return _write(results, pairs, Path(config.out or config.runs))


def write_numbers(results: SweepResults, pairs: Sequence[tuple[str, str]], out: Path) -> None:
    """Write the numbers of runs that `read_tables` reads; `pairs` are those that a page subtracts.

    :raises MismatchError: when runs of one object split were evaluated on other scenes or objects
    """
    write_values(out / VALUES_FILE, values_of(results, measures_of, baselines(results)))
    if not write_scores(out / SCORES_FILE, results):
        (out / SCORES_FILE).unlink(missing_ok=True)
    about: dict[str, Any] = {"notes": _notes(results), "settings": differing_settings(results), "pairs": pairs}
    about["teacher"] = results.first["teacher"]["fingerprint"]
    write_json(out / ABOUT_FILE, about)


def _write(results: SweepResults, pairs: list[tuple[str, str]], out: Path) -> Path:
    write_numbers(results, pairs, out)
    values, about = read_tables(out)
    write_csv(out / "table12.csv", csv_lines(values, [*score_tables(values, pairs), *class_tables(values)]))
    chart, text = draw_sweep(values), markdown(values, pairs, about["notes"], about["settings"])
    save_png(chart, out / "table12.png")
    _write_page(out, text, chart, results, values)
    path = out / "table12.md"
    write_text(path, text)
    return path


def _write_page(out: Path, text: str, chart: Figure, results: SweepResults, values: IntervalResults) -> None:
    """Write `report.html`: the Markdown, and what the runs have beyond the numbers of the table."""
    shown = {"table12.png": chart, "objects.png": draw_objects(results)}
    parts = [text, _OBJECTS]
    if values.scores:
        shown["scores.png"] = draw_scores(values)
        parts.append(_SCORES)
    runs, links = runs_section(results, out)
    write_page(out / PAGE_FILE, "\n\n".join([*parts, runs]), shown, sweep_details(results), links)


def read_tables(folder: Path) -> tuple[IntervalResults, dict[str, Any]]:
    """Read the numbers of a sweep, and the notes, settings and pairs of methods of its page.

    :raises CheckpointError: when a file is missing or damaged
    """
    values = read_values(folder / VALUES_FILE)
    scores = read_scores(folder / SCORES_FILE) if (folder / SCORES_FILE).is_file() else {}
    about = read_json(folder / ABOUT_FILE, _About, CheckpointError, "write the table again")
    return IntervalResults(folder, values.runs, {}, tuple(TRIVIAL), scores), dict(about)


def _notes(results: SweepResults) -> list[str]:
    """Return paragraphs on data, student and runs."""
    runs = "; ".join(f"{name}: {', '.join(_ranges(results, name))}" for name in results.runs)
    revisions = sorted({str(run["git_revision"]) for of_name in results.runs.values() for run in of_name.values()})
    stages = " / ".join(STAGE_TITLES[stage] for stage in stages_of_sweep(results))
    return [
        data_note(results.first, with_paper(results)),
        description_note(run for of_name in results.runs.values() for run in of_name.values()),
        f"Student `{results.first['config']['student']['name']}`. Each cell: {stages}, mean ± half of the 95% "
        f"interval; one run has no interval. Seeds: {runs}. Revision: {', '.join(revisions)}.",
    ]


def _ranges(results: SweepResults, name: str) -> list[str]:
    """Return the runs of a method: its seeds, or the names of their folders where splits or draws vary."""
    replicates = results.replicates(name)
    varied = any(key.object_split or key.draw for key in replicates)
    return [key.folder_name if varied else str(key.seed) for key in replicates]


def check_pairs(config: Table12Config, methods: Sequence[str]) -> None:
    """Check `compare` before runs of some methods start; it may name finished ones too.

    :raises PickClutterError: what `load_sweep` raises; InvalidArgumentError for a comparison that cannot be made
    """
    if config.compare is not None:
        finished = load_sweep(config.runs, TABLE12).runs if any(Path(config.runs).rglob(RESULT_FILE)) else ()
        parse_pairs([*dict.fromkeys([*methods, *finished])], config.compare)


def parse_pairs(methods: Sequence[str], texts: Sequence[str]) -> list[tuple[str, str]]:
    """Turn `a - b` into a pair of methods.

    :raises InvalidArgumentError: for a text of another form or of a method that is not known
    """
    pairs = []
    for text in texts:
        names = [name.strip() for name in text.split("-")]
        if len(names) != 2 or any(name not in (*methods, *TRIVIAL) for name in names):
            raise InvalidArgumentError(
                f"expected compare to hold pairs such as 'cls_imcst - cls' of {', '.join((*methods, *TRIVIAL))}, but "
                f"got {text!r}"
            )
        pairs.append((names[0], names[1]))
    return pairs


def default_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return each of the paper's methods with the one before it, `best` with the last of them and its ablations.

    The last of the paper's, and `best`, are compared with all-positive too.
    """
    paper = [name for name in names if name in METHODS]
    pairs = [(paper[n + 1], paper[n]) for n in range(len(paper) - 1)]
    if "best" in names:
        others = [name for name in names if name not in METHODS and name != "best"]
        pairs += [("best", name) for name in [*([_REFERENCE] if _REFERENCE in names else paper[-1:]), *others]]
    return pairs + [(name, "always_yes") for name in [*paper[-1:], *(["best"] if "best" in names else [])]]


def draw_sweep(values: SweepResults) -> Figure:
    """Draw the methods' means with their 95% intervals, the paper's figures and the best trivial predictor."""
    methods = methods_of(values)
    figure = Figure(figsize=(5 + 1.6 * len(methods), 9), layout="constrained")
    axes = figure.subplots(len(_DRAWN), len(TABLE12_CELLS), squeeze=False, sharex=True, sharey=True)
    for row, (metric, title) in enumerate(_DRAWN.items()):
        for n, cell in enumerate(TABLE12_CELLS):
            _draw_cell(axes[row, n], values, n, metric)
            if row == 0:
                axes[row, n].set_title(table_title(cell))
        axes[row, 0].set_ylabel(f"{title}, %")
    handles = {label: handle for ax in axes[0] for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    return figure


def _draw_cell(ax: Axes, values: SweepResults, column: int, metric: str) -> None:
    table, methods = score_table(values, "", metric), methods_of(values)
    measures, places = table.columns[column].measures, np.arange(len(methods))
    width, stages = 0.8 / len(measures), stages_of_sweep(values)
    for n, (stage, measure) in enumerate(zip(stages, measures, strict=True)):
        found = [values.estimate(method, measure) for method in methods]
        shift = width * (n - (len(stages) - 1) / 2)
        means = [np.nan if one is None else 100 * one.mean for one in found]
        errors = [100 * one.half_width if one is not None and one.half_width else 0.0 for one in found]
        color = STAGE_COLORS[stage]
        ax.bar(places + shift, means, 0.92 * width, yerr=errors, capsize=2, color=color, label=STAGE_TITLES[stage])
        paper = [table.paper(table.row(method))[column][n : n + 1] for method in methods]
        dots = [(place + shift, one[0]) for place, one in enumerate(paper) if one and one[0] is not None]
        if dots:
            across, up = zip(*dots, strict=True)
            ax.scatter(across, up, marker="D", s=22, color="black", zorder=3, label="paper (other data)")
    blind = [values.estimate(row.run, m) for row in table.rows if row.name in TRIVIAL for m in table.cells(row)[column]]
    known = [100 * one.mean for one in blind if one is not None]
    if known:
        ax.axhline(max(known), color=WRONG, linewidth=1, linestyle="--", label="best predictor without an image")
    ax.set(ylim=(0, 105), xticks=places)
    ax.set_xticklabels(methods, rotation=30, ha="right", fontsize=8)
    tidy_axes(ax)
