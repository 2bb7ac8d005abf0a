"""The page of `pickclutter compare-runs`: runs of any kind, from their records and scores, paired with the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, product
from pathlib import Path

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.results.charts import draw_bars, draw_curves, draw_differences
from pickclutter_lang.results.comparability import differing_values, flat_settings
from pickclutter_lang.results.config import CompareRunsConfig
from pickclutter_lang.results.intervals import Estimate, Metric, Share, share, share_difference
from pickclutter_lang.results.page import PAGE_FILE, run_details, setting_rows, write_page
from pickclutter_lang.results.record import Record, read_record
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
    "one in twenty does by chance."
)


@dataclass(frozen=True)
class Comparison:
    """Runs of one kind by their names, with their scores; the others are compared with the first."""

    kind: str
    records: Mapping[str, Record]
    scores: Mapping[str, Scores]

    @property
    def first(self) -> str:
        """Name of the first run."""
        return next(iter(self.records))

    @property
    def others(self) -> list[str]:
        """Names of the runs that are compared with the first."""
        return [*self.records][1:]

    @cached_property
    def places(self) -> list[Place]:
        """Stages and cells that all runs have, in the order of the first."""
        shared = set.intersection(*(set(scores.places) for scores in self.scores.values()))
        return [one for one in self.scores[self.first].places if one in shared and not one[1].endswith(_HIDDEN)]

    def pair(self, run: str, place: Place) -> tuple[Cell, Cell] | str:
        """Return a cell of a run and of the first, on the items that both have; or why they are not paired."""
        one, other = (self.scores[name].cell(*place).with_positives() for name in (run, self.first))
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

    def estimate(self, run: str, place: Place, metric: Metric) -> Estimate | Share | None:
        """Return a metric of a run with its interval; None where no label is true."""
        cell = self.scores[run].cell(*place).with_positives()
        return share(*cell.outcomes) if self.kind == "policy" else cell.bootstrap().estimate("", metric)

    def difference(self, run: str, place: Place, metric: Metric) -> Estimate | Share | str | None:
        """Return a run minus the first with its interval, or why they are not paired."""
        pair = self.pair(run, place)
        if isinstance(pair, str):
            return pair
        if self.kind == "policy":
            return share_difference(pair[0].outcomes[0], *pair[1].outcomes)
        return pair[0].bootstrap(pair[1]).difference("", "other", metric)

    def of_labels(self) -> dict[str, dict[str, float]]:
        """Return run, with its stage where there are several -> label -> its metric, after few-shot learning."""
        metric = next(iter(METRICS[self.kind]))
        stages = list(dict.fromkeys(stage for stage, _ in self.places))
        stages = ["few_shot"] if "few_shot" in stages else stages
        found: dict[str, dict[str, float]] = {}
        for run, stage in product(self.records, stages):
            of_stage = found.setdefault(run if len(stages) == 1 else f"{run}, {stage}", {})
            for cell in (cell for cell in _LABELED[self.kind] if (stage, cell) in self.places):
                of_stage |= self.scores[run].cell(stage, cell).with_positives().by_label(metric)
        return found


def load_comparison(folders: Sequence[str]) -> Comparison:
    """Read the records and scores of runs; a run is named by as many last parts of its path as tell them apart.

    :raises CheckpointError: for a folder that is no run, or whose run is not finished or is damaged
    :raises InvalidArgumentError: when they are of several kinds
    """
    parts = [Path(folder).resolve().parts for folder in folders]
    endings = (["/".join(one[-n:]) for one in parts] for n in count(1))
    names = next(names for names in endings if len(set(names)) == len(names))
    records = {name: read_record(Path(folder)) for name, folder in zip(names, folders, strict=True)}
    kinds = {name: str(record["kind"]) for name, record in records.items()}
    if len(set(kinds.values())) > 1:
        raise InvalidArgumentError(f"expected runs of one kind, but got {kinds}; compare each kind by itself")
    scores = {name: Scores.load(Path(folder)) for name, folder in zip(names, folders, strict=True)}
    return Comparison(next(iter(kinds.values())), records, scores)


def write_comparison(config: CompareRunsConfig) -> Path:
    """Write `report.html` into the folder `out`; return its path.

    :raises CheckpointError: for a folder that is no run, or whose run is not finished or is damaged
    :raises InvalidArgumentError: when runs are of several kinds
    :raises DatasetError: when it cannot be written
    :raises LockedError: when another process is at work in `out`
    """
    runs, out = load_comparison(config.runs), Path(config.out)
    differences = {
        (metric, run, place): runs.difference(run, place, metric)
        for metric, run, place in product(METRICS[runs.kind], runs.others, runs.places)
    }
    panels: dict[str, dict[str, dict[str, Estimate | Share | None]]] = {
        title: {run: {} for run in runs.others} for title in METRICS[runs.kind].values()
    }
    for (metric, run, (stage, cell)), found in differences.items():
        title = METRICS[runs.kind][metric]
        name = f"{TITLES.get(cell, cell)}, {stage.replace('_', '-')}"
        panels[title][run][name] = None if isinstance(found, str) else found
    shown = {"differences.png": draw_differences(panels, runs.first)}
    values = runs.of_labels()
    drawn = {name: of for name, of in [*values.items()][:_MOST_BARS] if of}
    if drawn:
        series = {name: {label: Estimate(v, None, 1) for label, v in of.items()} for name, of in drawn.items()}
        unseen = {name: runs.scores[name if name in runs.scores else name.rpartition(", ")[0]].unseen for name in drawn}
        shown["labels.png"] = draw_bars(series, unseen, f"{next(iter(METRICS[runs.kind].values())).lower()}, %")
    histories = {run: record["history"] for run, record in runs.records.items() if record.get("history")}
    if histories:
        shown["training.png"] = draw_curves(histories)
    details = {f"{run}: {title}": text for run, one in runs.records.items() for title, text in run_details(one).items()}
    create_dir(out)
    with dir_lock(out):
        text = "\n\n".join(_sections(runs, differences, values, bool(histories)))
        return write_page(out / PAGE_FILE, text, shown, details)


def _sections(
    runs: Comparison,
    differences: Mapping[tuple[Metric, str, Place], Estimate | Share | str | None],
    values: Mapping[str, Mapping[str, float]],
    trained: bool,
) -> Iterator[str]:
    settings = differing_values({run: flat_settings(record) for run, record in runs.records.items()})
    yield "# Comparison of runs"
    yield f"The others are compared with the first, `{runs.first}`."
    yield "## What differs"
    same = "No setting, data, teacher or revision differs."
    yield setting_rows([*runs.records], settings) if settings else same
    yield f"## Results\n\n{NOTE}"
    for metric, title in METRICS[runs.kind].items():
        found = {(run, place): runs.estimate(run, place, metric) for run in runs.records for place in runs.places}
        yield f"### {title}, %"
        yield _table({key: estimate_cell(one) for key, one in found.items()})
    yield f"## Differences\n\n{BOLD_NOTE}\n\n![Differences](differences.png)"
    for metric, title in METRICS[runs.kind].items():
        texts = {
            (run, place): f"not paired: {one}" if isinstance(one, str) else difference_cell(one)
            for (of, run, place), one in differences.items()
            if of == metric
        }
        yield f"### {title}: difference from `{runs.first}`"
        yield _table(texts)
    yield "## Each label\n\nA star marks those that are unseen in the first run."
    yield f"At most {_MOST_BARS} columns are drawn.\n\n![Labels](labels.png)"
    unseen = runs.scores[runs.first].unseen
    names = sorted(dict.fromkeys(name for of in values.values() for name in of), key=lambda name: name in unseen)
    rows = ([f"{n}{' *' if n in unseen else ''}", *(percent(of.get(n)) for of in values.values())] for n in names)
    yield markdown_table(["label", *(f"`{name}`" for name in values)], rows)
    if trained:
        yield "## Training\n\nLosses of other objectives are sums of other terms.\n\n![Training curves](training.png)"


def _table(texts: Mapping[tuple[str, Place], str]) -> str:
    """Return a table of texts by run and place: a row for each run and stage, a column for each cell."""
    cells = dict.fromkeys(cell for _, (_, cell) in texts)
    rows = [
        [f"`{run}`", stage.replace("_", "-"), *(texts.get((run, (stage, cell)), "NA") for cell in cells)]
        for run, stage in dict.fromkeys((run, stage) for run, (stage, _) in texts)
    ]
    return markdown_table(["run", "stage", *(TITLES.get(cell, cell) for cell in cells)], rows)
