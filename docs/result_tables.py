"""Every table that a page can ask for; those of Table 12 are here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from result_data import DATA, ResultError, markdown, source, source_of, table, wrapped
from result_growth import growth_forecast, growth_reading, growth_training, growth_writing
from result_images import image_claims, image_coverage, image_summary, image_table, image_tables
from result_policy import (
    episode_comparisons,
    episode_effects,
    episode_kind_aims,
    episode_kinds,
    policy_aims,
    policy_in_words,
    policy_objects,
    policy_rates,
    policy_scores,
)
from result_sweeps import table12_sweep
from result_teacher import (
    kind_readings,
    teacher_aims,
    teacher_compositions,
    teacher_curve,
    teacher_curve_differences,
    teacher_language,
    teacher_names,
    teacher_scan_differences,
    teacher_words,
)

from pickclutter_lang.benchmarking.report import read_report, report_note, report_table
from pickclutter_lang.experiments.scenes.result_table import TRIVIAL, is_chance
from pickclutter_lang.experiments.scenes.table12_markdown import sections
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS, stages_of_sweep
from pickclutter_lang.experiments.scenes.table12_tables import coverage_note, methods_of, score_table
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell
from pickclutter_lang.experiments.sweeps.tables import CHANCE_NOTE, Column, Row, Table, comparison_rows, table_rows
from pickclutter_lang.results.paper_tables import TABLE12
from pickclutter_lang.utils.statistics import verdict

__all__ = ["RENDERERS", "ResultError"]
_CLAIMS = (
    ("Language helps few-shot: `cls` over `closed_set`", "cls", "closed_set", "few_shot"),
    ("L_im-cst helps zero-shot: `cls_imcst` over `cls`", "cls_imcst", "cls", "zero_shot"),
    ("L_im-cst helps few-shot: `cls_imcst` over `cls`", "cls_imcst", "cls", "few_shot"),
    (
        "Descriptions help zero-shot, over `cls_imcst`",
        "cls_imcst_semantic",
        "cls_imcst",
        "zero_shot",
    ),
    (
        "Descriptions help few-shot, over `cls_imcst`",
        "cls_imcst_semantic",
        "cls_imcst",
        "few_shot",
    ),
)
_CLAIM_OF_BEST = "`best` over `{}`, {}"
_STAGES_OF_BEST = {"zero_shot": "zero-shot", "few_shot": "few-shot", "retrieval": "retrieval"}


def summary(name: str) -> str:
    """Return F1 and mAP of unseen objects of a Table 12 sweep: zero-shot / few-shot / retrieval."""
    values, about = table12_sweep(name)
    stages = stages_of_sweep(values)
    columns = tuple(
        Column(title, tuple(f"{stage}.ood_on_ood.model.{metric}" for stage in stages), best="")
        for title, metric in (("F1", "f1"), ("mAP", "map"))
    )
    rows = [Row(method, f"`{method}`", method) for method in methods_of(values)]
    rows = [replace(row, marked=frozenset(_chance(row.name, columns))) for row in rows]
    rows.append(Row("always_yes", TRIVIAL["always_yes"], "always_yes"))
    chance = [CHANCE_NOTE] if "closed_set" in values.runs else []
    return "\n\n".join(
        [
            table_rows(values, Table("", "", columns, tuple(rows))),
            *map(wrapped, (*chance, coverage_note(values), *_descriptions(name, about["notes"]))),
        ]
    )


def _descriptions(name: str, notes: list[str]) -> list[str]:
    """Return what is known of the descriptions of a sweep: a note of its page, or that of its source."""
    found = [note for note in notes if note.startswith(("Descriptions", "Labels are names"))]
    return found or [text for text in (source_of(name).get("descriptions"),) if text]


def comparisons(name: str, metric: str) -> str:
    """Return the differences between methods over equal runs; bold where the interval excludes 0."""
    values, about = table12_sweep(name)
    return comparison_rows(values, score_table(values, "", metric, pairs=about["pairs"]))


def table12(name: str) -> str:
    """Return all tables of a Table 12 sweep, each with its heading, after what its intervals cover."""
    values, about = table12_sweep(name)
    parts = [*about["notes"], *sections(values, about["pairs"], about["settings"])]
    return "\n\n".join(part if part.startswith(("|", "#")) else wrapped(part) for part in parts)


def claims(name: str) -> str:
    """Return which claims show on unseen objects: where the interval of a difference lies above 0."""
    values, _ = table12_sweep(name)
    methods = methods_of(values)
    reference = "cls_imcst_semantic" if "cls_imcst_semantic" in methods else "cls_imcst"
    of_best = [
        (_CLAIM_OF_BEST.format(reference, word), "best", reference, stage) for stage, word in _STAGES_OF_BEST.items()
    ]
    lines = []
    for text, this, that, stage in [*_CLAIMS, *of_best]:
        if not {this, that} <= {*methods}:
            continue
        cells = []
        for metric in ("f1", "map"):
            measure = f"{stage}.ood_on_ood.model.{metric}"
            found = values.difference((this, measure), (that, measure))
            cells += [verdict(found, 0.0, ("yes", "no")), difference_cell(found)]
        lines.append([text, *cells, _paper_difference(this, that, stage)])
    return markdown(["Claim", "F1: shows?", "points", "mAP: shows?", "points", "Paper, F1"], lines)


def _paper_difference(this: str, that: str, stage: str) -> str:
    """Return the paper's difference of F1 on Y_ood, where it has one."""
    place = {"zero_shot": 0, "few_shot": 1}.get(stage)
    if place is None or this not in METHODS or that not in METHODS:
        return ""
    ours, theirs = (TABLE12["f1"][METHODS[name]]["ood_on_ood"][place] for name in (this, that))
    return "" if ours is None or theirs is None else f"{ours - theirs:+.1f}"


def _chance(method: str, columns: tuple[Column, ...]) -> list[str]:
    measures = [measure for column in columns for measure in column.measures]
    return [measure for measure in measures if is_chance(method, measure.split(".")[0], "ood_on_ood")]


def bench(name: str) -> str:
    """Return the rows of a file of `pickclutter bench`, with the machine and the settings."""
    source_of(name)
    report = read_report(DATA / f"{name}.json")
    return f"{report_table(report)}\n\n{wrapped(report_note(report))}"


RENDERERS: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        bench, claims, comparisons, episode_comparisons, episode_effects, episode_kind_aims, episode_kinds,
        growth_forecast, growth_reading, growth_training, growth_writing, image_claims, image_coverage,
        image_summary, image_table, image_tables, kind_readings, policy_aims, policy_in_words, policy_objects,
        policy_rates, policy_scores, source, summary, table, table12, teacher_aims, teacher_compositions,
        teacher_curve, teacher_curve_differences, teacher_language, teacher_names, teacher_scan_differences,
        teacher_words,
    )
}  # fmt: skip
"""What a page can ask for."""
