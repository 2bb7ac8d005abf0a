"""Table 12 over seeds in Markdown: means, 95% intervals, the paper's figures, and notes on the setting."""

from __future__ import annotations

from collections.abc import Sequence

from pickclutter_lang.experiments.scenes.paper_table12 import TABLE12_CELLS
from pickclutter_lang.experiments.scenes.result_table import (
    CHANCE,
    CHANCE_NOTE,
    PAPER,
    SECTIONS,
    TRIVIAL,
    data_note,
    description_note,
    is_chance,
    table_title,
)
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS, method_config, stages_of_sweep
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell, estimate_cell
from pickclutter_lang.experiments.sweeps.sweep_results import SweepResults
from pickclutter_lang.utils.markdown import markdown_table, number, percent


def markdown(results: SweepResults, pairs: Sequence[tuple[str, str]]) -> str:
    """Return the page.

    :param pairs: methods to compare over equal seeds
    """
    seeds = "; ".join(f"{name}: {', '.join(map(str, results.seeds(name)))}" for name in results.runs)
    revisions = sorted({str(run["git_revision"]) for runs in results.runs.values() for run in runs.values()})
    stages = " / ".join(STAGE_TITLES[stage] for stage in stages_of_sweep(results))
    parts = [
        "# Table 12",
        data_note(results.first),
        description_note(run for runs in results.runs.values() for run in runs.values()),
        f"Student `{results.first['config']['student']['name']}`. Each cell: {stages}, mean ± half of the 95% interval "
        f"over seeds (Student's t); one seed has no interval. Seeds: {seeds}. Revision: {', '.join(revisions)}.",
        "![Table 12](table12.png)",
    ]
    for title, (metric, predictor) in SECTIONS.items():
        parts += [f"## {title}, %", metric_rows(results, metric, predictor)]
    if "closed_set" in results.runs:
        parts.append(CHANCE_NOTE)
    if pairs:
        parts += ["## Comparisons over equal seeds, in points", _COMPARISON_NOTE]
        for title, metric in (("F1 per observation", "f1"), ("Mean average precision", "map")):
            parts += [f"### {title}", comparison_rows(results, pairs, metric)]
    parts += ["## Each object of Y_ood on X_ood", "Means over seeds; their intervals are in `table12_classes.csv`."]
    for title, metric in (("Average precision", "average_precision"), ("F1", "f1")):
        parts += [f"### {title}, %", per_class_rows(results, metric)]
    parts += ["## Time, size, thresholds", cost_rows(results)]
    if method_config(results):
        parts += ["## What the methods set", setting_rows(results)]
    return "\n\n".join(parts) + "\n"


_COMPARISON_NOTE = (
    "Mean difference ± half of its 95% interval, run against run of the same seed; **bold** where the interval leaves "
    "out 0."
)


def metric_rows(results: SweepResults, metric: str, predictor: str = "model") -> str:
    """Return the table of one metric: methods, then image-blind baselines, with the paper's figures."""
    paper = PAPER.get(metric)
    heads = [
        text for cell in TABLE12_CELLS for text in ((table_title(cell), "*paper*") if paper else (table_title(cell),))
    ]
    rows = []
    for method, runs in results.runs.items():
        texts = []
        for cell in TABLE12_CELLS:
            texts.append(_cell(results, method, cell, predictor, metric))
            if paper:
                texts.append(_paper(paper[METHODS[method]][cell]) if method in METHODS else "")
        rows.append([f"`{method}`", len(runs), *texts])
    first = [results.first["metrics"][stage] for stage in stages_of_sweep(results)]
    for name, title in TRIVIAL.items():
        texts = []
        for cell in TABLE12_CELLS:
            values = " / ".join(percent(stage[cell][name][metric]) for stage in first)
            texts += [values, ""] if paper else [values]
        rows.append([title, "", *texts])
    return markdown_table(["", "seeds", *heads], rows)


def comparison_rows(results: SweepResults, pairs: Sequence[tuple[str, str]], metric: str) -> str:
    """Return the table of paired differences of one metric in points."""
    rows = []
    for method, other in pairs:
        texts, count = [], 0
        for cell in TABLE12_CELLS:
            found = [
                results.difference((method, measure), (other, measure))
                for measure in (f"{stage}.{cell}.model.{metric}" for stage in stages_of_sweep(results))
            ]
            count = max([count, *(one.seeds for one in found if one is not None)])
            texts.append(" / ".join(difference_cell(one) for one in found))
        rows.append([f"`{method}` - `{other}`", count, *texts])
    return markdown_table(["", "seeds", *(table_title(cell) for cell in TABLE12_CELLS)], rows)


def per_class_rows(results: SweepResults, metric: str) -> str:
    """Return the table of the objects of Y_ood on X_ood, a column for each method."""
    cell, stages = "ood_on_ood", stages_of_sweep(results)
    rows = []
    for name, row in results.first["metrics"][stages[0]][cell]["classes"].items():
        texts = []
        for method in results.runs:
            found = [results.estimate(method, f"{stage}.{cell}.classes.{name}.{metric}") for stage in stages]
            marks = [CHANCE if is_chance(method, stage, cell) else "" for stage in stages]
            means = [percent(None if one is None else one.mean) for one in found]
            texts.append(" / ".join(mean + mark for mean, mark in zip(means, marks, strict=True)))
        rows.append([name, row["support"], *texts])
    return markdown_table(["", "support", *(f"`{method}`" for method in results.runs)], rows)


def cost_rows(results: SweepResults) -> str:
    """Return the table of parameters, seconds, memory and the threshold of each stage, means over seeds."""
    times = list(results.first["seconds"])
    heads = ["million parameters", *(f"{name}, s" for name in times), "peak memory, MB", "thresholds from X_id"]
    rows = []
    for method in results.runs:
        measures = ["parameters", *(f"seconds.{name}" for name in times), "peak_memory_mb"]
        values = [results.estimate(method, measure) for measure in measures]
        means = [None if value is None else value.mean for value in values]
        size = None if means[0] is None else means[0] / 1e6
        found = [results.estimate(method, f"{stage}.id_threshold") for stage in stages_of_sweep(results)]
        thresholds = " / ".join(number(None if one is None else one.mean, 2) for one in found)
        rows.append([f"`{method}`", number(size), *(number(mean, 0) for mean in means[1:]), thresholds])
    return markdown_table(["", *heads], rows)


def setting_rows(results: SweepResults) -> str:
    """Return the table of the settings in which the methods differ."""
    rows = (
        [f"`{key}`", *(values[method] for method in results.runs)] for key, values in method_config(results).items()
    )
    return markdown_table(["setting", *(f"`{method}`" for method in results.runs)], rows)


def _cell(results: SweepResults, method: str, cell: str, predictor: str, metric: str) -> str:
    texts = []
    for stage in stages_of_sweep(results):
        mark = CHANCE if is_chance(method, stage, cell) else ""
        texts.append(estimate_cell(results.estimate(method, f"{stage}.{cell}.{predictor}.{metric}")) + mark)
    return " / ".join(texts)


def _paper(values: tuple[float | None, float | None]) -> str:
    return "*" + " / ".join(number(value) for value in values) + "*"
