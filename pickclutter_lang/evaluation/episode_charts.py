"""Charts of an evaluation's episodes: rates of each object, and scores of first decisions with their threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from pickclutter_lang.evaluation.instructions import DRAWN, NAMED
from pickclutter_lang.evaluation.rollout_metrics import TARGET_GROUPS, Episode, wilson_interval
from pickclutter_lang.experiments.plotting import TRUTH_COLORS
from pickclutter_lang.experiments.run_charts import Interval, Panel, draw_bars, draw_panels, stairs_of
from pickclutter_lang.metrics.thresholds import DEFAULT_THRESHOLD, recenter_scores
from pickclutter_lang.utils.typing import FloatArray

OBJECTS_FILE, SCORES_FILE = "objects.png", "scores.png"


def object_rates(episodes: Sequence[Episode], suite: str) -> dict[str, Interval | None]:
    """Return object -> share of its episodes that succeeded, or were right in a suite, with the interval of Wilson.

    Of a suite, those are counted that name the target, one in each pile. Seen objects come first.
    """
    episodes = [episode for episode in episodes if episode["kind"] in (DRAWN, NAMED)]
    hit = "success" if suite == "picking" else "followed"
    found: dict[str, Interval | None] = {}
    for name in sorted({e["target"] for e in episodes}, key=lambda name: (name in unseen_of(episodes), name)):
        own = [bool(e[hit]) for e in episodes if e["target"] == name]
        rate = wilson_interval(sum(own), len(own))
        found[name] = Interval(rate.value, rate.low, rate.high)
    return found


def unseen_of(episodes: Sequence[Episode]) -> set[str]:
    """Return the targets that are of Y_ood."""
    return {episode["target"] for episode in episodes if not episode["seen"]}


def plot_objects(episodes: Sequence[Episode], suite: str) -> Figure:
    """Draw the rate of each object, a bar for each variant, hatched where it is unseen."""
    of = {v: [e for e in episodes if e["variant"] == v] for v in dict.fromkeys(e["variant"] for e in episodes)}
    rates = {variant: object_rates(own, suite) for variant, own in of.items()}
    unseen = {variant: unseen_of(own) for variant, own in of.items()}
    return draw_bars(rates, unseen, "success, %" if suite == "picking" else "right by name, %")


def plot_scores(episodes: Sequence[Episode]) -> Figure | None:
    """Draw the scores of visible and of absent names at the first decision; None where no variant scores names.

    The threshold of each name is moved to 0.5.
    """
    scoring = [e for e in episodes if e["score"] is not None and e["variant"] not in ("oracle", "random")]
    rows = []
    for variant in dict.fromkeys(episode["variant"] for episode in scoring):
        own = [episode for episode in scoring if episode["variant"] == variant]
        groups = {title: [e for e in own if of(e)] for title, of in TARGET_GROUPS.items()}
        rows.append([_panel(f"{variant}, {title} names", chosen) for title, chosen in groups.items() if chosen])
    return draw_panels(rows, "score, with the threshold at 0.5", "% of each") if rows else None


def _panel(title: str, episodes: Sequence[Episode]) -> Panel:
    pairs = (torch.tensor([e[key] for e in episodes], dtype=torch.float64) for key in ("score", "threshold"))
    scores = recenter_scores(*pairs).numpy()
    sides = {
        "present": ("visible", np.array([bool(e["visible"]) for e in episodes])),
        "absent": ("absent", np.array([not e["present"] for e in episodes])),
    }
    stairs = [
        stairs_of(_label(word, scores[chosen]), TRUTH_COLORS[truth], scores[chosen], (0, 1))
        for truth, (word, chosen) in sides.items()
        if chosen.any()
    ]
    return Panel(title, (0, 1), stairs, [DEFAULT_THRESHOLD])


def _label(word: str, scores: FloatArray) -> str:
    return f"{word}: {int((scores > DEFAULT_THRESHOLD).sum())} of {len(scores)} above"
