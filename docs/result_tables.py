"""Every table that a page can ask for; those of Table 12 and of policy evaluations are here."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence

from result_data import DATA, ResultError, bold, markdown, read, source, table
from result_images import image_summary, image_table, image_tables
from result_policy import episode_comparisons, episode_effects, episode_kinds, episode_rates

__all__ = ["RENDERERS", "ResultError"]
STAGES = {"zero_shot": "zero-shot", "few_shot": "few-shot", "retrieval": "retrieval"}
CELLS = {"id_on_id": "Y_id on X_id", "id_on_ood": "Y_id on X_ood", "ood_on_ood": "Y_ood on X_ood"}
BASELINES = {"all_negative": "all-negative", "all_positive": "all-positive", "label_frequency": "label frequency"}
METRICS = {
    "f1": "F1 per scene",
    "accuracy": "Overall accuracy",
    "map": "Mean average precision",
    "precision": "Precision per scene",
    "recall": "Recall per scene",
    "f1_at_half": "F1 per scene, threshold 0.5",
    "f1_matched_fpr": "F1 per scene, matched false-positive rates",
    "recall_matched_fpr": "Recall per scene, matched false-positive rates",
    "accuracy_at_half": "Overall accuracy, threshold 0.5",
}
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


def scores(name: str, metric: str) -> str:
    """Return one metric of a Table 12 run: methods, then image-blind baselines; the paper's numbers next to them."""
    rows = [row for row in read(name) if row["metric"] == metric]
    paper = any(row["paper"] for row in rows)
    header = ["", "seeds", *(text for cell in CELLS.values() for text in ((cell, "*paper*") if paper else (cell,)))]
    lines = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        cells = []
        for cell in CELLS:
            found = [row for row in own if row["cell"] == cell]
            cells.append(" / ".join(_mean(row) for row in found))
            if paper:
                cells.append(_paper(found))
        lines.append([_method(method), own[0]["seeds"], *cells])
    return markdown(header, lines)


def summary(name: str) -> str:
    """Return F1 and mAP of unseen objects of a Table 12 run: zero-shot / few-shot / retrieval."""
    rows = [row for row in read(name) if row["cell"] == "ood_on_ood" and row["metric"] in ("f1", "map")]
    lines = []
    for method in dict.fromkeys(row["method"] for row in rows):
        cells = []
        for metric in ("f1", "map"):
            found = [row for row in rows if row["method"] == method and row["metric"] == metric]
            cells.append(" / ".join("NA" if int(row["chance_by_construction"]) else _mean(row) for row in found))
        if method not in ("all_negative", "label_frequency"):
            lines.append([_method(method), *(cells if method not in BASELINES else [c.split(" / ")[0] for c in cells])])
    return markdown(["", "F1", "mAP"], lines)


def comparisons(name: str, metric: str) -> str:
    """Return the differences between methods, paired by seed; bold where the interval excludes 0."""
    rows = [row for row in read(f"{name}_comparisons") if row["metric"] == metric]
    lines = []
    for pair in dict.fromkeys((row["method"], row["minus"]) for row in rows):
        own = [row for row in rows if (row["method"], row["minus"]) == pair]
        cells = []
        for cell in CELLS:
            found = [row for row in own if row["cell"] == cell]
            cells.append(" / ".join(bold(_mean(row), row["excludes_0"] == "1") for row in found))
        lines.append([f"`{pair[0]}` - `{pair[1]}`", own[0]["seeds"], *cells])
    return markdown(["", "seeds", *CELLS.values()], lines)


def objects(name: str, metric: str) -> str:
    """Return a metric of each object of Y_ood on X_ood, a column for each method: zero-shot / few-shot / retrieval."""
    rows = [r for r in read(f"{name}_classes") if r["cell"] == "ood_on_ood" and r["metric"] == metric]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = []
    for label in dict.fromkeys(row["class"] for row in rows):
        own = [row for row in rows if row["class"] == label]
        cells = []
        for method in methods:
            found = {row["stage"]: row["mean"] for row in own if row["method"] == method}
            marks = {"zero_shot": "†"} if method == "closed_set" else {}
            cells.append(" / ".join(_percent(found[stage]) + marks.get(stage, "") for stage in STAGES))
        lines.append([label, own[0]["support"], *cells])
    return markdown(["", "support", *(f"`{method}`" for method in methods)], lines)


def table12(name: str) -> str:
    """Return all tables of a Table 12 run, each with its heading."""
    known = dict.fromkeys(row["metric"] for row in read(name))
    parts = [f"## {METRICS[metric]}, %\n\n{scores(name, metric)}" for metric in known]
    if any(row["chance_by_construction"] == "1" for row in read(name)):
        parts.append("† Chance by construction: a closed set has no trained output for Y_ood.")
    parts.append("## Comparisons paired by seed, in points")
    parts.append("Mean difference ± half of its 95% interval; **bold** where the interval excludes 0.")
    parts += [f"### {METRICS[metric]} difference\n\n{comparisons(name, metric)}" for metric in ("f1", "map")]
    parts.append("## Each object of Y_ood on X_ood")
    titles = {"average_precision": "Average precision, %", "f1": "F1, %"}
    parts += [f"### {title}\n\n{objects(name, metric)}" for metric, title in titles.items()]
    parts.append(f"## Time, size, thresholds\n\n{markdown(*_plain(f'{name}_cost'))}")
    parts.append(f"## Settings that differ\n\n{markdown(*_plain(f'{name}_settings'))}")
    return "\n\n".join(parts)


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


def _plain(name: str) -> tuple[list[str], list[list[str]]]:
    with (DATA / f"{name}.csv").open(newline="") as stream:
        header, *rows = list(csv.reader(stream))
    return [header[0], *(f"`{title}`" if "_settings" in name else title for title in header[1:])], [
        [f"`{first}`", *rest] for first, *rest in rows
    ]


def _method(name: str) -> str:
    return BASELINES.get(name, f"`{name}`")


def _mean(row: dict[str, str]) -> str:
    if not row["mean"]:
        return "NA"
    mark = "†" if row.get("chance_by_construction") == "1" else ""
    return row["mean"] + (f" ± {row['half_width']}" if row["half_width"] else "") + mark


def _paper(rows: Sequence[dict[str, str]]) -> str:
    """Return the paper's numbers, zero-shot and few-shot; nothing for methods that it does not have."""
    shown = [row["paper"] for row in rows[:2]]
    return f"*{' / '.join(text or 'NA' for text in shown)}*" if any(shown) else ""


def _percent(value: str) -> str:
    return f"{100 * float(value):.1f}" if value else "NA"


RENDERERS: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        comparisons, episode_comparisons, episode_effects, episode_kinds, episode_rates, image_summary, image_table,
        image_tables, objects, policy_in_words, policy_objects, rates, scores, source, summary, table, table12,
    )
}  # fmt: skip
"""What a page can ask for."""
