"""Metrics of an evaluation: what an episode came to, shares of episodes with 95% intervals, and whether words count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from pickclutter_lang.evaluation.instructions import ABSENT, KINDS, NAMED, OF_TARGET, OTHER, SUITES
from pickclutter_lang.results.intervals import Share, share, share_difference
from pickclutter_lang.results.scores import Cell, Scores
from pickclutter_lang.utils.markdown import markdown_table

Episode = Mapping[str, Any]
"""The outcome of an episode, as `RolloutRunner.run` returns it."""
IGNORED = 0.1
"""Below this difference a policy ignores its instruction; the upper end of the interval must be below."""
YES, NO, NOT_SHOWN = "yes", "no", "not shown"


class Measure(NamedTuple):
    """A share of episodes: its title, the episodes that it is of, and which of them are hits."""

    title: str
    of: Callable[[Episode], bool]
    hit: Callable[[Episode], bool]


def _placed(episode: Episode) -> bool:
    return bool(episode["success"] and not episode["declared_absent"])


def _declared(episode: Episode) -> bool:
    return bool(episode["declared_absent"])


def _is_of(kind: str, episode: Episode) -> bool:
    return bool(episode["kind"] == kind)


_PICKING = {
    "success": Measure("success", lambda e: True, lambda e: bool(e["success"])),
    "graspable_picked": Measure("graspable: placed", lambda e: e["graspable"], _placed),
    "present_picked": Measure("present: placed", lambda e: e["present"], _placed),
    "located": Measure(
        "visible: located", lambda e: e["visible"] and e["located"] is not None, lambda e: bool(e["located"])
    ),
    "false_absence": Measure("visible: called absent", lambda e: e["visible"], _declared),
    "present_absent": Measure("present: called absent", lambda e: e["present"], _declared),
    "absence_detected": Measure("absent: called absent", lambda e: not e["present"], _declared),
    "wrong_object": Measure("wrong object picked", lambda e: True, lambda e: e["wrong_objects"] > 0),
}
_SHARES_NOTE = (
    "Percent (95% interval; hits of episodes), by targets. After words for objects an episode is a hit where the first "
    "object that the arm lifted is one that was asked for, after words for what is not there where the policy declared "
    "absence, and after a blank instruction where it lifted nothing."
)
_EFFECTS_NOTE = (
    "Paired differences over piles, in points. `yes`: the interval lies above 0. `no`: it lies below "
    f"{100 * IGNORED:.0f}. A policy that ignores its instruction has 0 in each."
)
_COMPARED = ("success", "graspable_picked", "false_absence", "absence_detected", NAMED)
"""Measures whose differences between variants have a table."""
GROUPS: dict[str, Callable[[Episode], bool]] = {
    "all": lambda e: True,
    "seen": lambda e: bool(e["seen"]),
    "unseen": lambda e: not e["seen"],
}
"""Group of targets -> whether an episode's target is in it: all, those of Y_id (seen), those of Y_ood (unseen)."""
_OUTCOMES: dict[str, Callable[[Episode], bool]] = {
    "placed": _placed,
    "absence detected": lambda e: e["declared_absent"] and not e["present"],
    "present, called absent": lambda e: e["declared_absent"] and e["present"],
    "absence missed": lambda e: not e["present"],
    "wrong object picked": lambda e: e["wrong_objects"] > 0,
    "not placed": lambda e: True,
}
_OUTCOMES_OF_WORDS: dict[str, Callable[[Episode], bool]] = {
    "right object": lambda e: e["expected"] and e["followed"],
    "rightly nothing": lambda e: not e["expected"] and e["followed"],
    "the target, though not asked for": lambda e: _picks_target(e),
    "another object": lambda e: bool(e["picked"]),
    "absence, wrongly": _declared,
    "not understood": lambda e: e["refused"],
    "nothing": lambda e: True,
}


def outcomes(suite: str) -> Mapping[str, Callable[[Episode], bool]]:
    """Return outcome -> whether it holds; the outcome of an episode is the first that does."""
    return _OUTCOMES if suite == "picking" else _OUTCOMES_OF_WORDS


def outcome_of(episode: Episode, suite: str = "picking") -> str:
    """Return the outcome of an episode."""
    return next(outcome for outcome, holds in outcomes(suite).items() if holds(episode))


def went_right(episode: Episode) -> bool:
    """Return whether an episode succeeded; where not only one object is right, whether its instruction was followed.

    Of several, the simulator does not say whether another than its target was placed.
    """
    return bool(episode["success"] if len(episode["expected"]) == 1 else episode["followed"])


MEASURES = _PICKING | {
    kind: Measure(f"{kind}: {title}", partial(_is_of, kind), lambda e: bool(e["followed"]))
    for kind, (title, _) in KINDS.items()
}
"""Measures of picking, and of words one for each kind of instruction, so that a pile counts once in each."""


def measures(suite: str) -> Sequence[str]:
    """Return the keys of `MEASURES` of a suite."""
    return [*_PICKING] if suite == "picking" else SUITES[suite]


def hits_of(episodes: Sequence[Episode], variant: str, measure: str, group: str = "all") -> dict[int, tuple[bool, str]]:
    """Return pile -> whether a measure of a variant holds in it, and its target, of the targets of a group."""
    of, hit = MEASURES[measure].of, MEASURES[measure].hit
    own = [e for e in episodes if e["variant"] == variant and GROUPS[group](e) and of(e)]
    return {e["seed"]: (hit(e), str(e["target"])) for e in own}


def scores_of(episodes: Sequence[Episode], suite: str, source: str) -> Scores:
    """Return the table of an evaluation: stage is the variant, cell the measure, item the pile, label the target.

    :param source: hash of what the piles and instructions depend on
    """
    cells = []
    for variant, measure in product(variants_of(episodes), measures(suite)):
        found = hits_of(episodes, variant, measure)
        if found:
            hits, targets = zip(*found.values(), strict=True)
            cells.append(((variant, measure), Cell.of_episodes([f"pile {n}" for n in found], targets, hits, source)))
    return Scores.of_cells(cells, {str(e["target"]) for e in episodes if not e["seen"]})


def variants_of(episodes: Sequence[Episode]) -> list[str]:
    """Return the variants in their order."""
    return list(dict.fromkeys(episode["variant"] for episode in episodes))


def share_of(episodes: Sequence[Episode], variant: str, measure: str, group: str = "all") -> Share:
    """Return the share of the piles in which a measure holds."""
    found = hits_of(episodes, variant, measure, group).values()
    return share([hit for hit, _ in found], [target for _, target in found])


def paired(episodes: Sequence[Episode], one: tuple[str, str], other: tuple[str, str]) -> Share | None:
    """Compare two pairs of variant and measure on the piles that both have; None without any."""
    first, second = hits_of(episodes, *one), hits_of(episodes, *other)
    pairs = [(*first[pile], second[pile][0]) for pile in first if pile in second]
    return share_difference([hit for hit, _, _ in pairs], [hit for _, _, hit in pairs], [name for _, name, _ in pairs])


def summary(episodes: Sequence[Episode], suite: str) -> dict[str, Any]:
    """Return variant -> its numbers, for `result.json`."""
    table: dict[str, Any] = {}
    for variant in variants_of(episodes):
        own = [episode for episode in episodes if episode["variant"] == variant]
        table[variant] = {
            "episodes": len(own),
            "seconds_per_decision": float(np.median([episode["seconds"] for episode in own])),
            "steps": float(np.mean([episode["steps"] for episode in own])),
        }
        for group in GROUPS:
            shares = {key: share_of(own, variant, key, group) for key in measures(suite)}
            table[variant][group] = {
                key: {"rate": one.mean, "low": one.low, "high": one.high, "hits": one.hits, "total": one.total}
                for key, one in shares.items()
                if one.total
            }
        if any(episode["kind"] == OTHER for episode in own):
            table[variant]["follows_language"] = follows_language(language_effects(own))
    return table


def tables(episodes: Sequence[Episode], suite: str) -> str:
    """Return the tables of a report, Markdown: percent, 95% interval, hits and episodes."""
    variants, keys = variants_of(episodes), measures(suite)
    shares = [
        [MEASURES[key].title, f"`{variant}`", *(share_of(episodes, variant, key, group) for group in GROUPS)]
        for key, variant in product(keys, variants)
        if hits_of(episodes, variant, key)
    ]
    pairs = [
        (f"`{first}` - `{second}`, {MEASURES[key].title}", paired(episodes, (first, key), (second, key)))
        for (first, second), key in product(combinations(variants, 2), _COMPARED)
    ]
    for variant, kind in product(variants, (kind for kind in keys if kind in OF_TARGET)):
        pairs.append((f"`{variant}`, `{kind}` - `{NAMED}`", paired(episodes, (variant, kind), (variant, NAMED))))
    effects: list[list[object]] = []
    for variant in variants:
        own = language_effects([episode for episode in episodes if episode["variant"] == variant])
        effects += [[f"`{variant}`", effect.title, effect.found, effect.verdict] for effect in own]
        effects += [[f"`{variant}`", "**follows the language**", "", f"**{follows_language(own)}**"]] if own else []
    points = "points (95% interval; piles)"
    parts: list[tuple[str, Sequence[str], Sequence[Sequence[object]]]] = [
        (f"Shares\n\n{_SHARES_NOTE}", ("share", "variant", *GROUPS), shares),
        ("Paired differences\n\nIn the same piles.", ("difference", points), [one for one in pairs if one[1]]),
        (f"Does the language matter?\n\n{_EFFECTS_NOTE}", ("variant", "effect", points, "shown?"), effects),
    ]
    return "\n\n".join(f"## {title}\n\n{markdown_table(head, rows)}" for title, head, rows in parts if rows)


class Effect(NamedTuple):
    """What a change of the instruction changes in the same piles, and whether that shows that language counts."""

    title: str
    found: Share
    verdict: str


def language_effects(episodes: Sequence[Episode]) -> list[Effect]:
    """Return the effects of naming another object, or an absent one, in episodes of one variant.

    The first two ask whether the arm picks something else when something else is named; the third whether the policy
    says that an absent object is absent. A policy that ignores its instruction has differences of 0.
    """
    named = {episode["seed"]: episode for episode in episodes if episode["kind"] == NAMED}
    pairs = {
        kind: [(named[e["seed"]], e) for e in episodes if e["kind"] == kind and e["seed"] in named]
        for kind in (OTHER, ABSENT)
    }
    sides: list[tuple[str, str, Callable[[Episode, Episode], bool], int]] = [
        ("picks the target: named - another named", OTHER, lambda e, other: _picks_target(e), 1),
        ("picks the other object: named - target named", OTHER, _picks_target_of, -1),
        ("declares absence: absent named - target named", ABSENT, lambda e, other: _declared(e), -1),
    ]
    effects = []
    for title, kind, holds, sign in sides:
        plain = [holds(before, after) for before, after in pairs[kind]]
        changed = [holds(after, after) for _, after in pairs[kind]]
        names = [str(before["target"]) for before, _ in pairs[kind]]
        found = share_difference(*((plain, changed) if sign > 0 else (changed, plain)), names)
        if found is not None:
            verdict = YES if found.low > 0 else NO if found.high < IGNORED else NOT_SHOWN
            effects.append(Effect(title, found, verdict))
    return effects


def follows_language(effects: Sequence[Effect]) -> str:
    """Return whether a policy follows the language: `yes`, `no` or `not shown`.

    `yes`: both effects of naming another object are above 0. `no`: one of them is below `IGNORED`.
    """
    verdicts = [effect.verdict for effect in effects[:2]]
    if NO in verdicts:
        return NO
    return YES if verdicts == [YES, YES] else NOT_SHOWN


def _picks_target_of(episode: Episode, other: Episode) -> bool:
    return bool(episode["picked"][:1] == [other["target"]])


def _picks_target(episode: Episode) -> bool:
    return bool(episode["picked"][:1] == [episode["reference"]])
