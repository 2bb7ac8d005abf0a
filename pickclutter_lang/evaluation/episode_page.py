"""The episodes of an evaluation for its page: a table of all, and a gallery of those with a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pickclutter_lang.evaluation.rollout_metrics import Episode, outcome_of, went_right
from pickclutter_lang.evaluation.suites import suite_outcome
from pickclutter_lang.evaluation.videos import video_name
from pickclutter_lang.reports.gallery import Card, Gallery, Item, Media, Tone
from pickclutter_lang.utils.markdown import markdown_table, number

MOST_ROWS = 2000
"""Episodes in the table of a page."""


def episode_table(episodes: Sequence[Episode], suite: str) -> str:
    """Return the table of the episodes, the first 2000, Markdown."""
    rows = [
        [
            *(episode[key] for key in ("variant", "seed", "kind", "instruction", "target")),
            "seen" if episode["seen"] else "unseen",
            _outcome(episode, suite),
            episode["steps"],
            *(number(episode[key], 2, "") for key in ("score", "threshold")),
        ]
        for episode in episodes[:MOST_ROWS]
    ]
    head = ("variant", "seed", "kind", "instruction", "object", "seen?", "outcome", "steps", "score", "threshold")
    return markdown_table(head, rows)


def episode_gallery(episodes: Sequence[Episode], videos: Sequence[str], suite: str, folder: Path) -> Gallery:
    """Return a card for each video of an evaluation.

    :param videos: files, relative to `folder`
    """
    by_name = {video_name(episode): episode for episode in episodes}
    cards = []
    for name in videos:
        episode = by_name[name]
        title = f"{episode['instruction']}: {episode['variant']}"
        cards.append(Card(title, Media("video/mp4", (folder / name).read_bytes()), [_item(episode, suite)]))
    return Gallery(cards)


def _item(episode: Mapping[str, Any], suite: str) -> Item:
    outcome, tone = _outcome(episode, suite), _tone(episode)
    facets = {
        "object": episode["target"],
        "objects": "seen (Y_id)" if episode["seen"] else "unseen (Y_ood)",
        "outcome": outcome,
        "variant": episode["variant"],
    }
    return Item(f"{outcome}; seed {episode['seed']}, {episode['steps']} steps", facets, tone=tone)


def _tone(episode: Mapping[str, Any]) -> Tone:
    if went_right(episode):
        return "right"
    return "missed" if episode["declared_absent"] else "wrong"


def _outcome(episode: Mapping[str, Any], suite: str) -> str:
    return outcome_of(episode) if suite == "picking" else suite_outcome(episode)
