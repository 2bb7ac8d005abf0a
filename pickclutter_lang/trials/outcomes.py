"""What became of many episodes: shares with 95% intervals, over all, by kind of object and by object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

Episode = Mapping[str, Any]
"""What `Theatre.play` returns."""


@dataclass(frozen=True)
class Share:
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


def share(hits: int, count: int) -> Share:
    """Return a share with its interval (Wilson, 1927)."""
    if not count:
        return Share(0, 0, float("nan"), float("nan"))
    interval = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    return Share(hits, count, float(interval.low), float(interval.high))


class Figure(NamedTuple):
    """One share of a table: what it says, of which episodes, and which of them count."""

    title: str
    of: Callable[[Episode], bool]
    hit: Callable[[Episode], bool]


def _picked(episode: Episode) -> bool:
    return bool(episode["success"] and not episode["declared_absent"])


FIGURES: dict[str, Figure] = {
    "success": Figure("success", lambda e: True, lambda e: bool(e["success"])),
    "graspable_picked": Figure("graspable: at the goal", lambda e: e["graspable"], _picked),
    "present_picked": Figure("present: at the goal", lambda e: e["present"], _picked),
    "located": Figure("visible: pointed to", lambda e: e["visible"], lambda e: bool(e["located"])),
    "false_absence": Figure("visible: called absent", lambda e: e["visible"], lambda e: bool(e["declared_absent"])),
    "present_absent": Figure("present: called absent", lambda e: e["present"], lambda e: bool(e["declared_absent"])),
    "absence_found": Figure("absent: called so", lambda e: not e["present"], lambda e: bool(e["declared_absent"])),
    "wrong_object": Figure("another one picked", lambda e: True, lambda e: e["wrong_objects"] > 0),
}
KINDS: dict[str, Callable[[Episode], bool]] = {
    "all": lambda e: True,
    "known": lambda e: bool(e["known"]),
    "unseen": lambda e: not e["known"],
}
"""Which targets: all, those of Y_id, those of Y_ood."""


ENDS: dict[str, Callable[[Episode], bool]] = {
    "picked": _picked,
    "rightly called absent": lambda e: e["declared_absent"] and not e["present"],
    "called absent, but there": lambda e: e["declared_absent"] and e["present"],
    "absent, not called so": lambda e: not e["present"],
    "another one picked": lambda e: e["wrong_objects"] > 0,
    "nothing brought to the goal": lambda e: True,
}
"""How an episode ends: the first of these that is so."""


def end_of(episode: Episode) -> str:
    """Return how an episode ended, a key of `ENDS`."""
    return next(end for end, so in ENDS.items() if so(episode))


def shares(episodes: Sequence[Episode]) -> dict[str, Share]:
    """Return every figure of some episodes."""
    found = {}
    for key, figure in FIGURES.items():
        asked = [episode for episode in episodes if figure.of(episode)]
        found[key] = share(sum(figure.hit(episode) for episode in asked), len(asked))
    return found


def summary(episodes: Sequence[Episode]) -> dict[str, Any]:
    """Return variant -> kind of target -> figure -> share, of each object too, and the median time of a judgement."""
    table: dict[str, Any] = {}
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        own = [episode for episode in episodes if episode["variant"] == variant]
        names = sorted({episode["target"] for episode in own})
        table[variant] = {
            "episodes": len(own),
            "seconds_per_decision": float(np.median([episode["seconds"] for episode in own])),
            "steps": float(np.mean([episode["steps"] for episode in own])),
            **{kind: _plain(shares([e for e in own if of(e)])) for kind, of in KINDS.items()},
            "objects": {name: _plain(shares([e for e in own if e["target"] == name])) for name in names},
        }
    return table


def _plain(found: Mapping[str, Share]) -> dict[str, Any]:
    return {
        key: {"share": None if not one.count else one.value, **asdict(one)}
        if one.count
        else {"share": None, "hits": 0, "count": 0, "low": None, "high": None}
        for key, one in found.items()
    }


def tables(episodes: Sequence[Episode]) -> str:
    """Return the tables of a report, Markdown: per cent, 95% interval, episodes."""
    variants = list(dict.fromkeys(episode["variant"] for episode in episodes))
    head = ["variant", *(figure.title for figure in FIGURES.values()), "ms a decision"]
    parts = []
    for kind, of in KINDS.items():
        rows = []
        for variant in variants:
            own = [episode for episode in episodes if episode["variant"] == variant and of(episode)]
            if own:
                time = f"{1000 * np.median([episode['seconds'] for episode in own]):.0f}"
                rows.append([f"`{variant}`", *map(str, shares(own).values()), time])
        parts.append(f"## Targets: {kind}\n\n{_markdown(head, rows)}")
    names = sorted({episode["target"] for episode in episodes})
    rows = []
    for name in names:
        row = [name]
        for variant in variants:
            found = shares([e for e in episodes if e["variant"] == variant and e["target"] == name])
            picked, called = found["graspable_picked"], found["false_absence"]
            row.append(f"{picked.hits}/{picked.count}, {called.hits}/{called.count}")
        rows.append(row)
    each = _markdown(["object", *(f"`{variant}`" for variant in variants)], rows)
    note = "Graspable ones brought to the goal, and visible ones called absent."
    return "\n\n".join([*parts, f"## By object\n\n{note}\n\n{each}"]) + "\n"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
