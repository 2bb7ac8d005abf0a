"""The report of a run, `report.html` and `report/report.md`, from `result.json` and saved predictions alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pickclutter_lang.experiments.result import read_result
from pickclutter_lang.experiments.run_details import run_details
from pickclutter_lang.experiments.scenes.histograms import (
    Histogram,
    draw_histograms,
    score_histograms,
    write_histograms,
)
from pickclutter_lang.experiments.scenes.predictions import load_examples, load_predictions
from pickclutter_lang.experiments.scenes.report_figures import draw_curves, draw_examples, draw_precisions, draw_table
from pickclutter_lang.experiments.scenes.result_table import (
    Intervals,
    class_table,
    data_note,
    description_note,
    metric_table,
    stages_of,
    tables,
    threshold_note,
)
from pickclutter_lang.experiments.scenes.scene_gallery import scene_gallery
from pickclutter_lang.experiments.scenes.scene_intervals import INTERVAL_NOTE, scene_intervals
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.reports.charts import save_png
from pickclutter_lang.reports.page import PAGE_FILE, write_page
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.locks import dir_lock


def write_report(run: str | Path) -> Path:
    """Write `report.html`, and `report/report.md` with its images, into the folder of a run; return the former.

    :raises CheckpointError: when the result or the predictions are missing or damaged
    :raises LockedError: when another process is at work in the folder
    """
    folder = Path(run)
    result = read_result(folder, "scenes")
    stages = {stage: result["metrics"][stage]["id_threshold"] for stage in stages_of(result)}
    predictions = {
        stage: {name: load_predictions(folder / "predictions" / f"{stage}_{name}.npz") for name in ("id", "ood")}
        for stage in stages
    }
    examples = {
        stage: load_examples(folder / "predictions" / f"{stage}_examples.npz") for stage in ("few_shot", "zero_shot")
    }
    histograms = score_histograms(predictions, stages)
    charts = {
        "curves.png": draw_curves(result),
        "table.png": draw_table(result),
        "scores.png": draw_histograms(histograms, stages),
        "average_precision.png": draw_precisions(result),
    }
    shown = {f"scenes_{stage}.png": (predictions[stage]["ood"], one, stages[stage]) for stage, one in examples.items()}
    text = _text(result, histograms, scene_intervals(predictions, stages))
    galleries = {name: scene_gallery(*scenes) for name, scenes in shown.items()}
    out = folder / "report"
    with dir_lock(folder):
        for name, chart in (charts | {name: draw_examples(*scenes) for name, scenes in shown.items()}).items():
            save_png(chart, out / name)
        write_histograms(histograms, out / "scores.csv")
        write_text(out / "report.md", text)
        return write_page(folder / PAGE_FILE, text, {**charts, **galleries}, run_details(result))


def summary(result: dict[str, Any]) -> str:
    """Return the table of F1 and the table of mAP, for the end of a command."""
    stages = " / ".join(STAGE_TITLES[stage] for stage in stages_of(result))
    titles = (("f1", "F1"), ("map", "mAP"))
    return "\n".join(f"{title}, {stages}\n{metric_table(result, name)}" for name, title in titles)


def _scores_note(histograms: list[Histogram]) -> str:
    """Return a note on zero-shot recall, with numbers from the histograms."""
    found = {(h.cell, h.truth): h for h in histograms if h.stage == "zero_shot"}
    seen, unseen = found["id_on_ood", "present"], found["ood_on_ood", "present"]
    absent = found["ood_on_ood", "absent"]
    return (
        f"Zero-shot on X_ood, labels that are true score {seen.median:.2f} (median) where they are of Y_id and "
        f"{unseen.median:.2f} where they are of Y_ood; false labels of Y_ood score {absent.median:.2f}. Of the true "
        f"labels, {100 * seen.above:.0f}% of Y_id and {100 * unseen.above:.0f}% of Y_ood lie above the threshold; "
        f"of the false labels of Y_ood, {100 * absent.above:.0f}%."
    )


def _crop_classifier_note(histories: dict[str, Any]) -> str:
    """Return how well single objects are named; nothing for a run without object crops."""
    rows = histories.get("crop_classifier")
    if not rows:
        return ""
    named = rows[-1].get("validation", {}).get("accuracy")
    share = "" if named is None else f" {100 * named:.0f}% of the objects of X_id get their name among all names."
    return f"\n\nA second student, of object crops, goes with it ({len(rows)} epochs).{share}"


def _text(result: dict[str, Any], histograms: list[Histogram], intervals: Intervals) -> str:
    return "\n".join(
        (_overview(result), _results(result, intervals), _scores(histograms), _objects(result), _scenes(result))
    )


def _overview(result: dict[str, Any]) -> str:
    """Return title, data, model, training time and training curves."""
    histories = result["history"]
    best = max(histories["distill"], key=lambda row: row["validation"][result["config"]["selection_metric"]] or 0.0)
    times = ", ".join(f"{name} {value:.0f} s" for name, value in result["seconds"].items())
    return f"""# A distilled student

{data_note(result)}

{description_note([result])}

Student `{result["config"]["student"]["name"]}` with {result["parameters"] / 1e6:.1f} million parameters, epoch \
{best["epoch"]} of {len(histories["distill"])}, chosen on X_id. Time: {times}. Peak memory: \
{result["peak_memory_mb"]:.0f} MB. Seed {result["seed"]}, revision {result["git_revision"]}.\
{_crop_classifier_note(histories)}

![Training curves](curves.png)
"""


def _results(result: dict[str, Any], intervals: Intervals) -> str:
    return f"""## Results

{threshold_note(result)} {INTERVAL_NOTE}

![Table](table.png)

{tables(result, intervals)}

Accuracy and F1 at a threshold say little where labels are rare: `all-negative` has a high accuracy, `all-positive` a
high F1. Mean average precision needs no threshold.
"""


def _scores(histograms: list[Histogram]) -> str:
    return f"""## Scores

![Histograms of scores](scores.png)

{_scores_note(histograms)} The dashed line is the threshold that is best on X_id; the numbers are in
[scores.csv](scores.csv).
"""


def _objects(result: dict[str, Any]) -> str:
    return f"""## Each object

![Average precision of each object](average_precision.png)

Y_id on X_id, in percent at the threshold from X_id:

{class_table(result, "id_on_id")}

Y_id on X_ood:

{class_table(result, "id_on_ood")}

Y_ood on X_ood:

{class_table(result, "ood_on_ood")}
"""


def _scenes(result: dict[str, Any]) -> str:
    label = result["config"]["data"]["target_label"]
    return f"""## Scenes of X_ood

Evenly spaced through X_ood. Left the hand camera's image; beside it the attention maps of two labels: the likeliest of
Y_id and the likeliest of Y_ood. Names of labels that are `{label}` or predicted to be: green predicted and true, red
predicted and false, orange true and not predicted. A star marks Y_ood.

After fine-tuning on {result["data"]["fewshot"]["scenes"]} scenes (few-shot):

![Scenes, few-shot](scenes_few_shot.png)

Before it (zero-shot; the student never saw a label of Y_ood):

![Scenes, zero-shot](scenes_zero_shot.png)
"""
