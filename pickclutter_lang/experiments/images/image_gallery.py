"""Example images as cards, with what each stage answered, right or wrong; and a chart of how far answers are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pickclutter_lang.experiments.images.image_answers import PARTS, SavedAnswers, example_path
from pickclutter_lang.experiments.plotting import RIGHT, WRONG
from pickclutter_lang.experiments.run_charts import Panel, Stairs, draw_panels, stairs_of
from pickclutter_lang.reports.gallery import Card, Gallery, Item, Media
from pickclutter_lang.utils.json_files import read_file
from pickclutter_lang.utils.typing import FloatArray

_MOST_BYTES = 1_000_000
STAGES = {
    "zero_shot": "zero-shot",
    "few_shot": "few-shot",
    "retrieval": "retrieval",
    "teacher": "teacher",
}
"""Stage, or the teacher -> its title."""


def image_gallery(saved: SavedAnswers, folder: Path) -> Gallery:
    """Return a card for each example image of a run's folder; without an image where its file is gone."""
    cards = []
    for rows, images in saved.images.items():
        for number in images["examples"]:
            parts = ["id"] if rows == "id" else ["ood", "all"]
            items = [item for part in parts for item in _items(saved, part, number)]
            cards.append(Card(images["images"][number], _example(example_path(folder, rows, number)), items))
    return Gallery(cards, small=True)


def _example(path: Path) -> Media | None:
    try:
        return Media("image/jpeg", read_file(path, _MOST_BYTES))
    except OSError:
        return None


def _items(saved: SavedAnswers, part: str, number: int) -> Iterator[Item]:
    """Yield a line for each stage: what it answers among the classes of a part."""
    unseen = saved.unseen_names
    name = saved.classes[saved.of(part)["labels"][number]]
    for stage, title in STAGES.items():
        answer = saved.stages.get(stage, {}).get(part)
        if answer is None:
            continue
        said = saved.classes[answer["predicted"][number]]
        kind = "right" if said == name else _error(part, said not in unseen)
        facets = {"class": name, "asked": PARTS[part], "answer": kind, "stage": title}
        scores = "" if answer["own"] is None else f", {_margin(answer['own'], answer['others'])[number]:+.3f}"
        caption = f"{title}, {PARTS[part]}: {said if kind != 'right' else 'right'}{scores}"
        yield Item(caption, facets, tone="right" if kind == "right" else "wrong")


def _error(part: str, seen: bool) -> str:
    if part == "all" and seen:
        return "wrong: a seen class"
    return "wrong: another seen class" if part == "id" else "wrong: another unseen class"


def margins_of(saved: SavedAnswers, stage: str) -> dict[str, FloatArray]:
    """Return part -> how much nearer each image is to the text of its class than to any other's; above 0 is right."""
    answers = saved.stages.get(stage, {}).items()
    return {part: _margin(one["own"], one["others"]) for part, one in answers if one["own"] is not None}


def draw_margins(margins: Mapping[str, Mapping[str, FloatArray]]) -> Figure:
    """Draw histograms of margins, a row for each title and a column for each part, with the threshold at 0."""
    shown = {title: row for title, row in margins.items() if row}
    widest = max(0.01, *(float(np.abs(one).max()) for row in shown.values() for one in row.values()))
    limits = (-1.02 * widest, 1.02 * widest)
    rows = [
        [Panel(f"{PARTS[part]}, {title}", limits, _stairs(one, limits), [0.0]) for part, one in row.items()]
        for title, row in shown.items()
    ]
    return draw_panels(rows, "cosine to the own class - to the nearest other", "% of each")


def _stairs(margins: FloatArray, limits: tuple[float, float]) -> list[Stairs]:
    sides = {"right": (RIGHT, margins > 0), "wrong": (WRONG, margins <= 0)}
    return [
        stairs_of(f"{title}: {100 * chosen.mean():.0f}%", color, margins[chosen], limits)
        for title, (color, chosen) in sides.items()
        if chosen.any()
    ]


def _margin(own: list[float] | None, others: list[float] | None) -> FloatArray:
    margins: FloatArray = np.array(own, dtype=float) - np.array(others, dtype=float)
    return margins
