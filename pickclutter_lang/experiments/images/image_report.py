"""`report.html` of a run on single images, from its `result.json` alone, and the page of a sweep's tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pickclutter_lang.experiments.images.image_results import ImageSweepResults, student_of
from pickclutter_lang.experiments.plotting import draw_losses, tidy_axes
from pickclutter_lang.experiments.result import read_result
from pickclutter_lang.experiments.run_details import run_details, sweep_details
from pickclutter_lang.experiments.sweeps.sweep_results import number_at
from pickclutter_lang.experiments.sweeps.tables import number_text
from pickclutter_lang.reports.page import PAGE_FILE, write_page
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table

_COLUMNS = {
    "Y_id on X_id": ("zero_shot.id", "few_shot.id", "", "teacher.id"),
    "Y_ood on X_ood": ("zero_shot.ood", "few_shot.ood", "retrieval.ood", "teacher.ood"),
    "all on X_ood": ("zero_shot.all", "few_shot.all", "", ""),
}
_ROWS = ("student, zero-shot", "student, few-shot", "student, retrieval", "teacher, zero-shot")
_FEATURES = ("mse", "degrees", "relative_match", "neighbour_overlap", "alignment_inversions")


def write_report(run: str | Path) -> Path:
    """Write `report.html` into the folder of a run; return its path.

    :raises CheckpointError: when the result is missing or damaged
    :raises LockedError: when another process is at work in the folder
    """
    folder = Path(run)
    result = read_result(folder, "images")
    with dir_lock(folder):
        return write_page(folder / PAGE_FILE, _text(result), {"curves.png": draw_curves(result)}, run_details(result))


def write_sweep_report(
    runs: ImageSweepResults, tables: Sequence[Path], charts: Mapping[Path, Figure], out: Path
) -> Path:
    """Write `report.html` with tables and figures of a sweep; return its path.

    :param tables: their pages in Markdown
    :param charts: file of a figure -> what it shows
    """
    parts = [f"# Students of {runs.data['name']}"]
    parts += [re.sub("^#", "##", table.read_text(), flags=re.MULTILINE) for table in tables]
    parts += [f"## {path.stem.replace('figure', 'Figure ')}\n\n![]({path.name})" for path in charts]
    shown = {path.name: chart for path, chart in charts.items()}
    return write_page(out / PAGE_FILE, "\n\n".join(parts), shown, sweep_details(runs))


def draw_curves(result: Mapping[str, Any]) -> Figure:
    """Draw the losses of each phase, and below them the accuracy on the validation images."""
    history = result["history"]
    figure = Figure(figsize=(4 * len(history), 6), layout="constrained")
    grid = figure.subplots(2, len(history), squeeze=False)
    for n, (phase, rows) in enumerate(history.items()):
        losses = [name for name in rows[0] if name not in ("phase", "epoch", "lr", "validation", "seconds")]
        draw_losses(grid[0, n], rows, losses)
        grid[0, n].set_title(f"{phase.replace('_', '-')}: loss")
        values = [100 * (row.get("validation") or {}).get("accuracy", float("nan")) for row in rows]
        grid[1, n].plot([row["epoch"] for row in rows], values, marker=".")
        grid[1, n].set(title="validation: accuracy, %", xlabel="epoch", ylim=(0, 100))
        tidy_axes(grid[1, n])
    return figure


def _text(result: Mapping[str, Any]) -> str:
    data = result["data"]
    seen, unseen = len(data["seen"]), len(data["unseen"])
    both = seen + unseen
    rows = [[title, *(_accuracy(result, places[n]) for places in _COLUMNS.values())] for n, title in enumerate(_ROWS)]
    rows.append(["chance", *(f"{100 / n:.1f}" if n else "NA" for n in (seen, unseen, both))])
    features = [
        [f"{part}: {name}", number_text(name, number_at(dict(result), place))]
        for part in ("train", "ood")
        for name, place in _feature_places(result, part)
    ]
    return f"""# A student of {data["name"]}

Run `{result["name"]}`: student {student_of(dict(result))} with {result["parameters"] / 1e6:.1f} million parameters,
teacher `{result["teacher"]["name"]}`. {data["train"]} training, {data["id"]} X_id, {data["ood"]} X_ood and
{data["fewshot"]} few-shot images. Seed {result["seed"]}, revision {result["git_revision"]}.

![Training curves](curves.png)

## Results

Mean accuracy of the classes, in percent. A single seed has no interval. `chance` is a guess without an image.

{markdown_table(["", *_COLUMNS], rows)}

## Features

How near the zero-shot student is to its teacher (Tables 2 to 4).

{markdown_table(["measure", "value"], features)}

## Classes

Seen (Y_id): {", ".join(data["seen"])}.

Unseen (Y_ood): {", ".join(data["unseen"])}.
"""


def _accuracy(result: Mapping[str, Any], place: str) -> str:
    return number_text("accuracy", number_at(dict(result), f"{place}.accuracy")) if place else ""


def _feature_places(result: Mapping[str, Any], part: str) -> list[tuple[str, str]]:
    """Return the names and places of the numbers of Tables 2 to 4."""
    places = []
    for name in _FEATURES:
        value = result["metrics"]["features"][part][name]
        place = f"features.{part}.{name}"
        places += [(f"{name}.{k}", f"{place}.{k}") for k in value] if isinstance(value, dict) else [(name, place)]
    return places
