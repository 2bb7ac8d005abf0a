"""What `pickclutter compare-runs` shows of runs on single images, from results and saved answers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pickclutter_lang.experiments.compare_config import CompareRunsConfig, labels_of
from pickclutter_lang.experiments.comparison import Result, comparable_settings, differing_values, precision_of
from pickclutter_lang.experiments.comparison_page import (
    BOLD_NOTE,
    DIFFERENCES,
    OBJECTS,
    TRAINING,
    Compared,
    LabeledRuns,
    draw_training,
    training_section,
    write_comparison_page,
)
from pickclutter_lang.experiments.images.image_answers import PARTS, SavedAnswers, load_answers
from pickclutter_lang.experiments.images.image_intervals import ACCURACY, INTERVAL_NOTE, image_bootstraps
from pickclutter_lang.experiments.images.image_report import accuracy_cell, class_table, draw_classes
from pickclutter_lang.experiments.result import read_result, short_revision
from pickclutter_lang.experiments.run_charts import Interval, draw_differences, interval_of
from pickclutter_lang.experiments.run_details import run_details
from pickclutter_lang.experiments.shared_bootstraps import SharedBootstraps
from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell
from pickclutter_lang.experiments.sweeps.sweep_results import Replicate, number_at
from pickclutter_lang.utils.json_files import flatten
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.statistics import Estimate

_HASH = 10  # characters of a hash that are shown
_NOTE = f"Mean accuracy of the classes. {INTERVAL_NOTE} `chance` is a guess without an image."
_DIFFERENCE_NOTE = f"In points, on the same images and classes, which both runs share in each resample. {BOLD_NOTE}"


@dataclass(frozen=True)
class ImageComparison(LabeledRuns[Result]):
    """Runs by their labels, and the answers of those that saved them."""

    answers: Mapping[str, SavedAnswers]

    @cached_property
    def bootstraps(self) -> SharedBootstraps:
        """Bootstraps of all runs that saved answers."""
        return image_bootstraps(self.answers)

    def unpaired(self, label: str, part: str) -> str | None:
        """Return why a run is not paired with the first in a part; None where it is."""
        one, other = (self.runs[name]["data"] for name in (self.first, label))
        if one.get("content") != other.get("content"):
            return "other images"
        if one.get("split") != other.get("split"):
            return "another split"
        lacking = [name for name in (self.first, label) if name not in self.answers]
        if lacking:
            return f"no saved answers of {', '.join(lacking)}"
        if self.answers[self.first].classes != self.answers[label].classes:
            return "other classes"
        mine, theirs = (self.answers[name].of(part) for name in (self.first, label))
        same = mine["images"] == theirs["images"] and mine["labels"] == theirs["labels"]
        return None if same else "other labels"

    def difference(self, label: str, stage: str, part: str) -> Estimate | None:
        """Return a run minus the first and its 95% interval, paired over images and classes; None where unpaired."""
        if self.unpaired(label, part):
            return None
        found = self.bootstraps.difference(label, self.first, stage, part, ACCURACY)
        mine, other = (number_at(self.runs[name], f"{stage}.{part}.accuracy") for name in (label, self.first))
        return None if found is None or mine is None or other is None else found._replace(mean=mine - other)


def load_image_comparison(folders: Sequence[str]) -> ImageComparison:
    """Read runs: results and answers alone.

    :raises CheckpointError: for a run that is not finished or is damaged
    """
    runs = {
        label: read_result(Path(folder), "images") for label, folder in zip(labels_of(folders), folders, strict=True)
    }
    found = {label: load_answers(Path(folder)) for label, folder in zip(runs, folders, strict=True)}
    return ImageComparison(runs, {label: saved for label, saved in found.items() if saved is not None})


def write_comparison(config: CompareRunsConfig) -> Path:
    """Write `report.html` into the folder `out`; return its path.

    :raises CheckpointError: for a run that is not finished or is damaged
    :raises DatasetError: when it cannot be written
    """
    runs = load_image_comparison(config.runs)
    compared = Compared(
        labels=[*runs.runs],
        cells=f"Cells are {' / '.join(STAGE_TITLES.values())} in percent.",
        shared={label: _what_is_shared(runs, label) for label in runs.others},
        settings=differing_values({label: dict(_settings(result)) for label, result in runs.runs.items()}),
        results=[_NOTE, _result_table(runs)],
        differences=[_DIFFERENCE_NOTE, f"![Differences]({DIFFERENCES})", _difference_table(runs)],
        objects=[*_objects(runs)],
        charts={
            DIFFERENCES: _draw_differences(runs),
            TRAINING: draw_training({n: r["history"] for n, r in runs.runs.items()}, "accuracy", "accuracy on X_id"),
            **(
                {OBJECTS: draw_classes({label: {Replicate(): saved} for label, saved in _alike(runs).items()})}
                if runs.answers
                else {}
            ),
        },
        details={
            f"{label}: {title}": part
            for label, result in runs.runs.items()
            for title, part in run_details(result).items()
        },
        more=[*training_section()],
    )
    return write_comparison_page(compared, Path(config.out))


def _alike(runs: ImageComparison) -> dict[str, SavedAnswers]:
    """Return the answers of runs whose classes are those of the first that has answers."""
    first = next(iter(runs.answers.values()))
    return {
        label: saved
        for label, saved in runs.answers.items()
        if saved.classes == first.classes and saved.unseen == first.unseen
    }


def _what_is_shared(runs: ImageComparison, label: str) -> str:
    parts: dict[str | None, list[str]] = {}
    for part, title in PARTS.items():
        parts.setdefault(runs.unpaired(label, part), []).append(title)
    return "; ".join(f"{f'not paired, {w}' if w else 'paired'}: {', '.join(of)}" for w, of in parts.items()) + "."


def _settings(result: Result) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a run that its result depends on, and its provenance, by dotted keys."""
    yield from flatten(comparable_settings(result)).items()
    yield "precision", precision_of(result) or "auto"
    for key in ("content", "split", "texts", "captions"):
        yield f"data: {key}", str(result["data"].get(key, ""))[:_HASH]
    for key in ("train", "id", "ood", "fewshot"):
        yield f"images of {key}", result["data"].get(key)
    yield "teacher's weights", result["teacher"]["fingerprint"][:_HASH]
    yield "revision", short_revision(result["git_revision"])


def _cells(runs: ImageComparison, label: str, stages: Sequence[str]) -> tuple[str, ...]:
    result = runs.runs[label]
    cells = ([accuracy_cell(result, runs.bootstraps, label, stage, part) for stage in stages] for part in PARTS)
    return tuple(" / ".join(one for one in found if one) for found in cells)


def _result_table(runs: ImageComparison) -> str:
    """Return the accuracies of runs, then of the teacher and of a guess, each once for runs of equal numbers."""
    rows = [(f"`{label}`", *_cells(runs, label, [*STAGE_TITLES])) for label in runs.runs]
    for title in ("teacher", "chance"):
        labels: dict[tuple[str, ...], list[str]] = {}
        for label, result in runs.runs.items():
            cells = _cells(runs, label, ["teacher"]) if title == "teacher" else _chance(result)
            labels.setdefault(cells, []).append(f"`{label}`")
        rows += [(title if len(labels) == 1 else f"{title}, {', '.join(of)}", *cells) for cells, of in labels.items()]
    return markdown_table(["", *PARTS.values()], rows)


def _chance(result: Result) -> tuple[str, ...]:
    seen, unseen = (len(result["data"][half]) for half in ("seen", "unseen"))
    return tuple(f"{100 / n:.1f}" if n else "NA" for n in (seen, unseen, seen + unseen))


def _difference_table(runs: ImageComparison) -> str:
    rows = []
    for label in runs.others:
        cells = []
        for part in PARTS:
            why = runs.unpaired(label, part)
            found = [runs.difference(label, stage, part) for stage in STAGE_TITLES if _has(runs, label, stage, part)]
            cells.append(f"not paired: {why}" if why else " / ".join(map(difference_cell, found)))
        rows.append([f"`{label}` - `{runs.first}`", *cells])
    return markdown_table(["", *PARTS.values()], rows)


def _has(runs: ImageComparison, label: str, stage: str, part: str) -> bool:
    """Return whether a run or the first has answers of a stage and part."""
    both = [runs.answers[name] for name in (label, runs.first) if name in runs.answers]
    return any(part in saved.stages.get(stage, {}) for saved in both)


def _draw_differences(runs: ImageComparison) -> Figure:
    found: dict[str, dict[str, Interval | None]] = {
        label: {
            f"{PARTS[part]}, {STAGE_TITLES[stage]}": interval_of(runs.difference(label, stage, part))
            for part, stage in product(PARTS, STAGE_TITLES)
            if _has(runs, label, stage, part) or stage != "retrieval"
        }
        for label in runs.others
    }
    return draw_differences({"accuracy": found}, runs.first)


def _objects(runs: ImageComparison) -> Iterator[str]:
    if not runs.answers:
        yield "No run saved its answers: each is from before this was done."
        return
    alike = _alike(runs)
    yield "Accuracy, few-shot: seen classes on X_id, unseen ones (a star, and hatching) on X_ood."
    left_out = [f"`{label}`" for label in runs.runs if label not in alike]
    if left_out:
        yield f"Left out, for other classes or for want of answers: {', '.join(left_out)}."
    yield f"![Accuracy of each class]({OBJECTS})"
    yield class_table(alike)
