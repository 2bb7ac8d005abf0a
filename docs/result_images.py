"""Tables 1 to 11 on single images, and which of the paper's claims show, from `images/<folder>/values.csv`."""

from __future__ import annotations

from result_data import markdown, source_of, wrapped
from result_sweeps import image_sweep

from pickclutter_lang.experiments.images.table_specs import BEST, ENRICHED, TABLES, table_of
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell, estimate_cell
from pickclutter_lang.experiments.sweeps.sweep_results import TEACHER
from pickclutter_lang.experiments.sweeps.tables import (
    Table,
    comparison_rows,
    form_of,
    number_text,
    table_rows,
)
from pickclutter_lang.results.paper_tables import AVERAGE, PAPER
from pickclutter_lang.utils.statistics import Estimate, verdict

_STAGES = {"zero_shot.id.accuracy": "X_id", "zero_shot.ood.accuracy": "zero-shot", "few_shot.ood.accuracy": "few-shot"}
_CLAIMS = (
    ("L_im-cst helps, over L_cls", "cls+im_cst", "cls", tuple(_STAGES)),
    ("L_im-cst alone is better than L_mse alone", "im_cst", "mse", tuple(_STAGES)),
    ("With L_cls, L_im-cst is better than L_mse", "cls+im_cst", "cls+mse", tuple(_STAGES)),
    ("L_im-cst needs L_cls on X_id", "cls+im_cst", "im_cst", ("zero_shot.id.accuracy",)),
    ("L_im-cst is better zero-shot without L_cls", "im_cst", "cls+im_cst", ("zero_shot.ood.accuracy",)),
    ("L_vlprox helps on top of both", BEST, "cls+im_cst", tuple(_STAGES)),
    ("L_vlprox helps L_im-cst alone", "im_cst+vlprox", "im_cst", tuple(_STAGES)),
    ("L_cls, L_im-cst and L_vlprox help, over L_cls", BEST, "cls", tuple(_STAGES)),
    ("Distilled language beats a closed set, few-shot: L_cls", "cls", "closed_set", ("few_shot.ood.accuracy",)),
    (
        "Distilled language beats a closed set, few-shot: all three losses",
        BEST,
        "closed_set",
        ("few_shot.ood.accuracy",),
    ),
)
_OTHER_CLAIMS = (
    (
        "L_im-cst keeps the structure of the teacher's space (Table 3, X_train)",
        ("cls+im_cst+mse", "features.train.relative_match"),
        ("cls+mse", "features.train.relative_match"),
    ),
    ("Descriptions help, zero-shot (Table 5)", (ENRICHED, "zero_shot.ood.accuracy"), (BEST, "zero_shot.ood.accuracy")),
    ("Descriptions help, few-shot (Table 5)", (ENRICHED, "few_shot.ood.accuracy"), (BEST, "few_shot.ood.accuracy")),
    (
        "Fine-tuning beats retrieval (Table 10)",
        (ENRICHED, "few_shot.ood.accuracy"),
        (ENRICHED, "retrieval.ood.accuracy"),
    ),
    (
        "Few-shot learning of some classes helps zero-shot on others (Table 11)",
        (ENRICHED, "continual.ood2_after.accuracy"),
        (ENRICHED, "continual.ood2_before.accuracy"),
    ),
)


def image_table(folder: str, number: str) -> str:
    """Return one of Tables 1 to 11, and its comparisons, paired by seed and class split."""
    table, results = _table(folder, number), image_sweep(folder)
    parts = [table_rows(results, table)]
    if table.pairs:
        parts += [
            "Paired differences; **bold** where the interval excludes 0:",
            comparison_rows(results, table),
        ]
    return "\n\n".join(parts)


def image_tables(folder: str) -> str:
    """Return every table of a dataset, each with its heading."""
    parts = []
    revisions: dict[str, list[str]] = source_of(f"images/{folder}").get("revisions_of_tables", {})
    results = image_sweep(folder)
    for number, table in TABLES.items():
        if not all(any(results.estimate(row.run, m) for cell in table.cells(row) for m in cell) for row in table.rows):
            continue
        parts.append(f"## Table {number}: {table.title}")
        if number in revisions:
            parts.append("Revision " + ", ".join(f"`{revision}`" for revision in revisions[number]) + ".")
        parts.append(image_table(folder, number))
    return "\n\n".join(parts)


def image_summary(folder: str) -> str:
    """Return Table 1 in short: accuracy on X_id, and zero-shot and few-shot on X_ood."""
    table, results = _table(folder, "1"), image_sweep(folder)
    keys = ("zero_shot.id", "zero_shot.ood", "zero_shot.all", "few_shot.ood")
    lines = []
    for row in table.rows:
        names = ("teacher.id", "teacher.ood", "", "") if row.run is None else keys
        found = [results.estimate(row.run, f"{name}.accuracy") if name else None for name in names]
        lines.append([row.title, *(estimate_cell(one) if name else "" for one, name in zip(found, names, strict=True))])
    classes = source_of(f"images/{folder}")["classes"]
    guesses = [1 / classes[0], 1 / classes[1], 1 / sum(classes), 1 / classes[1]]
    lines.append(["chance", *(number_text("accuracy", guess) for guess in guesses)])
    header = ["", "X_id", "X_ood zero-shot", "X_ood zero-shot, among all names", "X_ood few-shot"]
    return markdown(header, lines)


def image_coverage(folder: str) -> str:
    """Return what the intervals of a data set's runs cover."""
    results = image_sweep(folder)
    return wrapped(results.note([run for run in results.runs if run != TEACHER]))


def image_claims(folder: str) -> str:
    """Return which of the paper's claims show: where the interval of a difference lies above 0."""
    results, lines = image_sweep(folder), []
    for text, this, that, measures in _CLAIMS:
        for measure in measures:
            place = list(_STAGES).index(measure)
            ours, theirs = (PAPER["1"][row][AVERAGE][place] for row in (this, that))
            paper = "" if ours is None or theirs is None else f"{ours - theirs:+.1f}"
            title = f"{text}: {_STAGES[measure]}" if len(measures) > 1 else text
            lines.append(_claim(title, results.difference((this, measure), (that, measure)), paper))
    for text, left, right in _OTHER_CLAIMS:
        if results.difference(left, right) is not None:
            lines.append(_claim(text, results.difference(left, right), "", left[1]))
    return markdown(["Claim", "Shows?", "Here, points", "Paper, on average"], lines)


def _claim(text: str, found: Estimate | None, paper: str, measure: str = "accuracy") -> list[str]:
    return [text, verdict(found, 0.0, ("yes", "no")), difference_cell(found, *form_of(measure)), paper]


def _table(folder: str, number: str) -> Table:
    return table_of(number, folder, *source_of(f"images/{folder}")["classes"])
