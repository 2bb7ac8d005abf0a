"""95% intervals of F1 and mAP of runs over scenes and classes, and of their differences on scenes that they share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import product

import numpy as np

from pickclutter_lang.experiments.scenes.histograms import SHOWN
from pickclutter_lang.experiments.scenes.predictions import Predictions
from pickclutter_lang.experiments.scenes.result_table import Intervals
from pickclutter_lang.metrics.bootstrap import HierarchicalBootstrap, Metric, RunScores, SplitScores
from pickclutter_lang.utils.statistics import Estimate

RunPredictions = Mapping[str, Mapping[str, Predictions]]
"""Stage -> (`id`, `ood`) -> predictions on X_id and X_ood."""
METRICS: tuple[Metric, ...] = ("f1", "map")
"""Metrics that have intervals."""
_RESAMPLES = 300
INTERVAL_NOTE = (
    "± half of the 95% interval over scenes and classes (bootstrap). One run: other seeds are not covered. "
    "Predictors that see no image are evaluated on the same scenes."
)


class SceneBootstraps:
    """Bootstraps over the scenes and classes of each stage and cell of Table 12.

    Runs with the same scenes, labels and targets share the resamples, so that their differences are paired.
    """

    def __init__(
        self, runs: Mapping[str, RunPredictions], thresholds: Mapping[str, Mapping[str, float]], resamples: int
    ) -> None:
        """Take runs by name; `thresholds`: run -> stage -> threshold."""
        self._group: dict[tuple[str, str, str], Hashable] = {}
        shared: dict[Hashable, tuple[Predictions, dict[str, RunScores]]] = {}
        for (name, stages), (cell, (scenes, split)) in product(runs.items(), SHOWN.items()):
            for stage, sets in stages.items():
                chosen = sets[scenes].of_splits([split])
                key = stage, cell, *chosen.scenes, *chosen.names, chosen.targets.numpy().tobytes()
                scores = chosen.probabilities.double().numpy()
                self._group[name, stage, cell] = key
                own = shared.setdefault(key, (chosen, {}))[1]
                own[name] = RunScores(scores, scores > thresholds[name][stage])
        self._bootstraps = {key: _bootstrap(*content, resamples) for key, content in shared.items()}

    def estimate(self, run: str, stage: str, cell: str, metric: Metric) -> Estimate | None:
        """Return a metric of a run with its interval; None where no label is true."""
        return self._bootstraps[self._group[run, stage, cell]].estimate(run, metric)

    def difference(self, run: str, other: str, stage: str, cell: str, metric: Metric) -> Estimate | None:
        """Return `run - other` with its interval; None where their scenes, labels or targets differ."""
        key = self._group[run, stage, cell]
        if key != self._group[other, stage, cell]:
            return None
        return self._bootstraps[key].difference(run, other, metric)


def scene_intervals(predictions: RunPredictions, thresholds: Mapping[str, float]) -> Intervals:
    """Return the intervals of every stage and cell of Table 12.

    :param thresholds: stage -> threshold
    """
    return intervals_of(SceneBootstraps({"run": predictions}, {"run": thresholds}, _RESAMPLES), "run", thresholds)


def intervals_of(bootstraps: SceneBootstraps, run: str, stages: Mapping[str, float]) -> Intervals:
    """Return the intervals of a run of some stages."""
    found = {key: bootstraps.estimate(run, *key) for key in product(stages, SHOWN, METRICS)}
    return {key: estimate for key, estimate in found.items() if estimate is not None}


def _bootstrap(of: Predictions, runs: Mapping[str, RunScores], resamples: int) -> HierarchicalBootstrap:
    methods = {name: {(0, 0): scores} for name, scores in runs.items()}
    return HierarchicalBootstrap({0: SplitScores(of.targets.numpy().astype(np.bool_), methods)}, resamples)
