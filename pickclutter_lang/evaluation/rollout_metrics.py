"""Metrics of an evaluation: rates with 95% intervals, over all episodes, by group of targets and by object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

from pickclutter_lang.evaluation.paired import PairedDifference, paired_difference
from pickclutter_lang.utils.markdown import markdown_table

Episode = Mapping[str, Any]
"""The outcome of an episode, as `RolloutRunner.rollout` returns it."""


@dataclass(frozen=True)
class Proportion:
    """A rate, `hits` of `count`, with its 95% Wilson score interval; nan where `count` is 0."""

    hits: int
    count: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The rate, in 0..1."""
        return self.hits / self.count if self.count else float("nan")

    def __str__(self) -> str:
        if not self.count:
            return "-"
        return f"{100 * self.value:.0f} ({100 * self.low:.0f} to {100 * self.high:.0f}; {self.hits}/{self.count})"


def wilson_interval(hits: int, count: int) -> Proportion:
    """Return a rate with its 95% score interval (Wilson, 1927)."""
    if not count:
        return Proportion(0, 0, float("nan"), float("nan"))
    interval = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    return Proportion(hits, count, float(interval.low), float(interval.high))


class RateSpec(NamedTuple):
    """One rate: its title, the episodes that it is of, and which of them are hits."""

    title: str
    of: Callable[[Episode], bool]
    hit: Callable[[Episode], bool]


def _placed(episode: Episode) -> bool:
    return bool(episode["success"] and not episode["declared_absent"])


def _declared_absent(episode: Episode) -> bool:
    return bool(episode["declared_absent"])


RATES: dict[str, RateSpec] = {
    "success": RateSpec("success", lambda e: True, lambda e: bool(e["success"])),
    "graspable_picked": RateSpec("graspable: placed", lambda e: e["graspable"], _placed),
    "present_picked": RateSpec("present: placed", lambda e: e["present"], _placed),
    "located": RateSpec(
        "visible: located", lambda e: e["visible"] and e["located"] is not None, lambda e: e["located"]
    ),
    "false_absence": RateSpec("visible: predicted absent", lambda e: e["visible"], _declared_absent),
    "present_absent": RateSpec("present: predicted absent", lambda e: e["present"], _declared_absent),
    "absence_detected": RateSpec("absent: predicted absent", lambda e: not e["present"], _declared_absent),
    "wrong_object": RateSpec("wrong object picked", lambda e: True, lambda e: e["wrong_objects"] > 0),
}
COMPARED_RATES = ("success", "graspable_picked", "false_absence", "absence_detected")
"""Rates whose differences between variants are tested."""
TARGET_GROUPS: dict[str, Callable[[Episode], bool]] = {
    "all": lambda e: True,
    "seen": lambda e: bool(e["seen"]),
    "unseen": lambda e: not e["seen"],
}
"""Group of targets -> whether an episode's target is in it: all, those of Y_id (seen), those of Y_ood (unseen)."""

OUTCOMES: dict[str, Callable[[Episode], bool]] = {
    "placed": _placed,
    "absence detected": lambda e: e["declared_absent"] and not e["present"],
    "present, predicted absent": lambda e: e["declared_absent"] and e["present"],
    "absence missed": lambda e: not e["present"],
    "wrong object picked": lambda e: e["wrong_objects"] > 0,
    "not placed": lambda e: True,
}
"""Outcome -> whether it holds; the outcome of an episode is the first that does."""


def outcome_of(episode: Episode) -> str:
    """Return the outcome of an episode, a key of `OUTCOMES`."""
    return next(outcome for outcome, holds in OUTCOMES.items() if holds(episode))


def went_right(episode: Episode) -> bool:
    """Return whether an episode succeeded; where not one object alone is right, whether its instruction was followed.

    Of several, the simulator does not say whether another than its target was placed.
    """
    return bool(episode["success"] if len(episode["expected"]) == 1 else episode["followed"])


def compute_rates(episodes: Sequence[Episode]) -> dict[str, Proportion]:
    """Return every rate of `RATES` over some episodes."""
    rates = {}
    for key, spec in RATES.items():
        counted = [episode for episode in episodes if spec.of(episode)]
        rates[key] = wilson_interval(sum(spec.hit(episode) for episode in counted), len(counted))
    return rates


def summary(episodes: Sequence[Episode]) -> dict[str, Any]:
    """Return variant -> group of targets -> rate, of each object too, and the median time of a detection."""
    table: dict[str, Any] = {}
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        chosen = [episode for episode in episodes if episode["variant"] == variant]
        names = sorted({episode["target"] for episode in chosen})
        table[variant] = {
            "episodes": len(chosen),
            "seconds_per_decision": float(np.median([episode["seconds"] for episode in chosen])),
            "steps": float(np.mean([episode["steps"] for episode in chosen])),
            **{group: _plain(compute_rates([e for e in chosen if of(e)])) for group, of in TARGET_GROUPS.items()},
            "objects": {name: _plain(compute_rates([e for e in chosen if e["target"] == name])) for name in names},
        }
    return table


def _plain(rates: Mapping[str, Proportion]) -> dict[str, Any]:
    return {
        key: {"rate": rate.value, **asdict(rate)}
        if rate.count
        else {"rate": None, "hits": 0, "count": 0, "low": None, "high": None}
        for key, rate in rates.items()
    }


def comparisons(episodes: Sequence[Episode]) -> list[dict[str, Any]]:
    """Compare every two variants on the same episodes: a row for each pair, group of targets and compared rate."""
    rows = []
    for first, second in combinations(dict.fromkeys(episode["variant"] for episode in episodes), 2):
        pairs = matched(episodes, first, second)
        for group, of in TARGET_GROUPS.items():
            for rate in COMPARED_RATES:
                spec = RATES[rate]
                chosen = [pair for pair in pairs if of(pair[0]) and spec.of(pair[0])]
                found = paired_difference([spec.hit(a) for a, _ in chosen], [spec.hit(b) for _, b in chosen])
                if found is not None:
                    rows.append({"first": first, "second": second, "group": group, "rate": rate, **found._asdict()})
    return rows


def matched(episodes: Sequence[Episode], first: str, second: str) -> list[tuple[Episode, Episode]]:
    """Return the episodes of two variants that are of the same pile and instruction, as pairs."""
    by_pile = {(e["seed"], e["kind"]): e for e in episodes if e["variant"] == second}
    return [
        (e, by_pile[e["seed"], e["kind"]])
        for e in episodes
        if e["variant"] == first and (e["seed"], e["kind"]) in by_pile
    ]


def comparison_table(rows: Sequence[Mapping[str, Any]], group: str = "all") -> str:
    """Return comparisons of a group of targets, Markdown: differences in points, intervals, McNemar's p."""
    shown = [row for row in rows if row["group"] == group]
    head = ["difference", "rate", "points (95% interval; episodes)", "first alone : second alone", "p"]
    lines = []
    for row in shown:
        found = PairedDifference(**{key: row[key] for key in PairedDifference._fields})
        alone = f"{found.first_only} : {found.second_only}"
        pair = f"`{row['first']}` - `{row['second']}`"
        lines.append([pair, RATES[row["rate"]].title, found, alone, f"{found.p_value:.2g}"])
    return markdown_table(head, lines)


def tables(episodes: Sequence[Episode]) -> str:
    """Return the tables of a report, Markdown: percent, 95% interval, episodes."""
    variants = list(dict.fromkeys(episode["variant"] for episode in episodes))
    head = ["variant", *(spec.title for spec in RATES.values()), "ms a decision"]
    parts = []
    for group, of in TARGET_GROUPS.items():
        rows = []
        for variant in variants:
            chosen = [episode for episode in episodes if episode["variant"] == variant and of(episode)]
            if chosen:
                time = f"{1000 * np.median([episode['seconds'] for episode in chosen]):.0f}"
                rows.append([f"`{variant}`", *map(str, compute_rates(chosen).values()), time])
        parts.append(f"## Targets: {group}\n\n{markdown_table(head, rows)}")
    names = sorted({episode["target"] for episode in episodes})
    rows = []
    for name in names:
        row = [name]
        for variant in variants:
            rates = compute_rates([e for e in episodes if e["variant"] == variant and e["target"] == name])
            placed, absent = rates["graspable_picked"], rates["false_absence"]
            row.append(f"{placed.hits}/{placed.count}, {absent.hits}/{absent.count}")
        rows.append(row)
    by_object = markdown_table(["object", *(f"`{variant}`" for variant in variants)], rows)
    note = "Graspable targets that were placed, and visible ones that were predicted absent."
    return "\n\n".join([*parts, f"## By object\n\n{note}\n\n{by_object}"]) + "\n"
