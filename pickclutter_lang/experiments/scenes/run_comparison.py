"""Finished runs on scenes, read back to be compared with the first of them: what differs, and what is paired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pickclutter_lang.experiments.compare_config import labels_of
from pickclutter_lang.experiments.comparison import Result, comparable_settings, differing_values, precision_of
from pickclutter_lang.experiments.comparison_page import LabeledRuns
from pickclutter_lang.experiments.result import read_result, short_revision
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.histograms import SHOWN
from pickclutter_lang.experiments.scenes.load import load_run_config
from pickclutter_lang.experiments.scenes.predictions import load_predictions
from pickclutter_lang.experiments.scenes.result_table import stages_of
from pickclutter_lang.experiments.scenes.scene_intervals import RunPredictions, scene_bootstraps
from pickclutter_lang.experiments.shared_bootstraps import SharedBootstraps
from pickclutter_lang.metrics.bootstrap import Metric
from pickclutter_lang.utils.json_files import flatten
from pickclutter_lang.utils.statistics import Estimate

_RESAMPLES = 1000
_HASH = 10  # characters of a hash that are shown
_STORES = {"train": "training scenes", "fewshot": "few-shot scenes", "id": "X_id", "ood": "X_ood"}


@dataclass(frozen=True)
class ComparedRun:
    """A run: its result with the stages that all runs have, and its predictions at them."""

    result: Result
    predictions: RunPredictions

    @property
    def thresholds(self) -> dict[str, float]:
        """Stage -> threshold."""
        return {stage: float(row["id_threshold"]) for stage, row in self.result["metrics"].items()}

    def is_unseen(self, name: str) -> bool:
        """Return whether an object is of this run's Y_ood."""
        return name in self.result["metrics"]["few_shot"]["ood_on_ood"]["classes"]

    def scenes(self, store: str) -> tuple[int, str]:
        """Return number and hash of the scenes of a store."""
        return int(self.result["data"][store]["scenes"]), str(self.result["data"][store]["content"])


class RunComparison(LabeledRuns[ComparedRun]):
    """Runs on scenes by their labels."""

    @property
    def stages(self) -> list[str]:
        """The stages that all runs have."""
        return stages_of(self.runs[self.first].result)

    @property
    def objects(self) -> list[str]:
        """The objects of all runs: those that the first has seen, the unseen ones, then those of other runs alone."""
        cells = [run.result["metrics"]["few_shot"]["all_on_ood"]["classes"] for run in self.runs.values()]
        names = list(dict.fromkeys(name for classes in cells for name in classes))
        return sorted(names, key=self.runs[self.first].is_unseen)

    @cached_property
    def bootstraps(self) -> SharedBootstraps:
        """Bootstraps of all runs."""
        runs = self.runs.items()
        predictions = {label: run.predictions for label, run in runs}
        return scene_bootstraps(predictions, {label: run.thresholds for label, run in runs}, _RESAMPLES)

    def unpaired(self, label: str, cell: str) -> str | None:
        """Return why a run is not paired with the first in a cell of Table 12; None where it is."""
        one, other = self.runs[self.first], self.runs[label]
        scenes, split = SHOWN[cell]
        mine, theirs = (run.predictions[self.stages[0]][scenes].of_splits([split]) for run in (one, other))
        if mine.names != theirs.names:
            return "other objects"
        if mine.scenes != theirs.scenes or one.scenes(scenes) != other.scenes(scenes):
            return "other scenes"
        return None if bool((mine.targets == theirs.targets).all()) else "other labels"

    def difference(self, label: str, stage: str, cell: str, metric: Metric) -> Estimate | None:
        """Return a run minus the first and its 95% interval, paired over scenes and classes; None where unpaired."""
        if self.unpaired(label, cell):
            return None
        found = self.bootstraps.difference(label, self.first, stage, cell, metric)
        values = [self.runs[name].result["metrics"][stage][cell]["model"][metric] for name in (label, self.first)]
        return None if found is None or None in values else found._replace(mean=values[0] - values[1])

    def differing_settings(self) -> dict[str, dict[str, str]]:
        """Return the settings that results depend on, and the provenance, in which runs differ."""
        return differing_values({label: dict(_settings(run.result)) for label, run in self.runs.items()})

    def other_data(self, label: str) -> list[str]:
        """Return which data a run has others of than the first, and whether other objects are unseen in it."""
        one, other = self.runs[self.first], self.runs[label]
        found = [title for store, title in _STORES.items() if one.scenes(store) != other.scenes(store)]
        splits = [run.result.get("object_split", 0) for run in (one, other)]
        return found + (["unseen objects"] if splits[0] != splits[1] else [])


def load_comparison(folders: Sequence[str]) -> RunComparison:
    """Read runs: results and predictions alone.

    :raises CheckpointError: for a folder that is no run, or whose run is not finished or is damaged
    """
    results = []
    for folder in folders:
        load_run_config(EvaluateConfig(folder, None, 1, "cpu"))  # there is a run
        results.append(read_result(Path(folder), "scenes"))
    stages = [stage for stage in stages_of(results[0]) if all(stage in result["metrics"] for result in results)]
    runs = {}
    for label, folder, result in zip(labels_of(folders), folders, results, strict=True):
        place = Path(folder) / "predictions"
        predictions = {
            stage: {name: load_predictions(place / f"{stage}_{name}.npz") for name in ("id", "ood")} for stage in stages
        }
        metrics = {stage: result["metrics"][stage] for stage in stages}
        runs[label] = ComparedRun({**result, "metrics": metrics}, predictions)
    return RunComparison(runs)


def _settings(result: Result) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a run that its result depends on, and its provenance, by dotted keys."""
    yield from flatten(comparable_settings(result)).items()
    yield "precision", precision_of(result) or "auto"
    for store, content in result["data"].items():
        yield f"scenes of {store}", f"{content['scenes']}, {content['content'][:_HASH]}"
    for key in ("object_split", "few_shot_draw"):
        yield key, result.get(key, 0)
    yield "teacher's weights", result["teacher"]["fingerprint"][:_HASH]
    for source, origin in result.get("descriptions", {}).items():
        yield f"descriptions {source}", origin["content"][:_HASH]
    yield "revision", short_revision(result["git_revision"])
