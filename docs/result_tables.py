"""Every table that a page can ask for; those of Table 12 and of policy evaluations are here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from result_data import DATA, ResultError, markdown, read, source, source_of, table, wrapped
from result_growth import growth_forecast, growth_reading, growth_training, growth_writing
from result_images import image_claims, image_summary, image_table, image_tables
from result_policy import episode_comparisons, episode_effects, episode_kinds, episode_rates
from result_sweeps import table12_sweep
from result_teacher import teacher_aims, teacher_language, teacher_names

from pickclutter_lang.benchmarking.report import read_report, report_note, report_table
from pickclutter_lang.experiments.scenes.result_table import TRIVIAL, is_chance
from pickclutter_lang.experiments.scenes.table12_markdown import sections
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS, stages_of_sweep
from pickclutter_lang.experiments.scenes.table12_tables import methods_of, score_table
from pickclutter_lang.experiments.sweeps.paper_tables import TABLE12
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell
from pickclutter_lang.experiments.sweeps.tables import CHANCE_NOTE, Column, Row, Table, comparison_rows, table_rows
from pickclutter_lang.utils.statistics import reached, verdict

__all__ = ["RENDERERS", "ResultError"]
RATES = {
    "success": "success",
    "placed_of_graspable": "placed, of graspable",
    "placed_of_present": "placed, of present",
    "selected_of_visible": "selected, of visible",
    "missed_of_visible": "missed, of visible",
    "missed_of_present": "missed, of present",
    "absence_detected": "absence detected",
    "wrong_object_picked": "wrong object picked",
}
_Z = 1.959963984540054  # of the normal distribution's 95% interval


class Aim(NamedTuple):
    """What a variant is meant to reach: a share of a rate of a group of targets, of the rate of the variant `of`."""

    text: str
    variant: str
    group: str
    rate: str
    share: float
    of: str | None = None
    at_most: bool = False


_AIMS: tuple[Aim, ...] = (
    Aim("the oracle places 85% of the graspable targets", "oracle", "all", "placed_of_graspable", 0.85),
    Aim(
        "on seen targets, the few-shot student places 85% of what the oracle does",
        "few_shot",
        "seen",
        "placed_of_graspable",
        0.85,
        of="oracle",
    ),
    Aim("90% of the absences are detected", "few_shot", "all", "absence_detected", 0.9),
    Aim("at most 5% of the visible targets are missed", "few_shot", "all", "missed_of_visible", 0.05, at_most=True),
)

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
    values, _ = table12_sweep(name)
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
            *map(wrapped, (*chance, values.note(methods_of(values)))),
        ]
    )


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


def rates(group: str, *names: str) -> str:
    """Return rates of a policy evaluation, each with its 95% interval after Wilson, and the time of a decision.

    :param group: which targets: all, seen or unseen
    :param names: keys of `RATES`; none: all of them
    """
    rows = [row for row in read("policy/rates") if row["group"] == group]
    chosen = list(names or RATES)
    times = {row["variant"]: row["milliseconds"] for row in read("policy/decision_ms") if row["group"] == group}
    lines = []
    for variant in dict.fromkeys(row["variant"] for row in rows):
        found = {row["rate"]: row for row in rows if row["variant"] == variant}
        cells = [_proportion(int(found[name]["successes"]), int(found[name]["episodes"])) for name in chosen]
        lines.append([f"`{variant}`", *cells, times[variant]])
    return markdown(["variant", *(RATES[name] for name in chosen), "ms a decision"], lines)


def policy_in_words() -> str:
    """Return what a few-shot student gets done, as counts of episodes, beside the best and the worst detector."""
    found = {(row["variant"], row["group"], row["rate"]): row for row in read("policy/rates")}
    lines = []
    for title, variant, rate in (
        ("a graspable object is brought to the goal", "few_shot", "placed_of_graspable"),
        ("the same, if the simulator says where it is", "oracle", "placed_of_graspable"),
        ("the same, if chance says where it is", "random", "placed_of_graspable"),
        ("an absent object is declared absent", "few_shot", "absence_detected"),
        ("a visible object is declared absent by mistake", "few_shot", "missed_of_visible"),
    ):
        rows = [found[variant, group, rate] for group in ("seen", "unseen")]
        lines.append([title, *(f"{row['successes']} of {row['episodes']}" for row in rows)])
    return markdown(["200 episodes", "seen objects", "unseen objects"], lines)


def policy_aims() -> str:
    """Return which aims are met: where the 95% interval after Wilson lies on the right side of what is aimed at."""
    found = {(row["variant"], row["group"], row["rate"]): _counts(row) for row in read("policy/rates")}
    lines = []
    for aim in _AIMS:
        hits, count = found[aim.variant, aim.group, aim.rate]
        low, high = wilson(hits, count)
        result, share = f"{hits} of {count}: {100 * hits / count:.1f} ({100 * low:.1f} to {100 * high:.1f})", aim.share
        if aim.of is not None:
            others, of_count = found[aim.of, aim.group, aim.rate]
            share *= others / of_count
            result += f"; the oracle {others} of {of_count}, so the aim is {100 * share:.1f}"
        lines.append([aim.text, reached(low, high, share, aim.at_most), result])
    return markdown(["Aim", "Reached?", "Result, %"], lines)


def _counts(row: dict[str, str]) -> tuple[int, int]:
    return int(row["successes"]), int(row["episodes"])


def policy_objects() -> str:
    """Return for each object: graspable targets that were placed, and visible ones that were missed."""
    rows = read("policy/objects")
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    lines = []
    for name in dict.fromkeys(row["object"] for row in rows):
        own = {row["variant"]: row for row in rows if row["object"] == name}
        shown = [f"{r['placed']}/{r['graspable']}, {r['missed']}/{r['visible']}" for r in (own[v] for v in variants)]
        lines.append([name, *shown])
    return markdown(["object", *(f"`{variant}`" for variant in variants)], lines)


def wilson(successes: int, count: int) -> tuple[float, float]:
    """Return the 95% interval of a proportion."""
    share, square = successes / count, _Z**2 / count
    middle = share + square / 2
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, middle - half) / (1 + square), min(1 + square, middle + half) / (1 + square)


def _proportion(successes: int, count: int) -> str:
    low, high = wilson(successes, count)
    return f"{100 * successes / count:.0f} ({100 * low:.0f} to {100 * high:.0f}; {successes}/{count})"


def bench(name: str) -> str:
    """Return the rows of a file of `pickclutter bench`, with the machine and the settings."""
    source_of(name)
    report = read_report(DATA / f"{name}.json")
    return f"{report_table(report)}\n\n{wrapped(report_note(report))}"


RENDERERS: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        bench, claims, comparisons, episode_comparisons, episode_effects, episode_kinds, episode_rates, growth_forecast,
        growth_reading, growth_training, growth_writing, image_claims, image_summary, image_table, image_tables,
        policy_aims, policy_in_words, policy_objects, rates, source, summary, table, table12, teacher_aims,
        teacher_language, teacher_names,
    )
}  # fmt: skip
"""What a page can ask for."""
