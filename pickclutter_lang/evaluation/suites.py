"""Metrics of all suites but `picking`: rates by kind of instruction, and whether language counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pickclutter_lang.evaluation.instructions import ABSENT, BLANK, NAMED, OF_TARGET, OTHER, title_of
from pickclutter_lang.evaluation.paired import PairedDifference, paired_difference
from pickclutter_lang.evaluation.rollout_metrics import Episode, wilson_interval
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.statistics import NOT_SHOWN

IGNORED = 0.1
"""Below this difference a policy ignores its instruction; the upper end of the interval must be below."""
YES, NO = "yes", "no"

OUTCOMES: dict[str, Callable[[Episode], bool]] = {
    "right object": lambda e: e["expected"] and e["followed"],
    "rightly nothing": lambda e: not e["expected"] and e["followed"],
    "the target, though not asked for": lambda e: e["picked"][:1] == [e["reference"]],
    "another object": lambda e: bool(e["picked"]),
    "absence, wrongly": lambda e: e["declared_absent"],
    "nothing": lambda e: True,
}
"""What an episode of a suite came to -> whether it holds; the outcome is the first that does."""


_KIND_NOTE = (
    "Right: the first object that the arm lifted is one that was asked for; where there is none, the policy declared "
    "absence, and after a blank instruction it lifted nothing. Success: the object was also placed. Not understood: "
    "the policy raised an error of words that it cannot read. The last columns compare other words for the target with "
    "its name, in the same piles, by a bootstrap over piles and McNemar's exact test, without correction for their "
    "number. Where a category fits several objects, any of them is right."
)
_EFFECT_NOTE = (
    "Paired differences over piles, in points. `yes`: the adjusted interval (Agresti and Min) lies above 0. `no`: it "
    f"lies below {100 * IGNORED:.0f}. A policy follows the language where both effects of naming another object are "
    "shown; a policy that ignores its instruction has 0 in each."
)


class Effect(NamedTuple):
    """What a change of the instruction changes in the same piles, and whether that shows that language counts."""

    title: str
    found: PairedDifference
    verdict: str


def suite_outcome(episode: Episode) -> str:
    """Return the outcome of an episode, a key of `OUTCOMES`."""
    return next(outcome for outcome, holds in OUTCOMES.items() if holds(episode))


def language_effects(episodes: Sequence[Episode]) -> list[Effect]:
    """Return the effects of naming another object, or an absent one, in episodes of one variant.

    The first two ask whether the arm picks something else when something else is named; the third whether the policy
    says that an absent object is absent. A policy that ignores its instruction has differences of 0.
    """
    pairs = {kind: _pairs(episodes, kind) for kind in (OTHER, ABSENT)}
    sides = [
        ("picks the target: named - another named", _picks_target, OTHER, 1),
        ("picks the other object: named - target named", _picks_other, OTHER, -1),
        ("declares absence: absent named - target named", lambda e, other: bool(e["declared_absent"]), ABSENT, -1),
    ]
    effects = []
    for title, holds, kind, sign in sides:
        plain = [holds(named, changed) for named, changed in pairs[kind]]
        after = [holds(changed, changed) for _, changed in pairs[kind]]
        found = paired_difference(*((plain, after) if sign > 0 else (after, plain)))
        if found is not None:
            effects.append(Effect(title, found, _verdict(found)))
    return effects


def follows_language(effects: Sequence[Effect]) -> str:
    """Return whether a policy follows the language: `yes`, `no` or `not shown`.

    `yes`: both effects of naming another object are above 0, by the adjusted interval. `no`: one of them is below
    `IGNORED`.
    """
    verdicts = [effect.verdict for effect in effects[:2]]
    if len(verdicts) < 2:
        return NOT_SHOWN
    if NO in verdicts:
        return NO
    return YES if set(verdicts) == {YES} else NOT_SHOWN


def suite_summary(episodes: Sequence[Episode]) -> dict[str, Any]:
    """Return variant -> kind of instruction -> counts and paired differences to the plainly named target."""
    table: dict[str, Any] = {}
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        own = [episode for episode in episodes if episode["variant"] == variant]
        kinds = {}
        for kind in dict.fromkeys(episode["kind"] for episode in own):
            chosen = [episode for episode in own if episode["kind"] == kind]
            found = _to_named(own, kind)
            kinds[kind] = {
                "episodes": len(chosen),
                "followed": sum(e["followed"] for e in chosen),
                "refused": sum(e["refused"] for e in chosen),
                "outcomes": {o: sum(suite_outcome(e) == o for e in chosen) for o in OUTCOMES},
                "to_named": found and found._asdict(),
            }
        effects = language_effects(own)
        table[variant] = {
            "kinds": kinds,
            "effects": [{"title": e.title, "verdict": e.verdict, **e.found._asdict()} for e in effects],
            "follows_language": follows_language(effects),
        }
    return table


def suite_tables(episodes: Sequence[Episode]) -> str:
    """Return the tables of a report, Markdown: rates by kind of instruction, and the effects of the language."""
    parts = [f"## By kind of instruction\n\n{_KIND_NOTE}\n\n{kind_table(episodes)}"]
    if any(episode["kind"] == OTHER for episode in episodes):
        parts.append(f"## Does the language matter?\n\n{_EFFECT_NOTE}\n\n{effect_table(episodes)}")
    return "\n\n".join(parts) + "\n"


def effect_table(episodes: Sequence[Episode]) -> str:
    """Return for each variant what naming something else changes, and whether it follows the language, Markdown."""
    rows: list[list[object]] = []
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        effects = language_effects([episode for episode in episodes if episode["variant"] == variant])
        for effect in effects:
            interval = f"{100 * effect.found.adjusted_low:+.0f} to {100 * effect.found.adjusted_high:+.0f}"
            rows.append([f"`{variant}`", effect.title, effect.found, interval, effect.verdict])
        rows.append([f"`{variant}`", "**follows the language**", "", "", f"**{follows_language(effects)}**"])
    return markdown_table(["variant", "effect", "points (bootstrap; piles)", "adjusted interval", "shown?"], rows)


def kind_table(episodes: Sequence[Episode]) -> str:
    """Return the rates of each variant and kind of instruction, and the differences to `named`, Markdown."""
    rows = []
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        own = [episode for episode in episodes if episode["variant"] == variant]
        for kind in dict.fromkeys(episode["kind"] for episode in own):
            chosen = [episode for episode in own if episode["kind"] == kind]
            found = _to_named(own, kind)
            placed = wilson_interval(sum(e["success"] for e in chosen), len(chosen))
            several = any(len(episode["expected"]) > 1 for episode in chosen)
            rows.append(
                [
                    f"`{variant}`",
                    f"{kind}: {title_of(kind)}",
                    wilson_interval(sum(e["followed"] for e in chosen), len(chosen)),
                    "-" if several or kind == BLANK else placed,
                    sum(_picks_target(e, e) for e in chosen),
                    sum(e["declared_absent"] for e in chosen),
                    sum(e["refused"] for e in chosen),
                    "-" if found is None else found,
                    "-" if found is None else f"{found.p_value:.2g}",
                ]
            )
    head = ["variant", "instruction", "right, %", "success, %", "target picked", "declared absent", "not understood"]
    return markdown_table([*head, "right, to `named`", "p"], rows)


def _to_named(episodes: Sequence[Episode], kind: str) -> PairedDifference | None:
    if kind not in OF_TARGET:
        return None
    pairs = _pairs(episodes, kind)
    return paired_difference([changed["followed"] for _, changed in pairs], [named["followed"] for named, _ in pairs])


def _pairs(episodes: Sequence[Episode], kind: str) -> list[tuple[Episode, Episode]]:
    """Return the episodes of one variant with the target named and with another kind, by pile."""
    named = {episode["seed"]: episode for episode in episodes if episode["kind"] == NAMED}
    return [(named[e["seed"]], e) for e in episodes if e["kind"] == kind and e["seed"] in named]


def _picks_target(episode: Episode, _: Episode) -> bool:
    return bool(episode["picked"][:1] == [episode["reference"]])


def _picks_other(episode: Episode, other: Episode) -> bool:
    return bool(episode["picked"][:1] == [other["target"]])


def _verdict(found: PairedDifference) -> str:
    if found.adjusted_low > 0:
        return YES
    return NO if found.adjusted_high < IGNORED else NOT_SHOWN
