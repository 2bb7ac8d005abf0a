"""Histograms of the scores of labels that are present and absent, for each stage of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pickclutter_lang.experiments.plotting import TRUTH_COLORS
from pickclutter_lang.experiments.run_charts import BINS, Panel, Stairs, draw_panels
from pickclutter_lang.experiments.scenes.result_table import table_title
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.metrics.thresholds import Predictions
from pickclutter_lang.utils.csv import write_csv

SHOWN = {"id_on_id": ("id", "id"), "id_on_ood": ("ood", "id"), "ood_on_ood": ("ood", "ood")}
"""Cell of Table 12 -> scenes, labels."""


class Histogram(NamedTuple):
    """Counts [BINS] over equal bins of 0..1 of the scores of labels that are `present` or `absent` in their scene.

    `above` is the share of them above the threshold: the recall over all present labels, or the false-positive rate.
    """

    stage: str
    cell: str
    truth: str
    counts: NDArray[np.int64]
    median: float
    above: float


def score_histograms(
    predictions: Mapping[str, Mapping[str, Predictions]], thresholds: Mapping[str, float]
) -> list[Histogram]:
    """Return the histograms of every stage, cell of Table 12 and truth.

    :param predictions: stage -> (`id`, `ood`) -> predictions on X_id and X_ood
    :param thresholds: stage -> threshold
    """
    found = []
    for stage, sets in predictions.items():
        for cell, (scenes, split) in SHOWN.items():
            chosen = sets[scenes].of_splits([split])
            for truth in TRUTH_COLORS:
                scores = chosen.probabilities[chosen.targets == (truth == "present")].double().numpy()
                counts, _ = np.histogram(scores, BINS, (0, 1))
                some = len(scores) > 0
                median = float(np.median(scores)) if some else float("nan")
                above = float((scores > thresholds[stage]).mean()) if some else float("nan")
                found.append(Histogram(stage, cell, truth, counts, median, above))
    return found


def write_histograms(histograms: list[Histogram], path: Path) -> None:
    """Write histograms as CSV, a row for each bin."""
    write_csv(path, _lines(histograms))


def _lines(histograms: list[Histogram]) -> Iterator[Sequence[object]]:
    yield ["stage", "cell", "truth", "from", "to", "count", "share", "median", "share_above_threshold"]
    for stage, cell, truth, counts, median, above in histograms:
        for n, count in enumerate(counts.tolist()):
            fraction = count / max(int(counts.sum()), 1)
            edges = [f"{n / BINS:.2f}", f"{(n + 1) / BINS:.2f}"]
            yield [stage, cell, truth, *edges, count, f"{fraction:.6f}", f"{median:.4f}", f"{above:.4f}"]


def draw_histograms(histograms: list[Histogram], thresholds: Mapping[str, float]) -> Figure:
    """Draw a row for each stage and a column for each cell: scores of present and of absent labels, the threshold."""
    rows = []
    for stage, threshold in thresholds.items():
        panels = []
        for cell in SHOWN:
            own = [_stairs(one) for one in histograms if (one.stage, one.cell) == (stage, cell)]
            panels.append(Panel(f"{table_title(cell)}, {STAGE_TITLES[stage]}", (0, 1), own, [threshold]))
        rows.append(panels)
    return draw_panels(rows, "score of a label", "% of labels")


def _stairs(histogram: Histogram) -> Stairs:
    name = "recall" if histogram.truth == "present" else "false alarms"
    label = f"{histogram.truth}: median {histogram.median:.2f}, {name} {100 * histogram.above:.0f}%"
    return Stairs(label, TRUTH_COLORS[histogram.truth], histogram.counts)
