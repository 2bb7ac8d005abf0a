"""Tables of policy evaluations: from `episodes.csv` of an evaluation, or from counts, where these alone were kept.

`NAME` of an evaluation is a file under `data` without `.csv`, or a folder with `rates.csv` and `objects.csv`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from result_data import DATA, markdown, read, source_of

from pickclutter_lang.evaluation.episode_instructions import KIND_TITLES
from pickclutter_lang.evaluation.episode_log import read_episodes
from pickclutter_lang.evaluation.rollout_metrics import (
    RATES,
    TARGET_GROUPS,
    Proportion,
    comparison_table,
    comparisons,
    compute_rates,
    wilson_interval,
)
from pickclutter_lang.evaluation.suites import effect_table, kind_table
from pickclutter_lang.experiments.scenes.policy_scores import group_table, read_scores
from pickclutter_lang.utils.statistics import NOT_SHOWN, reached

Key = tuple[str, str, str]
"""Variant, group of targets (all, seen or unseen) or name of an object, and key of `RATES`."""


class Aim(NamedTuple):
    """What a variant is meant to reach: a share of a rate of a group of targets, of the rate of the variant `of`."""

    text: str
    variant: str
    group: str
    rate: str
    share: float
    of: str | None = None
    at_most: bool = False


_AIMS_OF_OPEN: tuple[Aim, ...] = (
    Aim("75% of the graspable unseen targets are placed", "zero_shot", "unseen", "graspable_picked", 0.75),
    Aim(
        "at most 10% of the visible unseen targets are missed",
        "zero_shot",
        "unseen",
        "false_absence",
        0.1,
        at_most=True,
    ),
    Aim("90% of the absences are detected", "zero_shot", "all", "absence_detected", 0.9),
)
_AIMS: tuple[Aim, ...] = (
    Aim("the oracle places 85% of the graspable targets", "oracle", "all", "graspable_picked", 0.85),
    Aim(
        "on seen targets, the few-shot student places 85% of what the oracle does",
        "few_shot",
        "seen",
        "graspable_picked",
        0.85,
        of="oracle",
    ),
    Aim("90% of the absences are detected", "few_shot", "all", "absence_detected", 0.9),
    Aim("at most 5% of the visible targets are missed", "few_shot", "all", "false_absence", 0.05, at_most=True),
)


def policy_rates(name: str, group: str, *rates: str) -> str:
    """Return rates with their 95% intervals after Wilson, and the time of a decision where that was kept.

    :param group: which targets: all, seen or unseen
    :param rates: keys of `RATES`; none: all of them
    """
    found, chosen = _rates(name), list(rates or RATES)
    times = _decision_times(name, group)
    lines = []
    for variant in dict.fromkeys(variant for variant, _, _ in found):
        cells = [str(found[variant, group, rate]) for rate in chosen]
        lines.append([f"`{variant}`", *cells, *([times[variant]] if times else [])])
    return markdown(["variant", *(RATES[rate].title for rate in chosen), *(["ms a decision"] if times else [])], lines)


def policy_in_words(name: str, student: str = "few_shot") -> str:
    """Return what a student gets done, as counts of episodes, beside the other detectors.

    :param student: its variant, `few_shot` or `zero_shot`
    """
    found = _rates(name)
    rows = [
        ("a graspable object is brought to the goal", student, "graspable_picked"),
        ("the same, if the simulator says where it is", "oracle", "graspable_picked"),
        ("the same, if chance says where it is", "random", "graspable_picked"),
        ("the same, by the teacher alone", "teacher", "graspable_picked"),
    ]
    if student == "few_shot":
        untrained = "the same, by the student before it is trained on the examples"
        rows.append((untrained, "zero_shot", "graspable_picked"))
    rows += [
        ("an absent object is declared absent", student, "absence_detected"),
        ("a visible object is declared absent by mistake", student, "false_absence"),
    ]
    lines = []
    for title, variant, rate in rows:
        if (variant, "all", rate) in found:
            cells = [found[variant, group, rate] for group in ("seen", "unseen")]
            lines.append([title, *(f"{cell.hits} of {cell.count}" for cell in cells)])
    episodes = found[student, "all", "success"].count
    return markdown([f"{episodes} episodes", "seen objects", "unseen objects"], lines)


def policy_aims(name: str, aims: str = "picker") -> str:
    """Return which aims are met: where the 95% interval after Wilson lies on the right side of what is aimed at.

    An aim that is a share of the oracle's rate must be met, or missed, by both ends of the oracle's interval.

    :param aims: `picker`, of the few-shot student of the preset `policy`, or `open`, of the embedded policy
    """
    found = _rates(name)
    lines = []
    for aim in {"picker": _AIMS, "open": _AIMS_OF_OPEN}[aims]:
        rate, bounds = found[aim.variant, aim.group, aim.rate], (aim.share,)
        result = f"{rate.hits} of {rate.count}: {100 * rate.value:.1f} ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
        if aim.of is not None:
            other = found[aim.of, aim.group, aim.rate]
            bounds = (aim.share * other.low, aim.share * other.high)
            shown = f"{100 * aim.share * other.value:.1f}"
            result += f"; the oracle {other.hits} of {other.count}, so the aim is {shown}"
        verdicts = {reached(rate.low, rate.high, bound, aim.at_most) for bound in bounds}
        lines.append([aim.text, verdicts.pop() if len(verdicts) == 1 else NOT_SHOWN, result])
    return markdown(["Aim", "Reached?", "Result, %"], lines)


def policy_objects(name: str) -> str:
    """Return for each object: graspable targets that were placed, and visible ones that were predicted absent."""
    found = _objects(name)
    variants = list(dict.fromkeys(variant for variant, _, _ in found))
    lines = []
    for target in dict.fromkeys(target for _, target, _ in found):
        cells = []
        for variant in variants:
            placed, absent = (found[variant, target, rate] for rate in ("graspable_picked", "false_absence"))
            cells.append(f"{placed.hits}/{placed.count}, {absent.hits}/{absent.count}")
        lines.append([target, *cells])
    return markdown(["object", *(f"`{variant}`" for variant in variants)], lines)


def policy_scores(name: str) -> str:
    """Return the table of a policy on a scene store, from `result.json` of `evaluate-affordance policy=`."""
    source_of(name)
    return group_table(read_scores(DATA / f"{name}.json"))


def episode_comparisons(name: str, group: str) -> str:
    """Return the paired differences of every two variants, for a group of targets."""
    return comparison_table(comparisons(episodes_of(name)), group)


def episode_kinds(name: str) -> str:
    """Return the rates of a suite by kind of instruction."""
    return kind_table(episodes_of(name))


def episode_kind_aims(name: str) -> str:
    """Return by kind of instruction which aims of `open` are met.

    What is placed counts where one object alone is right; of others the simulator does not say whether they are.
    """
    episodes, lines = episodes_of(name), []
    for kind in dict.fromkeys(episode["kind"] for episode in episodes):
        cells: list[str] = []
        for aim in _AIMS_OF_OPEN:
            own = [e for e in episodes if e["kind"] == kind and e["variant"] == aim.variant]
            own = [episode for episode in own if TARGET_GROUPS[aim.group](episode)]
            if aim.rate == "graspable_picked":
                own = [episode for episode in own if len(episode["expected"]) == 1]
            rate = compute_rates(own)[aim.rate]
            cells += [str(rate), reached(rate.low, rate.high, aim.share, aim.at_most)] if rate.count else ["-", "-"]
        lines.append([f"{kind}: {KIND_TITLES[kind]}", *cells])
    heads = [
        (
            f"{RATES[aim.rate].title}{', unseen' if aim.group == 'unseen' else ''}",
            f"{'at most ' if aim.at_most else ''}{100 * aim.share:.0f}%?",
        )
        for aim in _AIMS_OF_OPEN
    ]
    return markdown(["instruction", *(cell for pair in heads for cell in pair)], lines)


def episode_effects(name: str) -> str:
    """Return what naming something else changes, and whether a policy follows the language."""
    return effect_table(episodes_of(name))


def _rates(name: str) -> dict[Key, Proportion]:
    """Return the rates of an evaluation by variant and group of targets."""
    if not (DATA / name).is_dir():
        return _counted(episodes_of(name), TARGET_GROUPS)
    source_of(name)
    return {
        (row["variant"], row["group"], row["rate"]): wilson_interval(int(row["successes"]), int(row["episodes"]))
        for row in read(f"{name}/rates")
    }


def _objects(name: str) -> dict[Key, Proportion]:
    """Return two rates of an evaluation by variant and object."""
    if not (DATA / name).is_dir():
        episodes = episodes_of(name)
        targets = sorted({episode["target"] for episode in episodes})
        return _counted(episodes, {target: lambda e, target=target: e["target"] == target for target in targets})
    found = {}
    for row in read(f"{name}/objects"):
        for rate, hits, count in (("graspable_picked", "placed", "graspable"), ("false_absence", "missed", "visible")):
            found[row["variant"], row["object"], rate] = wilson_interval(int(row[hits]), int(row[count]))
    return found


def _counted(episodes: list[dict[str, Any]], groups: dict[str, Any]) -> dict[Key, Proportion]:
    return {
        (variant, group, rate): found
        for variant in dict.fromkeys(episode["variant"] for episode in episodes)
        for group, of in groups.items()
        for rate, found in compute_rates([e for e in episodes if e["variant"] == variant and of(e)]).items()
    }


def _decision_times(name: str, group: str) -> dict[str, str]:
    """Return variant -> median milliseconds of a decision; empty where none were kept (they depend on the machine)."""
    if not (DATA / name / "decision_ms.csv").is_file():
        return {}
    return {row["variant"]: row["milliseconds"] for row in read(f"{name}/decision_ms") if row["group"] == group}


def episodes_of(name: str) -> list[dict[str, Any]]:
    """Return the episodes of an evaluation."""
    source_of(name)
    return read_episodes(DATA / f"{name}.csv")
