"""`scores.npz`: the scores of a run per item, one long table, which tables over runs, intervals and comparisons read.

| column | run on scenes | run on single images | evaluation of a policy |
| --- | --- | --- | --- |
| stage | `zero_shot`, `few_shot`, `retrieval` | the same, and `teacher` | variant |
| cell | labels on a store, such as `ood_on_id` | `id`, `ood` or `all` | measure, such as `success` |
| item | scene | image | pile and kind of instruction |
| label | each label of the cell | its class, and the nearest other one | target |
| score | probability | cosine with the text | 1 where the measure holds, else 0 |
| target | whether the label is true | whether it is the image's class | true |
| predicted | score above the run's threshold | whether it is the answer | whether the measure holds |
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.metrics.multilabel import weighted_ap
from pickclutter_lang.results.intervals import Bools, Bootstrap, Metric, RunScores, SplitScores
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.reading import read_npz

SCORES_FILE = "scores.npz"
_CODES = ("stage", "cell", "item", "label")
_FORMS = {
    **dict.fromkeys(_CODES, ("iu", "R")),
    "score": ("f", "R"),
    "target": ("b", "R"),
    "predicted": ("b", "R"),
    "stages": ("U", "S"),
    "cells": ("U", "K"),
    "sources": ("U", "K"),
    "items": ("U", "I"),
    "labels": ("U", "L"),
    "unseen": ("b", "L"),
}
_ADVICE = "delete it and result.json, and run the same command again: a finished run is only evaluated"
Place = tuple[str, str]
"""A stage and a cell."""


@dataclass(frozen=True)
class Cell:
    """Scores of `labels` [C] on `items` [N], their `targets`, and what is `predicted`: each [N, C].

    A score is NaN where the table has no row. `source` is a hash of the data that the items are of: runs are paired
    where theirs are equal.
    """

    items: tuple[str, ...]
    labels: tuple[str, ...]
    scores: NDArray[np.float32]
    targets: Bools
    predicted: Bools
    source: str = ""

    @classmethod
    def of_answers(
        cls,
        items: Sequence[str],
        classes: Sequence[str],
        labels: Sequence[int],
        predicted: Sequence[int],
        *,
        own: NDArray[np.floating[Any]] | None = None,
        others: NDArray[np.floating[Any]] | None = None,
        nearest: Sequence[int] | None = None,
        source: str = "",
    ) -> Cell:
        """Return the cell of images with one class each.

        :param labels: indices [N] of the images' classes
        :param predicted: indices [N] of the classes that are answered
        :param own: cosines [N] with the text of the own class, and `others` [N] with the `nearest` [N] other one; None:
            the answer scores 1, and the own class 0 where it is not the answer
        """
        rows = np.arange(len(items))
        scores = np.full((len(items), len(classes)), np.nan, np.float32)
        targets, answered = np.zeros(scores.shape, bool), np.zeros(scores.shape, bool)
        if own is not None and others is not None and nearest is not None:
            scores[rows, list(nearest)], scores[rows, list(labels)] = others, own
        else:
            scores[rows, list(labels)] = 0.0
            scores[rows, list(predicted)] = 1.0
        targets[rows, list(labels)] = True
        answered[rows, list(predicted)] = True
        return cls(tuple(items), tuple(classes), scores, targets, answered, source)

    @classmethod
    def of_episodes(cls, items: Sequence[str], targets: Sequence[str], hits: Sequence[bool], source: str = "") -> Cell:
        """Return the cell of a measure that holds or not, of one target each."""
        names = tuple(dict.fromkeys(targets))
        rows = np.arange(len(items))
        columns = [names.index(name) for name in targets]
        scores = np.full((len(items), len(names)), np.nan, np.float32)
        scores[rows, columns] = hits
        return cls(tuple(items), names, scores, ~np.isnan(scores), scores > 0.5, source)

    @property
    def run_scores(self) -> RunScores:
        """What a bootstrap resamples; of items with one label each, whether the label is predicted, [N, 1], is all."""
        if np.isnan(self.scores).any():
            return RunScores(np.zeros((1, 1)), (self.predicted & self.targets).any(axis=1, keepdims=True))
        return RunScores(self.scores.astype(float), self.predicted)

    @property
    def outcomes(self) -> tuple[list[bool], list[str]]:
        """Whether each item of a cell of episodes is a hit, and its target."""
        return self.predicted.any(axis=1).tolist(), [self.labels[n] for n in self.targets.argmax(axis=1)]

    def of_labels(self, labels: Sequence[str]) -> Cell:
        """Return some labels, in this order."""
        at = [self.labels.index(label) for label in labels]
        return self._of(self.items, labels, (slice(None), at))

    def of_items(self, items: Collection[str]) -> Cell:
        """Return some items, and the labels that have a row in them."""
        rows = [n for n, item in enumerate(self.items) if item in set(items)]
        chosen = self._of([self.items[n] for n in rows], self.labels, (rows, slice(None)))
        return chosen.of_labels([self.labels[n] for n in np.flatnonzero(~np.isnan(chosen.scores).all(axis=0))])

    def _of(self, items: Sequence[str], labels: Sequence[str], at: Any) -> Cell:
        return Cell(tuple(items), tuple(labels), self.scores[at], self.targets[at], self.predicted[at], self.source)

    def bootstrap(self, other: Cell | None = None) -> Bootstrap:
        """Return the bootstrap over items and labels of this cell, named "", and of an `other` one with its targets."""
        runs = {name: cell.run_scores for name, cell in {"": self, "other": other}.items() if cell}
        return Bootstrap({0: SplitScores(self.targets, {name: {(0, 0): one} for name, one in runs.items()})})

    def with_positives(self) -> Cell:
        """Return the labels that are true in some item: others have no recall."""
        return self.of_labels([self.labels[n] for n in np.flatnonzero(self.targets.any(axis=0))])

    def by_label(self, metric: Metric) -> dict[str, float]:
        """Return the average precision (for `map` and `f1`), or the recall, of each label that is true somewhere."""
        ones = np.ones((1, len(self.items)))
        found = {}
        for n in np.flatnonzero(self.targets.any(axis=0)):
            true = self.targets[:, n]
            scores = self.scores[:, n].astype(float)
            ranked = metric in ("map", "f1")
            value = weighted_ap(scores, true, ones)[0] if ranked else self.predicted[true, n].mean()
            found[self.labels[n]] = float(value)
        return found


@dataclass(frozen=True)
class Scores:
    """The table of a run; `columns` are those of the file, with names of stages, cells, items and labels as codes."""

    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of_cells(cls, cells: Iterable[tuple[Place, Cell]], unseen: Collection[str] = ()) -> Scores:
        """Return the table of some cells, of which one at a time need be in memory: a dense one is large.

        :param unseen: labels of Y_ood
        """
        names: dict[str, dict[str, int]] = {name: {} for name in _CODES}
        rows: dict[str, list[NDArray[Any]]] = {name: [] for name in (*_CODES, "score", "target", "predicted")}
        sources: dict[str, str] = {}
        for (stage, cell), one in cells:
            at = np.nonzero(~np.isnan(one.scores))
            codes = {"stage": [stage], "cell": [cell], "item": one.items, "label": one.labels}
            for name, texts in codes.items():
                numbers = np.array([names[name].setdefault(text, len(names[name])) for text in texts], np.int32)
                rows[name].append(numbers[at[0] if name == "item" else at[1] if name == "label" else 0 * at[0]])
            for name, values in (("score", one.scores), ("target", one.targets), ("predicted", one.predicted)):
                rows[name].append(values[at])
            sources[cell] = one.source
        columns = {name: np.concatenate(parts) for name, parts in rows.items()}
        columns |= {f"{name}s": np.array([*known], str) for name, known in names.items()}
        columns["sources"] = np.array([sources[cell] for cell in names["cell"]], str)
        columns["unseen"] = np.array([label in unseen for label in names["label"]], bool)
        return cls(columns)

    def save(self, folder: Path) -> None:
        """Write the table into the folder of a run, atomically."""
        stream = io.BytesIO()
        np.savez_compressed(stream, **self.columns)
        atomic_write(folder / SCORES_FILE, stream.getvalue())

    @classmethod
    def load(cls, folder: Path) -> Scores:
        """Read the table of a run.

        :raises CheckpointError: when the file is missing or damaged
        """
        path = folder / SCORES_FILE
        missing = f"expected the scores of a run at {path}, but there is no such file; evaluate the run again"
        columns = read_npz(path, _FORMS, CheckpointError, _ADVICE, missing)
        for name in _CODES:
            codes = columns[name]
            count = len(columns[f"{name}s"])
            if len(codes) and not (codes.min() >= 0 and codes.max() < count):
                raise CheckpointError(f"{path} is damaged ({name}: expected numbers below {count}); {_ADVICE}")
        return cls(columns)

    @property
    def unseen(self) -> set[str]:
        """Labels of Y_ood."""
        return set(self.columns["labels"][self.columns["unseen"]].tolist())

    @cached_property
    def places(self) -> list[Place]:
        """The stages and cells that have rows."""
        pairs = np.unique(np.stack([self.columns["stage"], self.columns["cell"]]), axis=1).T
        return [(str(self.columns["stages"][s]), str(self.columns["cells"][c])) for s, c in pairs]

    def cell(self, stage: str, cell: str) -> Cell:
        """Return the scores of a stage and a cell, items and labels in the order in which they were written.

        :raises CheckpointError: when there are none
        """
        if (stage, cell) not in self.places:
            raise CheckpointError(f"expected scores of {stage}, {cell}, but a run has none; {_ADVICE}")
        columns = self.columns
        of_cell = columns["cells"].tolist().index(cell)
        rows = (columns["stage"] == columns["stages"].tolist().index(stage)) & (columns["cell"] == of_cell)
        items, item = np.unique(columns["item"][rows], return_inverse=True)
        labels, label = np.unique(columns["label"][rows], return_inverse=True)
        shape = len(items), len(labels)
        scores = np.full(shape, np.nan, np.float32)
        targets, predicted = np.zeros(shape, bool), np.zeros(shape, bool)
        for table, name in ((scores, "score"), (targets, "target"), (predicted, "predicted")):
            table[item, label] = columns[name][rows]
        names = (tuple(columns["items"][items].tolist()), tuple(columns["labels"][labels].tolist()))
        return Cell(*names, scores, targets, predicted, str(columns["sources"][of_cell]))
