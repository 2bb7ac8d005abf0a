"""`report.html` of a run on scenes, from its record, its scores, and the images of some example scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.experiments.scenes.scene_protocol import ExampleScenes
from pickclutter_lang.experiments.scenes.table12 import (
    CHART_SECTION,
    OBJECTS_SECTION,
    data_note,
    description_note,
    draw_objects,
    draw_sweep,
    score_tables,
    sections,
    with_baselines,
)
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12
from pickclutter_lang.results.charts import draw_curves
from pickclutter_lang.results.page import PAGE_FILE, Card, Gallery, Item, jpeg, run_details, write_page
from pickclutter_lang.results.runs import Runs, load_run
from pickclutter_lang.results.scores import Scores
from pickclutter_lang.results.tables import table_rows
from pickclutter_lang.utils.locks import dir_lock

Verdict = Literal["right", "wrong", "missed"]
_MOST_MAPS, _MAP_PIXELS = 12, 160
_STAGE = "few_shot"


def write_report(run: str | Path) -> Path:
    """Write `report.html` into the folder of a run; return its path.

    :raises CheckpointError: when the record, the scores or the examples are missing or damaged
    :raises LockedError: when another process is at work in the folder
    """
    folder = Path(run)
    runs = with_baselines(load_run(folder, TABLE12))
    record = runs.first
    shown: dict[str, Figure | Gallery] = {
        "curves.png": draw_curves({record["name"]: record["history"]}),
        "table12.png": draw_sweep(runs),
        "objects.png": draw_objects(runs),
        "scenes.png": _gallery(Scores.load(folder), ExampleScenes.load(folder)),
    }
    parts = [_overview(runs), *sections(runs), CHART_SECTION, OBJECTS_SECTION]
    parts.append(
        "## Scenes of X_ood\n\nEvenly spaced through X_ood, after fine-tuning on "
        f"{record['data']['fewshot']['scenes']} scenes: the hand camera's image, and attention maps of labels that are "
        f"`{record['config']['data']['target_label']}` or predicted to be. A star marks Y_ood.\n\n![Scenes](scenes.png)"
    )
    with dir_lock(folder):
        return write_page(folder / PAGE_FILE, "\n\n".join(parts), shown, run_details(record))


def summary(run: str | Path) -> str:
    """Return the tables of F1 and mAP of a run, for the end of a command."""
    runs = with_baselines(load_run(Path(run), TABLE12))
    tables = (table for table in score_tables(runs) if table.number in ("12 f1 model", "12 map model"))
    return "\n\n".join(f"{table.title}, %\n{table_rows(runs, table)}" for table in tables)


def _overview(runs: Runs) -> str:
    """Return title, data, model, training time and training curves."""
    record = runs.first
    histories = record["history"]
    metric = record["config"]["selection_metric"]
    best = max(histories["distill"], key=lambda row: row["validation"][metric] or 0.0)
    crops = ""
    if rows := histories.get("crop_classifier"):
        named = (rows[-1].get("validation") or {}).get("accuracy")
        share = "" if named is None else f" {100 * named:.0f}% of the objects of X_id get their name among all names."
        crops = f"A second student, of object crops, goes with it ({len(rows)} epochs).{share}"
    times = ", ".join(f"{name} {value:.0f} s" for name, value in record["seconds"].items())
    return f"""# A distilled student

{data_note(runs)}

{description_note([record])}

{record["parameters"] / 1e6:.1f} million parameters, epoch {best["epoch"]} of {len(histories["distill"])}, chosen on
X_id. Time: {times}. Peak memory: {record["peak_memory_mb"]:.0f} MB. Seed {record["seed"]}, revision \
{record["git_revision"]}. {crops}

![Training curves](curves.png)"""


def _gallery(scores: Scores, examples: ExampleScenes) -> Gallery:
    """Return a card for each example scene, with the map of each label that is true or predicted, of 12 at most."""
    cells = [scores.cell(_STAGE, cell) for cell in ("id_on_ood", "ood_on_ood")]
    cards = []
    for scene, image, maps in zip(examples.scenes, examples.images, examples.maps, strict=True):
        row = cells[0].items.index(scene)
        labels = [
            (float(cell.scores[row, n]), label, bool(cell.targets[row, n]), bool(cell.predicted[row, n]))
            for cell in cells
            for n, label in enumerate(cell.labels)
            if cell.targets[row, n] or cell.predicted[row, n]
        ]
        items = []
        for n, (score, label, true, predicted) in enumerate(sorted(labels, key=lambda one: -one[0])):
            verdict: Verdict = "missed" if not predicted else "right" if true else "wrong"
            star, group = (" *", "unseen (Y_ood)") if label in scores.unseen else ("", "seen (Y_id)")
            heatmap = maps[list(examples.labels).index(label)]
            media = jpeg(overlay_map(image, heatmap), _MAP_PIXELS) if n < _MOST_MAPS else None
            facets = {"object": label, "verdict": verdict, "objects": group}
            items.append(Item(f"{verdict}: {label}{star} {score:.2f}", facets, media, verdict))
        cards.append(Card(scene, jpeg(image), items))
    return Gallery(cards)


def overlay_map(image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return an image uint8 [S, S, 3] in gray below a map [h, w], whose largest value is the brightest."""
    levels = Image.fromarray((255 * heatmap / max(float(heatmap.max()), 1e-6)).astype(np.uint8))
    smooth = np.asarray(levels.resize((image.shape[1], image.shape[0]), Image.Resampling.BICUBIC))[..., None] / 255
    colors = 255 * colormaps["inferno"](smooth[..., 0])[..., :3]
    opacity = 0.25 + 0.45 * smooth
    return np.asarray((1 - opacity) * image.mean(axis=2, keepdims=True) + opacity * colors, np.uint8)
