"""Figures 1, 2b and 4 of the paper from finished runs: an image, and its numbers as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MissingExtraError
from pickclutter_lang.experiments.images.image_protocol import MOST_CLASSES, SPACE_FILE
from pickclutter_lang.experiments.images.image_tables import BEST, ENRICHED, NAIVE, table_of_runs
from pickclutter_lang.results.charts import GRAY, SEEN, UNSEEN, draw_bars, save_png, tidy_axes
from pickclutter_lang.results.intervals import Estimate
from pickclutter_lang.results.runs import Runs, interval_over
from pickclutter_lang.results.tables import csv_numbers
from pickclutter_lang.utils.io import write_csv
from pickclutter_lang.utils.reading import read_npz

_STAGES = {"zero_shot.ood.accuracy": "zero-shot", "few_shot.ood.accuracy": "few-shot"}
_BARS = {
    NAIVE: ("1", "naive baseline (L_cls)"),
    BEST: ("1", "+ visual space and V-L alignment"),
    ENRICHED: ("5", "+ language enrichment"),
}
_TEXTS = {"names": ("names only", GRAY), "descriptions": ("descriptions", UNSEEN), "captions": ("captions", SEEN)}
_SIDES = {BEST: "before enrichment", ENRICHED: "after enrichment"}
_FEWEST_IMAGES = 4  # of Figure 2b
Lines = list[Sequence[object]]


class Space(NamedTuple):
    """Student features [n, D] of images of C classes, their labels [n] and the classes' text features [C, D]."""

    students: NDArray[np.float32]
    labels: NDArray[np.int64]
    texts: NDArray[np.float32]


def write_figure(runs: Runs, number: str, out: Path) -> Path:
    """Write `figure<N>.png` and `figure<N>.csv` into a folder; return the path of the former.

    :param number: "1", "2b" or "4"
    :raises InvalidArgumentError: for too few images for Figure 2b
    :raises CheckpointError: when a run lacks the data of the figure
    :raises MissingExtraError: for Figure 2b without the extra `export`
    """
    figure, lines = {"1": _figure_1, "2b": _figure_2b, "4": _figure_4}[number](runs)
    write_csv(out / f"figure{number}.csv", lines)
    path = out / f"figure{number}.png"
    save_png(figure, path)
    return path


def _figure_1(runs: Runs) -> tuple[Figure, Lines]:
    """Draw accuracy on X_ood, zero-shot and few-shot: bars of three runs, and the paper's beside them."""
    series: dict[str, dict[str, Estimate | None]] = {}
    lines: Lines = [["run", "measure", "mean", "half_width", "seeds", "paper"]]
    for run, (table, title) in _BARS.items():
        paper = sum(table_of_runs(runs, table).row(run).paper, ())[1:] or (None, None)
        theirs = {stage: value and value / 100 for stage, value in zip(_STAGES.values(), paper, strict=True)}
        found = {stage: runs.estimate(run, measure) for measure, stage in _STAGES.items()}
        series[title] = found
        if any(paper):
            series[f"{title}, paper"] = {key: None if x is None else Estimate(x, None, 1) for key, x in theirs.items()}
        for measure, stage in _STAGES.items():
            value = theirs[stage]
            lines.append([run, measure, *csv_numbers(found[stage]), "" if value is None else f"{value:.3f}"])
    return draw_bars(series, dict.fromkeys(series, ()), "accuracy of Y_ood on X_ood, %"), lines


def _figure_4(runs: Runs) -> tuple[Figure, Lines]:
    """Draw the largest eigenvalues of the centered text features of Y_ood."""
    figure = Figure(figsize=(5.6, 4), layout="constrained")
    ax = figure.subplots()
    lines: Lines = [["texts", "number", "mean", "half_width", "seeds"]]
    for kind, (title, color) in _TEXTS.items():
        found = _eigenvalues(runs, kind)
        cosine = runs.estimate(BEST, f"text.{kind}.cosine")
        if not found or cosine is None:
            continue
        across = np.arange(1, len(found) + 1)
        means = np.array([one.mean for one in found])
        widths = np.array([one.half_width or 0.0 for one in found])
        label = f"{title} (mean cosine {cosine.mean:.3f})"
        ax.plot(across, means, marker="o", markersize=4, color=color, label=label)
        ax.fill_between(across, means - widths, means + widths, color=color, alpha=0.25, linewidth=0)
        lines += [[kind, n, *csv_numbers(one)] for n, one in enumerate(found, start=1)]
    if len(lines) == 1:
        raise CheckpointError(f"expected two classes or more in Y_ood, but {runs.folder / BEST} has no text spaces")
    ax.set(title=f"{runs.first['data']['name']}: text features of Y_ood", xlabel="number", ylabel="eigenvalue")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=9)
    tidy_axes(ax)
    return figure, lines


def _eigenvalues(runs: Runs, kind: str) -> list[Estimate]:
    """Return each eigenvalue over runs; none where a run has none. Splits of fewer classes have fewer of them."""
    texts = {key: record["metrics"]["text"].get(kind) for key, record in runs.of(BEST).items()}
    if not all(texts.values()):
        return []
    count = min(len(text["eigenvalues"]) for text in texts.values())
    rows = ({key: text["eigenvalues"][n] for key, text in texts.items()} for n in range(count))
    return [one for one in map(interval_over, rows) if one is not None]


def _figure_2b(runs: Runs) -> tuple[Figure, Lines]:
    """Draw where the student puts images of unseen classes and the teacher their texts, by UMAP."""
    shared = runs.shared(BEST, ENRICHED)
    if not shared:
        raise CheckpointError(
            f"expected {BEST} and {ENRICHED} of one seed and class split under {runs.folder}; run both"
        )
    names = runs.of(BEST)[shared[0]]["data"]["unseen"]
    colors = colormaps["tab10"]
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    axes = figure.subplots(1, len(_SIDES))
    lines: Lines = [["run", "kind", "class", "x", "y"]]
    for ax, (run, title) in zip(axes, _SIDES.items(), strict=True):
        space = load_space(runs.folders[run, shared[0]] / SPACE_FILE)
        images, texts = embed(space)
        labels = np.arange(len(texts))
        right = 100 * float(((space.students @ space.texts.T).argmax(axis=1) == space.labels).mean())
        ax.scatter(*images.T, color=colors(space.labels), s=10, alpha=0.6, linewidth=0)
        ax.scatter(*texts.T, marker="*", s=190, color=colors(labels), edgecolor="black", zorder=3)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{title}: the nearest text is right for {right:.0f}%", fontsize=10)
        for kind, points, of_points in (("image", images, space.labels), ("text", texts, labels)):
            lines += [
                [run, kind, names[label], f"{x:.4f}", f"{y:.4f}"]
                for label, (x, y) in zip(of_points.tolist(), points.tolist(), strict=True)
            ]
    for label, name in enumerate(names[:MOST_CLASSES]):
        axes[0].scatter([], [], color=colors(label), s=30, label=name)
    axes[0].scatter([], [], marker="*", s=150, color="white", edgecolor="black", label="text")
    n_shown = min(len(names), MOST_CLASSES)
    data = runs.first["data"]["name"]
    folder = shared[0].folder_name
    figure.suptitle(f"{data}: {n_shown} of {len(names)} classes of Y_ood, {folder}", fontsize=11)
    figure.legend(loc="outside right center", fontsize=9)
    return figure, lines


def load_space(path: Path) -> Space:
    """Read the features of a run, of at most 10 classes and 100 images each, L2-normalized.

    :raises CheckpointError: when the file is missing or damaged
    """
    again = "evaluate the run again"
    forms = {"students": ("f", "ND"), "texts": ("f", "CD"), "labels": ("iu", "N")}
    stored = read_npz(path, forms, CheckpointError, again, f"expected the features of a run at {path}; {again}")
    return Space(stored["students"], stored["labels"], stored["texts"])


def check_umap() -> None:
    """Raise MissingExtraError where UMAP, which Figure 2b needs, is not installed."""
    if find_spec("umap") is None:
        raise MissingExtraError("umap-learn", "export")


def embed(space: Space) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return places of the images [n, 2] by UMAP, and of the texts [C, 2] among them.

    The map is that of the images; each text then goes to where the images nearest to it are. A map of both would show
    above all that images and texts are two crowds. The same features give the same map.

    :raises InvalidArgumentError: for fewer than 4 images, which UMAP cannot place
    """
    if len(space.students) < _FEWEST_IMAGES:
        raise InvalidArgumentError(
            f"expected {_FEWEST_IMAGES} images or more in X_ood for Figure 2b, but got {len(space.students)}; "
            "take more of the data set"
        )
    import umap

    n_neighbors = min(15, len(space.students) - 1)
    reducer: Any = umap.UMAP(n_neighbors=n_neighbors, metric="cosine", random_state=0, n_jobs=1)
    images = reducer.fit_transform(space.students)
    return images, reducer.transform(space.texts)
