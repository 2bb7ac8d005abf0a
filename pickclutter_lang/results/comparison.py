"""The page of `pickclutter compare-runs`: runs of any kind, from their records and scores, paired with the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.results.charts import Interval, draw_bars, draw_curves, draw_differences
from pickclutter_lang.results.comparability import differing_values, flat_settings
from pickclutter_lang.results.config import CompareRunsConfig
from pickclutter_lang.results.intervals import Bootstrap, Estimate, Metric, SplitScores
from pickclutter_lang.results.page import PAGE_FILE, run_details, setting_rows, write_page
from pickclutter_lang.results.record import Record, read_record
from pickclutter_lang.results.runs import resamples_for
from pickclutter_lang.results.scores import Cell, Place, Scores
from pickclutter_lang.results.tables import difference_cell, estimate_cell
from pickclutter_lang.utils.io import create_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table, percent

METRICS: Mapping[str, dict[Metric, str]] = {
    "scenes": {"map": "Mean average precision", "f1": "F1 per scene"},
    "images": {"recall": "Mean accuracy of the classes"},
    "policy": {"recall": "Share of the episodes"},
    "store": {"map": "Mean average precision", "f1": "F1 per scene"},
}
"""Kind of runs -> the metrics that are compared, and their titles."""
TITLES = {
    "id_on_id": "Y_id on X_id",
    "id_on_ood": "Y_id on X_ood",
    "ood_on_ood": "Y_ood on X_ood",
    "id": "Y_id on X_id",
    "ood": "Y_ood on X_ood",
    "all": "all on X_ood",
    "id_on_store": "seen names",
    "ood_on_store": "unseen names",
}
"""Cell -> its title; one of a policy is its own."""
_HIDDEN = ("_on_fewshot", "_on_unlabeled", "ood_on_id")
"""Cells of a run on scenes that thresholds come from, and no table shows."""
_LABELED = {
    "scenes": ("id_on_ood", "ood_on_ood"),
    "images": ("id", "ood"),
    "policy": ("success",),
    "store": ("id_on_store", "ood_on_store"),
}
"""Kind of runs -> the cells whose labels have bars."""
_MOST_BARS = 8
NOTE = "± half of the 95% interval over items and labels (bootstrap). Each run is one: seeds are not covered."
BOLD_NOTE = (
    "In points, on the items and labels that both runs share in each resample. **Bold**: the interval leaves out 0, as "
    "one in twenty does by chance. One by resampling must do so by more than twice its own error."
)


@dataclass(frozen=True)
class Comparison:
    """Runs of one kind by their labels, with their scores; the others are compared with the first."""

    kind: str
    records: Mapping[str, Record]
    scores: Mapping[str, Scores]

    @property
    def first(self) -> str:
        """Label of the first run."""
        return next(iter(self.records))

    @property
    def others(self) -> list[str]:
        """Labels of the runs that are compared with the first."""
        return [*self.records][1:]

    @cached_property
    def places(self) -> list[Place]:
        """Stages and cells that all runs have, in the order of the first."""
        shared = set.intersection(*(set(scores.places) for scores in self.scores.values()))
        return [one for one in self.scores[self.first].places if one in shared and not one[1].endswith(_HIDDEN)]

    @property
    def stages(self) -> list[str]:
        """The stages of all runs."""
        return list(dict.fromkeys(stage for stage, _ in self.places))

    @property
    def cells(self) -> list[str]:
        """The cells of all runs."""
        return list(dict.fromkeys(cell for _, cell in self.places))

    def cell(self, label: str, stage: str, cell: str) -> Cell:
        """Return the scores of a run, without labels that are nowhere true."""
        key = label, stage, cell
        if key not in self._cells:
            self._cells[key] = self.scores[label].cell(stage, cell).with_positives()
        return self._cells[key]

    def pair(self, label: str, stage: str, cell: str) -> tuple[Cell, Cell] | str:
        """Return a cell of a run and of the first, on the items that both have; or why they are not paired."""
        one, other = self.cell(label, stage, cell), self.cell(self.first, stage, cell)
        if one.source != other.source:
            return "other data"
        if one.items != other.items:
            shared = set(one.items) & set(other.items)
            if not shared:
                return "other items"
            one, other = one.of_items(shared), other.of_items(shared)
        if set(one.labels) != set(other.labels):
            return "other labels"
        other = other.of_labels(one.labels)
        return (one, other) if np.array_equal(one.targets, other.targets) else "other targets"

    def estimate(self, label: str, stage: str, cell: str, metric: Metric) -> Estimate | None:
        """Return a metric of a run with its interval; None where no label is true, or the run lacks the cell."""
        if (stage, cell) not in self.places:
            return None
        return self._bootstrap({label: self.cell(label, stage, cell)}).estimate(label, metric)

    def difference(self, label: str, stage: str, cell: str, metric: Metric) -> Estimate | str | None:
        """Return a run minus the first with its interval, or why they are not paired."""
        key = label, stage, cell
        if (stage, cell) not in self.places:
            return None
        if key not in self._bootstraps:
            found = self.pair(*key)
            paired = {} if isinstance(found, str) else dict(zip("ab", found, strict=True))
            self._bootstraps[key] = self._bootstrap(paired) if paired else str(found)
        bootstrap = self._bootstraps[key]
        return bootstrap if isinstance(bootstrap, str) else bootstrap.difference("a", "b", metric)

    @cached_property
    def _bootstraps(self) -> dict[tuple[str, str, str], Bootstrap | str]:
        return {}

    @cached_property
    def _cells(self) -> dict[tuple[str, str, str], Cell]:
        return {}

    def _bootstrap(self, cells: Mapping[str, Cell]) -> Bootstrap:
        """Return a bootstrap over items and labels; over the piles alone of a policy, whose targets are drawn."""
        if self.kind == "policy":
            cells = {name: cell.pooled() for name, cell in cells.items()}
        first = next(iter(cells.values()))
        runs = {name: {(0, 0): cell.run_scores} for name, cell in cells.items()}
        splits = {0: SplitScores(first.targets, runs, first.items, first.labels)}
        return Bootstrap(splits, resamples_for(splits))

    def of_labels(self) -> dict[str, dict[str, float]]:
        """Return run, with its stage where there are several -> label -> its metric, after few-shot learning."""
        metric = next(iter(METRICS[self.kind]))
        stages = ["few_shot"] if "few_shot" in self.stages else self.stages
        found: dict[str, dict[str, float]] = {}
        for label in self.records:
            for stage in stages:
                cells = [cell for cell in _LABELED[self.kind] if (stage, cell) in self.places]
                name = label if len(stages) == 1 else f"{label}, {stage}"
                found[name] = {k: v for c in cells for k, v in self.cell(label, stage, c).by_label(metric).items()}
        return found


def load_comparison(folders: Sequence[str]) -> Comparison:
    """Read the records and scores of runs.

    :raises CheckpointError: for a folder that is no run, or whose run is not finished or is damaged
    :raises InvalidArgumentError: when they are of several kinds
    """
    labels = labels_of(folders)
    records = {label: read_record(Path(folder)) for label, folder in zip(labels, folders, strict=True)}
    kinds = {label: str(record["kind"]) for label, record in records.items()}
    if len(set(kinds.values())) > 1:
        raise InvalidArgumentError(f"expected runs of one kind, but got {kinds}; compare each kind by itself")
    scores = {label: Scores.load(Path(folder)) for label, folder in zip(labels, folders, strict=True)}
    return Comparison(next(iter(kinds.values())), records, scores)


def labels_of(folders: Sequence[str]) -> list[str]:
    """Return as many of the last parts of each path as tell them apart."""
    parts = [Path(folder).resolve().parts for folder in folders]
    endings = (["/".join(one[-n:]) for one in parts] for n in count(1))
    return next(labels for labels in endings if len(set(labels)) == len(labels))


def write_comparison(config: CompareRunsConfig) -> Path:
    """Write `report.html` into the folder `out`; return its path.

    :raises CheckpointError: for a folder that is no run, or whose run is not finished or is damaged
    :raises InvalidArgumentError: when runs are of several kinds
    :raises DatasetError: when it cannot be written
    :raises LockedError: when another process is at work in `out`
    """
    runs, out = load_comparison(config.runs), Path(config.out)
    histories = {label: record["history"] for label, record in runs.records.items() if record.get("history")}
    shown = {"differences.png": draw_differences(_panels(runs), runs.first)}
    values = {name: of for name, of in [*runs.of_labels().items()][:_MOST_BARS] if of}
    if values:
        series = {name: {label: Interval(v, v, v) for label, v in of.items()} for name, of in values.items()}
        unseen = {
            name: runs.scores[run].unseen
            for run in runs.records
            for name in values
            if name == run or name.removeprefix(f"{run}, ") in runs.stages
        }
        shown["labels.png"] = draw_bars(series, unseen, f"{next(iter(METRICS[runs.kind].values())).lower()}, %")
    if histories:
        shown["training.png"] = draw_curves(histories)
    details = {f"{k}: {title}": text for k, one in runs.records.items() for title, text in run_details(one).items()}
    create_dir(out)
    with dir_lock(out):
        return write_page(out / PAGE_FILE, "\n\n".join(_sections(runs, bool(histories))), shown, details)


def _sections(runs: Comparison, trained: bool) -> Iterator[str]:
    settings = differing_values({label: flat_settings(record) for label, record in runs.records.items()})
    yield "# Comparison of runs"
    yield f"The others are compared with the first, `{runs.first}`."
    yield "## What differs"
    same = "No setting, data, teacher or revision differs."
    yield setting_rows([*runs.records], settings) if settings else same
    yield f"## Results\n\n{NOTE}"
    for metric, title in METRICS[runs.kind].items():
        yield f"### {title}, %"
        yield _table(runs, [*runs.records], lambda one, m: estimate_cell(runs.estimate(*one, m)), metric)
    yield f"## Differences\n\n{BOLD_NOTE}\n\n![Differences](differences.png)"
    for metric, title in METRICS[runs.kind].items():
        yield f"### {title}: difference from `{runs.first}`"
        yield _table(runs, runs.others, lambda one, m: _difference_text(runs.difference(*one, m)), metric)
    yield "## Each label\n\nA star marks those that are unseen in the first run.\n\n![Labels](labels.png)"
    yield _label_table(runs)
    if trained:
        yield "## Training\n\nLosses of other objectives are sums of other terms.\n\n![Training curves](training.png)"


def _table(
    runs: Comparison, labels: Sequence[str], text: Callable[[tuple[str, str, str], Metric], str], metric: Metric
) -> str:
    """Return a table with a row for each run and stage, and a column for each cell."""
    rows = [
        [f"`{label}`", stage.replace("_", "-"), *(text((label, stage, cell), metric) for cell in runs.cells)]
        for label in labels
        for stage in runs.stages
    ]
    return markdown_table(["run", "stage", *(TITLES.get(cell, cell) for cell in runs.cells)], rows)


def _difference_text(found: Estimate | str | None) -> str:
    return f"not paired: {found}" if isinstance(found, str) else difference_cell(found)


def _label_table(runs: Comparison) -> str:
    values, unseen = runs.of_labels(), runs.scores[runs.first].unseen
    names = sorted(dict.fromkeys(name for of in values.values() for name in of), key=lambda name: name in unseen)
    rows = [
        [f"{name}{' *' if name in unseen else ''}", *(percent(of.get(name)) for of in values.values())]
        for name in names
    ]
    return markdown_table(["label", *(f"`{name}`" for name in values)], rows)


def _panels(runs: Comparison) -> dict[str, dict[str, dict[str, Interval | None]]]:
    """Return metric -> run -> cell and stage -> its difference from the first."""

    def of_run(label: str, metric: Metric) -> dict[str, Interval | None]:
        found = {}
        for stage, cell in runs.places:
            one = runs.difference(label, stage, cell, metric)
            name = f"{TITLES.get(cell, cell)}, {stage.replace('_', '-')}"
            found[name] = None if isinstance(one, str) else Interval.of(one)
        return found

    return {title: {one: of_run(one, metric) for one in runs.others} for metric, title in METRICS[runs.kind].items()}
