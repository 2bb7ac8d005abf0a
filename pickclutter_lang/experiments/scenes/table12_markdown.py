"""Table 12 over seeds in Markdown: means, 95% intervals, the paper's figures, and what else one must know."""

from __future__ import annotations

from collections.abc import Sequence

from pickclutter_lang.experiments.scenes.paper_table12 import EVALUATION_CELLS
from pickclutter_lang.experiments.scenes.result_table import (
    CHANCE,
    CHANCE_NOTE,
    PAPER,
    STAGE_TITLES,
    TRIVIAL,
    data_note,
    is_chance,
    table_title,
)
from pickclutter_lang.experiments.sweeps.sweep_results import METHODS, SweepResults, method_config
from pickclutter_lang.utils.markdown import markdown_table, number, percent
from pickclutter_lang.utils.statistics import Estimate

SECTIONS = {
    "F1 per observation": ("f1", "model"),
    "Overall accuracy": ("accuracy", "model"),
    "Mean average precision": ("map", "model"),
    "Precision per observation": ("precision", "model"),
    "Recall per observation": ("recall", "model"),
    "F1 per observation at the threshold 0.5": ("f1", "model_at_half"),
    "F1 per observation at equal false-alarm rates": ("f1", "model_matched_fpr"),
    "Recall per observation at equal false-alarm rates": ("recall", "model_matched_fpr"),
    "Overall accuracy at the threshold 0.5": ("accuracy", "model_at_half"),
}
"""Title -> (metric, predictor)."""


def markdown(grid: SweepResults, pairs: Sequence[tuple[str, str]]) -> str:
    """Return the whole page.

    :param pairs: methods to compare over equal seeds
    """
    seeds = "; ".join(f"{name}: {', '.join(map(str, runs))}" for name, runs in grid.runs.items())
    revisions = sorted({str(run["git_revision"]) for runs in grid.runs.values() for run in runs.values()})
    stages = " / ".join(STAGE_TITLES[stage] for stage in grid.stages)
    parts = [
        "# Table 12",
        data_note(grid.first),
        f"Student `{grid.first['config']['student']['name']}`. Each cell: {stages}, mean ± half of the 95% interval "
        f"over seeds (Student's t); one seed has no interval. Seeds: {seeds}. Revision: {', '.join(revisions)}.",
        "![Table 12](table12.png)",
    ]
    for title, (metric, predictor) in SECTIONS.items():
        parts += [f"## {title}, %", metric_rows(grid, metric, predictor)]
    if "closed_set" in grid.runs:
        parts.append(CHANCE_NOTE)
    if pairs:
        parts += ["## Comparisons over equal seeds, in points", _COMPARISON_NOTE]
        for title, metric in (("F1 per observation", "f1"), ("Mean average precision", "map")):
            parts += [f"### {title}", comparison_rows(grid, pairs, metric)]
    parts += ["## Each object of Y_ood on X_ood", "Means over seeds; their intervals are in `table12_classes.csv`."]
    for title, metric in (("Average precision", "average_precision"), ("F1", "f1")):
        parts += [f"### {title}, %", per_class_rows(grid, metric)]
    parts += ["## Time, size, thresholds", cost_rows(grid)]
    if method_config(grid):
        parts += ["## What the methods set", setting_rows(grid)]
    return "\n\n".join(parts) + "\n"


_COMPARISON_NOTE = (
    "Mean difference ± half of its 95% interval, run against run of the same seed; **bold** where the interval leaves "
    "out 0."
)


def metric_rows(grid: SweepResults, metric: str, predictor: str = "model") -> str:
    """Return the table of one metric: methods, then predictors that look at no image; the paper's figures beside."""
    paper = PAPER.get(metric)
    heads = [
        text
        for cell in EVALUATION_CELLS
        for text in ((table_title(cell), "*paper*") if paper else (table_title(cell),))
    ]
    rows = []
    for method, runs in grid.runs.items():
        texts = []
        for cell in EVALUATION_CELLS:
            texts.append(_cell(grid, method, cell, predictor, metric))
            if paper:
                texts.append(_paper(paper[METHODS[method]][cell]) if method in METHODS else "")
        rows.append([f"`{method}`", len(runs), *texts])
    for name, title in TRIVIAL.items():
        texts = []
        for cell in EVALUATION_CELLS:
            values = [percent(grid.first["metrics"][stage][cell][name][metric]) for stage in grid.stages]
            texts += [" / ".join(values), ""] if paper else [" / ".join(values)]
        rows.append([title, "", *texts])
    return markdown_table(["", "seeds", *heads], rows)


def comparison_rows(grid: SweepResults, pairs: Sequence[tuple[str, str]], metric: str) -> str:
    """Return the table of paired differences of one metric in points."""
    rows = []
    for method, other in pairs:
        texts, count = [], 0
        for cell in EVALUATION_CELLS:
            found = [grid.difference(method, other, "metrics", stage, cell, "model", metric) for stage in grid.stages]
            count = max([count, *(one.seeds for one in found if one is not None)])
            texts.append(" / ".join(_difference(one) for one in found))
        rows.append([f"`{method}` - `{other}`", count, *texts])
    return markdown_table(["", "seeds", *(table_title(cell) for cell in EVALUATION_CELLS)], rows)


def per_class_rows(grid: SweepResults, metric: str) -> str:
    """Return the table of the objects of Y_ood on X_ood, a column for each method."""
    cell = "ood_on_ood"
    rows = []
    for name, row in grid.first["metrics"][grid.stages[0]][cell]["classes"].items():
        texts = []
        for method in grid.runs:
            found = [grid.estimate(method, "metrics", s, cell, "classes", name, metric) for s in grid.stages]
            marks = [CHANCE if is_chance(method, stage, cell) else "" for stage in grid.stages]
            means = [percent(None if one is None else one.mean) for one in found]
            texts.append(" / ".join(mean + mark for mean, mark in zip(means, marks, strict=True)))
        rows.append([name, row["support"], *texts])
    return markdown_table(["", "support", *(f"`{method}`" for method in grid.runs)], rows)


def cost_rows(grid: SweepResults) -> str:
    """Return the table of parameters, seconds, memory and the threshold of each stage, means over seeds."""
    times = list(grid.first["seconds"])
    heads = ["million parameters", *(f"{name}, s" for name in times), "peak memory, MB", "thresholds from X_id"]
    rows = []
    for method in grid.runs:
        paths = [("parameters",), *(("seconds", name) for name in times), ("peak_memory_mb",)]
        values = [grid.estimate(method, *path) for path in paths]
        means = [None if value is None else value.mean for value in values]
        size = None if means[0] is None else means[0] / 1e6
        found = [grid.estimate(method, "metrics", stage, "id_threshold") for stage in grid.stages]
        thresholds = " / ".join(number(None if one is None else one.mean, 2) for one in found)
        rows.append([f"`{method}`", number(size), *(number(mean, 0) for mean in means[1:]), thresholds])
    return markdown_table(["", *heads], rows)


def setting_rows(grid: SweepResults) -> str:
    """Return the table of the settings in which the methods differ."""
    rows = ([f"`{key}`", *(values[method] for method in grid.runs)] for key, values in method_config(grid).items())
    return markdown_table(["setting", *(f"`{method}`" for method in grid.runs)], rows)


def _cell(grid: SweepResults, method: str, cell: str, predictor: str, metric: str) -> str:
    texts = []
    for stage in grid.stages:
        mark = CHANCE if is_chance(method, stage, cell) else ""
        texts.append(_percent(grid.estimate(method, "metrics", stage, cell, predictor, metric)) + mark)
    return " / ".join(texts)


def _percent(found: Estimate | None) -> str:
    if found is None:
        return "NA"
    return percent(found.mean) + ("" if found.half_width is None else f" ± {100 * found.half_width:.1f}")


def _difference(found: Estimate | None) -> str:
    if found is None:
        return "NA"
    text = f"{100 * found.mean:+.1f}"
    if found.half_width is None:
        return text
    text += f" ± {100 * found.half_width:.1f}"
    return f"**{text}**" if abs(found.mean) > found.half_width else text


def _paper(values: tuple[float | None, float | None]) -> str:
    return "*" + " / ".join(number(value) for value in values) + "*"
