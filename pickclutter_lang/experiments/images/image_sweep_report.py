"""`report.html` of a sweep of Tables 1-11: its tables and figures, and what its runs answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pickclutter_lang.experiments.images.image_answers import PARTS, SavedAnswers, load_answers
from pickclutter_lang.experiments.images.image_gallery import draw_margins, margins_of
from pickclutter_lang.experiments.images.image_report import draw_classes
from pickclutter_lang.experiments.images.image_results import ImageSweepResults
from pickclutter_lang.experiments.images.table_specs import BEST, ENRICHED, NAIVE
from pickclutter_lang.experiments.run_charts import MOST_OBJECTS
from pickclutter_lang.experiments.run_details import differing_settings, runs_section, setting_rows, sweep_details
from pickclutter_lang.experiments.stages import FEW_SHOT
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate
from pickclutter_lang.reports.page import PAGE_FILE, write_page
from pickclutter_lang.utils.typing import FloatArray

MOST_RUNS = 6
"""Methods in the charts of classes and margins, those of Figure 1 first."""


def write_sweep_report(
    runs: ImageSweepResults, tables: Sequence[Path], charts: Mapping[Path, Figure], out: Path
) -> Path:
    """Write `report.html` with tables and figures of a sweep; return its path.

    :param tables: their pages in Markdown
    :param charts: file of a figure -> what it shows
    :raises CheckpointError: when answers of a run are damaged
    """
    shown = {path.name: chart for path, chart in charts.items()}
    answers = _answers(runs)
    if answers:
        shown["classes.png"] = draw_classes(answers)
        shown["margins.png"] = draw_margins(
            {run: _few_shot_margins([*saved.values()]) for run, saved in answers.items()}
        )
    parts = [f"# Students of {runs.data['name']}"]
    parts += [re.sub("^#", "##", table.read_text(), flags=re.MULTILINE) for table in tables]
    parts += [f"## {path.stem.replace('figure', 'Figure ')}\n\n![]({path.name})" for path in charts]
    section, links = runs_section(runs, out)
    parts += [*(_answer_sections() if answers else ()), *_settings(runs), section]
    return write_page(out / PAGE_FILE, "\n\n".join(parts), shown, sweep_details(runs), links)


def _answers(runs: ImageSweepResults) -> dict[str, dict[Replicate, SavedAnswers]]:
    """Return run -> replicate -> its answers, of the runs that are drawn; without those from before they were saved."""
    found: dict[str, dict[Replicate, SavedAnswers]] = {}
    for name in sorted(runs.runs, key=lambda name: name not in (NAIVE, BEST, ENRICHED)):
        saved = {replicate: load_answers(runs.folders[name, replicate]) for replicate in runs.runs[name]}
        known = {replicate: one for replicate, one in saved.items() if one is not None}
        if known and len(found) < MOST_RUNS:
            found[name] = known
    return found


def _few_shot_margins(seeds: Sequence[SavedAnswers]) -> dict[str, FloatArray]:
    found = [margins_of(saved, FEW_SHOT) for saved in seeds]
    return {part: np.concatenate([of[part] for of in found if part in of]) for part in PARTS if part in found[0]}


def _answer_sections() -> Iterator[str]:
    yield f"""## Each class

Accuracy, few-shot: classes of Y_id on X_id, of Y_ood (a star, hatching) on X_ood. Means over runs, with 95% intervals
where there are several. A class that is unseen in some class split counts there alone. At most {MOST_RUNS} methods
and {MOST_OBJECTS} classes are drawn, the best and the worst.

![Accuracy of each class](classes.png)"""
    yield """## Scores

How much nearer an image is to the text of its own class than to the nearest other one, few-shot, all runs together.
The dashed line is the threshold: right of it the answer is right.

![Margins](margins.png)"""


def _settings(runs: ImageSweepResults) -> Iterator[str]:
    settings = differing_settings(runs)
    if settings:
        yield f"## What differs between runs\n\n{setting_rows([*runs.runs], settings)}"
