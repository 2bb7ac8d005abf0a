"""`report.html` of a run on single images, from `result.json` and saved answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pickclutter_lang.experiments.images.image_answers import PARTS, SavedAnswers, load_answers
from pickclutter_lang.experiments.images.image_gallery import STAGES, draw_margins, image_gallery, margins_of
from pickclutter_lang.experiments.images.image_intervals import ACCURACY, INTERVAL_NOTE, image_bootstraps
from pickclutter_lang.experiments.images.image_results import student_of
from pickclutter_lang.experiments.plotting import draw_losses, tidy_axes
from pickclutter_lang.experiments.result import read_result
from pickclutter_lang.experiments.run_charts import Interval, draw_bars, interval_of
from pickclutter_lang.experiments.run_details import run_details
from pickclutter_lang.experiments.shared_bootstraps import SharedBootstraps
from pickclutter_lang.experiments.stages import FEW_SHOT
from pickclutter_lang.experiments.sweeps.intervals import interval_over
from pickclutter_lang.experiments.sweeps.sweep_markdown import estimate_cell
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate, number_at
from pickclutter_lang.experiments.sweeps.tables import number_text
from pickclutter_lang.reports.gallery import Gallery
from pickclutter_lang.reports.page import PAGE_FILE, write_page
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table, percent

_ROWS = {
    "student, zero-shot": "zero_shot",
    "student, few-shot": "few_shot",
    "student, retrieval": "retrieval",
    "teacher, zero-shot": "teacher",
}
_FEATURES = ("mse", "degrees", "relative_match", "neighbour_overlap", "alignment_inversions")


def write_report(run: str | Path) -> Path:
    """Write `report.html` into the folder of a run; return its path.

    A run from before answers were saved has neither intervals nor classes nor images.

    :raises CheckpointError: when the result or the answers are missing or damaged
    :raises LockedError: when another process is at work in the folder
    """
    folder = Path(run)
    result, saved = read_result(folder, "images"), load_answers(folder)
    shown: dict[str, Figure | Gallery] = {"curves.png": draw_curves(result)}
    if saved is not None:
        shown |= {
            "margins.png": draw_margins({title: margins_of(saved, stage) for stage, title in STAGES.items()}),
            "classes.png": draw_classes({"few-shot": {Replicate(): saved}}),
            "images.png": image_gallery(saved, folder),
        }
    parts = [_overview(result), _results(result, saved)]
    parts += [] if saved is None else [*_answers(saved)]
    text = "\n".join([*parts, _features(result)])
    with dir_lock(folder):
        return write_page(folder / PAGE_FILE, text, shown, run_details(result))


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


def draw_classes(runs: Mapping[str, Mapping[Replicate, SavedAnswers]]) -> Figure:
    """Draw the accuracy of each class, few-shot: seen ones on X_id, unseen ones on X_ood, a bar for each run.

    A class that is unseen in some class splits counts in these alone.

    :param runs: label -> answers of its replicates, of which means with 95% intervals are drawn
    """
    series: dict[str, dict[str, Interval | None]] = {}
    unseen = {label: set[str]().union(*(one.unseen_names for one in saved.values())) for label, saved in runs.items()}
    for label, saved in runs.items():
        values: dict[str, dict[Replicate, float]] = {}
        for replicate, one in saved.items():
            for name, accuracy in class_accuracies(one, FEW_SHOT).items():
                if name in one.unseen_names or name not in unseen[label]:
                    values.setdefault(name, {})[replicate] = accuracy
        ordered = sorted(values, key=lambda name: name in unseen[label])
        series[label] = {name: interval_of(interval_over(values[name])) for name in ordered}
    return draw_bars(series, unseen, "accuracy, %")


def class_accuracies(saved: SavedAnswers, stage: str) -> dict[str, float]:
    """Return the accuracy of each class, among the classes of its half: first those of Y_id, best first."""
    found: dict[str, float] = {}
    for part in ("id", "ood"):
        if part in saved.stages.get(stage, {}):
            counts = saved.class_counts(stage, part)
            accuracies = {name: hits / count for name, (hits, count) in counts.items()}
            found |= dict(sorted(accuracies.items(), key=lambda item: -item[1]))
    return found


def _overview(result: Mapping[str, Any]) -> str:
    data, lines = result["data"], result.get("report", "").splitlines()[1:]
    notes = "\n".join(["", *lines, ""]) if lines else ""
    return f"""# A student of {data["name"]}

Run `{result["name"]}`: student {student_of(dict(result))} with {result["parameters"] / 1e6:.1f} million parameters,
teacher `{result["teacher"]["name"]}`. {data["train"]} training, {data["id"]} X_id, {data["ood"]} X_ood and
{data["fewshot"]} few-shot images. Seed {result["seed"]}, revision {result["git_revision"]}.
{notes}
![Training curves](curves.png)
"""


def _results(result: Mapping[str, Any], saved: SavedAnswers | None) -> str:
    data = result["data"]
    seen, unseen = len(data["seen"]), len(data["unseen"])
    bootstraps = None if saved is None else image_bootstraps({"run": saved})
    rows = [
        [title, *(accuracy_cell(result, bootstraps, "run", stage, part) for part in PARTS)]
        for title, stage in _ROWS.items()
    ]
    rows.append(["chance", *(f"{100 / n:.1f}" if n else "NA" for n in (seen, unseen, seen + unseen))])
    return f"""## Results

Mean accuracy of the classes, in percent. {"A single seed has no interval." if saved is None else INTERVAL_NOTE}
`chance` is a guess without an image; one class for all images is as good.

{markdown_table(["", *PARTS.values()], rows)}
"""


def accuracy_cell(
    result: Mapping[str, Any], bootstraps: SharedBootstraps | None, run: str, stage: str, part: str
) -> str:
    """Return the accuracy of a stage for a part, in percent, with its interval where answers were saved."""
    value = number_at(dict(result), f"{stage}.{part}.accuracy")
    found = None if bootstraps is None else bootstraps.estimate(run, stage, part, ACCURACY)
    if value is None:
        return "NA" if part in (result["metrics"].get(stage) or {}) else ""
    return number_text("accuracy", value) if found is None else estimate_cell(found._replace(mean=value))


def _answers(saved: SavedAnswers) -> Iterator[str]:
    yield """## Scores

How much nearer an image is to the text of its own class than to the nearest other one. The dashed line is the
threshold: right of it the answer is right.

![Margins](margins.png)
"""
    yield f"""## Each class

Accuracy, few-shot: classes of Y_id on X_id (blue), of Y_ood on X_ood (purple, with a star).

![Accuracy of each class](classes.png)

{class_table({"": saved})}
"""
    yield """## Images

Some images that the few-shot student names rightly, and some that it does not: up to 6 of each of X_id, and 12 of
X_ood. They do not show how often it is right. Numbers are margins, as above.

![Images](images.png)
"""


def class_table(runs: Mapping[str, SavedAnswers]) -> str:
    """Return the accuracy of each class at each stage, in percent, Markdown; runs of the same data by their labels."""
    first = next(iter(runs.values()))
    columns = {
        f"`{label}`, {title}" if label else title: class_accuracies(saved, stage)
        for label, saved in runs.items()
        for stage, title in STAGES.items()
        if stage in saved.stages
    }
    images = {name: n for part in ("id", "ood") for name, (_, n) in first.class_counts(FEW_SHOT, part).items()}
    unseen = first.unseen_names
    names = dict.fromkeys(name for of in columns.values() for name in of)
    rows = [
        [name, "unseen" if name in unseen else "seen", images.get(name, ""),
         *(percent(of.get(name), "-") for of in columns.values())]
        for name in names
    ]  # fmt: skip
    return markdown_table(["class", "seen?", "images", *columns], rows)


def _features(result: Mapping[str, Any]) -> str:
    data = result["data"]
    rows = [
        [f"{part}: {name}", number_text(name, number_at(dict(result), place))]
        for part in ("train", "ood")
        for name, place in _feature_places(result, part)
    ]
    return f"""## Features

How near the zero-shot student is to its teacher (Tables 2 to 4).

{markdown_table(["measure", "value"], rows)}

## Classes

Seen (Y_id): {", ".join(data["seen"])}.

Unseen (Y_ood): {", ".join(data["unseen"])}.
"""


def _feature_places(result: Mapping[str, Any], part: str) -> list[tuple[str, str]]:
    """Return the names and places of the numbers of Tables 2 to 4."""
    places = []
    for name in _FEATURES:
        value = result["metrics"]["features"][part][name]
        place = f"features.{part}.{name}"
        places += [(f"{name}.{k}", f"{place}.{k}") for k in value] if isinstance(value, dict) else [(name, place)]
    return places
