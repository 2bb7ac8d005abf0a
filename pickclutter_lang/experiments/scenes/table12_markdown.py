"""Table 12 in Markdown: means, 95% intervals, the paper's figures, and notes on the setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pickclutter_lang.experiments.run_details import setting_rows
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS
from pickclutter_lang.experiments.scenes.table12_tables import (
    class_tables,
    cost_table,
    coverage_note,
    methods_of,
    score_tables,
    with_paper,
)
from pickclutter_lang.experiments.sweeps.intervals import IntervalResults
from pickclutter_lang.experiments.sweeps.tables import (
    CHANCE_NOTE,
    COMPARISON_NOTE,
    comparison_rows,
    table_rows,
)

CHOSEN_NOTE = (
    "Epoch and threshold are chosen on X_id: the cells of Y_id on X_id are of the very scenes they were chosen on."
)
OTHER_OBJECTS_NOTE = (
    "The paper's figures are not shown: in some of these runs other objects are unseen than in the paper."
)
Settings = Mapping[str, Mapping[str, str]]
"""Setting in which methods differ -> method -> its value."""


def markdown(
    values: IntervalResults, pairs: Sequence[tuple[str, str]], notes: Sequence[str], settings: Settings
) -> str:
    """Return the page.

    :param pairs: methods to compare
    :param notes: paragraphs on the data and the runs
    """
    parts = ["# Table 12", *notes, "![Table 12](table12.png)", *sections(values, pairs, settings)]
    return "\n\n".join(parts) + "\n"


def sections(values: IntervalResults, pairs: Sequence[tuple[str, str]], settings: Settings) -> list[str]:
    """Return the parts of the page that hold tables, and what their intervals cover."""
    tables = score_tables(values, pairs)
    parts = [coverage_note(values), CHOSEN_NOTE]
    for table in tables:
        parts += [f"## {table.title}, %", table_rows(values, table)]
    if METHODS.keys() & values.runs.keys() and not with_paper(values):
        parts.append(OTHER_OBJECTS_NOTE)
    if "closed_set" in values.runs:
        parts.append(CHANCE_NOTE)
    if pairs:
        parts += ["## Comparisons, in points", COMPARISON_NOTE]
        for table in tables:
            parts += [f"### {table.title}: difference", comparison_rows(values, table)] if table.pairs else []
    parts += ["## Each object of Y_ood on X_ood", "Means over runs."]
    for table in class_tables(values):
        parts += [f"### {table.title}, %", table_rows(values, table)]
    parts += ["## Time, size, thresholds", table_rows(values, cost_table(values))]
    if settings:
        parts += ["## What the methods set", setting_rows(methods_of(values), settings)]
    return parts
