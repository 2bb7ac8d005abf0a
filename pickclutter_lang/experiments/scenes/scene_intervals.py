"""95% intervals of one run's F1 and mAP, over scenes and classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pickclutter_lang.experiments.scenes.histograms import SHOWN
from pickclutter_lang.experiments.scenes.predictions import Predictions
from pickclutter_lang.experiments.scenes.result_table import Intervals
from pickclutter_lang.metrics.bootstrap import HierarchicalBootstrap, Metric, RunScores, SplitScores
from pickclutter_lang.utils.statistics import Estimate

_RESAMPLES = 300
_METRICS: tuple[Metric, ...] = ("f1", "map")
INTERVAL_NOTE = (
    "± half of the 95% interval over scenes and classes (bootstrap). One run: other seeds are not covered. "
    "Predictors that see no image are evaluated on the same scenes."
)


def scene_intervals(predictions: Mapping[str, Mapping[str, Predictions]], thresholds: Mapping[str, float]) -> Intervals:
    """Return the intervals of every stage and cell of Table 12.

    :param predictions: stage -> (`id`, `ood`) -> predictions on X_id and X_ood
    :param thresholds: stage -> threshold
    """
    found: dict[tuple[str, str, str], Estimate] = {}
    for stage, sets in predictions.items():
        for cell, (scenes, split) in SHOWN.items():
            chosen = sets[scenes].of_splits([split])
            scores = chosen.probabilities.double().numpy()
            runs = {"run": {(0, 0): RunScores(scores, scores > thresholds[stage])}}
            bootstrap = HierarchicalBootstrap(
                {0: SplitScores(chosen.targets.numpy().astype(np.bool_), runs)}, _RESAMPLES
            )
            for metric in _METRICS:
                estimate = bootstrap.estimate("run", metric)
                if estimate is not None:
                    found[stage, cell, metric] = estimate
    return found
