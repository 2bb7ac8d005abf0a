"""`report.html` of an evaluation: tables, outcomes, detection curves, each object, and videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure

from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.evaluation.instructions import NAMED
from pickclutter_lang.evaluation.metrics import (
    GROUPS,
    Episode,
    measures,
    outcome_of,
    outcomes,
    tables,
    variants_of,
    went_right,
)
from pickclutter_lang.evaluation.videos import video_name
from pickclutter_lang.metrics.thresholds import DEFAULT_THRESHOLD, recenter_scores
from pickclutter_lang.results.charts import GRAY, MISSED, RIGHT, WRONG, draw_bars, tidy_axes
from pickclutter_lang.results.intervals import Share, share
from pickclutter_lang.results.page import (
    PAGE_FILE,
    Card,
    Gallery,
    Item,
    Media,
    Tone,
    run_details,
    settings_table,
    write_page,
)
from pickclutter_lang.utils.typing import FloatArray

_CALIBRATED_ON = {
    "few_shot": "X_id and the few-shot scenes",
    "id": "X_id",
    "unlabeled": "X_id and, for unseen names, the unlabeled scenes",
}
_COLORS = {
    "picking": (RIGHT, "#8fc7a3", MISSED, "#f5c26b", WRONG, GRAY),
    "words": (RIGHT, "#8fc7a3", WRONG, "#e8998d", MISSED, "#f5c26b", GRAY),
}
"""Of the outcomes, in their order."""
_VARIANT_COLORS = {"few_shot": "#3367b0", "zero_shot": "#8ab4f8", "teacher": "#b0337a"}
_CURVES_NOTE = (
    "Visible objects that are called absent against absent ones that are, as all thresholds move together. The dot is "
    "where the policy decides at its first observation. Later decisions go by the mean of all observations."
)


class Curve(NamedTuple):
    """Recentered scores of visible and of absent names at the first decision: the threshold of each name is 0.5."""

    variant: str
    group: str
    visible: FloatArray
    absent: FloatArray

    def called_absent(self, thresholds: Any) -> tuple[Any, ...]:
        """Return the shares of visible and of absent names that are called absent at some thresholds."""
        sides = (self.visible, self.absent)
        return tuple(np.searchsorted(np.sort(side), thresholds, "left") / len(side) for side in sides)


def detection_curves(episodes: Sequence[Episode]) -> list[Curve]:
    """Return the curves of all variants that score names, where there are visible and absent ones."""
    curves = []
    scoring = [e for e in episodes if e["score"] is not None and e["variant"] not in ("oracle", "random")]
    for variant, (group, of) in product(variants_of(scoring), GROUPS.items()):
        own = [e for e in scoring if e["variant"] == variant and of(e)]
        pair = (torch.tensor([e[key] for e in own], dtype=torch.float64) for key in ("score", "threshold"))
        moved = recenter_scores(*pair).numpy()
        visible = np.array([bool(e["visible"]) for e in own])
        absent = np.array([not e["present"] for e in own])
        if visible.any() and absent.any():
            curves.append(Curve(variant, group, moved[visible], moved[absent]))
    return curves


def draw_curves(curves: Sequence[Curve]) -> Figure:
    """Draw curves, a column for each group of names."""
    figure = Figure(figsize=(12, 3.7), layout="constrained")
    for ax, group in zip(figure.subplots(1, len(GROUPS)), GROUPS, strict=True):
        for curve in (one for one in curves if one.group == group):
            color = _VARIANT_COLORS.get(curve.variant, "#5bb5a2")
            label = f"{curve.variant} ({len(curve.visible)} visible, {len(curve.absent)} absent)"
            thresholds = np.unique([*curve.visible, *curve.absent, np.inf])
            ax.plot(*(100 * share for share in curve.called_absent(thresholds)), color=color, label=label)
            ax.plot(*(100 * share for share in curve.called_absent(DEFAULT_THRESHOLD)), "o", color=color)
        ax.set_title(f"{group} names", fontsize=9)
        ax.set(xlabel="visible, called absent, %", ylabel="absent, called so, %", xlim=(0, 100), ylim=(0, 101))
        tidy_axes(ax)
        if ax.lines:
            ax.legend(fontsize=8, loc="lower right")
    return figure


def draw_outcomes(episodes: Sequence[Episode], suite: str) -> Figure:
    """Draw outcomes in percent: of the variants for each group of targets, or of the kinds for each variant."""
    panels: dict[str, dict[str, list[Episode]]] = {}
    for variant in variants_of(episodes):
        own = [e for e in episodes if e["variant"] == variant]
        if suite == "picking":
            for group, of in GROUPS.items():
                panels.setdefault(f"targets: {group}", {})[variant] = [e for e in own if of(e)]
        else:
            panels[variant] = {kind: [e for e in own if e["kind"] == kind] for kind in measures(suite)}
    rows = sum(len(bars) for bars in panels.values())
    figure = Figure(figsize=(9, 0.9 + 0.6 * len(panels) + 0.3 * rows), layout="constrained")
    axes = np.atleast_1d(figure.subplots(len(panels), 1, sharex=True))
    colors = _COLORS["picking" if suite == "picking" else "words"]
    for ax, (title, bars) in zip(axes, panels.items(), strict=True):
        counts = [Counter(outcome_of(e, suite) for e in of) for of in bars.values()]
        left = np.zeros(len(bars))
        for outcome, color in zip(outcomes(suite), colors, strict=True):
            widths = np.array([100 * count[outcome] / max(count.total(), 1) for count in counts])
            drawn = ax.barh(list(bars), widths, left=left, color=color, label=outcome, height=0.75)
            ax.bar_label(drawn, [f"{w:.0f}" if w >= 4 else "" for w in widths], label_type="center", fontsize=8)
            left += widths
        ax.invert_yaxis()
        ax.set_title(title, loc="left", fontsize=9)
        ax.set_xlim(0, 100)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("% of the episodes")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def draw_objects(episodes: Sequence[Episode], suite: str) -> Figure:
    """Draw the share of right episodes of each object, a bar for each variant, hatched where the object is unseen."""
    hit = "success" if suite == "picking" else "followed"
    chosen = [e for e in episodes if suite == "picking" or e["kind"] == NAMED]
    unseen = {e["target"] for e in chosen if not e["seen"]}
    names = sorted({e["target"] for e in chosen}, key=lambda name: (name in unseen, name))
    bars: dict[str, dict[str, Share | None]] = {}
    for variant in variants_of(chosen):
        bars[variant] = {}
        for name in names:
            own = [bool(e[hit]) for e in chosen if (e["variant"], e["target"]) == (variant, name)]
            bars[variant][name] = share(own, [name] * len(own)) if own else None
    return draw_bars(bars, dict.fromkeys(bars, unseen), "success, %" if suite == "picking" else "right by name, %")


def episode_gallery(episodes: Sequence[Episode], videos: Sequence[str], suite: str, folder: Path) -> Gallery:
    """Return a card for each video of an evaluation.

    :param videos: files, relative to `folder`
    """
    by_name = {video_name(episode): episode for episode in episodes}
    cards = []
    for name in videos:
        episode = by_name[name]
        outcome = outcome_of(episode, suite)
        facets = {
            "object": episode["target"],
            "objects": "seen (Y_id)" if episode["seen"] else "unseen (Y_ood)",
            "outcome": outcome,
            "variant": episode["variant"],
        }
        tone: Tone = "right" if went_right(episode) else "missed" if episode["declared_absent"] else "wrong"
        item = Item(f"{outcome}; seed {episode['seed']}, {episode['steps']} steps", facets, tone=tone)
        title = f"{episode['instruction']}: {episode['variant']}"
        cards.append(Card(title, Media("video/mp4", (folder / name).read_bytes()), [item]))
    return Gallery(cards)


def write_report(
    folder: Path,
    config: PolicyEvalConfig,
    record: Mapping[str, Any],
    episodes: Sequence[Episode],
) -> str:
    """Write the page, and return its tables as Markdown.

    :param record: what `result.json` has
    """
    found = tables(episodes, config.suite)
    shown: dict[str, Figure | Gallery] = {
        "outcomes": draw_outcomes(episodes, config.suite),
        "objects": draw_objects(episodes, config.suite),
    }
    parts = [*_head(config, record), "![Outcomes](outcomes)", found, "## Each object\n\n![Each object](objects)"]
    curves = detection_curves(episodes) if config.suite == "picking" else []
    if curves:
        shown["curves"] = draw_curves(curves)
        parts.append(f"## Detection curves\n\n{_CURVES_NOTE}\n\n![Detection curves](curves)")
    if record["videos"]:
        shown["videos"] = episode_gallery(episodes, record["videos"], config.suite, folder)
        parts.append("## Videos\n\n![Videos](videos)")
    details = dict(run_details(record))
    if record["teacher_thresholds"] is not None:
        details["Thresholds of the teacher"] = settings_table(record["teacher_thresholds"])
    write_page(folder / PAGE_FILE, "\n\n".join(parts), shown, details)
    return found


def _head(config: PolicyEvalConfig, record: Mapping[str, Any]) -> Iterator[str]:
    yield "# Picking by name"
    absent = f", an absent object named with probability {config.absent_probability}"
    yield (
        f"Suite `{config.suite}`, {config.episodes} episodes of each variant and kind of instruction (seeds "
        f"{config.seed} to {config.seed + config.episodes - 1}), objects `{config.objects}`, split `{config.split}`"
        f"{absent if config.suite == 'picking' else ''}, control mode `{config.control_mode}`. "
        "All variants act in the same piles. Cells: percent (95% interval; episodes)."
    )
    if config.run is not None or record["teacher_thresholds"] is not None:
        yield (
            f"Thresholds of a run's students, and of the teacher, let {100 * config.false_positive_rate:g}% of the "
            f"absent names of {_CALIBRATED_ON[config.calibration]} pass; a policy folder keeps its own."
        )
    if len(record["revisions"]) > 1:
        yield f"Several revisions of the program ran these episodes: {', '.join(record['revisions'])}."
