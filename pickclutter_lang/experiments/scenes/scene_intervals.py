"""95% intervals of F1 and mAP of runs over scenes and classes, and of their differences on scenes that they share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from pickclutter_lang.experiments.scenes.histograms import SHOWN
from pickclutter_lang.experiments.scenes.result_table import Intervals
from pickclutter_lang.experiments.shared_bootstraps import Place, ScoredCell, SharedBootstraps
from pickclutter_lang.metrics.bootstrap import Metric, RunScores
from pickclutter_lang.metrics.thresholds import Predictions

RunPredictions = Mapping[str, Mapping[str, Predictions]]
"""Stage -> (`id`, `ood`) -> predictions on X_id and X_ood."""
METRICS: tuple[Metric, ...] = ("f1", "map")
"""Metrics that have intervals."""
_RESAMPLES = 300
INTERVAL_NOTE = (
    "± half of the 95% interval over scenes and classes (bootstrap). One run: other seeds are not covered. "
    "Predictors that see no image are evaluated on the same scenes."
)


def scene_bootstraps(
    runs: Mapping[str, RunPredictions], thresholds: Mapping[str, Mapping[str, float]], resamples: int
) -> SharedBootstraps:
    """Return bootstraps over the scenes and classes of each stage and cell of Table 12.

    :param runs: name -> predictions
    :param thresholds: name -> stage -> threshold
    """
    cells: dict[Place, ScoredCell] = {}
    for (name, stages), (cell, (scenes, split)) in product(runs.items(), SHOWN.items()):
        for stage, sets in stages.items():
            chosen = sets[scenes].of_splits([split])
            values = chosen.probabilities.double().numpy()
            scores = RunScores(values, values > thresholds[name][stage])
            targets = chosen.targets.numpy().astype(np.bool_)
            cells[name, stage, cell] = ScoredCell(chosen.scenes, chosen.names, targets, scores)
    return SharedBootstraps(cells, resamples)


def scene_intervals(predictions: RunPredictions, thresholds: Mapping[str, float]) -> Intervals:
    """Return the intervals of every stage and cell of Table 12.

    :param thresholds: stage -> threshold
    """
    return intervals_of(scene_bootstraps({"run": predictions}, {"run": thresholds}, _RESAMPLES), "run", thresholds)


def intervals_of(bootstraps: SharedBootstraps, run: str, stages: Mapping[str, float]) -> Intervals:
    """Return the intervals of a run of some stages."""
    found = {key: bootstraps.estimate(run, *key) for key in product(stages, SHOWN, METRICS)}
    return {key: estimate for key, estimate in found.items() if estimate is not None}
