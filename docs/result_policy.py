"""Tables of policy evaluations, computed from their episodes: `episodes.csv` of an evaluation, under data/policy."""

from __future__ import annotations

from typing import Any

from result_data import DATA, markdown, source_of

from pickclutter_lang.policy.evaluation.episode_log import read_episodes
from pickclutter_lang.policy.evaluation.rollout_metrics import (
    RATES,
    TARGET_GROUPS,
    comparison_table,
    comparisons,
    compute_rates,
)
from pickclutter_lang.policy.evaluation.suites import effect_table, kind_table


def episode_rates(name: str, group: str, *rates: str) -> str:
    """Return rates with their 95% intervals after Wilson.

    :param name: file under `data`, without `.csv`
    :param group: which targets: all, seen or unseen
    :param rates: keys of `RATES`; none: all of them
    """
    lines, chosen = [], list(rates or RATES)
    episodes = [episode for episode in _read(name) if TARGET_GROUPS[group](episode)]
    for variant in dict.fromkeys(episode["variant"] for episode in episodes):
        found = compute_rates([episode for episode in episodes if episode["variant"] == variant])
        lines.append([f"`{variant}`", *(str(found[key]) for key in chosen)])
    return markdown(["variant", *(RATES[key].title for key in chosen)], lines)


def episode_comparisons(name: str, group: str) -> str:
    """Return the paired differences of every two variants, for a group of targets."""
    return comparison_table(comparisons(_read(name)), group)


def episode_kinds(name: str) -> str:
    """Return the rates of a suite by kind of instruction."""
    return kind_table(_read(name))


def episode_effects(name: str) -> str:
    """Return what naming something else changes, and whether a policy follows the language."""
    return effect_table(_read(name))


def _read(name: str) -> list[dict[str, Any]]:
    source_of(name)
    return read_episodes(DATA / f"{name}.csv")
