"""Bootstraps over scenes and classes that runs share, so that their differences are paired."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from pickclutter_lang.metrics.bootstrap import HierarchicalBootstrap, Metric, RunScores, SplitScores
from pickclutter_lang.metrics.weighted import Bools
from pickclutter_lang.utils.statistics import Estimate

Place = tuple[str, str, str]
"""Run, stage and cell."""


class ScoredCell(NamedTuple):
    """What a run is scored on in a cell: ids of N scenes or images, names of C classes, targets [N, C]; its scores."""

    scenes: Sequence[str]
    names: Sequence[str]
    targets: Bools
    scores: RunScores


class SharedBootstraps:
    """A bootstrap for each stage and cell; runs with the same scenes, names and targets share its resamples."""

    def __init__(self, cells: Mapping[Place, ScoredCell], resamples: int) -> None:
        """Take the cells of all runs."""
        self._group: dict[Place, Hashable] = {}
        runs: dict[Hashable, dict[str, RunScores]] = {}
        targets: dict[Hashable, Bools] = {}
        for (run, stage, cell), one in cells.items():
            key = stage, cell, *one.scenes, *one.names, one.targets.tobytes()
            self._group[run, stage, cell] = key
            runs.setdefault(key, {})[run] = one.scores
            targets[key] = one.targets
        self._bootstraps = {key: _bootstrap(targets[key], scores, resamples) for key, scores in runs.items()}

    def estimate(self, run: str, stage: str, cell: str, metric: Metric) -> Estimate | None:
        """Return a metric of a run with its interval; None where no label is true, or there are no scores."""
        key = self._group.get((run, stage, cell))
        return None if key is None else self._bootstraps[key].estimate(run, metric)

    def difference(self, run: str, other: str, stage: str, cell: str, metric: Metric) -> Estimate | None:
        """Return `run - other` with its interval; None where their scenes, labels or targets differ."""
        key = self._group.get((run, stage, cell))
        if key is None or key != self._group.get((other, stage, cell)):
            return None
        return self._bootstraps[key].difference(run, other, metric)


def _bootstrap(targets: Bools, runs: Mapping[str, RunScores], resamples: int) -> HierarchicalBootstrap:
    methods = {name: {(0, 0): scores} for name, scores in runs.items()}
    return HierarchicalBootstrap({0: SplitScores(targets, methods)}, resamples)
