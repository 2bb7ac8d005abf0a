"""Figures 1, 2b and 4 of the paper from finished runs: an image, and its numbers as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, MissingExtraError
from pickclutter_lang.experiments.images.image_protocol import MOST_CLASSES, SPACE_FILE
from pickclutter_lang.experiments.images.image_tables import (
    BEST,
    ENRICHED,
    FIGURES,
    NAIVE,
    check_finished,
    table_of_runs,
)
from pickclutter_lang.results.charts import GRAY, SEEN, UNSEEN, save_png, tidy_axes
from pickclutter_lang.results.intervals import Estimate
from pickclutter_lang.results.runs import Runs, interval_over
from pickclutter_lang.utils.array_files import read_npz
from pickclutter_lang.utils.io import write_csv

_STAGES = {"zero_shot.ood.accuracy": "zero-shot", "few_shot.ood.accuracy": "few-shot"}
_BARS = {
    NAIVE: ("1", "naive baseline (L_cls)", GRAY),
    BEST: ("1", "+ visual space and V-L alignment", SEEN),
    ENRICHED: ("5", "+ language enrichment", UNSEEN),
}
_TEXTS = {"names": ("names alone", GRAY), "descriptions": ("descriptions", UNSEEN), "captions": ("captions", SEEN)}
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
    :raises InvalidArgumentError: for another number, or too few images for Figure 2b
    :raises CheckpointError: when none of the figure's runs is finished, or a run lacks the data of the figure
    :raises MissingExtraError: for Figure 2b without the extra `train`
    """
    if number not in FIGURES:
        raise InvalidArgumentError(f"expected a figure of {', '.join(FIGURES)}, but got {number!r}")
    check_finished(runs, FIGURES[number], f"figure={number}")
    figure, lines = {"1": _figure_1, "2b": _figure_2b, "4": _figure_4}[number](runs)
    write_csv(out / f"figure{number}.csv", lines)
    path = out / f"figure{number}.png"
    save_png(figure, path)
    return path


def _figure_1(runs: Runs) -> tuple[Figure, Lines]:
    """Draw accuracy on X_ood, bars of three runs for zero-shot and for few-shot."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    ax = figure.subplots()
    width, places = 0.27, np.arange(len(_STAGES))
    lines: Lines = [["run", "measure", "mean", "half_width", "seeds", "paper"]]
    for n, (run, (table, title, color)) in enumerate(_BARS.items()):
        found = [runs.estimate(run, measure) for measure in _STAGES]
        across = places + (n - 1) * width
        means = [np.nan if one is None else 100 * one.mean for one in found]
        errors = [np.nan if one is None or one.half_width is None else 100 * one.half_width for one in found]
        label = title if runs.seeds(run) else f"{title}: not finished"
        bars = ax.bar(across, means, 0.92 * width, yerr=errors, capsize=3, color=color, label=label)
        ax.bar_label(bars, labels=["" if one is None else f"{100 * one.mean:.1f}" for one in found], padding=2)
        paper = sum(table_of_runs(runs, table).row(run).paper, ())[1:] or (None, None)
        dots = [np.nan if value is None else value for value in paper]
        if not np.isnan(dots).all():  # next to the error bars
            name = "_" if "paper" in ax.get_legend_handles_labels()[1] else "paper"
            ax.scatter(
                across + 0.3 * width, dots, marker="D", s=34, color="black", edgecolor="white", zorder=3, label=name
            )
        for measure, one, value in zip(_STAGES, found, paper, strict=True):
            lines.append([run, measure, *_numbers(one), "" if value is None else f"{value / 100:.3f}"])
    guess = table_of_runs(runs, "1").chance.get("zero_shot.ood.accuracy")
    if guess is not None:
        ax.axhline(100 * guess, color="black", linewidth=1, linestyle="--", label="chance")
    ax.set(title=f"{runs.first['data']['name']}: Y_ood on X_ood", ylabel="accuracy, %", xticks=places)
    ax.set_xticklabels(list(_STAGES.values()))
    ax.margins(y=0.12)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    tidy_axes(ax)
    return figure, lines


def _figure_4(runs: Runs) -> tuple[Figure, Lines]:
    """Draw the largest eigenvalues of the centered text features of Y_ood."""
    figure = Figure(figsize=(5.6, 4), layout="constrained")
    ax = figure.subplots()
    lines: Lines = [["texts", "number", "mean", "half_width", "seeds"]]
    for kind, (title, color) in _TEXTS.items():
        found = _eigenvalues(runs, kind)
        if not found:
            continue
        across = np.arange(1, len(found) + 1)
        means = np.array([one.mean for one in found])
        widths = np.array([one.half_width or 0.0 for one in found])
        cosine = runs.estimate(BEST, f"text.{kind}.cosine")
        label = title if cosine is None else f"{title} (mean cosine {cosine.mean:.3f})"
        ax.plot(across, means, marker="o", markersize=4, color=color, label=label)
        ax.fill_between(across, means - widths, means + widths, color=color, alpha=0.25, linewidth=0)
        lines += [[kind, n, *_numbers(one)] for n, one in enumerate(found, start=1)]
    if len(lines) == 1:
        raise CheckpointError(f"expected two classes or more in Y_ood, but {runs.folder / BEST} has no text spaces")
    ax.set(title=f"{runs.first['data']['name']}: text features of Y_ood", xlabel="number", ylabel="eigenvalue")
    ax.set_xticks(range(1, 1 + max(int(str(row[1])) for row in lines[1:])))
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=9)
    tidy_axes(ax)
    return figure, lines


def _eigenvalues(runs: Runs, kind: str) -> list[Estimate]:
    """Return each eigenvalue over runs; none where a run has none. Splits of fewer classes have fewer of them."""
    texts: dict[Any, Any] = {
        key: (record["metrics"].get("text") or {}).get(kind) for key, record in runs.of(BEST).items()
    }
    if not all(texts.values()):
        return []
    spaces = {key: text["eigenvalues"] for key, text in texts.items()}
    rows = ({key: values[n] for key, values in spaces.items()} for n in range(min(map(len, spaces.values()))))
    return [one for one in map(interval_over, rows) if one is not None]


def _figure_2b(runs: Runs) -> tuple[Figure, Lines]:
    """Draw where the student puts images of unseen classes and the teacher their texts, by UMAP."""
    shared = sorted(set(runs.replicates(BEST)) & set(runs.replicates(ENRICHED)))
    if not shared:
        raise CheckpointError(
            f"expected {BEST} and {ENRICHED} of one seed and class split under {runs.folder}; run both"
        )
    names = runs.of(BEST)[shared[0]]["data"]["unseen"]
    colors, figure = colormaps["tab10"], Figure(figsize=(11, 4.8), layout="constrained")
    axes = figure.subplots(1, len(_SIDES))
    lines: Lines = [["run", "kind", "class", "x", "y"]]
    for ax, (run, title) in zip(axes, _SIDES.items(), strict=True):
        space = load_space(runs.folders[run, shared[0]] / SPACE_FILE, len(names))
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
    data, folder = runs.first["data"]["name"], shared[0].folder_name
    figure.suptitle(f"{data}: {n_shown} of {len(names)} classes of Y_ood, {folder}", fontsize=11)
    figure.legend(loc="outside right center", fontsize=9)
    return figure, lines


def load_space(path: Path, classes: int) -> Space:
    """Read the features of a run, of at most 10 classes and 100 images each, L2-normalized.

    :raises CheckpointError: when the file is missing, damaged, or not of so many classes
    """
    again = "evaluate the run again"
    forms = {"students": ("f", "ND"), "texts": ("f", "CD"), "labels": ("iu", "N")}
    missing = f"expected the features of a run at {path}, but there are none; {again}"
    stored = read_npz(path, forms, CheckpointError, again, missing)
    students, texts, labels = (stored[name] for name in forms)
    if len(texts) != classes:
        raise CheckpointError(f"expected features of {classes} classes in {path}, but got {len(texts)}; {again}")
    rows = labels < MOST_CLASSES
    return Space(_unit(students[rows]), labels[rows].astype(np.int64), _unit(texts[:MOST_CLASSES]))


def check_umap() -> None:
    """Raise MissingExtraError where UMAP, which Figure 2b needs, is not installed."""
    if find_spec("umap") is None:
        raise MissingExtraError("umap-learn", "export")


def embed(space: Space) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return places of the images [n, 2] by UMAP, and of the texts [C, 2] among them.

    The map is that of the images; each text then goes to where the images nearest to it are. A map of both would show
    above all that images and texts are two crowds. The same features give the same map.

    :raises MissingExtraError: without the extra `train`
    :raises InvalidArgumentError: for fewer than 4 images, which UMAP cannot place
    """
    if len(space.students) < _FEWEST_IMAGES:
        raise InvalidArgumentError(
            f"expected {_FEWEST_IMAGES} images or more in X_ood for Figure 2b, but got {len(space.students)}; "
            "take more of the data set"
        )
    check_umap()
    import umap

    n_neighbors = min(15, len(space.students) - 1)
    reducer: Any = umap.UMAP(n_neighbors=n_neighbors, metric="cosine", random_state=0, n_jobs=1)
    images = reducer.fit_transform(space.students)
    return images, reducer.transform(space.texts)


def _unit(features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    rows = features.astype(np.float32)
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _numbers(found: Estimate | None) -> list[object]:
    """Return mean, half of the interval and runs for a line of a CSV file."""
    if found is None:
        return ["", "", 0]
    return [f"{found.mean:.6f}", "" if found.half_width is None else f"{found.half_width:.6f}", found.runs]
