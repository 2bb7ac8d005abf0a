"""What became of many episodes: shares with 95% intervals, over all, by kind of object and by object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

from pickclutter_lang.utils.markdown import markdown_table

Episode = Mapping[str, Any]
"""What `Theatre.play` returns."""


@dataclass(frozen=True)
class Proportion:
    """`hits` of `count`, and the 95% interval of their share after Wilson; nan of none."""

    hits: int
    count: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, in 0..1."""
        return self.hits / self.count if self.count else float("nan")

    def __str__(self) -> str:
        if not self.count:
            return "-"
        return f"{100 * self.value:.0f} ({100 * self.low:.0f} to {100 * self.high:.0f}; {self.hits}/{self.count})"


def wilson_interval(hits: int, count: int) -> Proportion:
    """Return a share with its interval (Wilson, 1927)."""
    if not count:
        return Proportion(0, 0, float("nan"), float("nan"))
    interval = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    return Proportion(hits, count, float(interval.low), float(interval.high))


class RateSpec(NamedTuple):
    """One share of a table: what it says, of which episodes, and which of them count."""

    title: str
    of: Callable[[Episode], bool]
    hit: Callable[[Episode], bool]


def _picked(episode: Episode) -> bool:
    return bool(episode["success"] and not episode["declared_absent"])


RATES: dict[str, RateSpec] = {
    "success": RateSpec("success", lambda e: True, lambda e: bool(e["success"])),
    "graspable_picked": RateSpec("graspable: at the goal", lambda e: e["graspable"], _picked),
    "present_picked": RateSpec("present: at the goal", lambda e: e["present"], _picked),
    "located": RateSpec("visible: pointed to", lambda e: e["visible"], lambda e: bool(e["located"])),
    "false_absence": RateSpec("visible: called absent", lambda e: e["visible"], lambda e: bool(e["declared_absent"])),
    "present_absent": RateSpec("present: called absent", lambda e: e["present"], lambda e: bool(e["declared_absent"])),
    "absence_found": RateSpec("absent: called so", lambda e: not e["present"], lambda e: bool(e["declared_absent"])),
    "wrong_object": RateSpec("another one picked", lambda e: True, lambda e: e["wrong_objects"] > 0),
}
TARGET_GROUPS: dict[str, Callable[[Episode], bool]] = {
    "all": lambda e: True,
    "seen": lambda e: bool(e["seen"]),
    "unseen": lambda e: not e["seen"],
}
"""Which targets: all, those of Y_id, those of Y_ood."""


OUTCOMES: dict[str, Callable[[Episode], bool]] = {
    "picked": _picked,
    "rightly called absent": lambda e: e["declared_absent"] and not e["present"],
    "called absent, but there": lambda e: e["declared_absent"] and e["present"],
    "absent, not called so": lambda e: not e["present"],
    "another one picked": lambda e: e["wrong_objects"] > 0,
    "nothing brought to the goal": lambda e: True,
}
"""How an episode ends: the first of these that is so."""


def outcome_of(episode: Episode) -> str:
    """Return how an episode ended, a key of `ENDS`."""
    return next(end for end, so in OUTCOMES.items() if so(episode))


def compute_rates(episodes: Sequence[Episode]) -> dict[str, Proportion]:
    """Return every figure of some episodes."""
    found = {}
    for key, figure in RATES.items():
        asked = [episode for episode in episodes if figure.of(episode)]
        found[key] = wilson_interval(sum(figure.hit(episode) for episode in asked), len(asked))
    return found


def summary(episodes: Sequence[Episode]) -> dict[str, Any]:
    """Return variant -> kind of target -> figure -> share, of each object too, and the median time of a detection."""
    table: dict[str, Any] = {}
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        own = [episode for episode in episodes if episode["variant"] == variant]
        names = sorted({episode["target"] for episode in own})
        table[variant] = {
            "episodes": len(own),
            "seconds_per_decision": float(np.median([episode["seconds"] for episode in own])),
            "steps": float(np.mean([episode["steps"] for episode in own])),
            **{kind: _plain(compute_rates([e for e in own if of(e)])) for kind, of in TARGET_GROUPS.items()},
            "objects": {name: _plain(compute_rates([e for e in own if e["target"] == name])) for name in names},
        }
    return table


def _plain(found: Mapping[str, Proportion]) -> dict[str, Any]:
    return {
        key: {"share": None if not one.count else one.value, **asdict(one)}
        if one.count
        else {"share": None, "hits": 0, "count": 0, "low": None, "high": None}
        for key, one in found.items()
    }


def tables(episodes: Sequence[Episode]) -> str:
    """Return the tables of a report, Markdown: percent, 95% interval, episodes."""
    variants = list(dict.fromkeys(episode["variant"] for episode in episodes))
    head = ["variant", *(figure.title for figure in RATES.values()), "ms a decision"]
    parts = []
    for kind, of in TARGET_GROUPS.items():
        rows = []
        for variant in variants:
            own = [episode for episode in episodes if episode["variant"] == variant and of(episode)]
            if own:
                time = f"{1000 * np.median([episode['seconds'] for episode in own]):.0f}"
                rows.append([f"`{variant}`", *map(str, compute_rates(own).values()), time])
        parts.append(f"## Targets: {kind}\n\n{markdown_table(head, rows)}")
    names = sorted({episode["target"] for episode in episodes})
    rows = []
    for name in names:
        row = [name]
        for variant in variants:
            found = compute_rates([e for e in episodes if e["variant"] == variant and e["target"] == name])
            picked, called = found["graspable_picked"], found["false_absence"]
            row.append(f"{picked.hits}/{picked.count}, {called.hits}/{called.count}")
        rows.append(row)
    each = markdown_table(["object", *(f"`{variant}`" for variant in variants)], rows)
    note = "Graspable ones brought to the goal, and visible ones called absent."
    return "\n\n".join([*parts, f"## By object\n\n{note}\n\n{each}"]) + "\n"
