"""Metrics of an evaluation: what an episode came to, shares of episodes with 95% intervals, and whether words count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from pickclutter_lang.evaluation.instructions import ABSENT, KINDS, NAMED, OF_TARGET, OTHER, SUITES, title_of
from pickclutter_lang.results.intervals import PairedShares, Share, paired_shares, share
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
    "false_absence": Measure("visible: predicted absent", lambda e: e["visible"], _declared),
    "present_absent": Measure("present: predicted absent", lambda e: e["present"], _declared),
    "absence_detected": Measure("absent: predicted absent", lambda e: not e["present"], _declared),
    "wrong_object": Measure("wrong object picked", lambda e: True, lambda e: e["wrong_objects"] > 0),
}
_COMPARED = ("success", "graspable_picked", "false_absence", "absence_detected")
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
    "present, predicted absent": lambda e: e["declared_absent"] and e["present"],
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
    """Return whether an episode succeeded; where not one object alone is right, whether its instruction was followed.

    Of several, the simulator does not say whether another than its target was placed.
    """
    return bool(episode["success"] if len(episode["expected"]) == 1 else episode["followed"])


MEASURES = _PICKING | {
    kind: Measure(title_of(kind), partial(_is_of, kind), lambda e: bool(e["followed"])) for kind in KINDS
}
"""Measures of picking, and of words one for each kind of instruction, so that a pile counts once in each."""


def measures(suite: str) -> Sequence[str]:
    """Return the keys of `MEASURES` of a suite."""
    return [*_PICKING] if suite == "picking" else SUITES[suite]


def hits_of(episodes: Sequence[Episode], variant: str, measure: str, group: str = "all") -> dict[int, bool]:
    """Return pile -> whether a measure of a variant holds in it, for the piles whose target is in a group."""
    of, hit = MEASURES[measure].of, MEASURES[measure].hit
    own = [e for e in episodes if e["variant"] == variant and GROUPS[group](e) and of(e)]
    return {e["seed"]: hit(e) for e in own}


def scores_of(episodes: Sequence[Episode], suite: str, source: str) -> Scores:
    """Return the table of an evaluation: stage is the variant, cell the measure, item the pile, label the target.

    :param source: hash of what the piles and instructions depend on
    """
    cells = []
    for variant, measure in product(variants_of(episodes), measures(suite)):
        hits = hits_of(episodes, variant, measure)
        if hits:
            of = MEASURES[measure].of
            targets = {e["seed"]: str(e["target"]) for e in episodes if e["variant"] == variant and of(e)}
            piles = [f"pile {seed}" for seed in hits]
            cell = Cell.of_episodes(piles, [*targets.values()], [*hits.values()], source)
            cells.append(((variant, measure), cell))
    return Scores.of_cells(cells, {str(e["target"]) for e in episodes if not e["seen"]})


def variants_of(episodes: Sequence[Episode]) -> list[str]:
    """Return the variants in their order."""
    return list(dict.fromkeys(episode["variant"] for episode in episodes))


def share_of(episodes: Sequence[Episode], variant: str, measure: str, group: str = "all") -> Share:
    """Return the share of the piles in which a measure holds."""
    hits = hits_of(episodes, variant, measure, group).values()
    return share(sum(hits), len(hits))


def paired(episodes: Sequence[Episode], one: tuple[str, str], other: tuple[str, str]) -> PairedShares | None:
    """Compare two pairs of variant and measure on the piles that both have; None without any."""
    first, second = hits_of(episodes, *one), hits_of(episodes, *other)
    piles = [pile for pile in first if pile in second]
    return paired_shares([first[pile] for pile in piles], [second[pile] for pile in piles])


def summary(episodes: Sequence[Episode], suite: str) -> dict[str, Any]:
    """Return variant -> its numbers, for `result.json`."""
    table: dict[str, Any] = {}
    for variant in variants_of(episodes):
        own = [episode for episode in episodes if episode["variant"] == variant]
        table[variant] = {
            "episodes": len(own),
            "seconds_per_decision": _seconds(own),
            "steps": float(np.mean([episode["steps"] for episode in own])),
        }
        for group in GROUPS:
            shares = {key: share_of(own, variant, key, group) for key in measures(suite)}
            table[variant][group] = {k: {"rate": one.value, **one._asdict()} for k, one in shares.items() if one.total}
        if any(episode["kind"] == OTHER for episode in own):
            table[variant]["follows_language"] = follows_language(language_effects(own))
    return table


def _seconds(episodes: Sequence[Episode]) -> float:
    return float(np.median([episode["seconds"] for episode in episodes]))


def tables(episodes: Sequence[Episode], suite: str) -> str:
    """Return the tables of a report, Markdown: percent, 95% interval, hits and episodes."""
    return "\n\n".join(_picking_tables(episodes) if suite == "picking" else _words_tables(episodes, suite))


def _picking_tables(episodes: Sequence[Episode]) -> Iterator[str]:
    variants = variants_of(episodes)
    seconds = {v: _seconds([e for e in episodes if e["variant"] == v]) for v in variants}
    for group in GROUPS:
        rows = [
            [f"`{v}`", *(share_of(episodes, v, key, group) for key in _PICKING), f"{1000 * seconds[v]:.0f}"]
            for v in variants
            if hits_of(episodes, v, "success", group)
        ]
        head = ["variant", *(measure.title for measure in _PICKING.values()), "ms a decision"]
        yield f"## Targets: {group}\n\n{markdown_table(head, rows)}"
    pairs: list[list[object]] = []
    for (first, second), key in product(combinations(variants, 2), _COMPARED):
        found = paired(episodes, (first, key), (second, key))
        if found is not None:
            only, p_value = f"{found.first_only} : {found.second_only}", f"{found.p_value:.2g}"
            pairs.append([f"`{first}` - `{second}`", _PICKING[key].title, found, only, p_value])
    if pairs:
        head = ["difference", "rate", "points (95% interval; episodes)", "first only : second only", "p"]
        yield (
            "## Paired comparisons\n\nDifferences on the same episodes, in points, with the interval of Agresti and "
            f"Min, and the p-value of McNemar's exact test, uncorrected.\n\n{markdown_table(head, pairs)}"
        )


def _words_tables(episodes: Sequence[Episode], suite: str) -> Iterator[str]:
    rows: list[list[object]] = []
    for variant, kind in product(variants_of(episodes), measures(suite)):
        right = share_of(episodes, variant, kind)
        found = paired(episodes, (variant, kind), (variant, NAMED)) if kind in OF_TARGET else None
        difference = ["-", "-"] if found is None else [found, f"{found.p_value:.2g}"]
        rows += [[f"`{variant}`", f"{kind}: {title_of(kind)}", right, *difference]] if right.total else []
    head = ["variant", "instruction", "right, % (95% interval; episodes)", "right, to `named`", "p"]
    yield (
        "## By kind of instruction\n\nRight: the first object that the arm lifted is one that was asked for. Where "
        "there is none, the policy declared absence, and after a blank instruction it lifted nothing. The last columns "
        "compare other words for the target with its name, in the same piles (Agresti and Min; McNemar's exact test, "
        f"uncorrected).\n\n{markdown_table(head, rows)}"
    )
    effects: list[list[object]] = []
    for variant in variants_of(episodes):
        own = language_effects([episode for episode in episodes if episode["variant"] == variant])
        effects += [[f"`{variant}`", effect.title, effect.found, effect.verdict] for effect in own]
        effects += [[f"`{variant}`", "**follows the language**", "", f"**{follows_language(own)}**"]] if own else []
    if effects:
        yield (
            "## Does the language matter?\n\nPaired differences over piles, in points. `yes`: the interval lies above "
            f"0. `no`: it lies below {100 * IGNORED:.0f}. A policy that ignores its instruction has 0 in each.\n\n"
            + markdown_table(["variant", "effect", "points (95% interval; piles)", "shown?"], effects)
        )


class Effect(NamedTuple):
    """What a change of the instruction changes in the same piles, and whether that shows that language counts."""

    title: str
    found: PairedShares
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
        found = paired_shares(*((plain, changed) if sign > 0 else (changed, plain)))
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
